import { expect, test } from "vitest";
import type { WakeView } from "$lib/backend/types";
import { told } from "./wake";

const NOW = new Date("2026-11-22T12:00:00Z");
const VIEW: WakeView = {
    state: "armed",
    at: "2026-11-23T07:25:00Z",
    starts_at: "2026-11-23T08:00:00Z",
    loop_name: "deps",
    why: null,
    repair: null,
};

test("a wake-up that was read back says when, and how long before", () => {
    expect(told(VIEW, "deps", NOW)).toMatchObject({ can: "yes" });
    expect(told(VIEW, "deps", NOW).text).toMatch(/^Wakes tomorrow \d\d:25, 35 minutes before \d\d:00\.$/);
    expect(told(VIEW, "web", NOW).text).toBe("This computer can be woken.");
});

test("nothing is called able to wake that was not read back", () => {
    const idle = { ...VIEW, state: "not_asked", at: null, starts_at: null, loop_name: null } as const;
    expect(told(idle, "deps", NOW).can).toBe("idle");
    expect(told({ ...idle, why: "no right to set alarms" }, "deps", NOW)).toMatchObject({
        can: "no",
        text: "This computer can't be woken: no right to set alarms.",
    });
    const wont = { ...VIEW, state: "will_not_wake", why: "the lid is closed", repair: "open it" } as const;
    expect(told(wont, "web", NOW)).toEqual({ can: "no", text: "Won't wake: the lid is closed.", repair: "open it" });
    expect(told({ ...VIEW, state: "never_sleeps" }, "deps", NOW).can).toBe("idle");
});
