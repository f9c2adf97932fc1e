// The shape of a row or step, as the core names it, in the marks that all windows share.
import type { Mark } from "$lib/backend/types";
import type { MarkState } from "$lib/parts/Mark.svelte";

export const MARKS: Record<Mark, MarkState> = {
    running: "running",
    passed: "passed",
    needs_you: "needs",
    halted: "halted",
    failed: "failed",
    nothing: "nothing",
    skipped: "missed",
    note: "later",
};
