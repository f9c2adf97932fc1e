// Keys of every window. Single keys act only while no field has the focus; a held key never repeats an act.
import { tinykeys, type KeyBindingMap } from "tinykeys";
import { backend } from "./backend";
import { undoLast } from "./toasts.svelte";
import { WINDOWS } from "./views";

/** Whether a person is typing into a field. */
export function typing(target: EventTarget | null): boolean {
    return (
        target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
    );
}

/** Binds keys to acts that happen once per press and never while somebody types; the answer takes them away. */
export function bind(keys: Record<string, () => void>): () => void {
    const map: KeyBindingMap = {};
    for (const [key, act] of Object.entries(keys)) {
        map[key] = (event) => {
            if (event.repeat || (typing(event.target) && !key.includes("Control") && !key.includes("$mod"))) return;
            event.preventDefault();
            act();
        };
    }
    return tinykeys(window, map);
}

/** Ctrl+1…5 opens the windows, Z and Ctrl+Z take back what the last toast says. */
export function windowKeys(): () => void {
    const open = WINDOWS.map((view, at) => [
        `$mod+Digit${at + 1}`,
        () => void backend().call("open_window", { view, target: null }),
    ]);
    return bind({ ...Object.fromEntries(open), z: undoLast, "$mod+z": undoLast });
}
