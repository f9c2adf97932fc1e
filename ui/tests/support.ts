// What the browser tests of all windows share: opening a view on the mock backend, axe, and what the mock was asked.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page } from "@playwright/test";
import type { Refusal } from "../src/lib/backend";
import SIZES from "../src/lib/sizes.json" with { type: "json" };
import type { View } from "../src/lib/views";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Opened {
    scheme?: "light" | "dark";
    /** What the window is to show first. */
    target?: string;
    /** Commands that are to fail from the start. */
    refuse?: Record<string, Refusal>;
    /** Commands whose answer comes so many ms late from the start. */
    late?: Record<string, number>;
    /** As small as the window can be made. */
    small?: boolean;
}

/** Opens a view with a scene of the mock backend, at the size of its window. */
export async function open(page: Page, view: View, scene = "full", opened: Opened = {}): Promise<void> {
    const [width, height] = SIZES[view][opened.small ? "least" : "opens"];
    await page.setViewportSize({ width: width!, height: height! });
    await page.emulateMedia({ colorScheme: opened.scheme ?? "light", reducedMotion: "reduce" });
    const query = new URLSearchParams({ view, scene });
    if (opened.target) query.set("target", opened.target);
    if (opened.late) query.set("late", JSON.stringify(opened.late));
    if (opened.refuse) query.set("refuse", JSON.stringify(opened.refuse));
    await page.goto(`/?${query}`);
    // A machine that builds beside it takes its time with the first page.
    await expect(page.locator("main > *").first()).toBeVisible({ timeout: 20_000 });
}

/** Lets commands fail from now on; null takes that back. */
export async function refuse(page: Page, command: string, refusal: Refusal | null): Promise<void> {
    await page.evaluate(
        ([command, refusal]) => {
            if (refusal) window.loopwright!.refuse[command] = refusal;
            else delete window.loopwright!.refuse[command];
        },
        [command, refusal] as const,
    );
}

/** Lets the answer of a command come so many ms late from now on. */
export async function late(page: Page, command: string, ms: number): Promise<void> {
    await page.evaluate(([command, ms]) => (window.loopwright!.late[command] = ms), [command, ms] as const);
}

/** Waits until everything that this command was asked is answered. */
export async function answered(page: Page, command: string): Promise<void> {
    const left = (): Promise<number> =>
        page.evaluate(
            (command) => window.loopwright!.calls.filter((one) => one.command === command && !one.answered).length,
            command,
        );
    await expect.poll(left).toBe(0);
}

/** How often a command was asked so far. */
export async function count(page: Page, command: string): Promise<number> {
    return (await calls(page)).filter((call) => call.command === command).length;
}

/** Types as a person does: no two pauses alike, between 110 and 200 ms. */
export async function typeAsAPerson(page: Page, text: string): Promise<void> {
    let pause = 110;
    for (const letter of text) {
        await page.keyboard.type(letter, { delay: 0 });
        pause = 110 + ((pause * 7 + 13) % 91);
        await page.waitForTimeout(pause);
    }
}

/** What the backend was asked so far, the oldest first. */
export function calls(page: Page): Promise<{ command: string; args: unknown }[]> {
    return page.evaluate(() => window.loopwright!.calls);
}

/** What the last call of a command was given. */
export async function lastCall(page: Page, command: string): Promise<unknown> {
    return (await calls(page)).findLast((call) => call.command === command)?.args;
}

/** Expects that axe finds nothing on the whole page, or within one part of it. */
export async function axe(page: Page, within?: string): Promise<void> {
    await page.evaluate(AXE);
    const violations = await page.evaluate(async (within) => {
        const axe = (window as unknown as { axe: typeof import("axe-core") }).axe;
        const found = await axe.run(within ?? document, { resultTypes: ["violations"] });
        return found.violations.map((one) => ({
            rule: one.id,
            help: one.help,
            nodes: one.nodes.map((node) => `${node.html.slice(0, 160)} ${node.any.map((any) => any.message).join()}`),
        }));
    }, within);
    expect(violations).toEqual([]);
}

/** The element that has the focus, as people hear it: its label or its text. */
export function focused(page: Page): Promise<string> {
    return page.evaluate(() => {
        const at = document.activeElement;
        return at?.getAttribute("aria-label") ?? at?.textContent?.trim().replace(/\s+/g, " ") ?? "";
    });
}

/** Keeps a picture of a window where the tests keep their artefacts. */
export async function picture(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: `test-results/pictures/${name}.png` });
}
