// The Runs window on the mock backend: the history, a run's timeline, its log; by keyboard, with axe, and against hostile text.
import { expect, test, type Page } from "@playwright/test";
import { axe, calls, focused, lastCall, open, picture, refuse } from "./support";

const list = (page: Page) => page.getByRole("listbox", { name: "Runs" });
const chosen = (page: Page) => page.locator("[role=option][aria-selected=true]");
const log = (page: Page) => page.getByRole("log");

for (const scheme of ["light", "dark"] as const) {
    for (const scene of ["full", "empty", "halted"]) {
        test(`${scene}, ${scheme}: axe finds nothing`, async ({ page }) => {
            await open(page, "runs", scene, { scheme });
            await expect(scene === "empty" ? page.getByText("No run yet") : chosen(page)).toBeVisible();
            if (scene !== "empty") await expect(page.getByRole("list", { name: "Steps" })).toBeVisible();
            await axe(page);
            await picture(page, `runs-${scene}-${scheme}`);
        });
    }
    test(`failed, ${scheme}: it says what was not lost`, async ({ page }) => {
        const history = { code: 1, message: "the database is damaged", hint: "loopwright doctor --repair" };
        await open(page, "runs", "full", { scheme, refuse: { history } });
        await expect(page.getByRole("alert")).toContainText("Can't read the history: the database is damaged.");
        await expect(page.getByRole("alert")).toContainText("loopwright doctor --repair");
        await axe(page);
        await picture(page, `runs-failed-${scheme}`);
        await refuse(page, "history", null);
        await page.getByRole("button", { name: "Try again" }).click();
        await expect(chosen(page)).toContainText("building");
    });
}

test("a run that goes on says what it does and when it last said something", async ({ page }) => {
    await open(page, "runs");
    await expect(chosen(page)).toContainText(/building · (last event|silent)/);
    const steps = page.getByRole("list", { name: "Steps" });
    await expect(steps).toContainText("Discover");
    await expect(steps).toContainText("“Fix flaky date test in parser”");
    await expect(steps).toContainText("finding 1 of 2, iteration 1 of 3");
    await expect(steps).toContainText(/last event .*cargo test/);
    await expect(steps).toContainText("Ship, still ahead");
});

test("silence is told with the time at which it ends", async ({ page }) => {
    await open(page, "runs", "silent");
    await expect(page.getByRole("list", { name: "Steps" })).toContainText("silent for 6 min; ends at 10 min");
});

test("by keyboard alone: rows, why, the log, halting and running again", async ({ page }) => {
    await open(page, "runs");
    await expect(chosen(page)).toContainText("building");
    await page.keyboard.press("j");
    await expect(chosen(page)).toContainText("2 pull requests");
    await page.keyboard.press("k");
    await page.keyboard.press("w");
    await expect(page.getByRole("region", { name: "Why" })).toContainText("goes on since 09:00");
    await page.keyboard.press("o");
    await expect(log(page)).toBeFocused();
    await page.keyboard.press("h");
    await expect(page.getByText("Halted run")).toBeVisible();
    expect(await lastCall(page, "halt")).toEqual({
        level: { level: "run", which: "01936f2e-0000-7000-9000-000000000000" },
    });
    await expect(chosen(page)).toContainText("halted");
    await page.keyboard.press("g");
    await expect(page.getByText("Started daily-triage.")).toBeVisible();
    await list(page).focus();
    await page.keyboard.press("End");
    await expect(chosen(page)).toHaveAttribute("aria-posinset", "61");
    await page.keyboard.press("Home");
    await expect(chosen(page)).toHaveAttribute("aria-posinset", "1");
    await page.keyboard.press("Enter");
    expect(await focused(page)).toContain("daily-triage");
});

test("a due time without a run says why at once", async ({ page }) => {
    await open(page, "runs");
    await page
        .getByRole("option", { name: /asleep/ })
        .first()
        .click();
    await expect(page.getByRole("region", { name: "Why" })).toContainText("the computer was asleep from");
    await expect(page.getByRole("button", { name: /Log/ })).toHaveCount(0);
    await expect(page.getByRole("button", { name: /Halt this run/ })).toHaveCount(0);
});

