// Keys of every window. Single keys act only while no field has the focus; a held key never repeats an act.
import { tinykeys, type KeyBindingMap } from "tinykeys";
import { preferences } from "./preferences.svelte";

/** Whether a person is typing into a field. */
export function typing(target: EventTarget | null): boolean {
    return (
        target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
    );
}

/** Keys that a field needs for itself. */
const OF_FIELDS = ["$mod+z"];

/** Whether a dialog, a menu or the palette has the focus: keys of the window behind it do nothing then. */
function floating(target: EventTarget | null): boolean {
    return target instanceof Element && target.closest("[data-floating]") !== null;
}

/** Whether a key is pressed alone, so that typing a text would press it. */
export function single(key: string): boolean {
    return !/\$mod|Control|Alt|Meta|\bF\d/.test(key) && key !== "Escape";
}

/** Binds keys to acts that happen once per press and never while somebody types; the answer takes them away. */
export function bind(keys: Record<string, () => void>): () => void {
    const map: KeyBindingMap = {};
    for (const [key, act] of Object.entries(keys)) {
        for (const press of presses(key)) {
            map[press] = (event) => {
                const alone = single(key);
                if (event.repeat || event.defaultPrevented || floating(event.target)) return;
                if (typing(event.target) && (alone || OF_FIELDS.includes(key))) return;
                if (alone && !preferences.singleKeys) return;
                event.preventDefault();
                act();
            };
        }
    }
    return tinykeys(window, map);
}

/** A sign such as `?` comes with Shift on some keyboards and without it on others. */
function presses(key: string): string[] {
    return /^[^\p{L}\p{N}]$/u.test(key) ? [key, `Shift+${key}`] : [key];
}

const NAMES: Record<string, string> = {
    $mod: "Ctrl",
    Control: "Ctrl",
    Escape: "Esc",
    ArrowUp: "↑",
    ArrowDown: "↓",
    ArrowLeft: "←",
    ArrowRight: "→",
    " ": "Space",
};

/** A key as a person reads it: `$mod+k` is `Ctrl+K`, `h h` is `h h`. */
export function shown(key: string): string {
    const part = (name: string, _: number, all: string[]): string => {
        const plain = name.replace(/^(Key|Digit)/, "");
        return NAMES[plain] ?? (all.length > 1 ? plain.toUpperCase() : plain);
    };
    return key
        .split(" ")
        .map((press) =>
            press
                .split("+")
                .map(part)
                .map((name) => (name.length > 1 ? name[0]?.toUpperCase() + name.slice(1).toLowerCase() : name))
                .join("+"),
        )
        .join(" ");
}

/** A key as `aria-keyshortcuts` wants it: `$mod+k` is `Control+K`. */
export function spoken(key: string): string {
    return key.replaceAll("$mod", "Control").replaceAll(/Key|Digit/g, "");
}
