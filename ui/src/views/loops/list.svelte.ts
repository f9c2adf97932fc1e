// The loops of the list: which there are, which one is chosen, which of them a search leaves.
import { backend } from "$lib/backend";
import type { LoopListRow } from "$lib/backend/types";

export class LoopList {
    rows = $state<LoopListRow[] | null>(null);
    error = $state<unknown>(null);
    chosen = $state<string | null>(null);
    search = $state("");
    shown = $derived((this.rows ?? []).filter((row) => matches(row, this.search)));

    async load(): Promise<void> {
        try {
            const rows = await backend().call("loop_list");
            this.rows = rows;
            this.error = null;
            const still = rows.some((row) => row.view.name === this.chosen);
            if (!still) this.chosen = first(rows)?.view.name ?? null;
        } catch (error) {
            this.error = error;
        }
    }

    row(name: string | null): LoopListRow | undefined {
        return this.rows?.find((row) => row.view.name === name);
    }

    /** Chooses the row that is so many further, within what is shown. */
    move(by: number): void {
        const at = this.shown.findIndex((row) => row.view.name === this.chosen);
        const to = Math.min(Math.max(at + by, 0), this.shown.length - 1);
        this.chosen = this.shown[to]?.view.name ?? this.chosen;
    }
}

/** The first row that needs a decision, or else the first one. */
function first(rows: LoopListRow[]): LoopListRow | undefined {
    return rows.find((row) => row.state === "unreadable" || row.state === "cant_run") ?? rows[0];
}

function matches(row: LoopListRow, search: string): boolean {
    const words = search.toLowerCase().split(/\s+/);
    const text = `${row.view.name} ${row.view.repo} ${row.view.schedule} ${row.state}`.toLowerCase();
    return words.every((word) => text.includes(word));
}
