// The Review window: every act by keyboard alone, what it does to the queue, and its undo.
import { expect, test, type Page } from "@playwright/test";
import { axe, calls, lastCall, open, picture, refuse } from "./support";

const FLAKY = "Fix flaky date test in parser";

function row(page: Page, title: string) {
    return page.getByRole("option").filter({ hasText: title });
}

async function opened(page: Page, scene = "full"): Promise<void> {
    await open(page, "review", scene);
    await expect(page.locator("[data-diff] .line").first()).toBeVisible();
}

/** The moment of an approval, shortened; what it does is the same. */
async function moment(page: Page, ms: number): Promise<void> {
    await page.evaluate((ms) => (window.loopwright!.graceMs = ms), ms);
}

test("the focus is on the first row that needs a decision, and rows are told with their risk", async ({ page }) => {
    await opened(page);
    await expect(page.getByRole("listbox")).toBeFocused();
    await expect(row(page, FLAKY)).toHaveAttribute("aria-selected", "true");
    await expect(row(page, FLAKY)).toContainText("may be approved quickly");
    await expect(row(page, "Retry upload")).toContainText("needs a careful look");
    const titles = await page.getByRole("group", { name: "Waiting for you, 3" }).getByRole("option").allInnerTexts();
    expect(titles.map((text) => text.split("\n").find((line) => /Fix|Bump|Retry/.test(line)))).toEqual([
        FLAKY,
        "Bump serde to 1.0.230",
        "Retry upload on 503",
    ]);
});

test("j, k, Home and End move in the queue, Enter goes to the change", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("j");
    await expect(row(page, "Bump serde")).toHaveAttribute("aria-selected", "true");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Bump serde to 1.0.230");
    await page.keyboard.press("k");
    await page.keyboard.press("End");
    await expect(row(page, "Drop unused")).toHaveAttribute("aria-selected", "true");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("grid")).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("listbox")).toBeFocused();
});

test("a approves what was shown, the row moves, and it is merged after its moment", async ({ page }) => {
    await opened(page);
    await moment(page, 500);
    await page.keyboard.press("a");
    await expect(page.getByText(`Merging “${FLAKY}” into main`)).toBeVisible();
    await expect(page.getByRole("group", { name: /Decided today/ }).getByText(FLAKY)).toBeVisible();
    await expect(row(page, "Bump serde")).toHaveAttribute("aria-selected", "true");
    expect(await lastCall(page, "approve")).toMatchObject({ tree: expect.stringMatching(/^[0-9a-f]{40}$/) });
    await expect(page.getByText(`Merged “${FLAKY}” as 1a2b3c4.`)).toBeVisible();
});

test("z takes an approval back within its moment, and nothing is merged", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("a");
    await expect(page.getByRole("button", { name: /Undo/ })).toBeVisible();
    await expect(page.getByRole("button", { name: /Undo/ })).not.toBeFocused();
    await page.keyboard.press("z");
    await expect(page.getByRole("group", { name: "Waiting for you, 3" })).toBeVisible();
    await expect(row(page, FLAKY)).toHaveAttribute("aria-selected", "true");
    expect((await calls(page)).map((call) => call.command)).not.toContain("approval_landed");
});

test("a held key approves once", async ({ page }) => {
    await opened(page);
    await page.keyboard.down("a");
    await page.keyboard.down("a");
    await page.keyboard.down("a");
    await page.keyboard.up("a");
    await expect(page.getByText("Merging")).toBeVisible();
    expect((await calls(page)).filter((call) => call.command === "approve")).toHaveLength(1);
});

test("a protected file must be viewed first, and viewing it lets it be approved", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Retry upload on 503");
    await expect(page.getByText("View release.yml first")).toBeVisible();
    await expect(page.getByRole("button", { name: /Approve and merge/ })).toBeDisabled();
    await page.keyboard.press("a");
    expect((await calls(page)).map((call) => call.command)).not.toContain("approve");
    await page.keyboard.press("v");
    await expect(page.getByText("1 of 3 files viewed")).toBeVisible();
    await expect(page.getByRole("button", { name: /Approve and merge/ })).toBeEnabled();
    await page.keyboard.press("v");
    await expect(page.getByText("2 of 3 files viewed")).toBeVisible();
    await page.keyboard.press("a");
    await expect(page.getByText("Merging “Retry upload on 503”")).toBeVisible();
});

