// The first run, by keyboard from the first word to the schedule; and the window that quits.
import { expect, test, type Page } from "@playwright/test";
import { axe, calls, focused, lastCall, open, picture } from "./support";

const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { level: 1, name });

for (const scheme of ["light", "dark"] as const) {
    test(`from the first word to the schedule, by keyboard (${scheme})`, async ({ page }) => {
        // Ten pictures, each looked at by axe.
        test.setTimeout(60_000);
        await open(page, "welcome", "full", { scheme });
        const step = async (name: string): Promise<void> => {
            await axe(page);
            await picture(page, `welcome-${name}-${scheme}`);
        };
        await expect(heading(page, /Loops find work/)).toBeVisible();
        await expect.poll(() => focused(page)).toMatch(/^Try the sample/);
        await step("1-hello");
        await page.keyboard.press("Enter");
        await expect(page.getByText("claude, codex")).toBeVisible();
        await step("2-here");
        await page.keyboard.press("Enter");
        await expect.poll(() => focused(page)).toMatch(/^Run it/);
        await step("2-sample");
        await page.keyboard.press("Enter");
        await expect(page.getByText("1 pull request waits for you.")).toBeVisible();
        expect(await lastCall(page, "try_sample")).toEqual({});
        await step("2-sample-done");
        await page.getByRole("button", { name: /^Open Review/ }).press("Enter");
        expect(await lastCall(page, "open_window")).toEqual({ view: "review", target: null });
        await page.getByRole("button", { name: "Next" }).press("Enter");
        await page.getByLabel("Its folder").pressSequentially("/home/ada/src/shop-api");
        await step("3-repository");
        await page.keyboard.press("Enter");
        await expect(heading(page, "What it would do")).toBeVisible();
        expect(await lastCall(page, "first_loop")).toEqual({
            repo: "/home/ada/src/shop-api",
            template: null,
            hash: null,
        });
        await step("4-plan");
        await page.getByRole("button", { name: /^Dry run Enter/ }).press("Enter");
        await expect(page.getByText("Would take 2 findings.")).toBeVisible();
        await expect(page.getByText("Nothing was touched.")).toBeVisible();
        // What is registered is what was shown.
        expect(await lastCall(page, "first_loop")).toMatchObject({ hash: "6fba7c4b" });
        await step("5-dry-run");
        await page.getByRole("button", { name: "Next" }).press("Enter");
        await step("6-schedule");
        await page.getByRole("button", { name: "Turn on" }).press("Enter");
        await expect(page.getByText(/Next: .*09:00/)).toBeVisible();
        await expect(page.getByText("weekdays at 09:00", { exact: true })).toBeVisible();
        await page.getByRole("button", { name: "Next" }).press("Enter");
        await step("7-notify");
        await page.getByRole("button", { name: "Not now" }).press("Enter");
        await expect(heading(page, /Next: daily-triage/)).toBeVisible();
        await step("8-done");
        expect((await calls(page)).some((call) => call.command === "set_login_item")).toBe(false);
        expect(await lastCall(page, "welcome_done")).toEqual({});
    });
}

test("what can go wrong is said, and the way on stays", async ({ page }) => {
    await open(page, "welcome", "failed");
    await page.keyboard.press("Enter");
    await expect(page.getByText("runs are refused, not weakened")).toBeVisible();
    await axe(page);
    await picture(page, "welcome-here-failed");
    await open(page, "welcome", "empty");
    await page.keyboard.press("Enter");
    await expect(page.getByText("No coding agent found.")).toBeVisible();
    await axe(page);
    await picture(page, "welcome-here-empty");
});

test("a repository that can't be used, a run that does not start: what was not lost, and what to do", async ({
    page,
}) => {
    const refuse = { first_loop: { code: 1, message: "/srv/x is no git repository", hint: "git init /srv/x" } };
    await open(page, "welcome", "full", { refuse });
    await page.getByRole("button", { name: "Use my repository" }).press("Enter");
    await page.getByRole("button", { name: "Next" }).press("Enter");
    await page.getByLabel("Its folder").fill("/srv/x");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alert")).toContainText("Can't use this repository: /srv/x is no git repository.");
    await expect(page.getByRole("alert")).toContainText("no loop was made");
    await axe(page);
    await page.getByLabel("Or find git repositories in").fill("/home/ada/src");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: "/home/ada/src/shop-api" })).toBeVisible();
    await page.keyboard.press("Alt+ArrowLeft");
    await expect(heading(page, "What's here")).toBeVisible();
});

test("a sample that does not start says why, and the way on stays", async ({ page }) => {
    const refuse = { try_sample: { code: 10, message: "everything is halted", hint: "loopwright resume" } };
    await open(page, "welcome", "full", { refuse });
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Next" }).press("Enter");
    await page.getByRole("button", { name: /^Run it/ }).press("Enter");
    await expect(page.getByRole("alert")).toContainText("Can't run the sample: everything is halted.");
    await expect(page.getByRole("alert")).toContainText("Nothing of yours was touched.");
    await axe(page);
    await page.getByRole("button", { name: "Without the sample" }).press("Enter");
    await expect(heading(page, "Your repository")).toBeVisible();
    await page.keyboard.press("Alt+ArrowLeft");
    await expect(heading(page, "Sample")).toBeVisible();
});

test("nothing is registered before the person asks for it", async ({ page }) => {
    await open(page, "welcome");
    await page.getByRole("button", { name: "Use my repository" }).press("Enter");
    await page.getByRole("button", { name: "Next" }).press("Enter");
    await page.getByLabel("Its folder").fill("/home/ada/src/shop-api");
    await page.keyboard.press("Enter");
    await expect(heading(page, "What it would do")).toBeVisible();
    await page.getByRole("button", { name: "Without a dry run" }).press("Enter");
    const given = (await calls(page)).filter((call) => call.command === "first_loop").map((call) => call.args);
    expect(given).toEqual([{ repo: "/home/ada/src/shop-api", template: null, hash: null }]);
});

for (const scheme of ["light", "dark"] as const) {
    test(`quit asks whether loops go on; Esc leaves all as it is (${scheme})`, async ({ page }) => {
        await open(page, "quit", "full", { scheme });
        await expect(page.getByRole("button", { name: "Quit the icon" })).toBeFocused();
        await axe(page);
        await picture(page, `quit-${scheme}`);
        await page.keyboard.press("Escape");
        expect(await lastCall(page, "quit")).toBeUndefined();
        await expect.poll(() => lastCall(page, "close_window")).toEqual({});
        await page.getByRole("button", { name: "Quit and pause all loops" }).press("Enter");
        await expect.poll(() => lastCall(page, "quit")).toEqual({ pause: true });
    });
}
