// Every window opens, says what it is and lets axe find nothing.
import { expect, test, type Page } from "@playwright/test";
import { TITLES, type View } from "../src/lib/views";
import { axe, open, picture } from "./support";

for (const view of Object.keys(TITLES) as View[]) {
    test(`${view} opens`, async ({ page }) => {
        await open(page, view);
        await expect(page).toHaveTitle(TITLES[view]);
        await axe(page);
    });
}

/** What is cut or reaches out of the window: buttons, and whatever scrolls sideways although it is no code. */
async function squeezed(page: Page): Promise<string[]> {
    return page.evaluate(() => {
        const shown = (one: Element) => one.getClientRects().length > 0;
        const told = (one: Element) => `${one.tagName.toLowerCase()} ${one.textContent?.trim().slice(0, 40)}`;
        const out = [...document.querySelectorAll("button, input, select, [role=tab]")].filter((one) => {
            const { left, right } = one.getBoundingClientRect();
            return shown(one) && (left < 0 || right > innerWidth);
        });
        const wide = [...document.querySelectorAll("*")].filter(
            (one) =>
                one.scrollWidth > one.clientWidth + 1 &&
                ["auto", "scroll"].includes(getComputedStyle(one).overflowX) &&
                !one.matches("pre, [data-diff], [data-log], .cm-scroller"),
        );
        const bars = [...document.querySelectorAll("[data-region] button")].filter(
            (one) => shown(one) && one.scrollWidth > one.clientWidth + 1,
        );
        return [...out, ...wide, ...bars].map(told);
    });
}

for (const view of Object.keys(TITLES) as View[]) {
    for (const scene of ["full", "halted", "failed", "empty"]) {
        test(`${view} in its smallest size (${scene})`, async ({ page }) => {
            await open(page, view, scene, { small: true });
            await expect.poll(() => squeezed(page)).toEqual([]);
            await picture(page, `small-${view}-${scene}`);
        });
    }
}

test("what is squeezed is seen: a bar that is too narrow fails the same look", async ({ page }) => {
    await open(page, "review", "full", { small: true });
    await page.setViewportSize({ width: 150, height: 560 });
    await expect.poll(async () => (await squeezed(page)).length).toBeGreaterThan(0);
});

test("why Approve is off can be read in the smallest window", async ({ page }) => {
    await open(page, "review", "halted", { small: true });
    const why = page.locator("#why-not");
    await expect(why).toBeVisible();
    expect(await why.evaluate((one) => one.scrollWidth <= one.clientWidth)).toBe(true);
});
