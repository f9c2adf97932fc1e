// What the Runs window asks for.
import type { HistoryFilter, HistoryPage, LiveRun, LogFound, LogPage, LogPlace, TimelineView, WhyView } from "./types";

export interface RunsCommands {
    /** Every due time and every event, the newest first; `after` is where the page before ended. */
    history: { args: { filter: HistoryFilter; after: string | null; count: number }; answer: HistoryPage };
    /** One run with its steps. */
    timeline: { args: { run: string }; answer: TimelineView };
    /** How the runs that live get on. */
    live_runs: { args: Record<never, never>; answer: LiveRun[] };
    /** The whole answer on one row of the history. */
    why_row: { args: { id: string }; answer: WhyView };
    /** 64 kB of a log at most. */
    log_page: { args: { run: string; file: string; place: LogPlace }; answer: LogPage };
    /** Looks through the whole file, no matter whether in capitals. */
    log_find: {
        args: { run: string; file: string; text: string; from: number; back: boolean };
        answer: LogFound;
    };
}
