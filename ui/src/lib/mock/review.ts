// The mock behind the Review window: decisions move rows, undo works, marks and drafts are kept.
import type { Refusal } from "$lib/backend";
import type { ReviewCommands } from "$lib/backend/review";
import type { DiffView, DraftView, QueueRow, QueueView, StatusView } from "$lib/backend/types";
import type { Handlers } from "./index";
import { cut, textOf, views, type MockFile } from "./review/diff";
import { scene, type MockPullRequest } from "./review/scenes";
import type { World } from "./world";

/** What a person has done in the Review window of a world. */
class Desk {
    readonly all: MockPullRequest[];
    readonly marks = new Map<string, Map<string, string>>();
    readonly drafts = new Map<string, DraftView[]>();
    /** Drafts that were sent, to be drafts again when that is undone. */
    readonly sent = new Map<string, DraftView[]>();

    constructor(name: string) {
        this.all = scene(name);
    }

    one(id: string): MockPullRequest {
        const found = this.all.find((one) => one.queue.row.id === id);
        if (!found) throw refusal(64, `no pull request ${id}`);
        return found;
    }

    marksOf(id: string): Map<string, string> {
        let marks = this.marks.get(id);
        if (!marks) this.marks.set(id, (marks = new Map()));
        return marks;
    }
}

const desks = new WeakMap<World, Desk>();

function desk(world: World): Desk {
    let found = desks.get(world);
    if (!found) {
        desks.set(world, (found = new Desk(world.scene)));
        const first = found.all[0];
        if (first) world.newAttempt = () => newAttempt(world, first);
    }
    return found;
}

function refusal(code: number, message: string, hint: string | null = null): Refusal {
    return { code, message, hint };
}

const RISKS = ["quick", "ordinary", "risky"];

function queue(world: World): QueueView {
    const rows = desk(world).all.map((one) => one.queue);
    const state = (...states: string[]): QueueRow[] => rows.filter((row) => states.includes(row.row.state));
    const open = state("open");
    const order = (row: QueueRow): string => `${RISKS.indexOf(row.risk)}${row.row.opened}`;
    return {
        waiting: open.filter((row) => !row.row.later_until).sort((a, b) => order(a).localeCompare(order(b))),
        later: open.filter((row) => row.row.later_until),
        sent_back: state("sent back"),
        decided: state("approved", "merged", "rejected"),
        ever: world.scene !== "never",
    };
}

function files(one: MockPullRequest, against: DiffView["against"]): MockFile[] {
    return against === "since" && one.since ? one.since : one.files;
}

function diff(world: World, id: string, against: DiffView["against"]): DiffView {
    const one = desk(world).one(id);
    if (world.scene === "failed") {
        throw refusal(1, "the object store lacks 1a2b3c4", "`loopwright doctor` looks at what is kept");
    }
    const shown = views(files(one, against), desk(world).marksOf(id));
    const whole = views(one.files, desk(world).marksOf(id));
    const logic = shown.filter((file) => !file.folded).reduce((sum, file) => sum + file.added, 0);
    return {
        against: one.since ? against : "base",
        commit: one.head.commit,
        tree: one.head.tree,
        files: shown,
        lines: shown.reduce((sum, file) => sum + file.lines, 0),
        stat: one.queue.row.stat,
        minutes: Math.max(1, Math.ceil((logic * 8) / 60)),
        has_since: one.since !== null,
        must_view: whole.filter((file) => file.class === "protected" && !file.viewed).map((file) => file.path),
    };
}

function decide(world: World, id: string, state: string, why: string | null): MockPullRequest {
    const one = desk(world).one(id);
    if (!["open", "approved", "sent back"].includes(one.queue.row.state)) {
        throw refusal(1, `it is ${one.queue.row.state} already`);
    }
    Object.assign(one.queue.row, { state, why, lands_at: null, later_until: null });
    world.changed();
    return one;
}

