import type { SettingsCommands } from "$lib/backend/settings";
import type { CredentialsView, DoctorRow, FirstDraft, RunRow, SettingsView } from "$lib/backend/types";
import type { Handlers } from "./index";
import { drilled, type World } from "./world";

/** What is set, as the file would hold it: key and YAML in one line. */
const SET: Record<string, string> = { budget: "[$50/day]", max_runs: "2", appearance: "system" };

const AGENTS: [string, string, string | null][] = [
    ["claude", "Anthropic", "/home/ada/.local/bin/claude"],
    ["codex", "OpenAI", "/usr/local/bin/codex"],
    ["gemini", "Google", null],
    ["copilot", "GitHub", null],
    ["cursor-agent", "Cursor", null],
    ["opencode", "any", null],
    ["aider", "any", null],
];

/** What the Settings, Welcome and Quit windows know, beside the world that all windows know. */
class Machine {
    readonly set: Record<string, string>;
    on = false;
    paused = true;
    looked = 0;
    readonly keys: CredentialsView;

    constructor(readonly world: World) {
        this.set = world.scene === "empty" ? {} : { ...SET };
        const state = world.scene === "failed" ? "locked" : world.scene === "empty" ? "absent" : "ready";
        this.keys = {
            keychain: { state, why: null, repair: null },
            credentials:
                world.scene === "empty"
                    ? []
                    : [
                          {
                              name: "anthropic",
                              added: "2026-10-03T08:00:00Z",
                              state: state === "ready" ? "stored" : "unknown",
                          },
                          {
                              name: "openai",
                              added: "2026-11-20T08:00:00Z",
                              state: state === "ready" ? "missing" : "unknown",
                          },
                      ],
        };
    }
}

const machines = new WeakMap<World, Machine>();

function machine(world: World): Machine {
    const known = machines.get(world) ?? new Machine(world);
    machines.set(world, known);
    return known;
}

function list(text: string | undefined): string[] {
    return (text ?? "")
        .replaceAll(/[[\]\s]/g, "")
        .split(",")
        .filter(Boolean);
}

function view(world: World): SettingsView {
    const { set } = machine(world);
    const order = list(set["agents"]);
    const place = (program: string): number => (order.includes(program) ? order.indexOf(program) : order.length);
    const agents = world.scene === "empty" ? AGENTS.map(([a, b]) => [a, b, null] as const) : AGENTS;
    const quiet = set["notifications.quiet_hours"] ?? "20:00-08:00";
    return {
        path: "/home/ada/.config/loopwright/settings.yaml",
        fault: world.scene === "failed" ? "a budget is per run, day or month, not per `dya` (1:13)" : null,
        appearance: (set["appearance"] ?? "system") as SettingsView["appearance"],
        single_keys: (set["single_keys"] ?? "on") === "on",
        tray_icon: (set["tray_icon"] ?? "automatic") as SettingsView["tray_icon"],
        max_runs: Number(set["max_runs"] ?? 2),
        budget: list(set["budget"]),
        needs_you: (set["notifications.needs_you"] ?? "on") === "on",
        broken: (set["notifications.broken"] ?? "on") === "on",
        quiet_hours: quiet === "off" ? null : quiet,
        break_quiet: list(set["notifications.break_quiet"]) as SettingsView["break_quiet"],
        agents: agents
            .map(([program, vendor, path]) => ({ program, vendor, path }))
            .sort((a, b) => place(a.program) - place(b.program)),
        independent: world.scene !== "empty",
        independence:
            world.scene === "empty"
                ? "No coding agent found. Loops with the built-in fixer work without one."
                : "Independent: maker and checker can come from two vendors.",
    };
}

function drill(last: World["drill"]): DoctorRow {
    const part = "drill";
    if (last?.passed) return { part, state: "ok", detail: last.words, repair: null };
    if (last) return { part, state: "failed", detail: last.words, repair: "loopwright drill" };
    const detail = "the kill switch was never tried on this computer: `loopwright drill`";
    return { part, state: "not seen", detail, repair: null };
}

function rows(world: World): DoctorRow[] {
    const failed = world.scene === "failed";
    const ok = (part: string, detail: string): DoctorRow => ({ part, state: "ok", detail, repair: null });
    const layers = [
        "user namespace",
        "process namespace",
        "network namespace",
        "view by allow-list",
        "system call filter",
    ];
    return [
        ok("git", "/usr/bin/git"),
        ok("settings", "/home/ada/.config/loopwright/settings.yaml"),
        ok("watchdog", "/usr/lib/loopwright/loopwright-watchdog"),
        ok("kill switch", "armed, not halted"),
        drill(world.drill),
        failed
            ? { part: "scheduler", state: "not seen", detail: "loops start only by hand", repair: "loopwright serve" }
            : ok("scheduler", "process 4711"),
        ...layers.map((layer, at) =>
            failed && at === 0
                ? {
                      part: `sandbox: ${layer}`,
                      state: "missing",
                      detail: "runs are refused without it",
                      repair: "sudo sysctl -w kernel.unprivileged_userns_clone=1",
                  }
                : ok(`sandbox: ${layer}`, "tried, and holds"),
        ),
        { part: "sandbox: Landlock", state: "not built yet", detail: "comes with a later version", repair: null },
    ];
}

const TEXT = `name: daily-triage
repo: /home/ada/src/shop-api
trigger: cron("0 9 * * MON-FRI")
steps:
  - discover: {run: scan_ci_failures, write_to: state/triage.md}
guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}
`;

