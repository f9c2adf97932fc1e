// Every window opens, says what it is and lets axe find nothing.
import { expect, test } from "@playwright/test";
import { TITLES, type View } from "../src/lib/views";
import { axe, open } from "./support";

for (const view of Object.keys(TITLES) as View[]) {
    test(`${view} opens`, async ({ page }) => {
        await open(page, view);
        await expect(page).toHaveTitle(TITLES[view]);
        await axe(page);
    });
}