test("a viewed mark is cleared by another content alone", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("v");
    await page.keyboard.press("v");
    await expect(page.getByText("2 of 3 files viewed")).toBeVisible();
    await page.evaluate(() => window.loopwright!.newAttempt!());
    await expect(page.getByText("1 of 3 files viewed")).toBeVisible();
    await expect(page.getByText("changed since you viewed")).toBeVisible();
    await expect(page.getByLabel("Viewed src/clock.rs")).toBeChecked();
});

test("s asks for a comment, Ctrl+Enter sends it, z brings row and comment back", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("s");
    await expect(page.getByRole("textbox", { name: "What is to be different?" })).toBeFocused();
    await page.keyboard.press("Control+Enter");
    expect((await calls(page)).map((call) => call.command)).not.toContain("send_drafts");
    await page.keyboard.type("Use the caller's clock, and an a for approve.");
    await page.keyboard.press("Control+Enter");
    await expect(page.getByText(`Sent back: “${FLAKY}”.`)).toBeVisible();
    await expect(page.getByRole("group", { name: "Sent back, 2" })).toBeVisible();
    await page.keyboard.press("z");
    await expect(page.getByRole("textbox", { name: "What is to be different?" })).toHaveValue(/caller's clock/);
    expect((await calls(page)).map((call) => call.command)).not.toContain("approve");
});

test("at the cap sending back asks for one iteration more before it is sent", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("s");
    await expect(page.getByRole("button", { name: /Send back · iteration 3 of 3, about/ })).toBeVisible();
    await open(page, "review", "cap");
    await page.keyboard.press("s");
    await expect(page.getByText("No iterations left. Allow one more?")).toBeVisible();
    await expect(page.getByRole("button", { name: /Send back · one more, about/ })).toBeVisible();
});

test("a comment on a range keeps path, lines and code, and survives closing", async ({ page }) => {
    await opened(page);
    for (const key of ["]", "ArrowDown", "ArrowDown", "ArrowDown", "Shift+ArrowDown", "c"]) {
        await page.keyboard.press(key);
    }
    await expect(page.getByLabel(/^src\/parser.rs, line/)).toBeFocused();
    await page.keyboard.type("Why two?");
    await expect
        .poll(() => lastCall(page, "put_draft"))
        .toMatchObject({
            draft: {
                path: "src/parser.rs",
                from: 84,
                to: 84,
                text: "Why two?",
                code: expect.stringContaining("clock.today"),
            },
        });
    await page.keyboard.press("Escape");
    await expect(page.getByRole("grid")).toBeFocused();
    await expect(page.getByTitle("You wrote a comment here").first()).toBeVisible();
    // Another one and back: it is as it was.
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await expect(page.getByLabel(/^src\/parser.rs, line/)).toBeHidden();
    await page.keyboard.press("k");
    await expect(page.getByLabel(/^src\/parser.rs, line/)).toHaveValue("Why two?");
    await axe(page);
    await picture(page, "review-comment-light");
});

test("r wants a reason, closes, and can be undone", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("r");
    const dialog = page.getByRole("dialog", { name: "Reject" });
    await expect(dialog.getByRole("button", { name: /Reject/ })).toBeDisabled();
    await axe(page);
    await picture(page, "review-reject-light");
    await page.keyboard.press("Space");
    await expect(dialog.getByLabel("Wrong fix")).toBeChecked();
    await page.keyboard.press("Control+Enter");
    await expect(page.getByText("Rejected “Fix flaky date test in parser”: Wrong fix.")).toBeVisible();
    // A dialog that is still closing keeps the keys.
    await expect(dialog).toBeHidden();
    await page.keyboard.press("z");
    await expect(page.getByRole("group", { name: "Waiting for you, 3" })).toBeVisible();
});

test("l hides for a while and z shows it again", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("l");
    await expect(page.getByRole("dialog", { name: "Later" })).toBeVisible();
    await page.keyboard.press("3");
    expect(await lastCall(page, "put_off")).toMatchObject({ when: "tomorrow" });
    await expect(page.getByRole("group", { name: "Later, 1" })).toBeVisible();
    await expect(page.getByRole("dialog", { name: "Later" })).toBeHidden();
    await page.keyboard.press("z");
    await expect(page.getByRole("group", { name: "Waiting for you, 3" })).toBeVisible();
});

