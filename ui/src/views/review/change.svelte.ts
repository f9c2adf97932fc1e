// The change that is shown: its evidence, its files, and the pages of its lines that were read so far.
import { SvelteMap } from "svelte/reactivity";
import { backend } from "$lib/backend";
import type { Against, DiffView, DiffFile, LineRow, ReviewView } from "$lib/backend/types";
import type { Place } from "$lib/backend/review";

/** Lines of a page, and how many pages are kept. */
const PAGE = 200;
const KEPT = 40;

export class Change {
    id = $state<string | null>(null);
    head = $state.raw<ReviewView | null>(null);
    diff = $state.raw<DiffView | null>(null);
    error = $state.raw<unknown>(null);
    /** It was asked for 200 ms ago: what is not there yet is drawn as such. */
    slow = $state(false);
    /** What the person folded or opened, by path; the others are as the engine says. */
    private readonly folds = new SvelteMap<string, boolean>();
    private readonly pages = new SvelteMap<number, LineRow[]>();
    private readonly asked = new Set<number>();
    /** Lines that are shown whole. */
    readonly whole = new SvelteMap<number, LineRow>();
    private against: Against = "since";
    private turn = 0;

    readonly place: Place | null = $derived(
        this.id && this.diff ? { id: this.id, against: this.diff.against, commit: this.diff.commit } : null,
    );
    readonly files: DiffFile[] = $derived(this.diff?.files ?? []);
    /** Files that are to be viewed: folded ones are not. */
    readonly toView: DiffFile[] = $derived(this.files.filter((file) => !file.folded));
    readonly viewed: number = $derived(this.toView.filter((file) => file.viewed).length);

    /** Shows another pull request, first what is new since the person looked. */
    async open(id: string): Promise<void> {
        this.id = id;
        this.against = "since";
        this.head = null;
        this.diff = null;
        this.folds.clear();
        this.forget();
        this.slow = false;
        setTimeout(() => (this.slow ||= id === this.id), 200);
        await this.load();
    }

    async compare(against: Against): Promise<void> {
        this.against = against;
        await this.load();
    }

    /** Reads it again; what is on screen stays until the new one is there. */
    async load(): Promise<void> {
        const id = this.id;
        if (!id) return;
        const turn = ++this.turn;
        try {
            // What it is for is told also where its lines can't be read.
            const head = backend().call("review_head", { id });
            const lines = backend().call("review_diff", { id, against: this.against });
            lines.catch(() => undefined);
            const read = await head;
            if (turn === this.turn) this.head = read;
            const diff = await lines;
            if (turn !== this.turn) return;
            if (diff.commit !== this.diff?.commit || diff.against !== this.diff.against) this.forget();
            this.diff = diff;
            this.error = null;
        } catch (error) {
            if (turn === this.turn) this.error = error;
        }
    }

    isOpen(file: DiffFile): boolean {
        return this.folds.get(file.path) ?? !(file.folded || file.viewed);
    }

    fold(file: DiffFile, open: boolean): void {
        this.folds.set(file.path, open);
    }

    /** A line by its number among all lines; none while its page is on its way. */
    line(at: number): LineRow | undefined {
        return this.whole.get(at) ?? this.pages.get(Math.floor(at / PAGE))?.[at % PAGE];
    }

    /** Sees to it that lines are there, from and to (not included). */
    want(from: number, to: number): void {
        for (let page = Math.floor(from / PAGE); page * PAGE < to; page++) {
            if (!this.asked.has(page)) void this.read(page);
        }
    }

    async showWhole(at: number): Promise<void> {
        const { place } = this;
        if (!place) return;
        const row = await backend().call("diff_line", { place, at });
        if (this.place?.commit === place.commit) this.whole.set(at, row);
    }

    private async read(page: number): Promise<void> {
        const { place } = this;
        if (!place) return;
        this.asked.add(page);
        try {
            const { commit, rows } = await backend().call("diff_lines", { place, from: page * PAGE, count: PAGE });
            if (this.place?.commit !== commit || this.place.against !== place.against || this.id !== place.id) return;
            this.pages.set(page, rows);
            this.drop();
        } catch (error) {
            this.asked.delete(page);
            this.error = error;
        }
    }

    /** Keeps the pages that were read last. */
    private drop(): void {
        for (const page of this.pages.keys()) {
            if (this.pages.size <= KEPT) return;
            this.pages.delete(page);
            this.asked.delete(page);
        }
    }

    private forget(): void {
        this.pages.clear();
        this.asked.clear();
        this.whole.clear();
    }
}
