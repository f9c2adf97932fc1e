// Every action of this window, once: its label, its key, whether it can be done now. Keys, the palette (Ctrl+K), the help
// sheet (?), tooltips and `aria-keyshortcuts` are all read from here.
import { untrack } from "svelte";
import { bind } from "./keys";

export interface Action {
    /** Unique in the window. */
    id: string;
    /** What the button says too. */
    label: string;
    /** In tinykeys' spelling: `a`, `?`, `$mod+Enter`, `h h`. */
    key?: string;
    /** Other keys that do the same. */
    keys?: string[];
    /** Moves about only: a line of the help sheet, none of the palette. */
    hidden?: boolean;
    /** The heading that it stands under in the palette and the help sheet; none = the window's own. */
    group?: string;
    /** Words that find it in the palette though the label lacks them. */
    also?: string;
    /** Whether it can be done now; none = always. */
    enabled?: () => boolean;
    /** Why it can't be done now. */
    why?: () => string | undefined;
    act: () => void;
}

/** A list, because the actions of several components stand beside each other. */
const given = $state<{ actions: () => Action[] }[]>([]);

/** All that stand now; of those with the same id, the last one given. */
export function actions(): Action[] {
    const known = new Map<string, Action>();
    for (const one of given) for (const action of one.actions()) known.set(action.id, action);
    return [...known.values()];
}

export function action(id: string): Action | undefined {
    return actions().find((one) => one.id === id);
}

export function enabled(action: Action): boolean {
    return action.enabled?.() ?? true;
}

/** Does it if it can be done now; whether it could. */
export function act(id: string): boolean {
    const found = action(id);
    if (!found || !enabled(found)) return false;
    found.act();
    return true;
}

/** Adds actions for as long as the component lives: `$effect(() => offer(() => [...]))`. */
export function offer(some: () => Action[]): () => void {
    untrack(() => given.push({ actions: some }));
    return () =>
        untrack(() => {
            const at = given.findIndex((other) => other.actions === some);
            if (at >= 0) given.splice(at, 1);
        });
}

/** Binds the keys of all that stand: `$effect(bindActions)`. */
export function bindActions(): () => void {
    const all = actions().flatMap((one) => {
        const keys = [...(one.key ? [one.key] : []), ...(one.keys ?? [])];
        return keys.map((key) => [key, () => void act(one.id)] as const);
    });
    return bind(Object.fromEntries(all));
}

/** The same under their headings: the window's own first, then in the order in which they came. */
export function grouped(some: Action[]): [string, Action[]][] {
    const groups = new Map<string, Action[]>(some.some((one) => !one.group) ? [["", []]] : []);
    for (const one of some) {
        const group = one.group ?? "";
        groups.set(group, [...(groups.get(group) ?? []), one]);
    }
    return [...groups];
}
