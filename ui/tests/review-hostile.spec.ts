// S3: what agents, checks and repositories say is text. 121 payloads in title, finding, diff, file name, gates, checker,
// branch and output make no element, no request, no command and run nothing. The control shows that each would be seen.
import { expect, test, type Page } from "@playwright/test";
import PAYLOADS from "../src/lib/mock/review/payloads.json" with { type: "json" };
import { calls, open } from "./support";

/** What the window itself never has: any of these came out of a payload. */
const MADE = [
    "img,iframe,frame,frameset,object,embed,video,audio,picture,source,track,canvas,math,marquee,portal,template",
    "base,form[action],area,map,dialog,noscript,slot,xss,keygen,main script,main style,main link,main meta,main a",
    "main svg:not(.lucide),main [onerror],main [onload],main [onfocus],main [onmouseover],main [onclick]",
].join();

/** What reading asks for. */
const READS = [
    "status",
    "preferences",
    "first_target",
    "review_queue",
    "review_head",
    "review_diff",
    "diff_lines",
    "drafts",
];

interface Seen {
    elements: number;
    ran: boolean;
}

function seen(page: Page): Promise<Seen> {
    return page.evaluate(
        (made) => ({ elements: document.querySelectorAll(made).length, ran: "__hit" in window }),
        MADE,
    );
}

/** Requests for anything but the window's own files. */
function strays(page: Page): string[] {
    const strays: string[] = [];
    page.on("request", (request) => {
        const own = /^http:\/\/127\.0\.0\.1:\d{4,5}\/(assets\/|\?|$|favicon|appearance\.js$)/.test(request.url());
        if (!own) strays.push(request.url());
    });
    return strays;
}

/** A text as a browser lays it out: what can't be drawn and blanks don't count. */
function plain(text: string): string {
    return text.replace(/[\s\p{C}]+/gu, "");
}

test("121 hostile texts are text everywhere", async ({ page }) => {
    test.setTimeout(120_000);
    const asked = strays(page);
    await open(page, "review", "hostile");
    const heading = page.getByRole("heading", { level: 1 });
    for (const payload of PAYLOADS) {
        await expect.poll(async () => plain((await heading.textContent()) ?? "")).toBe(plain(payload));
        const line = page.locator("[data-diff] .line").nth(1);
        await expect.poll(async () => plain((await line.textContent()) ?? "")).toContain(plain(payload));
        expect(await seen(page), payload).toEqual({ elements: 0, ran: false });
        await page.keyboard.press("j");
    }
    expect(asked).toEqual([]);
    const commands = new Set((await calls(page)).map((call) => call.command));
    expect([...commands].filter((command) => !READS.includes(command))).toEqual([]);
});

test("hostile texts are text in the output of a gate, in comments and in toasts too", async ({ page }) => {
    const asked = strays(page);
    await open(page, "review", "hostile");
    for (let n = 0; n < 3; n++) {
        await page.getByRole("button", { name: /^Output of/ }).click();
        await expect(page.getByRole("region", { name: "Output" })).not.toBeEmpty();
        expect(await seen(page)).toEqual({ elements: 0, ran: false });
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog")).toBeHidden();
        for (const key of ["]", "ArrowDown", "c"]) await page.keyboard.press(key);
        await expect(page.getByRole("textbox").last()).toBeFocused();
        await page.keyboard.type("No.");
        await page.keyboard.press("Control+Enter");
        await expect(page.getByText(/^Sent back: “/).last()).toBeVisible();
        expect(await seen(page)).toEqual({ elements: 0, ran: false });
        await page.keyboard.press("F6");
    }
    expect(asked).toEqual([]);
});

test("control: were they markup, it would be seen", async ({ page }) => {
    const asked = strays(page);
    await open(page, "review", "hostile");
    // One that leads the whole page away would end the test.
    const staying = PAYLOADS.filter((payload) => !payload.includes("http-equiv"));
    await page.evaluate((payloads) => {
        for (const payload of payloads) {
            const place = document.createElement("div");
            document.querySelector("main")!.append(place);
            place.innerHTML = payload;
        }
    }, staying);
    await expect.poll(async () => (await seen(page)).ran).toBe(true);
    expect((await seen(page)).elements).toBeGreaterThan(40);
    await expect.poll(() => asked.length).toBeGreaterThan(3);
});
