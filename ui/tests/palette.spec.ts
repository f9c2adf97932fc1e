// The palette, the help sheet and the keys of all windows, by keyboard alone.
import { expect, test, type Page } from "@playwright/test";
import { axe, calls, focused, lastCall, open, picture } from "./support";

const input = (page: Page) => page.getByRole("dialog").getByRole("combobox");

for (const scheme of ["light", "dark"] as const) {
    test(`palette and help let axe find nothing (${scheme})`, async ({ page }) => {
        await open(page, "spend", "full", { scheme });
        await page.keyboard.press("Control+k");
        await expect(input(page)).toBeFocused();
        await axe(page);
        await picture(page, `palette-${scheme}`);
        await page.keyboard.press("Escape");
        await expect(input(page)).toBeHidden();
        await page.keyboard.press("?");
        await expect(page.getByRole("dialog", { name: "Keys of Spend" })).toBeVisible();
        await axe(page);
        await picture(page, `help-${scheme}`);
    });
}

test("an action is found by its name and done by Enter, with its key beside it", async ({ page }) => {
    await open(page, "spend");
    await page.keyboard.press("Control+k");
    await input(page).pressSequentially("loop");
    const first = page.getByRole("option", { name: "Loops" });
    await expect(first).toContainText("Ctrl+2");
    await page.keyboard.press("Enter");
    await expect(input(page)).toBeHidden();
    await expect.poll(() => lastCall(page, "open_window")).toEqual({ view: "loops", target: null });
});

test("halt is found, is never what Enter does first, and acts at once", async ({ page }) => {
    await open(page, "spend");
    await page.keyboard.press("Control+k");
    await expect(page.locator("[role=option][data-selected]")).not.toContainText("Halt");
    await input(page).pressSequentially("stop");
    await expect(page.locator("[role=option][data-selected]")).toContainText("Halt everything");
    await page.keyboard.press("Enter");
    await expect(page.getByText("nothing starts until you resume", { exact: false }).first()).toBeVisible();
    expect(await lastCall(page, "halt")).toEqual({ level: { level: "all" } });
});

test("what can't be done now stays in the list and does nothing", async ({ page }) => {
    await open(page, "spend");
    await page.keyboard.press("Control+k");
    await input(page).pressSequentially("spend");
    await expect(page.getByRole("option", { name: "Spend" })).toHaveAttribute("aria-disabled", "true");
    await page.keyboard.press("Enter");
    expect(await lastCall(page, "open_window")).toBeUndefined();
});

test("keys of the window do nothing behind the palette", async ({ page }) => {
    await open(page, "spend");
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog")).toBeVisible();
    await page.keyboard.press("Control+1");
    expect(await lastCall(page, "open_window")).toBeUndefined();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toBeHidden();
    await page.keyboard.press("Control+1");
    await expect.poll(() => lastCall(page, "open_window")).toEqual({ view: "review", target: null });
});

test("single keys can be turned off; keys with Ctrl stay", async ({ page }) => {
    await open(page, "spend");
    await page.evaluate(() => {
        window.loopwright!.preferences.single_keys = false;
        window.loopwright!.changed();
    });
    await expect.poll(async () => (await calls(page)).filter((call) => call.command === "preferences").length).toBe(2);
    await page.keyboard.press("?");
    await page.keyboard.press("Control+k");
    await expect(input(page)).toBeFocused();
    await expect(page.getByRole("dialog", { name: "Keys of Spend" })).toBeHidden();
});

test("light and dark follow what is set at once, and before the first paint", async ({ page }) => {
    await open(page, "spend", "full", { scheme: "light" });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await background()).toBe("rgb(255, 255, 255)");
    await page.evaluate(() => {
        window.loopwright!.preferences.appearance = "dark";
        window.loopwright!.changed();
    });
    await expect.poll(background).toBe("rgb(22, 24, 27)");
    // Nothing of the program has run when the page asked for is dark already.
    await page.route("**/*.js", (route) =>
        route.request().url().includes("appearance") ? route.continue() : route.abort(),
    );
    await page.goto("/?view=spend&scheme=dark");
    expect(await background()).toBe("rgb(22, 24, 27)");
});

test("F6 goes from region to region", async ({ page }) => {
    await open(page, "settings");
    await page.keyboard.press("F6");
    const first = await focused(page);
    await page.keyboard.press("F6");
    expect(await focused(page)).not.toBe(first);
    await page.keyboard.press("Shift+F6");
    expect(await focused(page)).toBe(first);
});
