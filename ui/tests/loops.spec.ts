// The Loops window on the mock backend: the list, the schedule form, the YAML editor, the gallery, by keyboard and with axe.
import { expect, test, type Page } from "@playwright/test";
import { axe, calls, focused, lastCall, open, picture } from "./support";

const save = (page: Page) => page.getByRole("button", { name: /^Save/ });
const option = (page: Page, name: string) => page.getByRole("option", { name });
const changes = (page: Page) => page.getByRole("region", { name: "Changed lines of loop.yaml" });

async function schedule(page: Page, loop = "daily-triage"): Promise<void> {
    await option(page, loop).click();
    await page.getByRole("tab", { name: "Schedule" }).click();
    await expect(page.getByRole("radiogroup", { name: "Every" })).toBeVisible();
}

for (const scheme of ["light", "dark"] as const) {
    test(`every part lets axe find nothing (${scheme})`, async ({ page }) => {
        await open(page, "loops", "full", { scheme });
        await expect(option(page, "daily-triage")).toBeVisible();
        await option(page, "daily-triage").click();
        await axe(page);
        await picture(page, `loops-overview-${scheme}`);
        await schedule(page);
        await page.getByRole("radio", { name: "weekday" }).check();
        await expect(changes(page)).toContainText("MON-FRI");
        await axe(page);
        await picture(page, `loops-schedule-${scheme}`);
        await page.getByRole("tab", { name: "YAML" }).click();
        await expect(page.getByRole("textbox", { name: "loop.yaml" })).toBeVisible();
        await axe(page);
        await picture(page, `loops-yaml-${scheme}`);
        await option(page, "nightly-docs").click();
        await expect(page.getByRole("list", { name: "Problems" })).toContainText("triger");
        await axe(page);
        await picture(page, `loops-unreadable-${scheme}`);
        await page.getByRole("button", { name: "New loop…" }).click();
        await page.getByRole("radio", { name: /daily-triage/ }).check();
        await axe(page);
        await picture(page, `loops-gallery-${scheme}`);
    });

    test(`empty, failed and halted (${scheme})`, async ({ page }) => {
        await open(page, "loops", "empty", { scheme });
        await expect(page.getByText("No loops yet.")).toBeVisible();
        await axe(page);
        await picture(page, `loops-empty-${scheme}`);
        const refusal = { code: 1, message: "the database is damaged", hint: "loopwright doctor --repair" };
        await open(page, "loops", "failed", { scheme, refuse: { loop_list: refusal } });
        await expect(page.getByRole("alert")).toContainText("Can't read the loops: the database is damaged.");
        await axe(page);
        await picture(page, `loops-failed-${scheme}`);
        await open(page, "loops", "halted", { scheme });
        await expect(page.getByText("nothing starts until you resume")).toBeVisible();
        await picture(page, `loops-halted-${scheme}`);
    });
}

test("the schedule is changed by keyboard alone, and only its line changes", async ({ page }) => {
    await open(page, "loops");
    await expect(page.getByRole("listbox")).toBeFocused();
    await page.keyboard.press("Home");
    await expect(option(page, "daily-triage")).toHaveAttribute("aria-selected", "true");
    await page.keyboard.press("Enter");
    await expect.poll(() => focused(page)).toBe("Overview");
    await page.keyboard.press("ArrowRight");
    await expect(page.getByRole("tab", { name: "Schedule" })).toHaveAttribute("aria-selected", "true");
    await expect(save(page)).toBeDisabled();
    await page.getByRole("radio", { name: "day", exact: true }).focus();
    await page.keyboard.press("ArrowRight");
    await expect(page.getByText("In words: weekdays at 09:00")).toBeVisible();
    await expect(page.getByText("Next: Mon 23 Nov 09:00 · Tue 24 Nov 09:00")).toBeVisible();
    await expect(changes(page)).toContainText('trigger: cron("0 9 * * *")  # at nine');
    await expect(changes(page)).toContainText('trigger: cron("0 9 * * MON-FRI")  # at nine');
    await expect(save(page)).toBeEnabled();
    await page.keyboard.press("Control+s");
    await expect(page.getByText("Saved.")).toBeVisible();
    await expect(save(page)).toBeDisabled();
    const saved = (await lastCall(page, "save_loop")) as { text: string };
    expect(saved.text).toContain('trigger: cron("0 9 * * MON-FRI")  # at nine\nwake: true\n\nsteps:');
});

