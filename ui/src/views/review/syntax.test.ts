import { describe, expect, test } from "vitest";
import type { Piece } from "$lib/backend/types";
import { coloured, language } from "./syntax";

function hues(path: string, ...pieces: (string | [Piece["kind"], string])[]): string[] {
    const line = pieces.map((piece): Piece =>
        typeof piece === "string" ? { kind: "plain", text: piece } : { kind: piece[0], text: piece[1] },
    );
    const parts = coloured(line, language(path));
    expect(parts.map((part) => part.text).join("")).toBe(line.map((piece) => piece.text).join(""));
    return parts.filter((part) => part.hue !== "plain").map((part) => `${part.hue} ${part.text}`);
}

describe("colours of code", () => {
    test("words, texts and notes of a language", () => {
        expect(hues("src/a.rs", 'let s = "if x"; // let')).toEqual(["word let", 'text "if x"', "note // let"]);
        expect(hues("a.py", "def f(): # for")).toEqual(["word def", "note  # for"]);
        expect(hues("a.yml", "  retry: true  # of each")).toEqual(["word true", "note  # of each"]);
        expect(hues("a.ts", "const x = `if`;")).toEqual(["word const", "text `if`"]);
    });

    test("a lifetime is no text, a sign is, and a word within another is none", () => {
        expect(hues("a.rs", "fn a<'a>(c: &'a str) { ';' }")).toEqual(["word fn", "text ';'"]);
        expect(hues("a.rs", "letter iffy self_made")).toEqual([]);
        expect(hues("a.rs", String.raw`"a\"b" '\n'`)).toEqual([String.raw`text "a\"b"`, String.raw`text '\n'`]);
    });

    test("a text that does not end ends with its line; a block within a line ends where it says", () => {
        expect(hues("a.rs", 'let a = "if')).toEqual(["word let", 'text "if']);
        expect(hues("a.rs", "/* if */ let")).toEqual(["note /* if */", "word let"]);
        expect(hues("a.rs", " * of a block")).toEqual(["note  * of a block"]);
        expect(hues("a.rs", "a * b")).toEqual([]);
    });

    test("what differs stays without a hue, and cuts what is around it", () => {
        expect(hues("a.rs", 'let a = "on', ["differs", "e tw"], 'o";')).toEqual(["word let", 'text "on', 'text o"']);
        expect(hues("a.rs", ["differs", "let"], " let")).toEqual(["word let"]);
    });

    test("unknown languages, long lines and hostile names are plain", () => {
        expect(hues("README.md", "let if")).toEqual([]);
        expect(hues("__proto__", "let if")).toEqual([]);
        expect(hues("a.constructor", "let if")).toEqual([]);
        expect(hues("a.rs", `let ${"x".repeat(3000)}`)).toEqual([]);
    });

    // Where a choice is tried again and again, this does not end within the time that a test has.
    test("a line that would cost an expression with choices much costs little", () => {
        for (const text of ['"\\'.repeat(900), "/*".repeat(900), "'".repeat(1800), "# ".repeat(900)]) {
            for (const path of ["a.rs", "a.ts", "a.py", "a.yml"]) hues(path, text);
        }
    });
});
