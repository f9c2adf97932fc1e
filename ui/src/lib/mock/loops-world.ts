// The loops of the mock: files, what was confirmed, what is off.
import type { LoopDetail, LoopListRow, LoopState, RunRow } from "$lib/backend/types";
import { diagnostics, form, next, words } from "./loops-text";
import type { World } from "./world";

export interface MockLoop {
    name: string;
    text: string | null;
    confirmed: string | null;
    paused: boolean;
    until: string | null;
    shared: boolean;
    pullRequests: number;
    spent: number;
}

const REST = `
steps:
  - discover:
      run: scan_ci_failures + open_issues
      write_to: state/triage.md
  - act: {for_each: finding in state/triage.md, spawn: implementer(finding)}
  - verify: {check: tests_pass AND lint_clean}
  - ship: {if: verified, run: open_pr}

guardrails:
  max_iterations: 3
  budget: $5/run  # the most that one run may cost
  halt_on: no_progress(2)
`;

/** A loop's text with these lines above its steps. */
export function text(name: string, head: string): string {
    return `# Made by \`loopwright init\`, and yours to edit.\nname: ${name}\n${head}${REST}`;
}

export function hash(text: string): string {
    let sum = 7;
    for (const letter of text) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
    return sum.toString(16).padStart(8, "0").repeat(8);
}

function mock(name: string, head: string, more: Partial<MockLoop> = {}): MockLoop {
    const written = text(name, head);
    const plain = { paused: false, until: null, shared: false, pullRequests: 0, spent: 0 };
    return { name, text: written, confirmed: hash(written), ...plain, ...more };
}

const worlds = new WeakMap<World, MockLoop[]>();

export function loopsOf(world: World): MockLoop[] {
    const known = worlds.get(world) ?? begin(world.scene);
    worlds.set(world, known);
    world.write = (name, text) => {
        const found = known.find((loop) => loop.name === name);
        if (found) found.text = text;
    };
    return known;
}

function begin(scene: string): MockLoop[] {
    if (scene === "empty") return [];
    const broken = text("nightly-docs", 'triger: cron("0 2 * * *")\n');
    const long = "retry-uploads-on-503-and-other-errors-of-the-object-store-gateway";
    return [
        mock("daily-triage", 'trigger: cron("0 9 * * *")  # at nine\nwake: true\n', {
            pullRequests: 2,
            spent: 3_100_000,
        }),
        mock("deps", 'trigger: cron("0 7 * * MON")\ntimezone: America/New_York\n', {
            pullRequests: 1,
            spent: 1_020_000,
        }),
        mock("market-hours", 'trigger: cron("*/15 9-17 * * MON-FRI")\n', { shared: true }),
        mock("nightly-docs", "", { text: broken, confirmed: hash(broken) }),
        mock(long, "trigger: manual\n"),
        mock("sentry-fix", 'trigger: cron("0 14 * * *")\n', { paused: true, spent: 220_000 }),
        ...(scene === "changed" ? [mock("web", 'trigger: cron("0 5 * * *")\n', { confirmed: "0" })] : []),
    ];
}

function state(loop: MockLoop): LoopState {
    if (loop.text === null || diagnostics(loop.text).length > 0) return "unreadable";
    if (loop.confirmed !== hash(loop.text) && !loop.shared) return "cant_run";
    if (loop.paused) return loop.until ? "paused" : "off";
    return form(loop.text).preset.every === "nothing" ? "by_hand" : "on";
}

export function row(loop: MockLoop): LoopListRow {
    const found = form(loop.text ?? "");
    const [first] = diagnostics(loop.text ?? "");
    const how = state(loop);
    const path = loop.shared
        ? `/home/ada/shop-api/.loopwright/${loop.name}`
        : `/home/ada/.config/loopwright/loops/${loop.name}`;
    const changed = `${loop.name} changed since it was confirmed`;
    const why =
        how === "unreadable" && first ? `line ${first.diagnostic.span.line}: ${first.diagnostic.message}` : null;
    return {
        view: {
            id: `id-${loop.name}`,
            name: loop.name,
            path: `${path}/loop.yaml`,
            repo: "/home/ada/shop-api",
            mode: "ship",
            does: "ships",
            hash: loop.confirmed ?? "",
            schedule: words(found.preset),
            next: how === "unreadable" ? [] : next(found.preset, false).map((time) => time.at),
            paused_at: loop.paused ? "2026-11-22T08:00:00Z" : null,
            paused_until: loop.until,
            quiet_until: [],
            quiet_skips: false,
            without_times: found.preset.every === "nothing" ? "only by hand" : null,
            by_itself: found.preset.every !== "nothing",
            wake: found.wake,
            last: loop.spent > 0 ? ({ started: "2026-11-22T08:00:00Z", spent: 410_000 } as RunRow) : null,
            troubles: how === "cant_run" ? [{ why: changed, command: `loopwright add ${path}/loop.yaml` }] : [],
        },
        state: how,
        why: how === "cant_run" ? changed : why,
        shared: loop.shared,
        pull_requests: loop.pullRequests,
        spent: loop.spent,
    };
}

export function detail(loop: MockLoop): LoopDetail {
    const plan = [
        "Finds red builds and issues of shop-api.",
        "Works on at most 3 findings a run, at most $5.00 a run.",
    ];
    const now = loop.text === null ? null : hash(loop.text);
    return { row: row(loop), text: loop.text, hash: now, confirmed: now === loop.confirmed, plan };
}
