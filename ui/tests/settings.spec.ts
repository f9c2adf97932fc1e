// The Settings window: saved as changed, undone by its toast, all of it by keyboard.
import { expect, test, type Page } from "@playwright/test";
import { axe, focused, lastCall, open, picture, refuse } from "./support";

const SECTIONS = [
    "Agents",
    "Credentials",
    "Wake and login",
    "Notifications",
    "Limits",
    "Appearance and keys",
    "Safety",
    "Doctor",
];

const show = async (page: Page, section: string): Promise<void> => {
    await page.getByRole("tab", { name: section }).click();
    await expect(page.getByRole("heading", { name: section, level: 1 })).toBeVisible();
};

for (const scheme of ["light", "dark"] as const) {
    for (const scene of ["full", "empty", "failed", "halted"]) {
        test(`axe finds nothing in any section (${scene}, ${scheme})`, async ({ page }) => {
            // Eight sections, each looked at by axe.
            test.setTimeout(60_000);
            await open(page, "settings", scene, { scheme });
            for (const section of SECTIONS) {
                await show(page, section);
                await expect(page.getByRole("tabpanel")).not.toContainText("Trying each layer");
                await axe(page);
                await picture(page, `settings-${section.toLowerCase().replaceAll(" ", "-")}-${scene}-${scheme}`);
                const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
                expect(wide, section).toBe(0);
            }
        });
    }
}

test("by keyboard: a section, a change, its undo", async ({ page }) => {
    await open(page, "settings");
    await page.keyboard.press("F6");
    expect(await focused(page)).toBe("Agents");
    for (let step = 0; step < 4; step += 1) await page.keyboard.press("ArrowDown");
    await expect(page.getByRole("heading", { name: "Limits" })).toBeVisible();
    await page.keyboard.press("F6");
    await expect(page.getByLabel("Runs at once")).toBeFocused();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("4");
    await page.keyboard.press("Enter");
    await expect(page.getByText("Runs at once changed. It was 2.")).toBeVisible();
    expect(await lastCall(page, "change_setting")).toEqual({ key: "max_runs", value: "4" });
    // In the field, Ctrl+Z is the field's; outside of it, Z takes the change back.
    await page.keyboard.press("Shift+F6");
    await page.keyboard.press("z");
    await expect(page.getByText("Runs at once is as it was.")).toBeVisible();
    expect(await lastCall(page, "change_setting")).toEqual({ key: "max_runs", value: "2" });
    await expect(page.getByLabel("Runs at once")).toHaveValue("2");
});

test("the toast names what held before, also where it stood in no file", async ({ page }) => {
    await open(page, "settings");
    await show(page, "Notifications");
    const told = page.getByRole("checkbox", { name: /^Tell me ?: Needs you/ });
    await told.press("Space");
    await expect(page.getByText("Needs you notifications changed. It was on.")).toBeVisible();
    await page.keyboard.press("Shift+F6");
    await page.keyboard.press("z");
    await expect(told).toBeChecked();
    expect(await lastCall(page, "change_setting")).toEqual({ key: "notifications.needs_you", value: null });
    await page.getByRole("checkbox", { name: /^Also in quiet hours ?: Needs you/ }).press("Space");
    await expect(page.getByText("Needs you in quiet hours changed. It was off.")).toBeVisible();
});

test("a value that is refused says why, and what was set stays", async ({ page }) => {
    await open(page, "settings");
    await show(page, "Limits");
    await page.getByLabel("Runs at once").fill("99");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alert")).toContainText("99 is outside of what is allowed here; the file is as it was");
    await expect(page.getByLabel("Runs at once")).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByText("changed. It was")).toBeHidden();
});

test("ceilings of all loops are one list in the file", async ({ page }) => {
    await open(page, "settings");
    await show(page, "Limits");
    await page.getByLabel("Ceiling per month, all loops").fill("500");
    await page.keyboard.press("Enter");
    await expect
        .poll(() => lastCall(page, "change_setting"))
        .toEqual({ key: "budget", value: "[$50/day, $500/month]" });
    await page.getByLabel("Ceiling per day, all loops").fill("");
    await page.keyboard.press("Enter");
    await expect.poll(() => lastCall(page, "change_setting")).toEqual({ key: "budget", value: "[$500/month]" });
});

test("appearance changes at once", async ({ page }) => {
    await open(page, "settings");
    await show(page, "Appearance and keys");
    await page.getByRole("radiogroup", { name: "Appearance" }).getByLabel("Dark").click();
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset["scheme"])).toBe("dark");
    await page.getByRole("radiogroup", { name: "Single keys" }).getByLabel("Off").click();
    await expect.poll(() => lastCall(page, "change_setting")).toEqual({ key: "single_keys", value: "off" });
});