export const review: Handlers<ReviewCommands> = {
    review_queue: (_, world) => queue(world),
    review_head({ id }, world) {
        const one = desk(world).one(id);
        return one.head;
    },
    review_diff: ({ id, against }, world) => diff(world, id, against),
    diff_lines({ place, from, count }, world) {
        const rows = files(desk(world).one(place.id), place.against).flatMap((file) => file.rows);
        return { commit: place.commit, from, rows: rows.slice(from, from + count).map(cut) };
    },
    diff_line({ place, at }, world) {
        const row = files(desk(world).one(place.id), place.against).flatMap((file) => file.rows)[at];
        if (!row) throw refusal(64, `there is no line ${at}`);
        return row;
    },
    diff_find({ place, text }, world) {
        const rows = files(desk(world).one(place.id), place.against).flatMap((file) => file.rows);
        const at = rows.flatMap((row, n) =>
            row.sign !== "hunk" && textOf(row).toLowerCase().includes(text.toLowerCase()) ? [n] : [],
        );
        return { total: at.length, at: at.slice(0, 10_000) };
    },
    mark_viewed({ id, path, content, viewed }, world) {
        if (viewed) desk(world).marksOf(id).set(path, content);
        else desk(world).marksOf(id).delete(path);
        world.changed();
        return null;
    },
    drafts: ({ id }, world) => desk(world).drafts.get(id) ?? [],
    put_draft({ id, draft }, world) {
        const others = (desk(world).drafts.get(id) ?? []).filter((one) => one.id !== draft.id);
        desk(world).drafts.set(id, [...others, draft]);
        return null;
    },
    drop_draft({ id, draft }, world) {
        const others = (desk(world).drafts.get(id) ?? []).filter((one) => one.id !== draft);
        desk(world).drafts.set(id, others);
        return null;
    },
    send_drafts({ id }, world) {
        const drafts = (desk(world).drafts.get(id) ?? []).filter((draft) => draft.text.trim() !== "");
        if (drafts.length === 0) throw refusal(64, "sending back wants a note");
        const one = decide(world, id, "sent back", drafts.map((draft) => draft.text).join("\n\n"));
        desk(world).sent.set(id, drafts);
        desk(world).drafts.delete(id);
        const waits = world.halted ? "everything is halted; it begins when you resume" : null;
        return { id, note: one.queue.row.why ?? "", run: null, waits, repair: null, granted: null, undo: "" };
    },
    approve({ id, tree }, world) {
        const one = desk(world).one(id);
        if (world.halted) throw refusal(24, "everything is halted", "resume first");
        if (tree !== one.head.tree) throw refusal(64, "it changed since you looked; review it again");
        const first = diff(world, id, "base").must_view[0];
        if (first)
            throw refusal(64, `View ${first.split("/").pop()} first`, "it is a protected file; nothing was approved");
        const at = new Date(Date.now() + (world.graceMs ?? 5000)).toISOString();
        decide(world, id, "approved", null);
        one.queue.row.lands_at = at;
        world.changed();
        return { result: "scheduled", at, branch: one.head.target[1], command: "" };
    },
    approval_landed({ id }, world) {
        const one = desk(world).one(id);
        const { row } = one.queue;
        if (row.lands_at && new Date(row.lands_at).getTime() > Date.now()) {
            return { result: "scheduled", at: row.lands_at, branch: one.head.target[1], command: "" };
        }
        if (row.state === "approved") decide(world, id, "merged", null);
        return { result: "merged", commit: "1a2b3c4d".repeat(5), branch: one.head.target[1], repo: one.head.target[0] };
    },
    reject({ id, reason }, world) {
        decide(world, id, "rejected", reason);
        return { id, reason, again: "", undo: "" };
    },
    put_off({ id }, world) {
        const one = desk(world).one(id);
        const until = new Date(Date.now() + 3_600_000).toISOString();
        one.queue.row.later_until = until;
        world.changed();
        return { id, until, undo: "" };
    },
    undo_decision({ id }, world) {
        const one = desk(world).one(id);
        const { row } = one.queue;
        const what = { approved: "approval", rejected: "rejection", "sent back": "sending back" }[row.state];
        if (!what && !row.later_until) throw refusal(1, `nothing to take back: it is ${row.state}`);
        const sent = desk(world).sent.get(id);
        if (row.state === "sent back" && sent) desk(world).drafts.set(id, sent);
        Object.assign(row, { state: "open", why: null, lands_at: null, later_until: null });
        world.changed();
        return { id, what: what ?? "putting off", state: "open" };
    },
    evidence({ id, sha256, from }, world) {
        const whole = desk(world).one(id).output[sha256];
        if (whole === undefined) throw refusal(64, "no gate of this pull request left that output");
        const text = whole.slice(from, from + 65_536);
        return { text, next: from + text.length < whole.length ? from + text.length : null, size: whole.length };
    },
};

/** A new attempt comes in, as it does while somebody reads: the first file has other content. */
function newAttempt(world: World, one: MockPullRequest): void {
    const first = one.files[0];
    if (first) one.files = [{ ...first, content: `${first.path} 2` }, ...one.files.slice(1)];
    one.head = { ...one.head, commit: "f".repeat(40), tree: "e".repeat(40) };
    world.changed();
}

/** For the status of all windows. */
export function waitingRows(world: World): StatusView["waiting"] {
    return queue(world).waiting.map((row) => row.row);
}
