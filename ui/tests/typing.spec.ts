// What a person types is never taken back by an answer to what they had typed before: fields and editors whose backend
// answers late, typed into at a person's pace.
import { expect, test, type Page } from "@playwright/test";
import { answered, calls, count, lastCall, late, open, refuse, typeAsAPerson } from "./support";

const LONG = "# the deps of the shop, by ada";

/** The text as the editor shows it, without the numbers and marks beside it. */
const shown = (page: Page): Promise<string> =>
    page.evaluate(() => [...document.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n"));

async function yaml(page: Page, ms: number): Promise<string> {
    await open(page, "loops");
    await page.getByRole("option", { name: "daily-triage" }).click();
    await page.keyboard.press("y");
    await page.getByRole("textbox", { name: "loop.yaml" }).click();
    await late(page, "draft_loop", ms);
    await page.keyboard.press("Control+End");
    return shown(page);
}

// An answer that comes at once, between two keys, and later than several of them.
for (const ms of [10, 60, 400]) {
    test(`YAML typed at a person's pace stays, with answers ${ms} ms late`, async ({ page }) => {
        const before = await yaml(page, ms);
        await typeAsAPerson(page, LONG);
        expect(await shown(page)).toBe(before + LONG);
        await page.keyboard.press("Control+s");
        await expect(page.getByText("Saved.")).toBeVisible();
        const { text } = (await lastCall(page, "save_loop")) as { text: string };
        expect(text).toBe(before + LONG);
        await page.keyboard.press("Control+z");
        expect(await shown(page), "and can be taken back").not.toContain(LONG);
    });
}

test("Ctrl+S right behind the last key saves what is on the screen", async ({ page }) => {
    const before = await yaml(page, 300);
    await page.keyboard.type(LONG);
    await page.keyboard.press("Control+s");
    await expect(page.getByText("Saved.")).toBeVisible();
    const saves = (await calls(page)).filter((call) => call.command === "save_loop");
    expect(saves.map((call) => (call.args as { text: string }).text)).toEqual([before + LONG]);
});

test("what is typed while it is saved stays, and is still to be saved", async ({ page }) => {
    const before = await yaml(page, 10);
    await late(page, "save_loop", 1_500);
    await page.keyboard.type("# one");
    await page.keyboard.press("Control+s");
    await expect.poll(() => lastCall(page, "save_loop")).toBeDefined();
    await page.keyboard.type(", two");
    await expect(page.getByText("Saved.")).toBeVisible();
    expect(await shown(page)).toBe(`${before}# one, two`);
    await page.keyboard.press("Control+s");
    await expect
        .poll(async () => ((await lastCall(page, "save_loop")) as { text: string }).text)
        .toMatch(/# one, two$/);
    await expect(page.getByRole("button", { name: /^Save/ })).toBeDisabled();
});

test("an answer to a reading of the file that is older than the typing is dropped", async ({ page }) => {
    const before = await yaml(page, 10);
    await late(page, "loop_detail", 600);
    await page.evaluate(() => {
        window.loopwright!.write!("daily-triage", "name: daily-triage\ntrigger: manual\n");
        window.loopwright!.changed();
    });
    await page.keyboard.type(LONG);
    await expect(page.getByText("loop.yaml changed on disk.")).toBeVisible();
    expect(await shown(page)).toBe(before + LONG);
});

test("a field of the form stays as it is typed, with late answers", async ({ page }) => {
    await open(page, "loops");
    await page.getByRole("option", { name: "daily-triage" }).click();
    await page.getByRole("tab", { name: "Schedule" }).click();
    const zone = page.getByRole("combobox", { name: "Zone" });
    await zone.click();
    await late(page, "draft_loop", 60);
    await typeAsAPerson(page, "Europe/Vienna");
    await expect(zone).toHaveValue("Europe/Vienna");
    await page.keyboard.press("Control+s");
    await expect(page.getByText("Saved.")).toBeVisible();
    expect(((await lastCall(page, "save_loop")) as { text: string }).text).toContain("Europe/Vienna");
});

for (const typed of ["Name it", ""]) {
    test(`a comment that says “${typed}” stays, although the list of comments is answered later`, async ({ page }) => {
        await open(page, "review", "full", { late: { drafts: 2_000 } });
        await page.keyboard.press("s");
        const field = page.getByRole("region", { name: "Comments" }).getByRole("textbox").last();
        await expect(field).toBeFocused();
        expect(
            await page.evaluate(
                () => window.loopwright!.calls.filter((one) => one.command === "drafts" && !one.answered).length,
            ),
            "the list is still to come",
        ).toBe(1);
        await page.keyboard.type(typed);
        if (typed) await expect.poll(() => count(page, "put_draft")).toBe(1);
        await answered(page, "drafts");
        await expect(field).toHaveValue(typed);
        await expect(field).toBeFocused();
    });
}

test("a comment that can't be kept is not sent back as it was before", async ({ page }) => {
    await open(page, "review");
    await page.keyboard.press("s");
    await page.keyboard.type("Name it");
    await refuse(page, "put_draft", { code: 1, message: "the disk is full", hint: null });
    await page.keyboard.type(" so");
    await page.keyboard.press("Control+Enter");
    await expect(page.getByText(/Nothing was decided/)).toBeVisible();
    expect(await count(page, "send_drafts")).toBe(0);
});

test("a setting that is typed on stays, although its last value is answered meanwhile", async ({ page }) => {
    await open(page, "settings", "full", { target: "notifications" });
    const field = page.getByLabel("Quiet hours", { exact: true });
    await field.fill("21:00-07:00");
    await late(page, "change_setting", 400);
    await page.keyboard.press("Enter");
    await field.fill("22:00-06:30");
    await expect(page.getByText("Quiet hours changed.")).toBeVisible();
    await expect(field).toHaveValue("22:00-06:30");
});

test("a loop of one's own stays as typed, although the templates come late", async ({ page }) => {
    await open(page, "loops", "empty");
    await late(page, "loop_templates", 500);
    await page.getByRole("button", { name: "Write one" }).click();
    const text = page.getByRole("textbox", { name: "loop.yaml" });
    await text.fill("name: mine\n");
    await answered(page, "loop_templates");
    await expect(text).toHaveValue("name: mine\n");
});
