// Which log a run that lives goes on in: the next one that somebody begins to write, once the one that is shown rests.
import type { LogFile } from "$lib/backend/types";

export class Begun {
    private sizes: Map<string, number>;

    constructor(files: LogFile[]) {
        this.sizes = new Map(files.map((file) => [file.name, file.bytes]));
    }

    /** Looks again; the log that was begun since, or none. */
    since(files: LogFile[], shown: string): string | null {
        const before = this.sizes;
        this.sizes = new Map(files.map((file) => [file.name, file.bytes]));
        const was = (name: string): number => before.get(name) ?? 0;
        const rests = files.every((file) => file.name !== shown || file.bytes === was(shown));
        if (!rests) {
            // What was begun meanwhile is taken once this one rests.
            for (const file of files) if (was(file.name) === 0) this.sizes.set(file.name, 0);
            return null;
        }
        const begun = files.filter((file) => spoken(file.name) && file.bytes > 0 && was(file.name) === 0);
        return begun.at(-1)?.name ?? null;
    }
}

/** Agents, gates and steps speak; what the runner says of itself and errors beside them are looked at when asked for. */
function spoken(name: string): boolean {
    return name.endsWith("/stdout") || name.endsWith(".log");
}
