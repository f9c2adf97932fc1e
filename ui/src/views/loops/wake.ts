// What the schedule form says of waking the computer. Pure.
import type { WakeView } from "$lib/backend/types";
import { clock, when } from "$lib/format";

/** Whether it can be woken: `idle` where it need not. */
export interface Told {
    can: "yes" | "no" | "idle";
    text: string;
    repair: string | null;
}

/** Says how it stands, for one loop. */
export function told(view: WakeView, loop: string, now: Date): Told {
    const { state, at, starts_at, why, repair } = view;
    const own = view.loop_name === loop && at !== null && starts_at !== null;
    switch (state) {
        case "never_sleeps":
            return { can: "idle", text: "This computer never sleeps.", repair: null };
        case "armed":
            if (!own) return { can: "yes", text: "This computer can be woken.", repair: null };
            return {
                can: "yes",
                text: `Wakes ${when(at, now)}, ${lead(at, starts_at)} before ${clock(starts_at)}.`,
                repair,
            };
        case "not_asked":
            if (why === null) return { can: "idle", text: "Nothing is known that hinders it.", repair: null };
            return { can: "no", text: `This computer can't be woken: ${why}.`, repair };
        case "will_not_wake":
            return {
                can: "no",
                text: `Won't wake${own ? ` ${when(at, now)}` : ""}: ${why ?? "it is not set"}.`,
                repair,
            };
    }
}

/** The time between waking and starting. */
function lead(at: string, starts: string): string {
    const minutes = Math.round((Date.parse(starts) - Date.parse(at)) / 60_000);
    return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}
