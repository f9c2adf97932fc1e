// Where the lines of a change stand on the scrolled page. Pure: all rows have a fixed height, so that what is drawn
// follows from the scroll position alone, whatever the length.
import type { DiffFile } from "$lib/backend/types";

/** Heights in px: the head of a file, a line, and the gap below a file. */
export const HEAD = 32;
export const LINE = 18;
export const GAP = 8;

/** A file's place. */
export interface Block {
    file: number;
    top: number;
    height: number;
    /** Lines that are drawn: none while it is folded. */
    lines: number;
}

/** Part of a file that is on screen. */
export interface Part {
    file: number;
    top: number;
    head: boolean;
    /** Its own lines, from and to (not included). */
    from: number;
    to: number;
}

export function blocks(files: DiffFile[], open: (file: DiffFile) => boolean): Block[] {
    let top = 0;
    return files.map((one, file) => {
        const lines = open(one) ? one.lines : 0;
        const note = open(one) && one.lines === 0 ? LINE : 0;
        const block = { file, top, height: HEAD + lines * LINE + note + GAP, lines };
        top += block.height;
        return block;
    });
}

export function heightOf(all: Block[]): number {
    const last = all.at(-1);
    return last ? last.top + last.height : 0;
}

/** The first block that ends below a height, found by halving. */
function firstBelow(all: Block[], y: number): number {
    let low = 0;
    let high = all.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        const block = all[middle]!;
        if (block.top + block.height <= y) low = middle + 1;
        else high = middle;
    }
    return low;
}

/** What stands between two heights. */
export function between(all: Block[], top: number, bottom: number): Part[] {
    const parts: Part[] = [];
    for (let at = firstBelow(all, top); at < all.length; at++) {
        const block = all[at]!;
        if (block.top >= bottom) break;
        const lines = block.top + HEAD;
        const from = Math.min(block.lines, Math.max(0, Math.floor((top - lines) / LINE)));
        const to = Math.min(block.lines, Math.max(0, Math.ceil((bottom - lines) / LINE)));
        const head = lines > top;
        parts.push({ file: block.file, top: head ? block.top : lines + from * LINE, head, from, to });
    }
    return parts;
}

/** Where a line of a file begins; -1 is its head. */
export function place(all: Block[], file: number, line: number): number {
    const block = all[file];
    if (!block) return 0;
    return line < 0 ? block.top : block.top + HEAD + line * LINE;
}
