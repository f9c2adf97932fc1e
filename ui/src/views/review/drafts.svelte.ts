// Comments that wait to be sent. What is typed is kept at once, so that closing the window loses nothing.
import { backend, refusal } from "$lib/backend";
import type { DraftView, LineRow } from "$lib/backend/types";
import { toast } from "$lib/toasts.svelte";
import type { Range } from "./reader.svelte";

/** The comment on the whole. */
export const WHOLE = "whole";

/** How long after the last key what was typed is kept, in ms. */
const PAUSE = 250;

export class Drafts {
    list = $state<DraftView[]>([]);
    /** The panel is open. */
    open = $state(false);
    /** The comment whose field is to get the focus. */
    asked = $state<string | null>(null);
    private id: string | null = null;
    private readonly unkept = new Map<string, ReturnType<typeof setTimeout> | undefined>();
    private readonly onTheWay = new Map<string, Promise<boolean>>();
    /** Counts what was begun, typed and dropped: a list that was asked for before that is older than what is here. */
    private edits = 0;
    private readonly dropped = new Set<string>();

    readonly lines: DraftView[] = $derived(this.list.filter((draft) => draft.path !== null));
    readonly whole: DraftView | undefined = $derived(this.list.find((draft) => draft.path === null));
    readonly said: boolean = $derived(this.list.some((draft) => draft.text.trim() !== ""));

    async load(id: string): Promise<void> {
        const other = id !== this.id;
        if (other) {
            void this.keepAll();
            this.id = id;
            this.list = [];
            this.edits += 1;
        }
        const { edits } = this;
        const list = await backend().call("drafts", { id });
        if (this.id !== id) return;
        const own = edits === this.edits && this.unkept.size === 0 ? [] : $state.snapshot(this.list);
        const here = new Set([...own.map((draft) => draft.id), ...this.dropped]);
        this.list = [...list.filter((draft) => !here.has(draft.id)), ...own];
        if (other) this.open = this.list.length > 0;
    }

    /** Begins a comment on lines. */
    begin(range: Range, rows: LineRow[]): void {
        const [first] = rows;
        if (!first) return;
        const old = rows.every((row) => row.sign === "removed");
        const numbers = rows.map((row) => (old ? row.old : row.new)).filter((number) => number > 0);
        const code = rows.map((row) => row.pieces.map((piece) => piece.text).join("")).join("\n");
        const at = { from: Math.min(...numbers), to: Math.max(...numbers) };
        this.add({ id: crypto.randomUUID(), path: range.file.path, old, ...at, code, text: "" });
    }

    /** Opens the comment on the whole. */
    beginWhole(): void {
        if (this.whole) this.ask(this.whole.id);
        else this.add({ id: WHOLE, path: null, old: false, from: 0, to: 0, code: "", text: "" });
    }

    type(id: string, text: string): void {
        const draft = this.list.find((one) => one.id === id);
        if (!draft) return;
        draft.text = text;
        this.edits += 1;
        clearTimeout(this.unkept.get(id));
        this.unkept.set(
            id,
            setTimeout(() => void this.keep(id), PAUSE),
        );
    }

    drop(id: string): void {
        clearTimeout(this.unkept.get(id));
        this.unkept.delete(id);
        this.dropped.add(id);
        this.edits += 1;
        this.list = this.list.filter((draft) => draft.id !== id);
        if (this.list.length === 0) this.open = false;
        if (this.id) void backend().call("drop_draft", { id: this.id, draft: id }).catch(tell);
    }

    /** Keeps all that was typed and is not kept yet; whether it is kept. */
    async keepAll(): Promise<boolean> {
        const asked = [...this.unkept.keys()].map((id) => this.keep(id));
        const kept = await Promise.all([...asked, ...this.onTheWay.values()]);
        return kept.every(Boolean);
    }

    private keep(draft: string): Promise<boolean> {
        clearTimeout(this.unkept.get(draft));
        this.unkept.delete(draft);
        const one = this.list.find((other) => other.id === draft);
        if (!one || !this.id) return Promise.resolve(true);
        const put = this.put(this.id, $state.snapshot(one), this.onTheWay.get(draft));
        this.onTheWay.set(draft, put);
        void put.then(() => this.onTheWay.get(draft) === put && this.onTheWay.delete(draft));
        return put;
    }

    /** Puts a comment after what was put of it before. */
    private async put(id: string, draft: DraftView, before: Promise<boolean> | undefined): Promise<boolean> {
        if (before) await before;
        try {
            await backend().call("put_draft", { id, draft });
            return true;
        } catch (error) {
            tell(error);
            // Asked again with the next key, or before it is sent.
            if (this.id === id && !this.unkept.has(draft.id)) this.unkept.set(draft.id, undefined);
            return false;
        } finally {
            this.edits += 1;
        }
    }

    private add(draft: DraftView): void {
        this.list.push(draft);
        this.dropped.delete(draft.id);
        this.edits += 1;
        this.ask(draft.id);
    }

    private ask(id: string): void {
        this.open = true;
        this.asked = id;
    }
}

function tell(error: unknown): void {
    const { message, hint } = refusal(error);
    toast(`The comment is not kept: ${message}. ${hint ?? "It stays in this window."}`);
}
