// What the Review window asks for.
import type {
    Against,
    ApproveView,
    DiffView,
    DraftView,
    EvidencePage,
    Found,
    LaterView,
    LinePage,
    LineRow,
    QueueView,
    RejectView,
    ReviewView,
    SendBackView,
    UndoView,
} from "./types";

/** Which change is meant; pages of another commit are not mixed up with it. */
export interface Place {
    id: string;
    against: Against;
    commit: string;
}

export interface ReviewCommands {
    /** What waits, what was sent back, what was decided today. */
    review_queue: { args: Record<never, never>; answer: QueueView };
    /** One pull request with its evidence; its `diff` is empty. */
    review_head: { args: { id: string }; answer: ReviewView };
    /** The files of its change, in the order of reading. */
    review_diff: { args: { id: string; against: Against }; answer: DiffView };
    /** At most 1000 lines of it. */
    diff_lines: { args: { place: Place; from: number; count: number }; answer: LinePage };
    /** One line, whole. */
    diff_line: { args: { place: Place; at: number }; answer: LineRow };
    /** The lines that hold a text; the total is that of all lines. */
    diff_find: { args: { place: Place; text: string }; answer: Found };
    mark_viewed: { args: { id: string; path: string; content: string; viewed: boolean }; answer: null };
    /** Comments that wait to be sent; one without a path is about the whole. */
    drafts: { args: { id: string }; answer: DraftView[] };
    put_draft: { args: { id: string; draft: DraftView }; answer: null };
    drop_draft: { args: { id: string; draft: string }; answer: null };
    /** Sends back with all comments. */
    send_drafts: { args: { id: string }; answer: SendBackView };
    /** Approves the tree that was shown. */
    approve: { args: { id: string; tree: string }; answer: ApproveView };
    /** What became of an approval whose moment is over. */
    approval_landed: { args: { id: string }; answer: ApproveView };
    reject: { args: { id: string; reason: string }; answer: RejectView };
    /** `when`: `1h`, `evening`, `tomorrow`. */
    put_off: { args: { id: string; when: string }; answer: LaterView };
    undo_decision: { args: { id: string }; answer: UndoView };
    /** A page of what a gate wrote. */
    evidence: { args: { id: string; sha256: string; from: number }; answer: EvidencePage };
}
