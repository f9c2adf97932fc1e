// Boxes to tick and to choose from, and lists to choose from: drawn from the tokens in both schemes, told apart, hit.
import { expect, test, type Locator, type Page } from "@playwright/test";
import { axe, open, picture } from "./support";

const COLOURS = {
    light: {
        bg: "#ffffff",
        surface: "#f6f7f8",
        border: "#dcdfe3",
        control: "#7c838b",
        accent: "#1a4fb0",
        on: "#ffffff",
    },
    dark: {
        bg: "#16181b",
        surface: "#1d2024",
        border: "#343a41",
        control: "#7a838d",
        accent: "#6fa8ff",
        on: "#0e1a2b",
    },
};

/** `rgb(255, 0, 0)` as `#ff0000`. */
function hex(colour: string): string {
    const parts = colour.match(/\d+/g)!.slice(0, 3);
    return `#${parts.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
}

/** What a box is drawn with, as hex. */
async function drawn(box: Locator): Promise<{ fill: string; outline: string; mark: string | null }> {
    const { fill, outline, mark } = await box.evaluate((element) => {
        const style = getComputedStyle(element);
        if (style.appearance !== "none") throw new Error("the browser draws it");
        const mark = getComputedStyle(element, "::after");
        return {
            fill: style.backgroundColor,
            outline: style.borderTopColor,
            mark: mark.content === "none" ? null : mark.backgroundColor,
        };
    });
    return { fill: hex(fill), outline: hex(outline), mark: mark && hex(mark) };
}

/** Shows one section of Settings. */
async function section(page: Page, name: string): Promise<void> {
    await page.getByRole("tab", { name }).click();
    await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
}

for (const scheme of ["light", "dark"] as const) {
    const { bg, surface, border, control, accent, on } = COLOURS[scheme];

    test(`boxes to tick have the colours of the tokens (${scheme})`, async ({ page }) => {
        await open(page, "settings", "full", { scheme });
        await section(page, "Notifications");
        const told = page.getByRole("checkbox", { name: /^Tell me ?: Needs you/ });
        const quiet = page.getByRole("checkbox", { name: /^Also in quiet hours ?: Needs you/ });
        await expect(told).toBeChecked();
        expect(await drawn(told)).toEqual({ fill: accent, outline: accent, mark: on });
        expect(await drawn(quiet)).toEqual({ fill: bg, outline: control, mark: null });
        await told.press("Space");
        await expect(quiet).toBeDisabled();
        expect(await drawn(told)).toEqual({ fill: bg, outline: control, mark: null });
        expect(await drawn(quiet)).toEqual({ fill: surface, outline: border, mark: null });
        const ring = await told.evaluate((element) => getComputedStyle(element).outline);
        expect(ring).toContain("solid 2px");
        await picture(page, `boxes-tick-${scheme}`);
        await axe(page);
    });

    test(`boxes to choose from have the colours of the tokens (${scheme})`, async ({ page }) => {
        await open(page, "settings", "full", { scheme });
        await section(page, "Appearance and keys");
        const group = page.getByRole("radiogroup").first();
        const chosen = group.getByRole("radio", { checked: true });
        expect(await drawn(chosen)).toEqual({ fill: accent, outline: accent, mark: on });
        expect(await drawn(group.getByRole("radio", { checked: false }).first())).toEqual({
            fill: bg,
            outline: control,
            mark: null,
        });
        await picture(page, `boxes-choose-${scheme}`);
    });
}

const LISTS = {
    light: { raised: "#ffffff", surface: "#f6f7f8", text: "#1b1f24", muted: "#59616b", border: "#dcdfe3" },
    dark: { raised: "#24282d", surface: "#1d2024", text: "#e6e9ed", muted: "#a3acb6", border: "#343a41" },
};

/** What a list to choose from is drawn with, as hex, and the room that its arrow has. */
async function list(one: Locator): Promise<Record<"fill" | "text" | "outline" | "arrow", string> & { room: number }> {
    const { fill, text, outline, arrow, room } = await one.evaluate((element) => {
        const style = getComputedStyle(element);
        if (style.appearance !== "none") throw new Error("the browser draws it");
        const arrow = /(rgb\([^)]*\)) 50%\)/.exec(style.backgroundImage)?.[1] ?? "";
        return {
            fill: style.backgroundColor,
            text: style.color,
            outline: style.borderTopColor,
            arrow,
            room: parseFloat(style.paddingRight),
        };
    });
    return { fill: hex(fill), text: hex(text), outline: hex(outline), arrow: hex(arrow), room };
}

for (const scheme of ["light", "dark"] as const) {
    test(`lists to choose from have the colours of the tokens (${scheme})`, async ({ page }) => {
        const { raised, surface, text, muted, border } = LISTS[scheme];
        const drawn = { fill: raised, text, outline: COLOURS[scheme].control, arrow: muted, room: 24 };
        for (const view of ["runs", "spend", "loops"] as const) {
            await open(page, view, "full", { scheme });
            if (view === "loops") {
                await page.getByRole("option", { name: "daily-triage" }).click();
                await page.getByRole("tab", { name: "Schedule" }).click();
                await expect(page.getByRole("radiogroup", { name: "Every" })).toBeVisible();
            }
            await expect(page.locator("select").first()).toBeVisible();
            for (const one of await page.locator("select").all()) expect(await list(one), view).toEqual(drawn);
            const first = page.locator("select").first();
            await first.focus();
            await page.keyboard.press("Tab");
            await page.keyboard.press("Shift+Tab");
            expect(await first.evaluate((element) => getComputedStyle(element).outline)).toContain("solid 2px");
            await picture(page, `lists-${view}-${scheme}`);
            await axe(page);
        }
        const off = page.locator("select").first();
        await off.evaluate((element: HTMLSelectElement) => (element.disabled = true));
        expect(await list(off)).toEqual({ ...drawn, fill: surface, text: muted, outline: border });
    });
}

test("a box is hit 14 px from its middle", async ({ page }) => {
    const misses = (): Promise<string[]> =>
        page.evaluate(() =>
            [...document.querySelectorAll<HTMLInputElement>("[type=checkbox], [type=radio]")].flatMap((box) => {
                box.scrollIntoView({ block: "center" });
                const { x, y, width, height } = box.getBoundingClientRect();
                const around = [
                    [-13, 0],
                    [13, 0],
                    [0, -13],
                    [0, 13],
                ] as const;
                return around.flatMap(([right, down]) => {
                    const hit = document.elementFromPoint(x + width / 2 + right, y + height / 2 + down);
                    const label = hit?.closest("label");
                    return hit === box || label?.contains(box) ? [] : [`${box.name || box.id}: ${hit?.outerHTML}`];
                });
            }),
        );
    await open(page, "settings");
    for (const name of ["Wake and login", "Notifications", "Appearance and keys"]) {
        await section(page, name);
        await expect(page.locator("[type=checkbox], [type=radio]").first()).toBeVisible();
        expect(await misses(), name).toEqual([]);
    }
    await open(page, "review");
    await expect(page.getByRole("checkbox").first()).toBeVisible();
    expect(await misses()).toEqual([]);
});

test("where the system chooses the colours, it draws the boxes", async ({ page }) => {
    await open(page, "settings");
    await page.emulateMedia({ forcedColors: "active" });
    await section(page, "Notifications");
    const told = page.getByRole("checkbox", { name: /^Tell me ?: Needs you/ });
    const look = await told.evaluate((box) => [
        getComputedStyle(box).appearance,
        getComputedStyle(box, "::after").display,
    ]);
    expect(look).toEqual(["auto", "none"]);
    await open(page, "spend");
    const range = await page.getByRole("combobox", { name: "Range" }).evaluate((one) => {
        const { appearance, backgroundImage } = getComputedStyle(one);
        return [appearance, backgroundImage];
    });
    expect(range).toEqual(["auto", "none"]);
});
