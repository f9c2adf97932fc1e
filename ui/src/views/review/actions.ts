// Every act of the Review window: its label, its key, and when it can be done.
import type { Action } from "$lib/actions.svelte";
import type { Change } from "./change.svelte";
import type { Decide } from "./decide.svelte";
import type { Drafts } from "./drafts.svelte";
import type { Queue } from "./queue.svelte";
import type { Reader } from "./reader.svelte";

export interface Room {
    queue: Queue;
    change: Change;
    reader: Reader;
    drafts: Drafts;
    decide: Decide;
    /** Puts the focus on the change. */
    toDiff: () => void;
    /** Shows the evidence and puts the focus on it. */
    toEvidence: () => void;
    /** Puts the focus on the queue. */
    toQueue: () => void;
}

const READING = "Reading";

export function reviewActions(room: Room): Action[] {
    return [...decisions(room), ...reading(room)];
}

function decisions({ queue, drafts, decide }: Room): Action[] {
    const busy = (): boolean => decide.busy;
    return [
        {
            id: "approve",
            label: "Approve and merge",
            key: "a",
            enabled: () => !busy() && decide.notApproved === undefined,
            why: () => decide.notApproved,
            act: () => void decide.approve(),
        },
        {
            id: "send-back",
            label: "Send back",
            key: "s",
            enabled: () => !busy() && decide.undecided,
            act: () => drafts.beginWhole(),
        },
        {
            id: "reject",
            label: "Reject",
            key: "r",
            enabled: () => !busy() && decide.undecided,
            act: () => (decide.panel = "reject"),
        },
        {
            id: "later",
            label: "Later",
            key: "l",
            enabled: () => !busy() && decide.open,
            act: () => (decide.panel = "later"),
        },
        {
            id: "halt",
            label: "Halt…",
            key: "h",
            enabled: () => queue.view !== null,
            act: () => (decide.panel = "halt"),
        },
    ];
}

function reading({ change, reader, drafts, toDiff, toEvidence, toQueue }: Room): Action[] {
    const there = (): boolean => change.diff !== null;
    const go = (act: () => void) => (): void => {
        act();
        toDiff();
    };
    const line = (id: string, label: string, key: string, act: () => void): Action => ({
        id,
        label,
        key,
        group: READING,
        enabled: there,
        act: go(act),
    });
    return [
        line("next-file", "Next file", "n", () => reader.nextFile(1)),
        line("previous-file", "Previous file", "p", () => reader.nextFile(-1)),
        line("next-hunk", "Next hunk", "]", () => reader.nextHunk(1)),
        line("previous-hunk", "Previous hunk", "[", () => reader.nextHunk(-1)),
        line("viewed", "Mark the file as viewed", "v", () => void reader.toggleViewed()),
        {
            id: "comment",
            label: "Comment on the line",
            key: "c",
            group: READING,
            enabled: () => reader.range !== null,
            why: () => "Go to a line first",
            act: () => {
                if (reader.range) drafts.begin(reader.range, reader.lines(reader.range));
            },
        },
        {
            id: "find",
            label: "Find in the change",
            key: "/",
            group: READING,
            enabled: there,
            act: () => (reader.finding = true),
        },
        { id: "evidence", label: "Open the evidence", key: "o", group: READING, enabled: there, act: toEvidence },
        { id: "queue", label: "Back to the queue", key: "Escape", group: READING, hidden: true, act: toQueue },
    ];
}
