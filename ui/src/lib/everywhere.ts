// What can be done in every window.
import type { Action } from "./actions.svelte";
import { backend, refusal } from "./backend";
import { nextRegion } from "./regions";
import { toast, undoLast } from "./toasts.svelte";
import { TITLES, WINDOWS, type View } from "./views";

const GROUP = "Everywhere";
const WINDOWS_GROUP = "Windows";

/** The actions of all windows; a view that gives one with the same id takes its place (`close`, with unsaved text). */
export function everywhere(view: View, open: { palette: () => void; help: () => void }): Action[] {
    return [
        ...WINDOWS.map((name, at) => window(name, at, view)),
        { id: "palette", label: "All actions", key: "$mod+k", group: GROUP, hidden: true, act: open.palette },
        { id: "help", label: "Keys of this window", key: "?", group: GROUP, also: "help", act: open.help },
        { id: "region", label: "Next region", key: "F6", group: GROUP, hidden: true, act: () => nextRegion(1) },
        { id: "back", label: "Region before", key: "Shift+F6", group: GROUP, hidden: true, act: () => nextRegion(-1) },
        { id: "undo", label: "Undo", key: "z", keys: ["$mod+z"], group: GROUP, hidden: true, act: undoLast },
        { id: "close", label: "Close this window", key: "$mod+w", group: GROUP, act: close },
        { id: "halt-everything", label: "Halt everything", also: "stop kill", group: GROUP, act: haltEverything },
    ];
}

function window(name: View, at: number, view: View): Action {
    const go = (): void => void backend().call("open_window", { view: name, target: null }).catch(tell);
    const key = `$mod+Digit${at + 1}`;
    return {
        id: `open-${name}`,
        label: TITLES[name],
        key,
        group: WINDOWS_GROUP,
        enabled: () => name !== view,
        act: go,
    };
}

function close(): void {
    void backend().call("close_window").catch(tell);
}

async function haltEverything(): Promise<void> {
    try {
        await backend().call("halt", { level: { level: "all" } });
        toast("Everything is halted. Nothing starts until you resume.");
    } catch (error) {
        tell(error);
    }
}

function tell(error: unknown): void {
    const { message, hint } = refusal(error);
    toast(hint ? `${message}. ${hint}` : message);
}
