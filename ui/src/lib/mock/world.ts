// The state behind the mock backend. Each area keeps its part in a file of its own and adds it here.
import type { Refusal } from "$lib/backend";
import type { Preferences } from "$lib/backend/types";

export type Scene = "full" | "empty" | "failed" | "halted" | (string & {});

export class World {
    /** Every call, the oldest first: tests read it. */
    readonly calls: { command: string; args: unknown }[] = [];
    /** Commands that are to fail. */
    readonly refuse: Partial<Record<string, Refusal>> = {};
    /** Why everything is halted. */
    halted: string | null;
    preferences: Preferences = { appearance: "system", single_keys: true };
    /** What another process does to a loop's file, unheard; the area of loops sets it. */
    write?: (loop: string, text: string) => void;
    private readonly listeners = new Set<() => void>();
    private readonly shows = new Set<(target: string) => void>();

    constructor(readonly scene: Scene) {
        this.halted = scene === "halted" ? "from the tray, 10:42" : null;
    }

    /** Tells the views that something changed. */
    changed(): void {
        for (const listener of this.listeners) listener();
    }

    /** Asks the window to show one thing. */
    show(target: string): void {
        for (const listener of this.shows) listener(target);
    }

    listen(listener: () => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }

    listenShow(listener: (target: string) => void): () => void {
        this.shows.add(listener);
        return () => this.shows.delete(listener);
    }
}
