// Where the person reads: the line with the cursor, the range that a comment is for, going to files and hunks, finding.
import { backend, refusal } from "$lib/backend";
import type { DiffFile, LineRow } from "$lib/backend/types";
import { toast } from "$lib/toasts.svelte";
import type { Change } from "./change.svelte";

/** A line of a file; -1 is its head. */
export interface Cursor {
    file: number;
    line: number;
}

export interface Range {
    file: DiffFile;
    from: number;
    to: number;
}

export class Reader {
    cursor = $state<Cursor>({ file: 0, line: -1 });
    /** Where a range began, as a line of the cursor's file. */
    anchor = $state<number | null>(null);
    /** Counts what must be brought on screen. */
    moved = $state(0);
    /** A hunk was on screen. */
    sawHunk = $state(false);
    finding = $state(false);
    text = $state("");
    found = $state.raw<{ total: number; at: number[]; now: number } | null>(null);

    constructor(private readonly change: Change) {}

    readonly file: DiffFile | undefined = $derived.by(() => this.change.files[this.cursor.file]);
    readonly range: Range | null = $derived.by(() => {
        if (!this.file || this.cursor.line < 0) return null;
        const other = this.anchor ?? this.cursor.line;
        return { file: this.file, from: Math.min(other, this.cursor.line), to: Math.max(other, this.cursor.line) };
    });

    /** A place of its own for each pull request. */
    reset(): void {
        this.cursor = { file: 0, line: -1 };
        this.anchor = null;
        this.sawHunk = false;
        this.found = null;
        this.moved += 1;
    }

    to(file: number, line: number, extend = false): void {
        if (!this.change.files[file]) return;
        const before = this.cursor;
        this.anchor = extend && before.line >= 0 ? (this.anchor ?? before.line) : null;
        this.cursor = { file, line };
        this.moved += 1;
    }

    /** Up or down by lines, over the heads of files. */
    step(by: 1 | -1, extend = false): void {
        const { file, line } = this.cursor;
        const shown = (at: number): number => {
            const one = this.change.files[at];
            return one && this.change.isOpen(one) ? one.lines : 0;
        };
        const next = line + by;
        if (next >= -1 && next < shown(file)) {
            if (next >= 0 || !extend) this.to(file, next, extend);
        } else if (!extend && by > 0) this.to(file + 1, -1);
        else if (!extend && file > 0) this.to(file - 1, shown(file - 1) - 1);
    }

    nextFile(by: 1 | -1): void {
        this.to(this.cursor.file + by, -1);
    }

    nextHunk(by: 1 | -1): void {
        const { files } = this.change;
        const all = files.flatMap((file, at) =>
            this.change.isOpen(file) ? file.hunks.map((line) => ({ file: at, line })) : [],
        );
        const { file, line } = this.cursor;
        const after = (hunk: Cursor): boolean => hunk.file > file || (hunk.file === file && hunk.line > line);
        const before = (hunk: Cursor): boolean => hunk.file < file || (hunk.file === file && hunk.line < line);
        const next = by > 0 ? all.find(after) : all.findLast(before);
        if (next) this.to(next.file, next.line);
    }

    /** Marks the file as viewed and goes on to the next one that isn't; or takes its mark away. */
    async toggleViewed(file = this.file): Promise<void> {
        const { id } = this.change;
        if (!file || !id) return;
        const viewed = !file.viewed;
        try {
            await backend().call("mark_viewed", { id, path: file.path, content: file.content, viewed });
            this.change.fold(file, !viewed);
            await this.change.load();
            if (viewed) this.toUnviewed();
        } catch (error) {
            toast(refusal(error).message);
        }
    }

    private toUnviewed(): void {
        const { files } = this.change;
        const left = (at: number): boolean => !files[at]!.viewed && !files[at]!.folded;
        const order = files.map((_, n) => (this.cursor.file + 1 + n) % files.length);
        const next = order.find(left);
        if (next !== undefined) this.to(next, -1);
    }

    /** Looks through all lines, whether drawn or not. */
    async find(): Promise<void> {
        const { place } = this.change;
        const text = this.text.trim();
        if (!place || text === "") {
            this.found = null;
            return;
        }
        const { total, at } = await backend().call("diff_find", { place, text });
        if (this.text.trim() !== text) return;
        this.found = { total, at, now: -1 };
        this.nextFound(1);
    }

    nextFound(by: 1 | -1): void {
        const { found } = this;
        if (!found || found.at.length === 0) return;
        const now = (found.now + by + found.at.length) % found.at.length;
        this.found = { ...found, now };
        const line = found.at[now]!;
        const file = this.change.files.findIndex((one) => line < one.first + one.lines);
        const one = this.change.files[file];
        if (!one) return;
        this.change.fold(one, true);
        this.to(file, line - one.first);
    }

    /** The lines of a range as they are shown. */
    lines(range: Range): LineRow[] {
        const rows: LineRow[] = [];
        for (let line = range.from; line <= range.to; line++) {
            const row = this.change.line(range.file.first + line);
            if (row && row.sign !== "hunk") rows.push(row);
        }
        return rows;
    }
}
