// Changes for the mock: files with lines, written as a patch is, words that differ between « and ».
import type { Class, DiffFile, LineRow, Piece } from "$lib/backend/types";

export interface MockFile {
    path: string;
    old_path?: string;
    kind?: "added" | "deleted" | "modified" | "renamed";
    class?: Class;
    why?: string;
    folded?: boolean;
    binary?: [number, number];
    /** What its viewed mark is bound to; another text after another attempt. */
    content?: string;
    rows: LineRow[];
}

const LIMIT = 400;

/** Lines such as `+let now = «clock.today»();`; hunks begin with `@`. */
export function patch(text: string): LineRow[] {
    let old = 0;
    let fresh = 0;
    return text.split("\n").map((line): LineRow => {
        const sign = line[0];
        const rest = line.slice(1);
        if (sign === "@") {
            old = Number(/-(\d+)/.exec(rest)?.[1] ?? 1);
            fresh = Number(/\+(\d+)/.exec(rest)?.[1] ?? 1);
            return { sign: "hunk", old, new: fresh, pieces: plain(line), cut: 0 };
        }
        if (sign === "+") return { sign: "added", old: 0, new: fresh++, pieces: words(rest), cut: 0 };
        if (sign === "-") return { sign: "removed", old: old++, new: 0, pieces: words(rest), cut: 0 };
        return { sign: "same", old: old++, new: fresh++, pieces: words(rest), cut: 0 };
    });
}

export function plain(text: string): Piece[] {
    return [{ kind: "plain", text }];
}

function words(text: string): Piece[] {
    return text
        .split(/(«[^»]*»)/)
        .filter((part) => part !== "")
        .map((part): Piece =>
            part.startsWith("«") ? { kind: "differs", text: part.slice(1, -1) } : { kind: "plain", text: part },
        );
}

/** A line as the engine sends it: cut, unless it is asked for whole. */
export function cut(row: LineRow): LineRow {
    const long = row.pieces[0];
    if (!long || row.pieces.length > 1 || long.text.length <= LIMIT) return row;
    return { ...row, pieces: plain(long.text.slice(0, LIMIT)), cut: long.text.length - LIMIT };
}

export function textOf(row: LineRow): string {
    return row.pieces.map((piece) => piece.text).join("");
}

/** The files with where their lines stand, and the marks of a person. */
export function views(files: MockFile[], marks: Map<string, string>): DiffFile[] {
    let first = 0;
    return files.map((file) => {
        const content = file.content ?? file.path;
        const mark = marks.get(file.path);
        const counted = (sign: LineRow["sign"]): number => file.rows.filter((row) => row.sign === sign).length;
        const view: DiffFile = {
            path: file.path,
            old_path: file.old_path ?? null,
            kind: file.kind ?? "modified",
            class: file.class ?? "behaviour",
            why: file.why ?? null,
            folded: file.folded ?? false,
            added: counted("added"),
            removed: counted("removed"),
            binary: file.binary ?? null,
            content,
            viewed: mark === content,
            changed_since: mark !== undefined && mark !== content,
            first,
            lines: file.rows.length,
            hunks: file.rows.flatMap((row, at) => (row.sign === "hunk" ? [at] : [])),
        };
        first += file.rows.length;
        return view;
    });
}

/** A file of many lines. */
export function long(lines: number): LineRow[] {
    const rows: LineRow[] = [{ sign: "hunk", old: 1, new: 1, pieces: plain("@@ -1 +1 @@"), cut: 0 }];
    for (let n = 1; n < lines; n++) {
        const text = n % 997 === 0 ? `let needle_${n} = "${"x".repeat(600)}";` : `let value_${n} = compute(${n});`;
        rows.push({ sign: "added", old: 0, new: n, pieces: plain(text), cut: 0 });
    }
    return rows;
}
