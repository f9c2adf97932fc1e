// The real backend: commands and events of src-tauri. The only file that imports @tauri-apps.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Backend } from "./index";

export function tauri(): Backend {
    return {
        call: (command, ...given) => invoke(command, given[0] ?? {}),
        onChange: (listener) => heard("changed", () => listener()),
        // Fetched once it listens: what was asked for before that is not lost.
        onShow(listener) {
            const fetch = (): void =>
                void invoke<string | null>("first_target").then((target) => target !== null && listener(target));
            return heard("show", fetch, fetch);
        },
    };
}

function heard(event: string, listener: () => void, begun?: () => void): () => void {
    const leave = listen(event, () => listener());
    if (begun) void leave.then(begun);
    return () => void leave.then((stop) => stop());
}