test("h h halts everything, h Esc halts nothing, and halting turns approving off", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("h");
    await expect(page.getByRole("button", { name: "Halt loop daily-triage" })).toBeVisible();
    await picture(page, "review-halt-light");
    // Enter, pressed once more by somebody who read on, halts nothing.
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toBeHidden();
    expect((await calls(page)).map((call) => call.command)).not.toContain("halt");
    await page.keyboard.press("h");
    await expect(page.getByRole("dialog", { name: "Halt" })).toBeVisible();
    await page.keyboard.press("h");
    expect(await lastCall(page, "halt")).toEqual({ level: { level: "all" } });
    await expect(page.getByText("Off while halted")).toBeVisible();
    await expect(page.getByRole("button", { name: /Approve and merge/ })).toBeDisabled();
    await expect(page.getByRole("button", { name: /^Reject/ })).toBeEnabled();
});

test("n p [ ] move through files and hunks, / finds in all lines, o opens the evidence", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("n");
    await expect(page.getByRole("grid")).toHaveAttribute("aria-activedescendant", "line-1--1");
    await page.keyboard.press("p");
    await page.keyboard.press("]");
    await page.keyboard.press("]");
    await expect(page.getByRole("grid")).toHaveAttribute("aria-activedescendant", "line-1-0");
    await page.keyboard.press("[");
    await expect(page.getByRole("grid")).toHaveAttribute("aria-activedescendant", "line-0-0");
    await page.keyboard.press("/");
    await page.keyboard.type("tomorrow");
    await expect(page.getByText("1 of 2")).toBeVisible();
    await page.keyboard.press("Enter");
    await expect(page.getByText("2 of 2")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("grid")).toBeFocused();
    await page.keyboard.press("o");
    await expect(page.getByRole("complementary", { name: "Evidence" })).toBeFocused();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog", { name: "Output of tests_pass" })).toBeVisible();
    await expect(page.getByText("$ cargo test")).toBeVisible();
    await axe(page);
});

test("failed gates stand first, then what needs a person, then the rest", async ({ page }) => {
    await opened(page, "failing");
    const gates = await page.getByRole("region", { name: "Gates" }).getByRole("listitem").allInnerTexts();
    expect(gates.map((text) => text.trim().split(/\s+/).slice(0, 2).join(" "))).toEqual([
        "failed lint_clean",
        "needs a",
        "passed tests_pass",
    ]);
});

test("with nothing to decide and no loop to come, it offers to set one up", async ({ page }) => {
    await open(page, "review", "empty");
    await expect(page.getByText("Nothing waits for you. There are no loops.")).toBeVisible();
    await page.getByRole("button", { name: "Set up a loop" }).click();
    expect(await lastCall(page, "open_window")).toEqual({ view: "welcome", target: null });
});

test("what it cost stands beside what it may cost, and how long its rounds took", async ({ page }) => {
    await open(page, "review");
    const cost = page.getByRole("region", { name: "Cost" });
    await expect(cost).toContainText("$0.41 of $5.00");
    await expect(cost).toContainText("2 iterations · 6 min");
});

test("what the checker left out stands before what it accepts", async ({ page }) => {
    await opened(page);
    const said = await page.getByRole("region", { name: "Checker" }).innerText();
    expect(said.indexOf("callers outside")).toBeGreaterThan(0);
    expect(said.indexOf("callers outside")).toBeLessThan(said.indexOf("both calls"));
});

test("since you looked comes first, the whole change is one choice away", async ({ page }) => {
    await opened(page, "since");
    await expect(page.getByLabel("Show")).toHaveValue("since");
    await expect(page.getByText("eq_ignore_ascii_case")).toBeVisible();
    await page.getByLabel("Show").selectOption("base");
    await expect(page.getByText("pub struct Clock")).toBeVisible();
});

test("what fails is said, and nothing is lost by it", async ({ page }) => {
    await opened(page);
    await refuse(page, "approve", { code: 1, message: "the branch moved", hint: "open it to look again" });
    await page.keyboard.press("a");
    await expect(page.getByText("Nothing was decided: the branch moved. Open it to look again.")).toBeVisible();
    await expect(row(page, FLAKY)).toHaveAttribute("aria-selected", "true");
});

