// A line that a program wrote, as parts with a tone: colours become our tokens, everything else that a terminal would act on
// becomes visible or goes. Never markup; nothing that a program says is bold, a link or hidden.

/** The tones that a program may ask for. */
export type Tone = "plain" | "muted" | "accent" | "ok" | "attention" | "stop";

export interface Part {
    text: string;
    tone: Tone;
}

/** The eight colours of a terminal, in their order. */
const COLOURS: readonly Tone[] = ["muted", "stop", "ok", "attention", "accent", "accent", "accent", "plain"];

// Control sequences (CSI), operating system commands (OSC, ended by BEL or ST), and two-character escapes.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b\[([0-9;:?]*)([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?/g;

/** Characters that are not seen, or reorder what stands beside them. */
const HIDDEN =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|\udb40[\udc00-\udfff]/g;

/** The parts of a line. */
export function parts(line: string): Part[] {
    const text = overwritten(line);
    const found: Part[] = [];
    let tone: Tone = "plain";
    let from = 0;
    const add = (to: number): void => {
        if (to > from) push(found, text.slice(from, to), tone);
    };
    for (const escape of text.matchAll(ESCAPES)) {
        add(escape.index);
        from = escape.index + escape[0].length;
        if (escape[2] === "m") tone = toned(tone, escape[1] ?? "");
    }
    add(text.length);
    return found;
}

/** The line as a person reads it, without tones. */
export function plain(line: string): string {
    return parts(line)
        .map((part) => part.text)
        .join("");
}

/** What is left of a line that a program wrote over again, as progress bars do. */
function overwritten(line: string): string {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    return text.slice(text.lastIndexOf("\r") + 1);
}

function push(found: Part[], text: string, tone: Tone): void {
    let from = 0;
    for (const hidden of text.matchAll(HIDDEN)) {
        if (hidden.index > from) found.push({ text: text.slice(from, hidden.index), tone });
        found.push({ text: shown(hidden[0]), tone: "muted" });
        from = hidden.index + hidden[0].length;
    }
    if (from < text.length) found.push({ text: text.slice(from), tone });
}

/** Something visible that stands for a character that is not. */
function shown(hidden: string): string {
    const point = hidden.codePointAt(0) ?? 0;
    if (point < 0x20) return String.fromCodePoint(0x2400 + point);
    if (point === 0x7f) return "␡";
    return `<U+${point.toString(16).toUpperCase().padStart(4, "0")}>`;
}

function toned(before: Tone, given: string): Tone {
    let tone = before;
    const codes = given.split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; at++) {
        const code = codes[at] ?? 0;
        if (code === 0 || code === 39) tone = "plain";
        else if (code === 2) tone = "muted";
        else if (code >= 30 && code <= 37) tone = COLOURS[code - 30] ?? "plain";
        else if (code >= 90 && code <= 97) tone = COLOURS[code - 90] ?? "plain";
        else if (code === 38 || code === 48) {
            // Of the 256 colours the first 16 are those above; of the others none is ours.
            const [kind, colour] = [codes[at + 1], codes[at + 2] ?? 0];
            if (code === 38) tone = kind === 5 && colour < 16 ? (COLOURS[colour % 8] ?? "plain") : "plain";
            at += kind === 5 ? 2 : 4;
        }
    }
    return tone;
}
