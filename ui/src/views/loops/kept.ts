// What a person wrote and did not save: kept through a change of row, Esc, and the end of the window.
import type { Form } from "$lib/backend/types";

export interface Kept {
    /** The file that it began from. */
    hash: string;
    /** The text without what the form changed. */
    origin: string;
    form: Form | null;
}

const key = (name: string): string => `loopwright.loop-draft.${name}`;

export function keep(name: string, kept: Kept | null): void {
    try {
        if (kept) localStorage.setItem(key(name), JSON.stringify(kept));
        else localStorage.removeItem(key(name));
    } catch {
        // A full or closed storage keeps nothing; the text stays in the window.
    }
}

export function kept(name: string): Kept | null {
    try {
        const found: unknown = JSON.parse(localStorage.getItem(key(name)) ?? "null");
        const whole = typeof found === "object" && found !== null && "hash" in found && "origin" in found;
        return whole ? (found as Kept) : null;
    } catch {
        return null;
    }
}
