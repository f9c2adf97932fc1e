// The Spend window on the mock backend: figures, table, ceilings; by keyboard, with axe, and against hostile text.
import { expect, test } from "@playwright/test";
import { axe, lastCall, open, picture } from "./support";

for (const scheme of ["light", "dark"] as const) {
    for (const scene of ["full", "empty", "halted", "unpriced", "unread"]) {
        test(`${scene}, ${scheme}: axe finds nothing`, async ({ page }) => {
            await open(page, "spend", scene, { scheme });
            await expect(page.getByRole("region", { name: "In all" })).toBeVisible();
            await axe(page);
            await picture(page, `spend-${scene}-${scheme}`);
        });
    }
    test(`failed, ${scheme}: it says that ceilings hold`, async ({ page }) => {
        const spend = { code: 1, message: "the database is damaged", hint: "loopwright doctor --repair" };
        await open(page, "spend", "full", { scheme, refuse: { spend } });
        await expect(page.getByRole("alert")).toContainText("Can't read what was spent: the database is damaged.");
        await expect(page.getByRole("alert")).toContainText("ceilings hold");
        await axe(page);
        await picture(page, `spend-failed-${scheme}`);
    });
}

test("three figures, what holds, and a row per loop", async ({ page }) => {
    await open(page, "spend");
    const all = page.getByRole("region", { name: "In all" });
    await expect(all).toContainText("$6.42 of $35.00 this week");
    await expect(all).toContainText("$0.80 per merged pull request");
    await expect(all).toContainText("8 merged, 2 reverted");
    await expect(all).toContainText("7 × $5.00 a day · resets Mon 23 Nov 00:00 (Europe/Berlin) · at this pace $11.00");
    await expect(page.getByText(/^16 Nov.* to 22 Nov/)).toBeVisible();
    await expect(page.getByRole("meter")).toHaveAttribute("aria-valuenow", "18");
    await expect(page.getByRole("row", { name: /daily-triage/ })).toContainText(
        "claude-sonnet-5 $2.50, gpt-6-codex $0.60",
    );
    await expect(
        page.getByText("Reserved now $0.35 (worst case of calls on the way) · unknown prices: none"),
    ).toBeVisible();
});

test("a price that is not known is named with what to do", async ({ page }) => {
    await open(page, "spend", "unpriced");
    await expect(page.getByText("web: `maker` names no price; its runs are refused.")).toBeVisible();
    await page.getByRole("button", { name: "Set a price" }).press("Enter");
    expect(await lastCall(page, "open_window")).toEqual({ view: "loops", target: "web" });
});

test("nothing spent yet is said", async ({ page }) => {
    await open(page, "spend", "empty");
    await expect(page.getByText("Nothing spent yet.")).toBeVisible();
});

test("by keyboard: ranges, and a ceiling with its undo", async ({ page }) => {
    await open(page, "spend");
    await page.keyboard.press("3");
    await expect(page.getByRole("region", { name: "In all" })).toContainText("of $60.00 this month");
    expect(await lastCall(page, "spend")).toEqual({ range: "month" });
    await page.keyboard.press("2");
    await page.keyboard.press("c");
    const dialog = page.getByRole("dialog", { name: "Ceiling over all loops" });
    await dialog.getByLabel("At most, in dollars").fill("12,x");
    await expect(dialog.getByRole("alert")).toContainText("An amount is digits");
    await expect(dialog.getByRole("button", { name: "Save" })).toBeDisabled();
    await dialog.getByLabel("At most, in dollars").fill("7.50");
    await expect(dialog.getByRole("status")).toContainText(
        "$5.00 → $7.50 a day. It holds from the next reservation on.",
    );
    await axe(page, "[role=dialog]");
    await picture(page, "spend-ceiling-light");
    await dialog.getByLabel("At most, in dollars").press("Enter");
    await expect(page.getByText("Ceiling a day: $5.00 → $7.50.")).toBeVisible();
    expect(await lastCall(page, "set_ceiling")).toEqual({ per: "day", amount: 7_500_000 });
    await page.keyboard.press("z");
    await expect(page.getByText("Ceiling a day: $7.50 → $5.00.")).toBeVisible();
    expect(await lastCall(page, "set_ceiling")).toEqual({ per: "day", amount: 5_000_000 });
});

test("editing a loop's ceiling opens the loop", async ({ page }) => {
    await open(page, "spend");
    await page.getByRole("button", { name: "Edit the ceiling of sentry-fix" }).press("Enter");
    expect(await lastCall(page, "open_window")).toEqual({ view: "loops", target: "sentry-fix" });
});

test("hostile names stay text", async ({ page }) => {
    await open(page, "spend", "hostile");
    await expect(page.getByRole("row", { name: /<b onclick/ })).toBeVisible();
    await expect(page.locator("main b, main img, main a")).toHaveCount(0);
});
