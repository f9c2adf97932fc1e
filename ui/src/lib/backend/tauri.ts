// The real backend: commands and events of src-tauri. The only file that imports @tauri-apps.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Backend } from "./index";

export function tauri(): Backend {
    return {
        call: (command, ...given) => invoke(command, given[0] ?? {}),
        onChange: (listener) => heard("changed", () => listener()),
        onShow: (listener) => heard<string>("show", listener),
    };
}

function heard<T>(event: string, listener: (payload: T) => void): () => void {
    const leave = listen<T>(event, ({ payload }) => listener(payload));
    return () => void leave.then((stop) => stop());
}
