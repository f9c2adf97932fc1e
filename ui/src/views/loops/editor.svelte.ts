// One loop that is looked at and edited: its file, the text as the person has it, and what the engine says of that.
// The form and the YAML tab change the same text; the form's change is always made to the text that it began from, so that
// what is taken back leaves nothing behind. What is typed is the text at once: an answer says what it comes to, and never
// what it is; only what the form changes is a text that comes from the engine. Whatever changes makes older answers stale.
import { backend } from "$lib/backend";
import type { Form, LoopDetail, LoopDraft, SimulatedDraft } from "$lib/backend/types";
import { keep, kept } from "./kept";

/** How long typing must rest until the engine is asked, in ms. */
const REST = 120;

export class Editor {
    detail = $state<LoopDetail | null>(null);
    error = $state<unknown>(null);
    /** What stands in the file, and its hash. */
    base = $state("");
    hash = $state("");
    /** The text without the form's change. */
    origin = $state("");
    /** What the form says where a person changed it. */
    form = $state<Form | null>(null);
    text = $state("");
    draft = $state<LoopDraft | null>(null);
    /** What stands in the file now, where that is neither what was opened nor what was written. */
    conflict = $state<{ text: string; hash: string } | null>(null);
    /** The engine is asked about the newest text. */
    pending = $state(false);
    saving = $state(false);
    left = $state<string | null>(null);
    simulated = $state<SimulatedDraft | null>(null);
    dirty = $derived(this.text !== this.base || (this.draft?.faults.length ?? 0) > 0 || !!this.draft?.refused);
    fits = $derived(!!this.draft?.valid && this.draft.faults.length === 0 && !this.draft.refused);
    changed = $derived(this.text !== this.base || (this.pending && this.form !== null));
    /** What is pending is asked before it is saved. */
    canSave = $derived(this.changed && (this.fits || this.pending) && !this.saving && !this.conflict);
    /** Counts what changed what is written; an answer holds for the count that it was asked with. */
    private edits = 0;
    /** Counts what reads or writes the file. */
    private reads = 0;
    private timer: ReturnType<typeof setTimeout> | undefined;

    constructor(readonly name: string) {}

    async open(): Promise<void> {
        try {
            const detail = await backend().call("loop_detail", { name: this.name });
            this.begin(detail);
            const before = kept(this.name);
            if (before && before.origin !== undefined && detail.text !== null) {
                this.origin = this.text = before.origin;
                this.form = before.form;
                if (before.hash !== this.hash) this.conflict = { text: this.base, hash: this.hash };
            }
            await this.look();
        } catch (error) {
            this.error = error;
        }
    }

    /** Looks at the file again after any process wrote something. */
    async refresh(): Promise<void> {
        if (this.saving) return;
        if (!this.detail) return this.error ? this.open() : undefined;
        const read = ++this.reads;
        const detail = await backend()
            .call("loop_detail", { name: this.name })
            .catch(() => null);
        if (!detail || read !== this.reads) return;
        if (detail.hash === null || detail.hash === this.hash) this.detail = detail;
        else if ((this.dirty || this.changed) && detail.text !== null) {
            this.detail = detail;
            this.conflict = { text: detail.text, hash: detail.hash };
        } else {
            this.begin(detail);
            await this.look();
        }
    }

    /** A person typed into the text. */
    type(text: string): void {
        this.origin = this.text = text;
        this.form = null;
        this.later();
    }

    /** A person changed the form. */
    fill(change: Partial<Form>): void {
        const form = this.form ?? this.draft?.form;
        if (!form) return;
        this.form = { ...$state.snapshot(form), ...change };
        this.later();
    }

    discard(): void {
        this.origin = this.text = this.base;
        this.form = null;
        this.conflict = null;
        void this.look();
    }

    /** Brings back what was discarded. */
    restore(origin: string, form: Form | null): void {
        this.origin = this.text = origin;
        this.form = form;
        void this.look();
    }

    /** Goes on from what stands in the file now; what was written is dropped. */
    takeTheirs(): void {
        if (!this.conflict) return;
        this.base = this.conflict.text;
        this.hash = this.conflict.hash;
        this.discard();
    }

    /** Keeps what was written, to be saved over what stands there now. */
    keepMine(): void {
        if (!this.conflict) return;
        this.base = this.conflict.text;
        this.hash = this.conflict.hash;
        this.origin = this.text;
        this.form = null;
        this.conflict = null;
        void this.look();
    }

    /** Saves what is on the screen; whether it stands in the file now. */
    async save(): Promise<boolean> {
        if (!this.canSave) return false;
        await this.settle();
        if (!this.canSave) return false;
        this.saving = true;
        this.reads += 1;
        const { text, edits } = this;
        try {
            const saved = await backend().call("save_loop", { name: this.name, text, base: this.hash });
            if (saved.outcome === "changed_on_disk") {
                this.conflict = { text: saved.text, hash: saved.hash };
                return false;
            }
            this.wrote(saved.detail, edits === this.edits);
            this.left = saved.left;
            return true;
        } finally {
            this.saving = false;
        }
    }

    async simulate(): Promise<void> {
        await this.settle();
        this.simulated = await backend().call("simulate_draft", { text: this.text });
    }

    /** What was sent stands in the file; what was written since then is kept, to be saved over it. */
    private wrote(detail: LoopDetail, all: boolean): void {
        if (all) {
            keep(this.name, null);
            this.begin(detail);
        } else {
            this.detail = detail;
            this.base = detail.text ?? "";
            this.hash = detail.hash ?? "";
            this.keep();
        }
        void this.look();
    }

    /** Waits until the engine said what the newest text comes to. */
    private async settle(): Promise<void> {
        while (this.pending) {
            clearTimeout(this.timer);
            await this.look();
        }
    }

    private begin(detail: LoopDetail): void {
        this.detail = detail;
        this.error = null;
        this.base = this.origin = this.text = detail.text ?? "";
        this.hash = detail.hash ?? "";
        this.form = null;
        this.conflict = null;
        this.left = null;
    }

    private later(): void {
        this.edits += 1;
        this.pending = true;
        this.keep();
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.look(), REST);
    }

    private keep(): void {
        const changed = this.origin !== this.base || this.form !== null;
        keep(this.name, changed ? { hash: this.hash, origin: this.origin, form: $state.snapshot(this.form) } : null);
    }

    /** Asks the engine what the text comes to. */
    private async look(): Promise<void> {
        const edits = ++this.edits;
        this.pending = true;
        const request = { text: this.origin, base: this.base, form: $state.snapshot(this.form) };
        try {
            const draft = await backend().call("draft_loop", { request });
            if (edits !== this.edits) return;
            this.draft = draft;
            if (request.form) this.text = draft.text;
            this.keep();
        } catch (error) {
            if (edits === this.edits) this.error = error;
        } finally {
            if (edits === this.edits) this.pending = false;
        }
    }
}