test("a window opened for the why of a loop shows its starts, and why each came so or not", async ({ page }) => {
    await open(page, "runs", "full", { target: "why:deps" });
    const why = page.getByRole("region", { name: "Why" });
    await expect(page.getByLabel("Loop", { exact: true })).toHaveValue("deps");
    await expect(chosen(page)).toContainText("2 pull requests");
    await expect(why).toContainText("finished at 09:06");
    await page.keyboard.press("j");
    await expect(why).toContainText("finished at 22:31");
    await page.keyboard.press("w");
    await expect(why).toHaveCount(0);
    expect(await lastCall(page, "history")).toMatchObject({ filter: { of_loop: "deps" } });
});

test("the list has the focus, and what waits is opened by its key", async ({ page }) => {
    await open(page, "runs");
    await expect(list(page)).toBeFocused();
    await page.keyboard.press("ArrowDown");
    await expect(page.getByRole("button", { name: /Open in Review/ })).toBeVisible();
    await page.keyboard.press("p");
    expect(await lastCall(page, "open_window")).toMatchObject({ view: "review" });
});

test("before the first run it says when that is due, and can start it; while halted it can't", async ({ page }) => {
    await open(page, "runs", "fresh");
    await expect(page.getByText(/No run yet\. The first is due .*: /)).toBeVisible();
    await page.getByRole("button", { name: "Run now" }).press("Enter");
    await expect(page.getByText(/^Started /)).toBeVisible();
    await expect(chosen(page)).toContainText(/running|starting|building/);
    await open(page, "runs", "halted");
    await page.keyboard.press("j");
    const again = page.getByRole("button", { name: /Run again/ });
    await expect(again).toBeDisabled();
    await expect(again).toHaveAttribute("title", "Everything is halted: resume first");
});

test("a window opened for one run shows it", async ({ page }) => {
    await open(page, "runs", "full", { target: "01936f2e-0000-7000-9000-000000000005" });
    await expect(page.getByRole("region", { name: /1 handed to you/ })).toBeVisible();
});

test("filters and search ask the whole history", async ({ page }) => {
    await open(page, "runs");
    await page.getByLabel("Result").selectOption("failed");
    await expect(list(page).getByRole("option").first()).toContainText("cargo is not found");
    await page.getByLabel("Result").selectOption({ label: "all results" });
    await page.keyboard.press("/");
    await page.getByRole("searchbox", { name: "Search" }).focus();
    await page.keyboard.type("asleep");
    await expect(list(page).getByRole("option").first()).toContainText("asleep");
    await page.keyboard.type(" nowhere");
    await expect(page.getByText("Nothing like that is in the history.")).toBeVisible();
    await expect.poll(() => lastCall(page, "history")).toMatchObject({ filter: { text: "asleep nowhere" } });
});

test("in the smallest window the search field has room for its words", async ({ page }) => {
    await open(page, "runs", "full", { small: true });
    const field = page.getByRole("searchbox", { name: "Search" });
    expect((await field.boundingBox())!.width).toBeGreaterThanOrEqual(128);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await picture(page, "runs-small");
});

test("the log follows; scrolling up stops it and says so; End follows again", async ({ page }) => {
    await open(page, "runs");
    await page.keyboard.press("o");
    await expect(page.getByText("Following; scrolling up stops it.")).toBeVisible();
    const last = () => log(page).locator("div.text").last().innerText();
    const before = await last();
    await expect.poll(last).not.toBe(before);
    await log(page).hover();
    await page.mouse.wheel(0, -2000);
    await expect(page.getByText("Not following.")).toBeVisible();
    const asked = async (command: string) => (await calls(page)).filter((call) => call.command === command).length;
    const looks = await asked("timeline");
    await expect.poll(() => asked("timeline")).toBeGreaterThan(looks);
    // What was under way when it stopped has come; after that nothing of the log is read.
    const pages = await asked("log_page");
    await expect.poll(() => asked("timeline")).toBeGreaterThan(looks + 2);
    expect(await asked("log_page")).toBe(pages);
    await picture(page, "runs-log-light");
    await log(page).focus();
    await page.keyboard.press("End");
    await expect(page.getByText("Following; scrolling up stops it.")).toBeVisible();
    await axe(page);
});

