// Colours for code, line by line: words of the language, texts and notes. Pure. It only ever cuts a line into parts that
// together are that line; what it can't tell from one line alone (a note over many lines) stays plain.
import type { Piece } from "$lib/backend/types";

/** What a part of a line is: no more than four hues. */
export type Hue = "plain" | "word" | "text" | "note";

export interface Part {
    kind: Piece["kind"];
    hue: Hue;
    text: string;
}

/** What a language is written in; its expression has the groups note, text and word. */
export interface Language {
    readonly cuts: RegExp;
    readonly words: ReadonlySet<string>;
}

/** A longer line stays plain: nobody reads it for its colours. */
const LONGEST = 2000;

const SLASHES = String.raw`\/\/.*|\/\*.*?(?:\*\/|$)|^\s*\*(?:\s.*)?$`;
const HASH = String.raw`(?:^|\s)#.*`;
const DOUBLE = String.raw`"(?:[^"\\]|\\.)*(?:"|$)`;
const SINGLE = String.raw`'(?:[^'\\]|\\.)*(?:'|$)`;
const BACK = "`(?:[^`\\\\]|\\\\.)*(?:`|$)";
/** A single sign: what else stands behind a quote in Rust and C is no text. */
const SIGN = String.raw`'(?:[^'\\]|\\.[^']{0,8})'`;

function made(note: string, texts: string[], words: string): Language {
    const cuts = new RegExp(`(?<note>${note})|(?<text>${texts.join("|")})|(?<word>[\\p{L}_$][\\p{L}\\p{N}_$]*)`, "gu");
    return { cuts, words: new Set(words.split(" ")) };
}

const RUST = made(
    SLASHES,
    [DOUBLE, SIGN],
    "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut " +
        "pub ref return self Self static struct super trait true type unsafe use where while",
);
const SCRIPT = made(
    SLASHES,
    [DOUBLE, SINGLE, BACK],
    "async await break case catch class const continue default delete do else enum export extends false finally for " +
        "from function if implements import in instanceof interface let new null of private readonly return static " +
        "super switch this throw true try type typeof undefined var void while yield",
);
const PYTHON = made(
    HASH,
    [DOUBLE, SINGLE],
    "and as assert async await break class continue def del elif else except False finally for from global if import " +
        "in is lambda None nonlocal not or pass raise return self True try while with yield",
);
const GO = made(
    SLASHES,
    [DOUBLE, BACK, SIGN],
    "break case chan const continue default defer else false for func go goto if import interface map nil package " +
        "range return select struct switch true type var",
);
const C = made(
    SLASHES,
    [DOUBLE, SIGN],
    "abstract auto bool break case catch char class const continue default delete do double else enum extends extern " +
        "false final finally float for if implements import include int interface long namespace new null nullptr " +
        "override package private protected public return short signed sizeof static struct super switch template this " +
        "throw throws true try typedef union unsigned using var virtual void volatile while",
);
const SHELL = made(
    HASH,
    [DOUBLE, SINGLE],
    "case do done elif else esac exit export fi for function if in local readonly return set shift then unset until while",
);
const SET = made(HASH, [DOUBLE, SINGLE], "true false null yes no on off");

/** By the end of a file's name. */
const LANGUAGES = new Map<string, Language>([
    ["rs", RUST],
    ...["js", "mjs", "cjs", "jsx", "ts", "mts", "tsx", "svelte", "vue", "json"].map((end) => [end, SCRIPT] as const),
    ...["py", "pyi"].map((end) => [end, PYTHON] as const),
    ["go", GO],
    ...["c", "h", "cc", "cpp", "hpp", "java", "kt", "cs", "swift", "scala"].map((end) => [end, C] as const),
    ...["sh", "bash", "zsh"].map((end) => [end, SHELL] as const),
    ...["toml", "yaml", "yml", "ini", "cfg", "lock"].map((end) => [end, SET] as const),
]);

/** The language of a file, by its name; none where it is not known. */
export function language(path: string): Language | null {
    return LANGUAGES.get(/\.([a-z]{1,6})$/.exec(path)?.[1] ?? "") ?? null;
}

/** The line's pieces with their hues; words that differ keep the colour of text, so that they are read on their mark. */
export function coloured(pieces: Piece[], of: Language | null): Part[] {
    const whole = pieces.map((piece) => piece.text).join("");
    const hues = of && whole.length <= LONGEST ? spans(whole, of) : [];
    const parts: Part[] = [];
    let from = 0;
    for (const { kind, text } of pieces) {
        const to = from + text.length;
        let at = from;
        for (const span of kind === "plain" ? hues : []) {
            const [start, end] = [Math.max(span.from, at), Math.min(span.to, to)];
            if (start >= end) continue;
            if (at < start) parts.push({ kind, hue: "plain", text: whole.slice(at, start) });
            parts.push({ kind, hue: span.hue, text: whole.slice(start, end) });
            at = end;
        }
        if (at < to) parts.push({ kind, hue: "plain", text: whole.slice(at, to) });
        from = to;
    }
    return parts;
}

/** What is not plain, from the left to the right. */
function spans(line: string, { cuts, words }: Language): { from: number; to: number; hue: Hue }[] {
    return [...line.matchAll(cuts)].flatMap((found) => {
        const { note, text, word } = found.groups ?? {};
        const hue = note !== undefined ? "note" : text !== undefined ? "text" : words.has(word ?? "") ? "word" : null;
        return hue ? [{ from: found.index, to: found.index + found[0].length, hue }] : [];
    });
}
