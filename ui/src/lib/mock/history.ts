// The history behind the mock: rows of every kind, a run that goes on and writes a log, and long or hostile scenes.
import type { Came, HistoryRow, LogFile, Mark, TimelineStep, TimelineView } from "$lib/backend/types";
import type { Scene } from "./world";

/** A run of the mock that lives writes a line so often, in ms. */
const LINE_EVERY = 400;
const HOUR = 3_600_000;
/** How long the run of the sample takes, in ms. */
const SAMPLE_TAKES = 1_500;

/** What the checker of the mock says. */
export const CHECKING = "The change is small and does what it says.\n";

export const HOSTILE = "<img src=x onerror=\"document.title='owned'\"> \u202e[approve](javascript:alert(1)) **bold**";

interface Kind {
    came: Came;
    mark: Mark;
    words: string;
    why: string;
    spent: number | null;
}

const KINDS: Kind[] = [
    { came: "opened", mark: "needs_you", words: "2 pull requests", why: "finished at 09:06", spent: 920_000 },
    { came: "nothing", mark: "nothing", words: "nothing to do", why: "finished at 09:01", spent: 0 },
    {
        came: "missed",
        mark: "skipped",
        words: "missed: asleep",
        why: "missed: the computer was asleep from 2026-11-21 23:00 to 2026-11-22 10:00; too long ago to be caught up",
        spent: null,
    },
    {
        came: "skipped",
        mark: "skipped",
        words: "skipped: its last run still ran",
        why: "skipped: its run 5d41402a still went on (overlap: skip)",
        spent: null,
    },
    { came: "handed_over", mark: "needs_you", words: "1 handed to you", why: "finished at 22:31", spent: 900_000 },
    {
        came: "failed",
        mark: "failed",
        words: "failed: cargo is not found in the sandbox",
        why: "failed at 07:00: cargo is not found in the sandbox",
        spent: 0,
    },
    { came: "halted", mark: "halted", words: "halted", why: "was halted at 10:42: halted in a window", spent: 120_000 },
    { came: "done", mark: "passed", words: "done", why: "finished at 03:20", spent: null },
    { came: "parked", mark: "skipped", words: "parked until 15:30", why: "is parked until 15:30", spent: 0 },
];

const LOOPS = ["daily-triage", "deps", "sentry-fix", "nightly-docs"];

export class MockHistory {
    rows: HistoryRow[] = [];
    readonly why = new Map<string, string>();
    /** When the run that lives began. */
    private readonly began = Date.now() - 192_000;
    private ended: string | null = null;
    private started = 0;
    private written = "";
    /** How much the maker had written when the checker began; null = it has not. */
    private checking: number | null = null;
    private lines = 0;

    constructor(private readonly scene: Scene) {
        if (scene === "empty" || scene === "fresh") return;
        const many = scene === "many" ? 10_000 : 60;
        this.rows = Array.from({ length: many }, (_, at) => this.row(at));
        if (scene === "hostile") for (const row of this.rows.slice(1, 4)) row.words = HOSTILE;
        if (scene === "hostile" && this.rows[1]) this.rows[1].loop_name = HOSTILE;
    }

    private row(at: number): HistoryRow {
        const due = new Date(Math.floor((Date.now() - at * 7 * HOUR) / HOUR) * HOUR);
        const kind: Kind = at === 0 ? { ...RUNNING } : (KINDS[(at - 1) % KINDS.length] ?? RUNNING);
        const id = `01936f2e-0000-7000-8000-${String(at).padStart(12, "0")}`;
        const begun = !["missed", "skipped"].includes(kind.came);
        this.why.set(id, kind.why);
        return {
            id,
            loop_name: LOOPS[at % LOOPS.length] ?? "deps",
            trigger: "cron",
            due: due.toISOString().replace(".000Z", "+00:00"),
            zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
            until: null,
            came: kind.came,
            mark: kind.mark,
            words: kind.words,
            run: begun ? `01936f2e-0000-7000-9000-${String(at).padStart(12, "0")}` : null,
            short: begun ? String(at).padStart(8, "a") : null,
            started: begun ? (at === 0 ? new Date(this.began) : due).toISOString() : null,
            ended: begun && at > 0 && kind.came !== "parked" ? new Date(due.getTime() + 392_000).toISOString() : null,
            spent: kind.spent,
            budget: kind.spent === null ? null : 5_000_000,
        };
    }

    /** Starts a loop now. */
    start(name: string): HistoryRow {
        const row = { ...this.row(0), loop_name: name, due: new Date().toISOString(), words: "starting" };
        const id = `01936f2e-0000-7000-a000-${String(++this.started).padStart(12, "0")}`;
        this.rows.unshift({ ...row, id, run: id, short: id.slice(-8), started: new Date().toISOString() });
        return this.rows[0] as HistoryRow;
    }

    /** Starts the sample, whose run takes a moment. */
    sample(): HistoryRow {
        const row = this.start("sample");
        const came = { came: "opened", mark: "needs_you", words: "2 pull requests" } as const;
        setTimeout(() => Object.assign(row, came, { ended: new Date().toISOString() }), SAMPLE_TAKES);
        return row;
    }

