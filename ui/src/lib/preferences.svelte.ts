// What the person has set for every window: light or dark, and whether single keys act.
import { backend } from "./backend";
import type { Preferences } from "./backend/types";

export const preferences = $state({ singleKeys: true });

/** Reads what is set now and after each change; the answer stops that. */
export function followPreferences(): () => void {
    const look = (): void =>
        void backend()
            .call("preferences")
            .then(apply, () => undefined);
    look();
    return backend().onChange(look);
}

function apply(set: Preferences): void {
    preferences.singleKeys = set.single_keys;
    const root = document.documentElement;
    if (set.appearance === "system") delete root.dataset.scheme;
    else root.dataset.scheme = set.appearance;
}
