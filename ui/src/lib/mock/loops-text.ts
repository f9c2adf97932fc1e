// The mock's reading and changing of loop.yaml: a line each for the keys of the timing, as the templates have them. The engine
// does it by byte spans; here it only has to behave alike.
import type { Form, NextTime, Placed, Preset } from "$lib/backend/types";

export const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
const KNOWN =
    /^(version|name|trigger|timezone|wake|catch_up|overlap|jitter|quiet_hours|battery|repo|isolation|steps|guardrails|review|independence|agents|checks|setup|env)$/;

/** The value of a key of the top. */
function value(text: string, key: string): string | undefined {
    const found = new RegExp(`^${key}:[ ]*(.*?)(?:[ ]+#.*)?$`, "m").exec(text)?.[1];
    return found?.replace(/^(["'])(.*)\1$/, "$2");
}

function crons(text: string): string[] {
    return [...text.matchAll(/cron\("([^"]*)"\)/g)].map((found) => found[1] ?? "");
}

export function form(text: string): Form {
    const catchUp = value(text, "catch_up") ?? "once";
    return {
        preset: preset(crons(text)),
        others: [...text.matchAll(/(?:after|every|file)\([^)]*\)/g)].map((found) => found[0]),
        timezone: value(text, "timezone") ?? "",
        wake: value(text, "wake") === "true",
        catch_up: /how: ([^,}]*)/.exec(catchUp)?.[1] ?? catchUp,
        within: /within: ([^,}]*)/.exec(catchUp)?.[1] ?? "12h",
        overlap: value(text, "overlap") ?? "skip",
        jitter: value(text, "jitter") ?? "",
        quiet_hours: value(text, "quiet_hours") ?? "",
        battery: value(text, "battery") ?? "run",
    };
}

function preset(expressions: string[]): Preset {
    const [first] = expressions;
    if (first === undefined) return { every: "nothing" };
    const found = /^(\d+) (\*|[\d,]+) (\*|\d+) \* (\*|MON-FRI|[A-Z,]+)$/.exec(first);
    if (!found || expressions.length > 1) return { every: "cron", expressions };
    const [, minute = "0", hours = "*", day = "*", week = "*"] = found;
    const times = hours.split(",").map((hour) => `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`);
    if (hours === "*") return { every: "hour", minute: Number(minute) };
    if (day !== "*") return { every: "month", day: Number(day), times };
    if (week === "MON-FRI") return { every: "weekday", times };
    if (week === "*") return { every: "day", times };
    return { every: "week", days: week.split(",").map((name) => DAYS.indexOf(name) + 1), times };
}

function trigger(preset: Preset): string {
    if (preset.every === "nothing") return "manual";
    if (preset.every === "cron") return `cron("${preset.expressions[0]}")`;
    if (preset.every === "hour") return `cron("${preset.minute} * * * *")`;
    const hours = preset.times.map((time) => Number(time.split(":")[0])).join(",");
    const minute = Number(preset.times[0]?.split(":")[1] ?? 0);
    const days = {
        day: "* * *",
        weekday: "* * MON-FRI",
        week: preset.every === "week" ? `* * ${preset.days.map((day) => DAYS[day - 1]).join(",")}` : "",
        month: preset.every === "month" ? `${preset.day} * *` : "",
    };
    return `cron("${minute} ${hours} ${days[preset.every]}")`;
}

/** The text with what the form says; only lines of keys that differ are touched. */
export function retimed(text: string, wanted: Form): string {
    const now = form(text);
    const differs = (key: keyof Form): boolean => JSON.stringify(now[key]) !== JSON.stringify(wanted[key]);
    let changed = text;
    const put = (key: string, to: string): void => {
        const line = new RegExp(`^(${key}:[ ]*)(.*?)([ ]+#.*)?$`, "m");
        if (to === "") changed = changed.replace(new RegExp(`^${key}:.*\n`, "m"), "");
        else if (line.test(changed)) changed = changed.replace(line, (_, head, __, tail = "") => head + to + tail);
        else changed = changed.replace(/^(trigger:.*\n)/m, (found) => `${found}${key}: ${to}\n`);
    };
    if (differs("preset")) put("trigger", trigger(wanted.preset));
    if (differs("battery")) put("battery", wanted.battery);
    if (differs("quiet_hours")) put("quiet_hours", wanted.quiet_hours && `"${wanted.quiet_hours}"`);
    if (differs("jitter")) put("jitter", wanted.jitter);
    if (differs("overlap")) put("overlap", wanted.overlap);
    const { catch_up: how, within } = wanted;
    if (differs("catch_up") || differs("within")) put("catch_up", `{how: ${how}, within: ${within}}`);
    if (differs("wake")) put("wake", String(wanted.wake));
    if (differs("timezone")) put("timezone", wanted.timezone);
    return changed;
}

export function words(preset: Preset): string {
    const at = (times: string[]): string => `at ${times.join(" and ")}`;
    const name = (day: number): string =>
        `${(DAYS[day - 1] ?? "").charAt(0)}${(DAYS[day - 1] ?? "").slice(1).toLowerCase()}`;
    switch (preset.every) {
        case "nothing":
            return "only by hand";
        case "hour":
            return `hourly at :${String(preset.minute).padStart(2, "0")}`;
        case "day":
            return `every day ${at(preset.times)}`;
        case "weekday":
            return `weekdays ${at(preset.times)}`;
        case "week":
            return `${preset.days.map(name).join(", ")} ${at(preset.times)}`;
        case "month":
            return `${at(preset.times)}, on day ${preset.day} of the month`;
        case "cron":
            return `at every 15th minute past every hour from 9 through 17 (${preset.expressions.join(" · ")})`;
    }
}

/** The next five: the mock's clock stands at Sunday, 22 November 2026, 12:00. */
export function next(preset: Preset, abroad: boolean): NextTime[] {
    if (preset.every === "nothing") return [];
    const times = "times" in preset ? preset.times.toSorted() : ["14:00"];
    const found: NextTime[] = [];
    for (let day = 0; found.length < 5 && day < 200; day += 1) {
        const date = new Date(Date.UTC(2026, 10, 22 + day));
        const weekday = ((date.getUTCDay() + 6) % 7) + 1;
        const due =
            preset.every === "weekday"
                ? weekday < 6
                : preset.every === "week"
                  ? preset.days.includes(weekday)
                  : preset.every !== "month" || date.getUTCDate() === preset.day;
        const open = times.filter((time) => due && (day > 0 || time > "12:00") && found.length < 5);
        for (const time of open.slice(0, 5 - found.length)) {
            const text = date.toLocaleDateString("en-GB", {
                timeZone: "UTC",
                weekday: "short",
                day: "numeric",
                month: "short",
            });
            const shown = `${text.replace(",", "")} ${time}`;
            found.push({
                at: `${date.toISOString().slice(0, 10)}T${time}:00+01:00`,
                shown,
                here: abroad ? shown.replace(time, "23:00") : null,
            });
        }
    }
    return found;
}

export function diagnostics(text: string): Placed[] {
    const found: Placed[] = [];
    let at = 0;
    const wrong = (line: number, from: number, to: number, column: number, message: string, help: string): void => {
        const span = { start: from, end: to, line, column };
        found.push({ diagnostic: { code: "mock", severity: "error", message, span, help }, from, to });
    };
    text.split("\n").forEach((line, number) => {
        const key = /^([\w-]+):/.exec(line)?.[1];
        if (key && !KNOWN.test(key)) {
            wrong(number + 1, at, at + key.length, 1, `\`${key}\` is no key of a loop`, "did you mean `trigger`?");
        }
        const hour = /cron\("\d+ (\d+)/.exec(line);
        if (hour && Number(hour[1]) > 23) {
            const column = line.indexOf(hour[1] ?? "", line.indexOf("cron"));
            wrong(number + 1, at + column, at + column + 2, column + 1, `\`${hour[1]}\` is no hour`, "hour: 0 to 23");
        }
        at += line.length + 1;
    });
    if (!/^trigger:/m.test(text)) wrong(1, 0, 1, 1, "`trigger` is missing", "add `trigger: manual`");
    return found;
}
