// Pictures of the Review window in every state, with axe.
import { expect, test } from "@playwright/test";
import { axe, open, picture } from "./support";

const SCENES = ["full", "empty", "never", "failed", "halted", "failing", "since", "waiting", "moved", "long"];

for (const scheme of ["light", "dark"] as const) {
    for (const scene of SCENES) {
        test(`${scene}, ${scheme}`, async ({ page }) => {
            const faults: string[] = [];
            page.on("pageerror", (error) => faults.push(error.message));
            page.on(
                "console",
                (said) => said.type() === "error" && !said.text().includes("404") && faults.push(said.text()),
            );
            await open(page, "review", scene, { scheme });
            const settled = page.getByRole("alert").or(page.locator("[data-diff] .line").first());
            await expect(settled.or(page.getByText(/Nothing waits|No loop has made/))).toBeVisible();
            await picture(page, `review-${scene}-${scheme}`);
            await axe(page);
            expect(faults).toEqual([]);
        });
    }
}