test("changes from elsewhere leave place, text and focus", async ({ page }) => {
    await opened(page);
    await page.keyboard.press("s");
    await page.keyboard.type("Half a senten");
    await page.evaluate(() => window.loopwright!.changed());
    await page.keyboard.type("ce");
    await expect(page.getByRole("textbox", { name: "What is to be different?" })).toHaveValue("Half a sentence");
    await expect(page.getByRole("textbox", { name: "What is to be different?" })).toBeFocused();
});

test("ten thousand lines: few of them are in the page, each can be reached and found", async ({ page }) => {
    await opened(page, "long");
    expect(await page.locator("[data-diff] .line").count()).toBeLessThan(120);
    await page.locator("[data-diff]").evaluate((grid) => (grid.scrollTop = grid.scrollHeight));
    await expect(page.getByText("compute(9999)")).toBeVisible();
    expect(await page.locator("[data-diff] .line").count()).toBeLessThan(120);
    await page.keyboard.press("/");
    await page.keyboard.type("needle_");
    await expect(page.getByText("1 of 10")).toBeVisible();
    await page.getByText("more characters: show all").first().click();
    await expect(page.getByText("x".repeat(600))).toBeVisible();
    expect((await calls(page)).filter((call) => call.command === "diff_lines").length).toBeLessThan(12);
});

/** From choosing a row to the first lines on screen, in ms, as the page itself sees it: the median of five. */
async function timeToLines(page: Page, row: number, first: string): Promise<number> {
    const once = ([row, first]: readonly [number, string]): Promise<number> =>
        new Promise((done) => {
            const began = performance.now();
            document.querySelectorAll<HTMLElement>("[role=option]")[row]!.click();
            const look = (): void => {
                const line = document.querySelectorAll("[data-diff] .line")[1];
                if (line?.textContent.includes(first)) done(performance.now() - began);
                else requestAnimationFrame(look);
            };
            look();
        });
    const times: number[] = [];
    for (let n = 0; n < 5; n++) {
        await page
            .getByRole("option")
            .nth(1 - row)
            .click();
        await expect(page.locator("[data-diff] .line").nth(1)).toContainText(/value_1 |fn parse_day/);
        await expect(page.locator("[data-diff] .line").nth(1)).not.toContainText(first);
        times.push(await page.evaluate(once, [row, first] as const));
    }
    return times.sort((a, b) => a - b)[2]!;
}

test("the first screen of ten thousand lines costs what that of twenty costs", async ({ page }) => {
    await opened(page, "long");
    const long = await timeToLines(page, 0, "value_1 ");
    const short = await timeToLines(page, 1, "fn parse_day");
    test.info().annotations.push({ type: "ms", description: `long ${long.toFixed(0)}, short ${short.toFixed(0)}` });
    console.log(`first screen: 10,000 lines ${long.toFixed(0)} ms, 20 lines ${short.toFixed(0)} ms`);
    expect(long).toBeLessThan(short * 2 + 100);
});

test("code has colours; they are parts of the text, and what differs has none", async ({ page }) => {
    await opened(page);
    const line = page.locator("[data-diff] .line").filter({ hasText: "clock.today" }).first();
    await expect(line.locator(".hue-word")).toHaveText(["let"]);
    await expect(line).toContainText("+    let now = clock.today();");
    await expect(line.locator(".word [class^=hue]")).toHaveCount(0);
    await expect(page.locator("[data-diff] .hunk [class^=hue]")).toHaveCount(0);
});

for (const scheme of ["light", "dark"] as const) {
    test(`below 1000 px the evidence folds above the change, ${scheme}`, async ({ page }) => {
        await open(page, "review", "full", { scheme });
        await page.setViewportSize({ width: 860, height: 560 });
        await expect(page.getByText("Gates, checker, cost")).toBeVisible();
        await picture(page, `review-small-${scheme}`);
        await axe(page);
        await page.keyboard.press("o");
        await expect(page.getByText("212 passed")).toBeVisible();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide).toBeLessThanOrEqual(860);
    });
}
