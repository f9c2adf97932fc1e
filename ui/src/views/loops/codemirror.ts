// The YAML editor: CodeMirror with faults from the engine and completion from the schema. Loaded when its tab is opened.
import { autocompletion, completionKeymap, type CompletionSource } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, nextDiagnostic, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Placed } from "$lib/backend/types";
import { complete } from "./schema";

export interface YamlEditor {
    /** Shows another text, if it is another one. */
    set(text: string): void;
    mark(placed: Placed[]): void;
    nextProblem(): void;
    focus(): void;
    destroy(): void;
}

const colours = HighlightStyle.define([
    { tag: tags.propertyName, color: "var(--accent)" },
    { tag: [tags.comment, tags.lineComment], color: "var(--muted)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--attention)" },
]);

const look = EditorView.theme({
    "&": { height: "100%", fontSize: "12px", backgroundColor: "var(--bg)", color: "var(--text)" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "18px" },
    ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--line-number)", borderColor: "var(--border)" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--surface)" },
    ".cm-content": { caretColor: "var(--text)" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
        backgroundColor: "var(--selected)",
    },
    ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--control)", color: "var(--text)" },
    ".cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--selected)", color: "var(--text)" },
    ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
    ".cm-diagnostic-error": { borderLeftColor: "var(--stop)" },
    ".cm-diagnostic-warning": { borderLeftColor: "var(--attention)" },
    // The editor's own marks are pictures in colours of its own.
    ".cm-lint-marker": { content: "none !important", width: "8px", height: "8px", margin: "5px 3px" },
    ".cm-lint-marker-error": { backgroundColor: "var(--stop)" },
    ".cm-lint-marker-warning": { backgroundColor: "var(--attention)", borderRadius: "4px" },
    ".cm-lint-marker-info": { backgroundColor: "var(--muted)", borderRadius: "4px" },
    ".cm-lintRange": { backgroundImage: "none !important", textDecoration: "underline wavy 1px" },
    ".cm-lintRange-error": { textDecorationColor: "var(--stop)" },
    ".cm-lintRange-warning": { textDecorationColor: "var(--attention)" },
    ".cm-lintRange-info": { textDecorationColor: "var(--muted)" },
    ".cm-panels": { backgroundColor: "var(--surface)", color: "var(--text)" },
});

function completion(schema: () => object | null): CompletionSource {
    return ({ state, pos, explicit }) => {
        const known = schema();
        const line = state.doc.lineAt(pos);
        const before = state.sliceDoc(0, line.from).split("\n");
        const found = known && complete(known, before, state.sliceDoc(line.from, pos));
        if (!found || (found.from === pos - line.from && !explicit)) return null;
        const options = found.offers.map(({ label, detail, after }) => ({ label, detail, apply: label + after }));
        return { from: line.from + found.from, options, validFor: /^[\w-]*$/ };
    };
}

/** Lines end as they do in the file: CodeMirror would make all of them alike. */
function ending(text: string): string {
    return text.includes("\r\n") ? "\r\n" : "\n";
}

export function create(
    parent: HTMLElement,
    text: string,
    schema: () => object | null,
    typed: (text: string) => void,
): YamlEditor {
    let shown = text;
    const state = (text: string): EditorState =>
        EditorState.create({
            doc: text,
            extensions: [
                EditorState.lineSeparator.of(ending(text)),
                lineNumbers(),
                history(),
                drawSelection(),
                indentOnInput(),
                highlightActiveLine(),
                highlightSelectionMatches(),
                yaml(),
                syntaxHighlighting(colours),
                lintGutter(),
                autocompletion({ override: [completion(schema)] }),
                keymap.of([...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap]),
                EditorView.contentAttributes.of({ "aria-label": "loop.yaml" }),
                EditorView.updateListener.of((update) => {
                    if (!update.docChanged) return;
                    shown = update.state.sliceDoc();
                    typed(shown);
                }),
                look,
            ],
        });
    const view = new EditorView({ parent, state: state(text) });
    return {
        set(text) {
            if (text === shown) return;
            shown = text;
            view.setState(state(text));
        },
        mark(placed) {
            const marks = placed.map((one) => diagnostic(view, one, (at) => place(shown, at)));
            view.dispatch(setDiagnostics(view.state, marks));
        },
        nextProblem: () => void nextDiagnostic(view),
        focus: () => view.focus(),
        destroy: () => view.destroy(),
    };
}

/** A place of the text as the editor counts it: an end of line is one sign for it. */
function place(text: string, at: number): number {
    return ending(text) === "\n" ? at : at - text.slice(0, at).split("\r\n").length + 1;
}

function diagnostic(view: EditorView, { diagnostic, ...at }: Placed, place: (at: number) => number): Diagnostic {
    const end = view.state.doc.length;
    const [from, to] = [place(at.from), place(at.to)];
    const help = diagnostic.help ? ` – ${diagnostic.help}` : "";
    const severity = diagnostic.severity === "note" ? "info" : diagnostic.severity;
    return {
        from: Math.min(from, end),
        to: Math.min(Math.max(to, from), end),
        severity,
        message: diagnostic.message + help,
    };
}
