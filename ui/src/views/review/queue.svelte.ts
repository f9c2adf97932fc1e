// The queue: what waits, what was sent back, what was decided; and which of it is shown.
import { backend } from "$lib/backend";
import type { QueueRow, QueueView, StatusView } from "$lib/backend/types";

export interface Section {
    name: string;
    rows: QueueRow[];
}

export class Queue {
    view = $state.raw<QueueView | null>(null);
    status = $state.raw<StatusView | null>(null);
    error = $state.raw<unknown>(null);
    chosen = $state<string | null>(null);
    /** What is to be shown once there are rows. */
    private wanted: string | null = null;
    /** When it was read: ages are told from then. */
    now = $state.raw(new Date());

    readonly sections: Section[] = $derived.by(() => {
        if (!this.view) return [];
        const { waiting, later, sent_back, decided } = this.view;
        return [
            { name: "Waiting for you", rows: waiting },
            { name: "Later", rows: later },
            { name: "Sent back", rows: sent_back },
            { name: "Decided today", rows: decided },
        ].filter((section) => section.rows.length > 0);
    });
    readonly rows: QueueRow[] = $derived(this.sections.flatMap((section) => section.rows));
    readonly row: QueueRow | undefined = $derived(this.rows.find((row) => row.row.id === this.chosen));
    readonly halted: boolean = $derived(this.status?.halted != null);

    async load(): Promise<void> {
        try {
            const [view, status] = await Promise.all([backend().call("review_queue"), backend().call("status")]);
            this.view = view;
            this.status = status;
            this.now = new Date();
            this.error = null;
            if (this.wanted) this.show(this.wanted);
            this.wanted = null;
            if (!this.row) this.chosen = this.rows[0]?.row.id ?? null;
        } catch (error) {
            this.error = error;
        }
    }

    /** Shows what `target` names: an id, or the end of one. */
    show(target: string): void {
        if (!this.view) this.wanted = target;
        const found = this.rows.find((row) => row.row.id === target || row.row.id.endsWith(target));
        if (found) this.chosen = found.row.id;
    }

    step(by: number): void {
        const at = this.rows.findIndex((row) => row.row.id === this.chosen);
        const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, at + by))];
        if (next) this.chosen = next.row.id;
    }

    /** Goes on to the next one that waits, because this one is decided. */
    leave(id: string): void {
        const waiting = this.view?.waiting ?? [];
        const at = waiting.findIndex((row) => row.row.id === id);
        const next = waiting[at + 1] ?? waiting[at - 1];
        if (next) this.chosen = next.row.id;
    }
}
