import { describe, expect, it } from "vitest";
import { age, clock, count, date, day, duration, money, size, when } from "./format";
import { shown, single, spoken } from "./keys";

describe("money", () => {
    it("has two digits, and a part of a cent is not nothing", () => {
        expect(money(0)).toBe("$0.00");
        expect(money(410_000)).toBe("$0.41");
        expect(money(5_000_000)).toBe("$5.00");
        expect(money(1_234_567_890_000)).toBe("$1,234,567.89");
        expect(money(999)).toBe("< $0.01");
        expect(money(-2_500_000)).toBe("−$2.50");
        expect(money(995_000)).toBe("$1.00");
    });
});

describe("times", () => {
    const now = new Date("2026-11-22T18:00:00Z");
    it("says the day that a person would say, in the zone that is asked for", () => {
        expect(when("2026-11-22T08:00:00Z", now, "UTC")).toMatch(/^today 08:00/);
        expect(day("2026-11-22T23:30:00Z", now, "Europe/Berlin")).toBe("tomorrow");
        expect(day("2026-11-22T23:30:00Z", now, "UTC")).toBe("today");
        expect(day("2026-11-21T08:00:00Z", now, "UTC")).toBe("yesterday");
        expect(day("2026-11-26T08:00:00Z", now, "UTC")).toBe("Thu");
        expect(day("2026-11-30T08:00:00Z", now, "UTC")).toBe("30 Nov");
        expect(day("2025-11-30T08:00:00Z", now, "UTC")).toBe("30 Nov 2025");
        expect(clock("2026-03-29T01:30:00Z", "Europe/Berlin")).toBe("03:30");
    });
    it("names the zone where it is not the computer's", () => {
        expect(when("2026-11-22T08:00:00Z", new Date("2026-11-22T09:00:00Z"), "Asia/Tokyo")).toBe(
            "today 17:00 Asia/Tokyo",
        );
    });
    it("rounds what is long, not what is short", () => {
        expect(
            ["2026-11-22T17:59:59Z", "2026-11-22T17:59:50Z", "2026-11-22T16:00:00Z"].map((t) => age(t, now)),
        ).toEqual(["just now", "10 s", "2 h"]);
        expect([8, 192, 7500, 273_600].map(duration)).toEqual(["8 s", "3 m 12 s", "2 h 5 m", "3 d 4 h"]);
    });
});

describe("counts and sizes", () => {
    it("have their unit", () => {
        expect([count(1, "file"), count(3, "file"), count(2, "entry", "entries")]).toEqual([
            "1 file",
            "3 files",
            "2 entries",
        ]);
        expect([size(812), size(1400), size(2_000_000), size(123_456_789)]).toEqual([
            "812 B",
            "1.4 kB",
            "2.0 MB",
            "123 MB",
        ]);
    });
});

describe("a date of a calendar", () => {
    it("has its year only where that is another one", () => {
        const now = new Date("2026-11-22T12:00:00Z");
        expect(date("2026-11-16", now)).toBe("16 Nov");
        expect(date("2025-12-31", now)).toBe("31 Dec 2025");
    });
});

describe("keys", () => {
    it("are shown as they stand on a keyboard", () => {
        expect(
            ["$mod+k", "$mod+Enter", "a", "h h", "?", "Escape", "$mod+Digit1", "Shift+ArrowDown"].map(shown),
        ).toEqual(["Ctrl+K", "Ctrl+Enter", "a", "h h", "?", "Esc", "Ctrl+1", "Shift+↓"]);
        expect(spoken("$mod+Digit1")).toBe("Control+1");
    });
    it("are single when typing a text would press them", () => {
        expect(["a", "h h", "?", "[", "j"].every(single)).toBe(true);
        expect(["$mod+k", "F6", "Shift+F6", "Escape", "Alt+a"].some(single)).toBe(false);
    });
});