test("agents are tried, and their order is set", async ({ page }) => {
    await open(page, "settings");
    await page.getByRole("button", { name: "Test" }).first().click();
    await expect(page.getByText("2.1.4 (Claude Code)")).toBeVisible();
    await page.getByRole("button", { name: "Test" }).nth(1).click();
    await expect(page.getByText("does not start")).toBeVisible();
    await page.getByRole("button", { name: "Take codex earlier" }).click();
    await expect.poll(() => lastCall(page, "change_setting")).toEqual({ key: "agents", value: "[codex, claude]" });
    await expect(page.getByRole("button", { name: "Take codex earlier" })).toBeDisabled();
});

test("a key is stored, and not a character of it is left in the window", async ({ page }) => {
    await open(page, "settings");
    await show(page, "Credentials");
    await expect(page.getByText("in the keychain, added")).toBeVisible();
    await page.getByRole("button", { name: "Add a key…" }).click();
    await page.getByLabel("For whom").fill("google");
    await page.getByLabel("Key", { exact: true }).fill("canary-4711");
    await axe(page);
    await page.keyboard.press("Enter");
    await expect(page.getByText("The key for google is in the keychain.")).toBeVisible();
    expect(await lastCall(page, "login")).toEqual({ name: "google", secret: "canary-4711" });
    expect(await page.content()).not.toContain("canary-4711");
    await page.getByRole("button", { name: "Add a key…" }).click();
    await expect(page.getByLabel("Key", { exact: true })).toHaveValue("");
});

test("a locked keychain says that loops wait, and is unlocked here", async ({ page }) => {
    await open(page, "settings", "failed");
    await show(page, "Credentials");
    await expect(page.getByText("The keychain is locked. Loops wait.")).toBeVisible();
    await expect(page.getByRole("button", { name: "Add a key…" })).toBeDisabled();
    await page.getByRole("button", { name: "Unlock" }).click();
    await expect(page.getByText("Keys lie here and nowhere else.")).toBeVisible();
});

test("only the person can say whether a notification was seen", async ({ page }) => {
    await open(page, "settings");
    await show(page, "Notifications");
    await page.getByRole("button", { name: "Send a test notification" }).click();
    await expect(page.getByText("Did you see it?")).toBeVisible();
    await page.getByRole("button", { name: "No: help" }).click();
    await expect(page.getByText("Do Not Disturb may be on")).toBeVisible();
    await page.getByLabel("Also in quiet hours: Broken").check();
    await expect
        .poll(() => lastCall(page, "change_setting"))
        .toEqual({ key: "notifications.break_quiet", value: "[broken]" });
});

test("login is off until it is asked for, and taken back by its toast", async ({ page }) => {
    await open(page, "settings");
    await show(page, "Wake and login");
    await expect(page.getByText("Wakes")).toContainText("set and read back");
    await page.getByLabel("Start at login").check();
    await expect(page.getByText("Loopwright starts at login.")).toBeVisible();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(page.getByLabel("Start at login")).not.toBeChecked();
});

test("settings that can't be read say what to do, and nothing is hidden", async ({ page }) => {
    await open(page, "settings", "failed");
    await expect(page.getByRole("alert")).toContainText("settings.yaml can't be used");
    await expect(page.getByRole("alert")).toContainText("/home/ada/.config/loopwright/settings.yaml");
    await refuse(page, "settings_view", { code: 1, message: "the disk is full", hint: "make room" });
    await page.getByRole("button", { name: "Read it again" }).click();
    await expect(page.getByRole("alert")).toContainText("the disk is full");
    await expect(page.getByText("The file and your loops are as they were.")).toBeVisible();
});

test("doctor names what needs a repair first, with the command", async ({ page }) => {
    await open(page, "settings", "failed", { target: "doctor" });
    await expect(page.getByText("2 things need a repair.")).toBeVisible();
    await expect(page.getByRole("tabpanel")).toContainText("Repair: loopwright serve");
    await show(page, "Safety");
    await expect(page.getByText("Sandbox: 4 of 5 layers on")).toBeVisible();
    await page.getByRole("button", { name: "Show proof" }).click();
    await expect(page.getByText("tried, and holds").first()).toBeVisible();
});

test("the kill switch is drilled from Settings, and a drill that fails says so", async ({ page }) => {
    await open(page, "settings", "empty", { target: "safety" });
    await expect(page.getByText("Never tried on this computer.")).toBeVisible();
    await page.getByRole("button", { name: "Run drill" }).click();
    await expect(page.getByText("Drilled just now, ended in 0.4 s").first()).toBeVisible();
    await refuse(page, "drill", { code: 1, message: "the drill did not begin: no sandbox", hint: "loopwright doctor" });
    await page.getByRole("button", { name: "Run drill" }).click();
    await expect(page.getByRole("alert")).toContainText("the drill did not begin: no sandbox");
    await open(page, "settings", "failed", { target: "safety" });
    await page.getByRole("button", { name: "Run drill" }).click();
    await expect(page.getByText("2 of 13 processes lived on").first()).toBeVisible();
});