    halt(run: string): void {
        const row = this.rows.find((one) => one.run === run);
        if (!row || row.ended) return;
        Object.assign(row, { came: "halted", mark: "halted", words: "halted", ended: new Date().toISOString() });
        this.ended = row.ended;
    }

    lives(row: HistoryRow): boolean {
        return row.run !== null && row.ended === null && row.came === "running";
    }

    pulse(): string {
        if (this.scene === "silent") return "silent for 6 min; ends at 10 min";
        const ago = Math.floor((Date.now() % 5_000) / 1000);
        return ago < 2 ? "last event just now: cargo test" : `last event ${ago} s ago: cargo test`;
    }

    timeline(row: HistoryRow): TimelineView {
        const live = this.lives(row);
        return {
            row: live ? { ...row, words: "building" } : row,
            steps: steps(row, live),
            notes: this.scene === "hostile" ? [HOSTILE] : [],
            live: live ? { run: row.run ?? "", phase: "building", pulse: this.pulse(), spent: 410_000 } : null,
            pull_requests: row.came === "opened" ? PULL_REQUESTS : [],
            logs: this.logs(row),
            intact: this.scene !== "broken",
        };
    }

    private logs(row: HistoryRow): LogFile[] {
        // Nearly all of it is ASCII.
        const bytes = this.log(row).length;
        const said = this.checking === null ? [] : [{ name: "checker-1/stdout", bytes: CHECKING.length }];
        return [...said, { name: "maker-1/stdout", bytes: this.checking ?? bytes }, { name: "runner.err", bytes: 0 }];
    }

    /** The maker is done, and the checker begins to write. */
    check(): void {
        this.checking = this.written.length;
    }

    /** What the maker has written until now. */
    log(row: HistoryRow): string {
        if (this.checking !== null) return this.written;
        const until = this.lives(row) ? Date.now() : Date.parse(this.ended ?? "") || this.began + 400 * LINE_EVERY;
        const lines = this.scene === "longlog" ? 40_000 : Math.floor((until - this.began) / LINE_EVERY);
        while (this.lines < lines) this.written += line(this.lines++, this.scene);
        return this.written;
    }
}

const RUNNING: Kind = {
    came: "running",
    mark: "running",
    words: "running",
    why: "goes on since 09:00",
    spent: 410_000,
};

function line(at: number, scene: Scene): string {
    if (scene === "hostile" && at % 5 === 0) return `${HOSTILE} \u001b[2J\u001b[31mred\u001b[0m ${at}\n`;
    if (at % 40 === 39) return `\u001b[31merror[E0425]\u001b[0m: cannot find value \`now\` in this scope (${at})\n`;
    if (at % 7 === 0) return `\u001b[32m   Compiling\u001b[0m shop-api v0.1.${at}\n`;
    return `test parser::day_${at} ... \u001b[32mok\u001b[0m\n`;
}

function steps(row: HistoryRow, live: boolean): TimelineStep[] {
    const at = (second: number): string => new Date(Date.parse(row.started ?? "") + second * 1000).toISOString();
    const step = (mark: Mark, name: string, detail: string, from: number, seconds: number | null): TimelineStep => ({
        mark,
        name,
        detail,
        reasons: [],
        finding: ["Build", "Verify", "Ship"].includes(name) ? "“Fix flaky date test in parser”" : null,
        began: at(from),
        ended: seconds === null ? null : at(from + seconds),
        seconds,
    });
    const ahead = (name: string): TimelineStep => ({
        ...step("note", name, "", 0, null),
        finding: null,
        began: null,
    });
    const begun = [
        step("passed", "Prepare", "base main 1a2b3c4", 0, 2),
        {
            ...step("passed", "Discover", "Found 4 (2 new): 2 to act on.", 2, 8),
            reasons: ["tests_pass: 212 passed, 1 failed"],
        },
    ];
    if (live) {
        return [
            ...begun,
            step("running", "Build", "finding 1 of 2, iteration 1 of 3", 10, null),
            ahead("Verify"),
            ahead("Ship"),
        ];
    }
    if (row.came === "failed") return [step("failed", "Prepare", "Prepare failed: cargo is not found.", 0, 1)];
    if (row.came === "nothing") return [begun[0] as TimelineStep, step("nothing", "Discover", "Found nothing.", 2, 8)];
    const verify = step("needs_you", "Verify", "Verified, but a person must look: tests_pass ✓ 213 passed.", 130, 92);
    return [...begun, step("passed", "Build", "The maker changed +38 −22 in 3 files; charged $0.41.", 10, 120), verify];
}

const PULL_REQUESTS = [
    {
        id: "01936f2e-0000-7000-b000-000000000001",
        short: "b0000001",
        loop_name: "deps",
        run: "01936f2e-0000-7000-9000-000000000001",
        title: "Fix flaky date test in parser",
        state: "open",
        why: null,
        later_until: null,
        lands_at: null,
        opened: "2026-11-22T09:06:00Z",
        stat: { files: 3, added: 38, removed: 22 },
        cost: 410_000,
        needs_person: false,
    },
];
