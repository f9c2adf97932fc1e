// The state behind the mock backend. Each area keeps its part in a file of its own and adds it here.
import type { Refusal } from "$lib/backend";
import type { DrillView, Preferences } from "$lib/backend/types";
import { MockHistory } from "./history";

export type Scene = "full" | "empty" | "failed" | "halted" | (string & {});

export class World {
    /** Every call, the oldest first: tests read it. */
    readonly calls: { command: string; args: unknown; answered?: true }[] = [];
    /** Commands that are to fail. */
    readonly refuse: Partial<Record<string, Refusal>> = {};
    /** Commands whose answer, as it was when they were asked, comes so many ms later. */
    readonly late: Partial<Record<string, number>> = {};
    /** Why everything is halted. */
    halted: string | null;
    preferences: Preferences = { appearance: "system", single_keys: true };
    /** The last drill of the kill switch. */
    drill: DrillView | null = null;
    /** How long an approval can be undone, in ms; none = as in the real one. */
    graceMs?: number;
    /** A new attempt on the first pull request comes in. */
    newAttempt?: () => void;
    /** What another process does to a loop's file, unheard; the area of loops sets it. */
    write?: (loop: string, text: string) => void;
    readonly history: MockHistory;
    /** The ceilings over all loops, in micro-dollars. */
    readonly ceilings: { day: number | null; month: number | null };
    private readonly listeners = new Set<() => void>();
    private readonly shows = new Set<(target: string) => void>();

    constructor(readonly scene: Scene) {
        this.history = new MockHistory(scene);
        this.ceilings = scene === "empty" ? { day: null, month: null } : { day: 5_000_000, month: 60_000_000 };
        if (scene !== "empty") this.drill = drilled(true, "3 d ago");
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

/** A drill as the engine tells of it. */
export function drilled(passed: boolean, ago: string): DrillView {
    const words = passed
        ? `Drilled ${ago}, ended in 0.4 s`
        : `Drill failed ${ago}: 2 of 13 processes lived on after 1.0 s`;
    const at = "2026-11-19T09:30:00Z";
    return { at, passed, words, processes: 13, left: passed ? 0 : 2, took_ms: passed ? 412 : 1000 };
}
