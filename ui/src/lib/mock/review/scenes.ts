// Pull requests of the mock's scenes.
import type { GateResult, QueueRow, ReviewView } from "$lib/backend/types";
import { long, patch, plain, type MockFile } from "./diff";
import PAYLOADS from "./payloads.json";

export interface MockPullRequest {
    queue: QueueRow;
    head: ReviewView;
    files: MockFile[];
    /** What changed since the person looked; none = it was never updated. */
    since: MockFile[] | null;
    output: Record<string, string>;
}

const HOUR = 3_600_000;

interface Given {
    title: string;
    loop: string;
    hours: number;
    risk: QueueRow["risk"];
    why?: string;
    cost: number;
    state?: string;
    said?: string;
    finding?: [string, string];
    gates?: GateResult[];
    not_checked?: string[];
    reasons?: string[];
    files: MockFile[];
    since?: MockFile[];
    iterations?: number;
}

let made = 0;

const GATES: GateResult[] = [
    gate("tests_pass", "pass", "212 passed (base: 212 passed)", [], "a".repeat(64)),
    gate("lint_clean", "pass", "0 warnings", [], "b".repeat(64)),
    gate("repeat_20", "pass", "20 of 20 passed", [], "c".repeat(64)),
];

function gate(
    name: string,
    level: GateResult["level"],
    summary: string,
    reasons: string[] = [],
    evidence: string | null = null,
): GateResult {
    return { gate: name, level, summary, reasons, evidence };
}

function digits(of: number, length: number): string {
    return of.toString(16).padStart(4, "0").repeat(length).slice(0, length);
}

export function pullRequest(given: Given): MockPullRequest {
    made += 1;
    const count = (sign: string): number =>
        given.files.flatMap((file) => file.rows).filter((row) => row.sign === sign).length;
    const stat = { files: given.files.length, added: count("added"), removed: count("removed") };
    const row: QueueRow["row"] = {
        id: `019aa000-0000-7000-8000-${String(made).padStart(12, "0")}`,
        short: String(made).padStart(8, "0"),
        loop_name: given.loop,
        run: "019aa000-0000-7000-8000-aaaaaaaaaaaa",
        title: given.title,
        state: given.state ?? "open",
        why: given.said ?? null,
        later_until: null,
        lands_at: null,
        opened: new Date(Date.now() - given.hours * HOUR).toISOString(),
        stat,
        cost: given.cost,
        needs_person: given.risk !== "quick",
    };
    const since = given.since ? { commit: digits(made + 90, 40), stat, diff: "", whole: false } : null;
    const head: ReviewView = {
        row,
        findings: [given.finding ?? [given.title, "the check passes"]],
        target: ["/home/ada/shop-api", "main"],
        merge: "squash",
        commit: digits(made, 40),
        tree: digits(made + 40, 40),
        diff_sha256: digits(made, 64),
        diff: "",
        gates: given.gates ?? GATES,
        maker: "maker, Claude Code 2.1",
        checked_by: "Codex 0.42",
        checker: {
            accepted: true,
            reasons: given.reasons ?? ["both calls now use one value"],
            faults: [],
            not_checked: given.not_checked ?? ["callers outside this crate"],
        },
        not_independent: null,
        iterations: given.iterations ?? 2,
        worked_s: 180 * (given.iterations ?? 2) + 12,
        budget: 5_000_000,
        rounds_left: Math.max(0, 3 - (given.iterations ?? 2)),
        merged: null,
        approve_command: "",
        history: [],
        since,
    };
    const output = Object.fromEntries((given.gates ?? GATES).flatMap((one) => outputOf(one)));
    return {
        queue: { row, risk: given.risk, why: given.why ?? null },
        head,
        files: given.files,
        since: given.since ?? null,
        output,
    };
}

function outputOf(one: GateResult): [string, string][] {
    if (!one.evidence) return [];
    const lines = Array.from({ length: 3000 }, (_, n) => `test case_${n} ... ok`);
    return [[one.evidence, `$ cargo test\n${lines.join("\n")}\n${one.summary}\n`]];
}

