// Numbers and times as a person reads them. Pure: the time it is now is given.

/** Money in the unit of the store (millionths of a dollar), always with two digits. A part of a cent is not nothing. */
export function money(micros: number): string {
    const sign = micros < 0 ? "−" : "";
    const cents = Math.abs(micros) / 10_000;
    if (cents > 0 && cents < 1) return `${sign}< $0.01`;
    const whole = Math.round(cents);
    const dollars = Math.floor(whole / 100)
        .toString()
        .replace(/\B(?=(\d{3})+$)/g, ",");
    return `${sign}$${dollars}.${String(whole % 100).padStart(2, "0")}`;
}

/** `3 files`, `1 file`. */
export function count(number: number, one: string, many = `${one}s`): string {
    return `${number} ${number === 1 ? one : many}`;
}

/** `1.4 MB`, `812 B`. */
export function size(bytes: number): string {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let at = 0;
    let left = bytes;
    while (left >= 1000 && at < units.length - 1) {
        left /= 1000;
        at += 1;
    }
    return `${at === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${units[at]}`;
}

/** How long something took or takes, from seconds: `8 s`, `3 m 12 s`, `2 h 5 m`, `3 d 4 h`. */
export function duration(seconds: number): string {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} m ${s % 60} s`;
    if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`;
    return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** How long ago, roughly: `just now`, `4 s`, `12 m`, `2 h`, `3 d`, `5 w`. */
export function age(then: string | Date, now: Date): string {
    const s = Math.round((now.getTime() - new Date(then).getTime()) / 1000);
    if (s < 2) return "just now";
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} m`;
    if (s < 86_400) return `${Math.floor(s / 3600)} h`;
    if (s < 21 * 86_400) return `${Math.floor(s / 86_400)} d`;
    return `${Math.floor(s / 604_800)} w`;
}

/** By their zone: one takes longer to make than a thousand times to write. */
const formats = new Map<string | undefined, Intl.DateTimeFormat>();

function format(zone: string | undefined): Intl.DateTimeFormat {
    const known = formats.get(zone);
    if (known) return known;
    const made = new Intl.DateTimeFormat("en-GB", {
        ...(zone ? { timeZone: zone } : {}),
        weekday: "short",
        day: "numeric",
        month: "short",
        year: "numeric",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
    });
    formats.set(zone, made);
    return made;
}

/** Where a time is read: in the zone that is given, or else in that of this computer. */
function parts(time: Date, zone: string | undefined): Record<string, string> {
    return Object.fromEntries(
        format(zone)
            .formatToParts(time)
            .map((part) => [part.type, part.value]),
    );
}

/** `09:00`. */
export function clock(time: string | Date, zone?: string): string {
    return hours(parts(new Date(time), zone));
}

function hours({ hour, minute }: Record<string, string>): string {
    return `${hour}:${minute}`;
}

/** `today`, `tomorrow`, `yesterday`, `Mon` within a week, `14 Nov`, `14 Nov 2025`. */
export function day(time: string | Date, now: Date, zone?: string): string {
    return beside(parts(new Date(time), zone), parts(now, zone));
}

function beside(then: Record<string, string>, today: Record<string, string>): string {
    const days = Math.round((midday(then) - midday(today)) / 86_400_000);
    if (days === 0) return "today";
    if (days === 1) return "tomorrow";
    if (days === -1) return "yesterday";
    if (Math.abs(days) < 7) return then.weekday ?? "";
    const date = `${then.day} ${then.month}`;
    return then.year === today.year ? date : `${date} ${then.year}`;
}

function midday(day: Record<string, string>): number {
    return Date.parse(`${day.day} ${day.month} ${day.year} 12:00 UTC`);
}

/** A date of a calendar, `2026-11-16`, as `16 Nov`; with its year where that is another than this one. */
export function date(text: string, now: Date): string {
    const { day, month, year } = parts(new Date(`${text}T12:00:00Z`), "UTC");
    return year === String(now.getUTCFullYear()) ? `${day} ${month}` : `${day} ${month} ${year}`;
}

/** `today 09:00`, `14 Nov 09:00`; with the zone's name where it is not that of this computer. */
export function when(time: string | Date, now: Date, zone?: string): string {
    const at = new Date(time);
    const then = parts(at, zone);
    const text = `${beside(then, parts(now, zone))} ${hours(then)}`;
    return zone && hours(then) !== clock(at) ? `${text} ${zone}` : text;
}