test("what is taken back leaves nothing behind, and Save is off", async ({ page }) => {
    await open(page, "loops");
    await schedule(page, "deps");
    const wake = page.getByRole("checkbox", { name: /wake this computer/ });
    await wake.check();
    await expect(changes(page)).toContainText("wake: true");
    await wake.uncheck();
    await expect(changes(page)).toBeHidden();
    await expect(save(page)).toBeDisabled();
    await page.keyboard.press("Control+s");
    expect(await lastCall(page, "save_loop")).toBeUndefined();
});

test("the form says whether this computer can be woken, as it was read back, or that it is not known", async ({
    page,
}) => {
    await open(page, "loops");
    await schedule(page);
    await expect(page.getByText(/^Wakes .*, 35 minutes before \d\d:\d\d\.$/)).toBeVisible();
    await option(page, "deps").click();
    await expect(page.getByText("This computer can be woken.")).toBeVisible();
    await open(page, "loops", "failed");
    await schedule(page);
    await expect(page.getByText(/^Won't wake .*: programs have no right to set alarms here\.$/)).toBeVisible();
    await expect(page.getByText("sudo loopwright wake --units")).toBeVisible();
    await axe(page);
    const wake = { code: 1, message: "no bus", hint: null };
    await open(page, "loops", "full", { refuse: { wake } });
    await schedule(page);
    await expect(page.getByText("Whether this computer can be woken is unknown")).toBeVisible();
});

test("w opens what became of the loop's starts", async ({ page }) => {
    await open(page, "loops");
    await expect(option(page, "daily-triage")).toBeVisible();
    await option(page, "deps").click();
    await page.keyboard.press("w");
    expect(await lastCall(page, "open_window")).toEqual({ view: "runs", target: "why:deps" });
});

test("a cron that no preset can say opens as cron and is never rewritten", async ({ page }) => {
    await open(page, "loops");
    await schedule(page, "market-hours");
    await expect(page.getByRole("radio", { name: "cron" })).toBeChecked();
    await expect(page.getByRole("textbox", { name: "Cron" })).toHaveValue("*/15 9-17 * * MON-FRI");
    await page.getByRole("combobox", { name: "On battery" }).selectOption("wait");
    await expect(changes(page)).toContainText("battery: wait");
    await expect(changes(page)).not.toContainText("cron");
});

test("times in another zone stand there twice, and a skipped hour is named", async ({ page }) => {
    await open(page, "loops");
    await schedule(page, "deps");
    await expect(page.getByText("America/New_York").first()).toBeVisible();
    await expect(page.getByText("Here: Mon 23 Nov 23:00")).toBeVisible();
    await page.getByRole("textbox", { name: "Time" }).fill("02:30");
    await expect(page.getByText("28 Mar 02:30 doesn't exist; runs 03:00")).toBeVisible();
});

test("what is wrong stands under its field, and what was typed stays through a change of row", async ({ page }) => {
    await open(page, "loops");
    await schedule(page);
    await page.getByRole("textbox", { name: "Time" }).fill("25:00");
    await expect(page.getByRole("alert")).toContainText("`25:00` is no time of the day");
    await expect(save(page)).toBeDisabled();
    await expect(save(page)).toHaveAttribute("title", /Correct what is wrong/);
    await option(page, "deps").click();
    await expect(page.getByRole("textbox", { name: "Time" })).toHaveValue("07:00");
    await option(page, "daily-triage").click();
    await expect(page.getByRole("textbox", { name: "Time" })).toHaveValue("25:00");
    await page.keyboard.press("Escape");
    await page.reload();
    await schedule(page);
    await expect(page.getByRole("textbox", { name: "Time" })).toHaveValue("25:00");
    await page.getByRole("button", { name: "Discard" }).click();
    await expect(page.getByRole("textbox", { name: "Time" })).toHaveValue("09:00");
    await page.keyboard.press("Control+z");
    await expect(page.getByRole("textbox", { name: "Time" })).toHaveValue("25:00");
});

test("the YAML tab edits the same text, with faults while typing, F8 and completion", async ({ page }) => {
    await open(page, "loops");
    await option(page, "daily-triage").click();
    await page.keyboard.press("y");
    const editor = page.getByRole("textbox", { name: "loop.yaml" });
    await editor.click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("End");
    await page.keyboard.type("\nbat");
    // A key that comes as the list opens is still typing, so the editor lets it be.
    await page.getByRole("option", { name: /battery/ }).click();
    await page.keyboard.type("wait");
    await expect(editor).toContainText("battery: wait");
    await page.keyboard.press("Escape");
    await page.keyboard.type("\noops: 1");
    await expect(page.getByRole("list", { name: "Problems" })).toContainText("5:1 error: `oops` is no key of a loop");
    await expect(save(page)).toBeDisabled();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("F8");
    await expect.poll(() => page.evaluate(() => getSelection()?.toString())).toBe("oops");
    await page.keyboard.press("Control+z");
    await page.getByRole("tab", { name: "Schedule" }).click();
    await expect(page.getByRole("combobox", { name: "On battery" })).toHaveValue("wait");
});

test("a file that changed on disk is never overwritten unseen", async ({ page }) => {
    await open(page, "loops");
    await schedule(page);
    await page.getByRole("radio", { name: "weekday" }).check();
    await expect(save(page)).toBeEnabled();
    // Another process writes the file, and the window hears of it only by saving.
    const theirs = await page.evaluate(async () => {
        const world = window.loopwright!;
        const call = world.calls.findLast((one) => one.command === "draft_loop")!;
        const base = (call.args as { request: { base: string } }).request.base;
        return base.replace("# at nine", "# theirs");
    });
    await page.evaluate((text) => window.loopwright!.write!("daily-triage", text), theirs);
    await page.keyboard.press("Control+s");
    await expect(page.getByText("loop.yaml changed on disk.")).toBeVisible();
    await expect(save(page)).toBeDisabled();
    await page.getByRole("button", { name: "Show both" }).click();
    await expect(page.getByLabel("On disk", { exact: true })).toContainText("# theirs");
    await axe(page);
    await picture(page, "loops-conflict");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toBeHidden();
    await page.getByRole("button", { name: "Take theirs" }).click();
    await expect(page.getByText("loop.yaml changed on disk.")).toBeHidden();
    await expect(save(page)).toBeDisabled();
});

test("on and off, run, simulate, delete", async ({ page }) => {
    await open(page, "loops");
    await option(page, "daily-triage").click();
    await page.keyboard.press("m");
    await expect(page.getByRole("switch")).toHaveAttribute("aria-checked", "false");
    await page.keyboard.press("z");
    await expect(page.getByRole("switch")).toHaveAttribute("aria-checked", "true");
    await page.keyboard.press(".");
    await page.getByRole("menuitem", { name: "Pause until tomorrow" }).click();
    await expect(option(page, "daily-triage")).toContainText("until");
    await page.keyboard.press("z");
    await expect(page.getByRole("switch")).toHaveAttribute("aria-checked", "true");
    await page.keyboard.press("g");
    await expect(page.getByText("Started daily-triage.")).toBeVisible();
    await page.getByRole("tab", { name: "Schedule" }).click();
    await page.getByRole("button", { name: "Simulate" }).click();
    await expect(page.getByRole("dialog", { name: "What would start in 7 days" })).toContainText("would start");
    await page.keyboard.press("Escape");
    await page.keyboard.press(".");
    await page.getByRole("menuitem", { name: /Delete/ }).click();
    const remove = page.getByRole("button", { name: "Delete loop", exact: true });
    await expect(remove).toBeDisabled();
    await page.getByRole("textbox", { name: "Name of the loop" }).fill("daily-triage");
    await remove.click();
    await expect(option(page, "daily-triage")).toBeHidden();
    expect((await calls(page)).filter((call) => call.command === "delete_loop")).toHaveLength(1);
});

test("a loop is made from a template and from a text", async ({ page }) => {
    await open(page, "loops", "empty");
    await page.getByRole("button", { name: "Pick a template" }).click();
    await page.getByRole("radio", { name: /daily-triage/ }).check();
    await page.getByRole("textbox", { name: "Folder of the repository" }).fill("/home/ada/shop-api");
    await page.getByRole("button", { name: "Show what it would do" }).click();
    await page.getByRole("button", { name: "Make daily-triage" }).click();
    await expect(option(page, "daily-triage")).toHaveAttribute("aria-selected", "true");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("write a loop");
    await page.keyboard.press("Enter");
    const text = page.getByRole("textbox", { name: "loop.yaml" });
    await text.fill("name: mine\noops: 1\n");
    await page.getByRole("button", { name: "Make this loop" }).click();
    await expect(page.getByRole("alert")).toContainText("nothing was saved");
    await text.fill("name: mine\ntrigger: manual\n");
    await page.getByRole("button", { name: "Make this loop" }).click();
    await expect(option(page, "mine")).toHaveAttribute("aria-selected", "true");
});

test("the search leaves what it finds, and untrusted names stay text", async ({ page }) => {
    await open(page, "loops");
    await page.keyboard.press("/");
    await page.keyboard.type("deps");
    await expect(page.getByRole("option")).toHaveCount(1);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("option")).toHaveCount(6);
});

test("the smallest window: nothing overlaps sideways", async ({ page }) => {
    await open(page, "loops");
    await schedule(page);
    await page.setViewportSize({ width: 860, height: 560 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide).toBeLessThanOrEqual(0);
    await picture(page, "loops-small");
});
