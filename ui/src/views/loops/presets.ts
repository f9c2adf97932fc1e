// The choices of the schedule form, and what a change from one to another keeps.
import type { Preset } from "$lib/backend/types";

export const EVERY = ["hour", "day", "weekday", "week", "month", "cron"] as const;
export type Every = (typeof EVERY)[number];
export const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

export function times(preset: Preset): string[] {
    return "times" in preset ? preset.times : [];
}

/** The same times under another choice. */
export function changed(preset: Preset, every: Every): Preset {
    const kept = times(preset).length > 0 ? times(preset) : ["09:00"];
    switch (every) {
        case "hour":
            return { every, minute: 0 };
        case "day":
        case "weekday":
            return { every, times: kept };
        case "week":
            return { every, days: [1], times: kept };
        case "month":
            return { every, day: 1, times: kept };
        case "cron":
            return { every, expressions: preset.every === "cron" ? preset.expressions : [expression(preset)] };
    }
}

/** What a choice is as cron, to go on from. */
function expression(preset: Preset): string {
    const [hour, minute] = (times(preset)[0] ?? "09:00").split(":").map(Number);
    switch (preset.every) {
        case "hour":
            return `${preset.minute} * * * *`;
        case "weekday":
            return `${minute} ${hour} * * MON-FRI`;
        case "week":
            return `${minute} ${hour} * * ${preset.days.map((day) => DAYS[day - 1]?.toUpperCase()).join(",")}`;
        case "month":
            return `${minute} ${hour} ${preset.day} * *`;
        default:
            return `${minute} ${hour} * * *`;
    }
}
