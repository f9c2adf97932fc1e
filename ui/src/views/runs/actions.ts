// Every act of the Runs window: its label, its key, and when it can be done.
import type { Action } from "$lib/actions.svelte";
import { backend } from "$lib/backend";
import type { HistoryRow } from "$lib/backend/types";
import { halted } from "$lib/halted.svelte";
import type { Shown } from "./run.svelte";
import type { Runs } from "./runs.svelte";

export interface Room {
    runs: Runs;
    shown: Shown;
    /** The row that is shown, as it was read last. */
    row: HistoryRow | null;
    /** Its run goes on. */
    alive: boolean;
    /** Its log is open. */
    reading: boolean;
    search: () => void;
    start: (loop: string) => Promise<void>;
    halt: () => Promise<void>;
    openLog: () => Promise<void>;
}

export function runActions({ runs, shown, row, alive, reading, search, start, halt, openLog }: Room): Action[] {
    return [
        { id: "next", label: "Next row", key: "j", hidden: true, act: () => runs.move(1) },
        { id: "previous", label: "Previous row", key: "k", hidden: true, act: () => runs.move(-1) },
        { id: "search", label: "Search", key: "/", act: search },
        {
            id: "halt-run",
            label: "Halt this run",
            key: "h",
            enabled: () => alive,
            why: () => "It has ended",
            act: () => void halt(),
        },
        {
            id: "again",
            label: "Run again",
            key: "g",
            enabled: () => row !== null && !alive && !halted.why,
            why: () => (alive ? "It still runs" : halted.why),
            act: () => row && void start(row.loop_name),
        },
        {
            id: "review",
            label: "Open in Review",
            key: "p",
            enabled: () => shown.waits !== undefined,
            why: () => "No pull request of it waits",
            act: () => void backend().call("open_window", { view: "review", target: shown.waits?.id ?? null }),
        },
        { id: "why", label: "Why?", key: "w", enabled: () => row !== null, act: () => shown.ask() },
        {
            id: "log",
            label: reading ? "Close the log" : "Log",
            key: "o",
            enabled: () => row?.run != null,
            act: () => void openLog(),
        },
    ];
}
