// A log that is read in pages of 64 kB: the lines that are at hand, following its end, and finding in all of it.
import { backend } from "$lib/backend";
import type { LogPage, LogPlace } from "$lib/backend/types";

/** So many pages are kept; the farther end goes. */
const KEPT = 16;

interface Piece {
    from: number;
    to: number;
    text: string;
}

export class Log {
    /** The lines at hand, without their line breaks. */
    lines = $state.raw<string[]>([]);
    size = $state(0);
    /** New lines are shown as they come. */
    following = $state(true);
    ready = $state(false);
    error = $state.raw<unknown>(null);
    /** What was found: which of how many, and in which line at hand. */
    found = $state.raw<{ text: string; nth: number; total: number; line: number } | null>(null);
    private pieces: Piece[] = [];
    private at = 0;
    private busy = false;

    constructor(
        readonly run: string,
        readonly file: string,
    ) {}

    get begin(): number {
        return this.pieces[0]?.from ?? 0;
    }

    get end(): number {
        return this.pieces.at(-1)?.to ?? 0;
    }

    get atEnd(): boolean {
        return this.end >= this.size;
    }

    /** Shows the last page, and what comes. */
    async toEnd(): Promise<void> {
        this.following = true;
        if (this.ready && this.atEnd) return;
        await this.once(async () => this.hold([await this.read("end")]));
    }

    /** Reads what was added since. */
    async follow(): Promise<void> {
        await this.once(async () => {
            const page = await this.read({ from: this.end });
            if (page.from !== this.end) this.hold([page]);
            else if (page.text) this.hold([...this.pieces, page].slice(-KEPT));
        });
    }

    /** Reads the page before; says how many lines came. */
    async older(): Promise<number> {
        const before = this.lines.length;
        if (this.begin === 0) return 0;
        await this.once(async () => {
            const page = await this.read({ before: this.begin });
            this.hold([page, ...this.pieces].slice(0, KEPT));
        });
        return this.lines.length - before;
    }

    /** Looks for a text from where the last one was found. */
    async find(text: string, back: boolean): Promise<void> {
        if (!text) {
            this.found = null;
            return;
        }
        await this.once(async () => {
            const again = this.found?.text === text;
            const from = again ? (back ? this.at : this.at + 1) : 0;
            const { total, nth, at } = await backend().call("log_find", {
                run: this.run,
                file: this.file,
                text,
                from,
                back,
            });
            this.following = false;
            if (total === 0) {
                this.found = { text, nth, total, line: -1 };
                return;
            }
            this.at = at;
            const pages = at > 0 ? [await this.read({ before: at })] : [];
            this.hold([...pages, await this.read({ from: at })]);
            this.found = { text, nth, total, line: (pages[0]?.text.split("\n").length ?? 1) - 1 };
        });
    }

    private hold(pieces: Piece[]): void {
        this.pieces = pieces;
        const lines = pieces
            .map((piece) => piece.text)
            .join("")
            .split("\n");
        if (lines.at(-1) === "") lines.pop();
        this.lines = lines;
        if (this.found) this.found = { ...this.found, line: -1 };
    }

    private async read(place: LogPlace): Promise<LogPage> {
        const page = await backend().call("log_page", { run: this.run, file: this.file, place });
        this.size = page.size;
        return page;
    }

    /** One thing after the other; what comes meanwhile is left out. */
    private async once(act: () => Promise<void>): Promise<void> {
        if (this.busy) return;
        this.busy = true;
        try {
            await act();
            this.error = null;
        } catch (error) {
            this.error = error;
        }
        this.busy = false;
        this.ready = true;
    }
}
