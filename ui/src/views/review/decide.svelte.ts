// The decisions: what each asks for, what is said afterwards, and its undo.
import { backend, refusal, type Refusal } from "$lib/backend";
import type { ApproveView, Level, PullRequestRow } from "$lib/backend/types";
import { clock } from "$lib/format";
import { toast } from "$lib/toasts.svelte";
import type { Change } from "./change.svelte";
import type { Drafts } from "./drafts.svelte";
import type { Queue } from "./queue.svelte";

/** How long a rejection is offered to be undone, in ms; an approval's moment is stored. */
const UNDO = 5000;
/** For what stays undoable longer. */
const LONGER = 20_000;
/** A little more than the moment, so that it is over for every clock. */
const SLACK = 300;

/** What would be sent is not what is on the screen. */
const UNKEPT: Refusal = { code: 1, message: "a comment is not kept", hint: "it stays in this window; send it again" };

export type Panel = "halt" | "reject" | "later";

export class Decide {
    panel = $state<Panel | null>(null);
    busy = $state(false);

    constructor(
        private readonly queue: Queue,
        private readonly change: Change,
        private readonly drafts: Drafts,
    ) {}

    readonly open: boolean = $derived.by(() => this.queue.row?.row.state === "open");
    readonly undecided: boolean = $derived.by(() =>
        ["open", "approved", "sent back"].includes(this.queue.row?.row.state ?? ""),
    );

    /** Why it can't be approved now; none = it can. */
    readonly notApproved: string | undefined = $derived.by(() => {
        const { row } = this.queue;
        if (!row) return "Nothing waits for you";
        if (!this.open) return `It is ${row.row.state}`;
        if (this.queue.halted) return "Off while halted";
        if (!this.change.diff || this.change.error) return "The change is not on screen";
        const first = this.change.diff.must_view[0];
        return first ? `View ${first.split("/").at(-1)} first` : undefined;
    });

    async approve(): Promise<void> {
        const { row } = this.queue;
        const { diff } = this.change;
        if (!row || !diff || this.notApproved) return;
        await this.act(row.row, async (one) => {
            const answer = await backend().call("approve", { id: one.id, tree: diff.tree });
            if (answer.result !== "scheduled") return this.tell(one, answer);
            const left = Math.max(0, new Date(answer.at).getTime() - Date.now());
            const undone = { now: false };
            const undo = (): void => {
                undone.now = true;
                void this.undo(one, "Not merged. It waits for you again.");
            };
            const seconds = Math.ceil(left / 1000);
            toast(`Merging “${short(one.title)}” into ${answer.branch} in ${seconds} s.`, undo, left);
            setTimeout(() => !undone.now && void this.landed(one), left + SLACK);
        });
    }

    async sendBack(): Promise<void> {
        const { row } = this.queue;
        if (!row || !this.drafts.said) return;
        await this.act(row.row, async (one) => {
            if (!(await this.drafts.keepAll())) throw UNKEPT;
            const answer = await backend().call("send_drafts", { id: one.id });
            this.drafts.open = false;
            const more = answer.granted ? ` One more iteration than the ${answer.granted} of its loop.` : "";
            const waits = answer.waits ? ` It waits: ${answer.waits}.` : "";
            toast(`Sent back: “${short(one.title)}”.${more}${waits}`, () => void this.undo(one), LONGER);
        });
    }

    async reject(reason: string): Promise<void> {
        const { row } = this.queue;
        if (!row) return;
        this.panel = null;
        await this.act(row.row, async (one) => {
            await backend().call("reject", { id: one.id, reason });
            toast(`Rejected “${short(one.title)}”: ${reason}.`, () => void this.undo(one), UNDO);
        });
    }

    async later(when: string): Promise<void> {
        const { row } = this.queue;
        if (!row) return;
        this.panel = null;
        await this.act(row.row, async (one) => {
            const { until } = await backend().call("put_off", { id: one.id, when });
            toast(`Hidden until ${clock(until)}: “${short(one.title)}”.`, () => void this.undo(one), LONGER);
        });
    }

    async halt(level: Level): Promise<void> {
        this.panel = null;
        try {
            const { what, stopped } = await backend().call("halt", { level });
            toast(`Halted ${what}: ${stopped} ${stopped === 1 ? "run" : "runs"} stopped.`);
        } catch (error) {
            tell("HALT met a fault", error);
        }
        await this.queue.load();
    }

    async undo(one: Pick<PullRequestRow, "id" | "title">, said = ""): Promise<void> {
        try {
            const { what } = await backend().call("undo_decision", { id: one.id });
            toast(said || `Taken back: the ${what} of “${short(one.title)}”.`);
        } catch (error) {
            tell("Not taken back", error);
        }
        await this.queue.load();
        this.queue.show(one.id);
        await this.change.load();
        await this.drafts.load(one.id);
    }

    /** Does it once, goes on to the next row, and says what failed. */
    private async act(row: PullRequestRow, deed: (row: PullRequestRow) => Promise<void>): Promise<void> {
        if (this.busy) return;
        this.busy = true;
        try {
            await deed(row);
            this.queue.leave(row.id);
        } catch (error) {
            tell("Nothing was decided", error);
        }
        await this.queue.load();
        this.busy = false;
    }

    private async landed(one: PullRequestRow): Promise<void> {
        try {
            this.tell(one, await backend().call("approval_landed", { id: one.id }));
        } catch (error) {
            tell("Not merged yet", error);
        }
        await this.queue.load();
    }

    private tell(one: PullRequestRow, answer: ApproveView): void {
        const title = short(one.title);
        if (answer.result === "merged") toast(`Merged “${title}” as ${answer.commit.slice(0, 7)}.`);
        else if (answer.result === "waiting")
            toast(`Approved, waiting: ${answer.why}.`, () => void this.undo(one), LONGER);
        else if (answer.result === "checking") toast(`Approved, being checked again: ${answer.why}.`);
        else if (answer.result === "moved") toast(`Not merged: ${answer.why}. Look at “${title}” again.`);
    }
}

/** A title as far as it fits into a toast. */
function short(title: string): string {
    return title.length > 40 ? `${title.slice(0, 39)}…` : title;
}

function tell(what: string, error: unknown): void {
    const { message, hint } = refusal(error);
    toast(`${what}: ${message}.${hint ? ` ${hint[0]?.toUpperCase()}${hint.slice(1)}.` : ""}`);
}
