// What every window asks for.
import type { Level, HaltView, Preferences, ResumeView, StatusView, View } from "./types";

export interface SharedCommands {
    /** Everything at a glance. */
    status: { args: Record<never, never>; answer: StatusView };
    halt: { args: { level: Level }; answer: HaltView };
    resume: { args: { level: Level; reason: string }; answer: ResumeView };
    /** Opens another window, or brings it to the front; `target` is what it is to show. */
    open_window: { args: { view: View; target: string | null }; answer: null };
    /** Closes this window; the tray stays. */
    close_window: { args: Record<never, never>; answer: null };
    /** What holds for every window: light or dark, single keys. */
    preferences: { args: Record<never, never>; answer: Preferences };
    /** What this window is to show first: it was opened for that. */
    first_target: { args: Record<never, never>; answer: string | null };
}