const PARSER = patch(
    `@@ -82,7 +82,12 @@ fn parse_day(s: &str)
 fn parse_day(s: &str, clock: &Clock) -> Day {
     let s = s.trim();
-    let now = «Local::now»();
+    let now = «clock.today»();
     if s == "today" {
-        return «Local::now().date()»;
+        return «now»;
     }
+    if s == "tomorrow" {
+        return now.succ();
+    }
     Day::parse(s)
 }`,
);
const CLOCK = patch(
    "@@ -0,0 +1,6 @@\n+pub struct Clock(Date);\n+\n+impl Clock {\n+    pub fn today(&self) -> Date { self.0 }\n+}\n+",
);
const TEST = patch(
    '@@ -9,3 +9,4 @@ mod tests\n #[test]\n fn days() {\n-    assert!(«parse_day»("today"));\n+    assert!(«parse_day_at»("today"));\n+    assert!(parse_day_at("tomorrow"));\n }',
);
const LOCK = patch("@@ -1,2 +1,2 @@\n-version = 1\n+version = 2");

const FLAKY_FILES: MockFile[] = [
    { path: "src/parser.rs", rows: PARSER },
    { path: "src/clock.rs", kind: "added", rows: CLOCK },
    { path: "tests/days.rs", class: "tests", rows: TEST },
    {
        path: "src/old_name.rs",
        old_path: "src/former_name.rs",
        kind: "renamed",
        class: "mechanical",
        why: "renamed from src/former_name.rs",
        folded: true,
        rows: [],
    },
    { path: "Cargo.lock", class: "mechanical", why: "lock file", folded: true, rows: LOCK },
];

function flaky(): Given {
    return {
        title: "Fix flaky date test in parser",
        loop: "daily-triage",
        hours: 2,
        risk: "quick",
        cost: 410_000,
        finding: ["CI job test failed 3 of 10 times on main", "parse_day gives one day for one call"],
        files: FLAKY_FILES,
    };
}

const RETRY: Given = {
    title: "Retry upload on 503",
    loop: "sentry-fix",
    hours: 26,
    risk: "risky",
    why: "changes .github/workflows/release.yml (continuous integration)",
    cost: 220_000,
    gates: [
        GATES[0]!,
        gate("diff_reasonable", "needs_person", "+12 −3 in 3 files", [
            "changes .github/workflows/release.yml (continuous integration)",
        ]),
        GATES[1]!,
    ],
    finding: ["Sentry SHOP-812: upload fails with 503", "an upload that gets 503 is tried three times"],
    files: [
        {
            path: ".github/workflows/release.yml",
            class: "protected",
            why: "continuous integration",
            rows: patch("@@ -3,3 +3,4 @@\n jobs:\n+  retry: 3\n   upload:\n     runs-on: ubuntu"),
        },
        {
            path: "src/upload.rs",
            rows: patch(
                "@@ -40,3 +40,9 @@ fn upload\n     let answer = send(&body)?;\n+    for wait in [1, 2, 4] {\n+        if answer.status() != 503 { break }\n+        sleep(wait);\n+    }\n     Ok(answer)",
            ),
        },
        { path: "assets/logo.png", binary: [1820, 2411], why: "binary", rows: [] },
    ],
};

function many(): MockPullRequest[] {
    return [
        pullRequest(flaky()),
        pullRequest({
            title: "Bump serde to 1.0.230",
            loop: "deps",
            hours: 5,
            risk: "ordinary",
            why: "gates alone checked it",
            cost: 90_000,
            files: [
                {
                    path: "Cargo.toml",
                    class: "protected",
                    why: "build script or manifest",
                    rows: patch('@@ -12 +12 @@ [dependencies]\n-serde = "«1.0.228»"\n+serde = "«1.0.230»"'),
                },
                { path: "Cargo.lock", class: "mechanical", why: "lock file", folded: true, rows: LOCK },
            ],
        }),
        pullRequest(RETRY),
        pullRequest({
            title: "Rename Cart::sum",
            loop: "daily-triage",
            hours: 30,
            risk: "quick",
            cost: 120_000,
            state: "sent back",
            said: "Keep the old name as an alias.",
            files: FLAKY_FILES,
        }),
        pullRequest({
            title: "Fix rounding in invoices",
            loop: "daily-triage",
            hours: 40,
            risk: "quick",
            cost: 300_000,
            state: "merged",
            files: FLAKY_FILES,
        }),
        pullRequest({
            title: "Drop unused feature flags",
            loop: "daily-triage",
            hours: 41,
            risk: "quick",
            cost: 210_000,
            state: "rejected",
            said: "Not a problem",
            files: FLAKY_FILES,
        }),
    ];
}

