// What is shown of one row: the timeline of its run, and why it came so.
import { backend } from "$lib/backend";
import type { HistoryRow, PullRequestRow, TimelineView, WhyView } from "$lib/backend/types";

/** So often a run that lives is read again, in ms. */
const LOOK = 1000;

export class Shown {
    view = $state.raw<TimelineView | null>(null);
    why = $state.raw<WhyView | null>(null);
    error = $state.raw<unknown>(null);
    /** The whole answer is open, and stays so from row to row. */
    asking = $state(false);
    now = $state(Date.now());
    private asked = 0;

    constructor(readonly row: () => HistoryRow | null) {}

    /** Another row is shown. */
    begin(): void {
        this.view = null;
        this.why = null;
        this.error = null;
        void this.look();
    }

    async look(): Promise<void> {
        const row = this.row();
        const asked = ++this.asked;
        if (!row) return;
        try {
            const view = row.run ? await backend().call("timeline", { run: row.run }) : null;
            const why = row.run && !this.asking ? null : await backend().call("why_row", { id: row.id });
            if (asked !== this.asked) return;
            this.view = view;
            this.why = why;
            this.error = null;
        } catch (error) {
            if (asked === this.asked) this.error = error;
        }
    }

    /** The row as it was read last. */
    get now_row(): HistoryRow | null {
        return this.view?.row ?? this.row();
    }

    /** The pull request of it that waits for a person. */
    get waits(): PullRequestRow | undefined {
        return this.view?.pull_requests.find((one) => one.state === "open");
    }

    /** Opens or closes the whole answer. */
    ask(): void {
        this.asking = !this.asking;
        void this.look();
    }

    /** Reads a run that lives again and again, as long as somebody can see it. */
    watch(): () => void {
        const timer = setInterval(() => {
            if (document.hidden || !this.view?.live) return;
            this.now = Date.now();
            void this.look();
        }, LOOK);
        return () => clearInterval(timer);
    }

    /** How long the run takes or took, in seconds. */
    get seconds(): number | null {
        const row = this.now_row;
        if (!row?.started) return null;
        const until = row.ended ? Date.parse(row.ended) : this.now;
        return Math.max(0, Math.floor((until - Date.parse(row.started)) / 1000));
    }
}
