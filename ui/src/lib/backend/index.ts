// The one way from the webview to Loopwright. Views call `backend()`; whether Tauri or the mock answers is decided here.
import type { LoopsCommands } from "./loops";
import type { ReviewCommands } from "./review";
import type { RunsCommands } from "./runs";
import type { SettingsCommands } from "./settings";
import type { SharedCommands } from "./shared";
import type { SpendCommands } from "./spend";

/** Every command: its arguments and its answer. The registered commands of src-tauri have the same names. */
export interface Commands
    extends SharedCommands, ReviewCommands, LoopsCommands, RunsCommands, SpendCommands, SettingsCommands {}

/** What a command rejects with: what failed, and what to do. */
export interface Refusal {
    code: number;
    message: string;
    hint: string | null;
}

export interface Backend {
    call<C extends keyof Commands>(command: C, ...given: Given<C>): Promise<Commands[C]["answer"]>;
    /** Calls back after anything that any process wrote; the answer takes the listener away. */
    onChange(listener: () => void): () => void;
    /** Calls back when this window is to show one thing: the id of a pull request or run, a loop's name, or a page. */
    onShow(listener: (target: string) => void): () => void;
}

/** A command without arguments is called without any. */
type Given<C extends keyof Commands> = keyof Commands[C]["args"] extends never ? [] : [Commands[C]["args"]];

let chosen: Backend | undefined;

/** Loads the backend; before that, nothing may be called. */
export async function start(): Promise<void> {
    chosen = __MOCK__ ? (await import("../mock")).mock() : (await import("./tauri")).tauri();
}

export function backend(): Backend {
    if (!chosen) throw new Error("the backend was not started");
    return chosen;
}

export function isRefusal(error: unknown): error is Refusal {
    return typeof error === "object" && error !== null && "message" in error && "hint" in error;
}

/** Any failure as what a person is told. */
export function refusal(error: unknown): Refusal {
    return isRefusal(error) ? error : { code: 70, message: String(error), hint: null };
}