test("a log that is followed goes on in the checker's, unless a person chose one", async ({ page }) => {
    await open(page, "runs");
    await page.keyboard.press("o");
    await expect(page.getByLabel("Which log")).toHaveValue("maker-1/stdout");
    await page.evaluate(() => window.loopwright!.history.check());
    await expect(page.getByLabel("Which log")).toHaveValue("checker-1/stdout");
    await expect(log(page)).toContainText("The change is small and does what it says.");
    await page.getByLabel("Which log").selectOption("maker-1/stdout");
    await expect(log(page)).toContainText("test parser::");
});

test("find goes through the whole file, not what is drawn", async ({ page }) => {
    await open(page, "runs", "longlog");
    await page.keyboard.press("o");
    await page.getByLabel("Find in the whole log").fill("day_17 ");
    await page.keyboard.press("Enter");
    await expect(page.getByText("1 of 1")).toBeVisible();
    await expect(log(page).locator("[aria-current=true]")).toContainText("test parser::day_17 ... ok");
    await page.getByLabel("Find in the whole log").fill("cannot find value");
    await page.keyboard.press("Enter");
    await expect(page.getByText("1 of 1000")).toBeVisible();
    await page.keyboard.press("Shift+Enter");
    await expect(page.getByText("1000 of 1000")).toBeVisible();
});

test("hostile words and logs stay text", async ({ page }) => {
    await open(page, "runs", "hostile");
    await expect(list(page).getByRole("option").nth(1)).toContainText("<img src=x");
    await page.keyboard.press("o");
    await expect(log(page)).toContainText("<img src=x onerror=");
    await expect(log(page)).toContainText("<U+202E>");
    await page.keyboard.press("o");
    await page.keyboard.press("j");
    await expect(page.locator("main img, main a, main b, main script")).toHaveCount(0);
    expect(await page.title()).toBe("Runs");
    await picture(page, "runs-hostile-light");
    // The control: the same text as markup would be an image.
    const made = await page.evaluate((text) => {
        const box = document.createElement("div");
        box.innerHTML = text;
        return box.querySelectorAll("img").length;
    }, "<img src=x onerror=\"document.title='owned'\">");
    expect(made).toBe(1);
});

test("rows that are read meanwhile leave the list where it is scrolled to", async ({ page }) => {
    await open(page, "runs", "many");
    await expect(chosen(page)).toBeVisible();
    const height = () => list(page).evaluate((element) => element.scrollHeight);
    const before = await height();
    await list(page).evaluate((element) => (element.scrollTop = 460 * 28));
    await expect.poll(height).toBeGreaterThan(before);
    await page.evaluate(() => window.loopwright!.changed());
    const asked = async () => (await calls(page)).filter((call) => call.command === "history").length;
    await expect.poll(asked).toBeGreaterThan(2);
    await expect(page.locator("[role=option][aria-posinset='465']")).toBeInViewport();
    expect(await list(page).evaluate((element) => element.scrollTop)).toBe(460 * 28);
    // Choosing one still brings it in sight.
    await page.keyboard.press("Home");
    await expect(chosen(page)).toHaveAttribute("aria-posinset", "1");
    await expect(chosen(page)).toBeInViewport();
});

test("10,000 rows: few of them are in the page, wherever it is scrolled", async ({ page }) => {
    test.setTimeout(60_000);
    await open(page, "runs", "many");
    await expect(chosen(page)).toBeVisible();
    await expect
        .poll(
            async () => {
                await list(page).evaluate((element) => (element.scrollTop = element.scrollHeight));
                return list(page).getByRole("option").last().getAttribute("aria-posinset");
            },
            { timeout: 40_000, intervals: [20] },
        )
        .toBe("10000");
    expect(await list(page).getByRole("option").count()).toBeLessThan(80);
    for (const share of [0, 0.25, 0.5, 0.99]) {
        await list(page).evaluate((element, at) => (element.scrollTop = element.scrollHeight * at), share);
        const first = Math.max(1, Math.floor(10_000 * share) - 5);
        await expect(page.locator(`[role=option][aria-posinset="${first + 6}"]`)).toHaveCount(1);
        expect(await list(page).getByRole("option").count()).toBeLessThan(80);
    }
});
