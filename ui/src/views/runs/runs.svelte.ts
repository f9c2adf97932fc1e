// What the Runs window holds: the rows that were read so far, what is looked for, and which row is shown.
import { backend } from "$lib/backend";
import type { Came, HistoryRow, LiveRun } from "$lib/backend/types";

/** Rows that are read at once, and the newest of them that are read again when something changed. */
const PAGE = 500;
const HEAD = 100;
/** So often runs that live are asked how they get on, in ms. */
const LOOK = 2000;

export class Runs {
    rows = $state.raw<HistoryRow[]>([]);
    live = $state.raw<Map<string, LiveRun>>(new Map());
    chosen = $state.raw<HistoryRow | null>(null);
    of_loop = $state<string | null>(null);
    came = $state<Came | null>(null);
    text = $state("");
    /** The rows were read at least once for what is looked for. */
    ready = $state(false);
    error = $state.raw<unknown>(null);
    /** How far back was looked where too little was found. */
    lookedTo = $state<string | null>(null);
    private next: string | null = null;
    private reading = false;
    private asked = 0;

    get more(): boolean {
        return this.next !== null;
    }

    get filtered(): boolean {
        return this.of_loop !== null || this.came !== null || this.text.trim() !== "";
    }

    get index(): number {
        return this.rows.findIndex((row) => row.id === this.chosen?.id);
    }

    /** Reads from the newest row on, for what is looked for now. */
    async begin(): Promise<void> {
        const asked = ++this.asked;
        this.ready = false;
        this.next = null;
        this.reading = false;
        await this.page(asked, []);
        if (asked === this.asked && !this.chosen) this.chosen = this.rows[0] ?? null;
    }

    /** Reads on, unless that goes on already. */
    async older(): Promise<void> {
        if (!this.next || this.reading) return;
        await this.page(this.asked, this.rows);
    }

    /** Something changed: the newest rows are read again, older ones stay. */
    async refresh(): Promise<void> {
        const asked = this.asked;
        try {
            const page = await backend().call("history", { filter: this.filter(), after: null, count: HEAD });
            if (asked !== this.asked) return;
            const fresh = new Set(page.rows.map((row) => row.id));
            const oldest = page.rows.at(-1);
            const at = oldest ? this.rows.findIndex((row) => row.id === oldest.id) : -1;
            const rest = (at < 0 ? (page.next ? this.rows : []) : this.rows.slice(at + 1)).filter(
                (row) => !fresh.has(row.id),
            );
            if (rest.length === 0) this.next = page.next;
            this.rows = [...page.rows, ...rest];
            this.ready = true;
            this.error = null;
            const chosen = this.rows.find((row) => row.id === this.chosen?.id);
            if (chosen) this.chosen = chosen;
            else this.chosen ??= this.rows[0] ?? null;
        } catch (error) {
            this.error = error;
        }
    }

    private filter(): { of_loop: string | null; came: Came | null; text: string | null } {
        return { of_loop: this.of_loop, came: this.came, text: this.text.trim() || null };
    }

    private async page(asked: number, before: HistoryRow[]): Promise<void> {
        this.reading = true;
        try {
            const page = await backend().call("history", { filter: this.filter(), after: this.next, count: PAGE });
            if (asked !== this.asked) return;
            this.rows = [...before, ...page.rows];
            this.next = page.next;
            this.lookedTo = page.looked_to;
            this.error = null;
        } catch (error) {
            if (asked === this.asked) this.error = error;
        }
        if (asked !== this.asked) return;
        this.ready = true;
        this.reading = false;
    }

    /** Shows the row that stands so many rows further. */
    move(step: number): void {
        const at = this.index;
        this.choose(at < 0 ? 0 : at + step);
    }

    choose(at: number): void {
        const row = this.rows[Math.max(0, Math.min(at, this.rows.length - 1))];
        if (row) this.chosen = row;
    }

    /** The words of a row, with how its run gets on while it lives. */
    words(row: HistoryRow): string {
        const live = row.run ? this.live.get(row.run) : undefined;
        return live && row.came === "running" ? `${live.phase} · ${live.pulse}` : row.words;
    }

    /** Asks how the runs that live get on, as long as somebody can see it. */
    watch(): () => void {
        const look = async (): Promise<void> => {
            if (document.hidden || !this.rows.some((row) => row.came === "running")) return;
            const live = await backend()
                .call("live_runs")
                .catch(() => []);
            this.live = new Map(live.map((run) => [run.run, run]));
        };
        void look();
        const timer = setInterval(() => void look(), LOOK);
        return () => clearInterval(timer);
    }
}
