// What was just done, and its undo. Toasts never take the focus; a polite live region reads them.

export interface Toast {
    id: number;
    text: string;
    /** What takes it back. */
    undo?: () => void;
}

/** How long one stays without an undo, in ms; one with an undo stays as long as that can be done. */
const STAYS = 6000;

let last = 0;

export const toasts = $state<Toast[]>([]);

/** Shows a text, with an undo for as long as `forMs`. */
export function toast(text: string, undo?: () => void, forMs = STAYS): number {
    const id = ++last;
    toasts.push(undo ? { id, text, undo } : { id, text });
    setTimeout(() => dismiss(id), forMs);
    return id;
}

export function dismiss(id: number): void {
    const at = toasts.findIndex((one) => one.id === id);
    if (at >= 0) toasts.splice(at, 1);
}

/** Takes back the newest that can be; whether there was one. */
export function undoLast(): boolean {
    const newest = toasts.findLast((one) => one.undo);
    if (!newest) return false;
    dismiss(newest.id);
    newest.undo?.();
    return true;
}