/** The pull requests that a scene begins with. */
export function scene(name: string): MockPullRequest[] {
    switch (name) {
        case "empty":
        case "never":
            return [];
        case "long": {
            const tables = [{ path: "src/tables.rs", rows: long(10_000) }];
            return [
                pullRequest({ ...flaky(), title: "Regenerate the tables", risk: "ordinary", files: tables }),
                pullRequest({ ...flaky(), risk: "risky" }),
            ];
        }
        case "cap":
            return [pullRequest({ ...flaky(), iterations: 3 })];
        case "sizes":
            return [10_000, 100].map((lines) =>
                pullRequest({
                    ...flaky(),
                    title: `A change of ${lines} lines`,
                    risk: "ordinary",
                    files: [{ path: `src/of_${lines}.rs`, rows: long(lines) }],
                }),
            );
        case "since":
            return [
                pullRequest({
                    ...flaky(),
                    files: FLAKY_FILES,
                    since: [
                        {
                            path: "src/parser.rs",
                            content: "second",
                            rows: patch(
                                '@@ -85,2 +85,2 @@ fn parse_day\n-    if s == "tomorrow" {\n+    if s.eq_ignore_ascii_case("tomorrow") {',
                            ),
                        },
                    ],
                }),
            ];
        case "moved":
            return [
                pullRequest({
                    ...flaky(),
                    said: "main moved since this was checked, and the change no longer fits there",
                }),
            ];
        case "waiting":
            return [
                pullRequest({
                    ...flaky(),
                    state: "approved",
                    said: "your checkout of main has changes. It merges when clean",
                }),
            ];
        case "failing":
            return [
                pullRequest({
                    ...flaky(),
                    risk: "risky",
                    gates: [
                        GATES[0]!,
                        gate("lint_clean", "fail", "2 warnings", ["src/parser.rs:85 unused variable"], "d".repeat(64)),
                        gate("size", "needs_person", "large", ["480 lines"]),
                    ],
                }),
            ];
        case "hostile":
            return PAYLOADS.map(hostile);
        default:
            return many();
    }
}

/** One pull request that says a payload everywhere. */
function hostile(payload: string): MockPullRequest {
    const shown: MockFile = {
        path: payload,
        rows: [
            { sign: "hunk", old: 1, new: 1, pieces: plain(payload), cut: 0 },
            { sign: "added", old: 0, new: 1, pieces: plain(payload), cut: 0 },
            { sign: "removed", old: 1, new: 0, pieces: plain(payload), cut: 0 },
        ],
    };
    const one = pullRequest({
        title: payload,
        loop: payload,
        hours: 2,
        risk: "risky",
        why: payload,
        cost: 410_000,
        said: payload,
        finding: [payload, payload],
        gates: [gate(payload, "needs_person", payload, [payload], "e".repeat(64))],
        not_checked: [payload],
        reasons: [payload],
        files: [
            shown,
            { ...shown, path: `${payload} moved`, old_path: payload, kind: "renamed", why: payload, folded: true },
        ],
        since: [shown],
    });
    one.head.target = [payload, payload];
    one.head.maker = payload;
    one.head.checked_by = payload;
    one.head.not_independent = payload;
    one.head.checker?.faults.push({ file: payload, rule: payload, message: payload });
    one.output["e".repeat(64)] = payload;
    return one;
}