function draft(world: World, repo: string, hash: string | null): FirstDraft {
    const loop = {
        name: "daily-triage",
        schedule: "weekdays at 09:00",
        next: ["2026-11-23T09:00:00+01:00", "2026-11-24T09:00:00+01:00"],
    };
    return {
        repo,
        branch: "main",
        kinds: ["Rust (Cargo.toml)"],
        checks: [{ gate: "tests_pass", commands: ["cargo test --workspace"], origin: "Cargo.toml" }],
        missing: world.scene === "failed" ? ["tests_pass"] : [],
        template: "daily-triage",
        why: "the repository has checks that can judge a change",
        plan: [
            "runs weekdays at 09:00",
            "looks for checks that fail and open issues",
            "makes at most 3 changes in a private copy, never in your checkout",
            "costs at most $5.00 a run; the built-in fixer costs nothing",
            "opens pull requests that wait for you; nothing lands by itself",
        ],
        path: "/home/ada/.config/loopwright/loops/daily-triage/loop.yaml",
        text: TEXT,
        hash: "6fba7c4b",
        registered: hash ? (loop as unknown as FirstDraft["registered"]) : null,
    };
}

function run(ended: boolean): RunRow {
    return {
        id: "r1",
        short: "r1",
        loop_name: "daily-triage",
        ended: ended ? "x" : null,
        end: ended ? { state: "finished" } : null,
    } as unknown as RunRow;
}

export const settings: Handlers<SettingsCommands> = {
    settings_view: (_, world) => view(world),
    change_setting({ key, value }, world) {
        const known = machine(world);
        const before = known.set[key] ?? null;
        if (key === "max_runs" && value !== null && !/^([1-9]|[12]\d|3[0-2])$/.test(value)) {
            const message = `${value} is outside of what is allowed here; the file is as it was`;
            throw { code: 64, message, hint: "write 1 to 32, as in `max_runs: 2`" };
        }
        if (value === null) delete known.set[key];
        else known.set[key] = value;
        const { appearance, single_keys } = view(world);
        world.preferences = { appearance, single_keys };
        world.changed();
        return { key, before };
    },
    test_agent: ({ program }) =>
        program === "codex"
            ? { program, works: false, said: "error while loading shared libraries: libssl.so.3" }
            : { program, works: true, said: "2.1.4 (Claude Code)" },
    doctor: (_, world) => rows(world),
    drill(_, world) {
        world.drill = drilled(world.scene !== "failed", "just now");
        world.changed();
        return world.drill;
    },
    credentials: (_, world) => machine(world).keys,
    login({ name }, world) {
        const { keys } = machine(world);
        keys.credentials = keys.credentials.filter((one) => one.name !== name);
        keys.credentials.push({ name, added: new Date().toISOString(), state: "stored" });
        return keys;
    },
    logout({ name }, world) {
        const { keys } = machine(world);
        keys.credentials = keys.credentials.filter((one) => one.name !== name);
        return keys;
    },
    unlock_keychain(_, world) {
        const { keys } = machine(world);
        keys.keychain.state = "ready";
        keys.credentials.forEach((one) => (one.state = "stored"));
        return keys;
    },
    wake: (_, world) =>
        world.scene === "failed"
            ? {
                  state: "will_not_wake",
                  at: "2026-11-23T07:25:00Z",
                  starts_at: "2026-11-23T08:00:00Z",
                  loop_name: "daily-triage",
                  why: "programs have no right to set alarms here",
                  repair: "sudo loopwright wake --units /etc/systemd/system",
              }
            : {
                  state: "armed",
                  at: "2026-11-23T07:25:00Z",
                  starts_at: "2026-11-23T08:00:00Z",
                  loop_name: "daily-triage",
                  why: null,
                  repair: null,
              },
    login_item: (_, world) => ({
        on: machine(world).on,
        path: "/home/ada/.config/autostart/Loopwright.desktop",
        fault: null,
    }),
    set_login_item({ on }, world) {
        machine(world).on = on;
        return { on, path: "/home/ada/.config/autostart/Loopwright.desktop", fault: null };
    },
    test_notice: () => null,
    welcome: (_, world) => ({
        here: rows(world).filter((row) =>
            ["git", "scheduler", "watchdog", "sandbox: user namespace"].includes(row.part),
        ),
        agents: view(world).agents,
        independence: view(world).independence,
        loops: 0,
        home: "/home/ada",
    }),
    welcome_done: () => null,
    repositories: ({ folder }) => [`${folder}/blog`, `${folder}/shop-api`],
    first_loop: ({ repo, hash }, world) => draft(world, repo, hash),
    dry_run: () => run(false),
    dry_run_so_far(_, world) {
        const known = machine(world);
        known.looked += 1;
        const ended = known.looked > 1;
        return {
            row: run(ended),
            findings: ended ? 2 : null,
            titles: ended ? ["Fix flaky date test in parser", "Retry upload on 503"] : [],
            checks: ended ? ["tests_pass: 212 passed, 1 failed"] : [],
        };
    },
    try_sample: (_, world) => ({ ...run(false), loop_name: "sample", id: world.history.sample().run ?? "" }),
    turn_on(_, world) {
        machine(world).paused = false;
        return {
            loop_name: "daily-triage",
            paused_at: null,
            paused_until: null,
            changed: true,
            skipped: 0,
            next: "2026-11-23T09:00:00+01:00",
        };
    },
    quit: () => null,
};
