// How rows of the list say what they are.
import type { LoopListRow, LoopState } from "$lib/backend/types";
import { money, when } from "$lib/format";
import type { MarkState } from "$lib/parts/Mark.svelte";

export const STATES: Record<LoopState, { mark: MarkState; word: string }> = {
    unreadable: { mark: "failed", word: "can't be read" },
    cant_run: { mark: "protected", word: "can't run" },
    degraded: { mark: "protected", word: "needs repair" },
    on: { mark: "ready", word: "on" },
    paused: { mark: "paused", word: "paused" },
    off: { mark: "paused", word: "off" },
    by_hand: { mark: "nothing", word: "by hand" },
};

/** How it is, in a word or two. */
export function word(row: LoopListRow, now: Date): string {
    const until = row.view.paused_until;
    return row.state === "paused" && until ? `until ${when(until, now)}` : STATES[row.state].word;
}

/** When it is due next. */
export function next(row: LoopListRow, now: Date): string {
    if (["off", "paused", "cant_run", "unreadable"].includes(row.state)) return "";
    const [first] = row.view.next;
    if (!first) return row.state === "by_hand" ? "" : (row.view.without_times ?? "");
    return when(first, now);
}

/** What it did of late, or what is wrong. */
export function second(row: LoopListRow): string {
    if (row.why) return row.why;
    const opened = row.pull_requests === 1 ? "1 pull request" : `${row.pull_requests} pull requests`;
    return `${opened}, ${money(row.spent)} this week`;
}

/** The last part of a path. */
export function last(path: string): string {
    return path.split("/").findLast((part) => part !== "") ?? path;
}
