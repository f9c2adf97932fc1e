// Measures the long lists of the windows in the Chromium of the system, on the mock backend: a scroll through 10,000 runs,
// and the first screen of a change of 10,000 lines beside that of 100. Prints a table, writes target/bench/windows.json,
// and ends with 1 where a bound is broken. tests/bench/README.md says how to read it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { build, preview } from "vite";

const PASSES = 7;
const SCREENS = 21;
/** The longest that anything is waited for, in ms. */
const LIMIT = 60_000;
/** Rows that a frame scrolls on: all 10,000 pass by in 1,000 frames, and none is skipped. */
const ROWS = 10;

function load() {
    try {
        return readFileSync("/proc/loadavg", "utf8").split(" ")[0];
    } catch {
        return null;
    }
}

function series(name, samples) {
    const sorted = samples.toSorted((a, b) => a - b);
    const last = sorted.length - 1;
    const median = (sorted[Math.floor(last / 2)] + sorted[Math.ceil(last / 2)]) / 2;
    const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1];
    return { name, unit: "ms", samples, min: sorted[0], median, p99, max: sorted[last] };
}

function bound(name, figure, limit, peer = null) {
    return { name, unit: "ms", figure, peer, ratio: peer && figure / peer, limit, holds: figure <= limit };
}

async function open(browser, view, scene) {
    const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT);
    await page.goto(`${address}?view=${view}&scene=${scene}`);
    return page;
}

/** Scrolls through all runs, a step in each frame, as they are read; answers how long each frame took. */
async function scroll(browser) {
    const page = await open(browser, "runs", "many");
    await page.locator("[role=option]").first().waitFor();
    const frames = await page.evaluate(async (rows) => {
        const list = document.querySelector("[role=listbox]");
        const high = document.querySelector("[role=option]").offsetHeight;
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        const took = [];
        // What starting costs is measured elsewhere.
        for (let rest = 0; rest < 60; rest++) await frame();
        let before = await frame();
        const step = async (by) => {
            list.scrollTop += by * rows * high;
            const now = await frame();
            took.push(now - before);
            before = now;
        };
        const atEnd = () => list.scrollTop + list.clientHeight >= list.scrollHeight - 1;
        const last = () => document.querySelector(`[aria-posinset="10000"]`) !== null;
        while (!last()) {
            if (took.length > 20_000) throw new Error(`the last row never came; row ${list.scrollTop / high} did`);
            await step(atEnd() ? 0 : 1);
        }
        while (list.scrollTop > 0) await step(-1);
        return took;
    }, ROWS);
    await page.context().close();
    return frames;
}

/** From the click on a pull request to the frame behind the one with its first screen, turn by turn. */
async function screens(browser) {
    const page = await open(browser, "review", "sizes");
    const times = { 10000: [], 100: [] };
    await page.locator("[data-diff] .line").first().waitFor();
    for (let turn = 0; turn <= SCREENS; turn++) {
        for (const lines of [100, 10_000]) {
            const took = await page.evaluate(first, lines);
            // The first turn makes what the browser keeps.
            if (turn > 0) times[lines].push(took);
        }
    }
    await page.context().close();
    return times;
}

/** In the page: chooses a change and waits until its screen is full of lines, and painted. */
async function first(lines) {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const row = [...document.querySelectorAll("[role=option]")].find(
        (one) => one.title === `A change of ${lines} lines`,
    );
    const began = performance.now();
    row.click();
    for (;;) {
        await frame();
        const diff = document.querySelector("[data-diff]");
        const drawn = [...(diff?.querySelectorAll(".line") ?? [])].filter((line) => line.textContent.trim());
        const named = diff?.textContent.includes(`src/of_${lines}.rs`);
        if (named && drawn.length * 18 >= diff.clientHeight - 64) break;
        if (performance.now() - began > 10_000) throw new Error(`a change of ${lines} lines does not come`);
    }
    await frame();
    return performance.now() - began;
}

function print({ processors, load: [before, after], series: all, bounds }) {
    const figures = (numbers) => numbers.map((number) => number.toFixed(2).padStart(10)).join(" ");
    console.log(`${processors} processors; load ${before ?? "unknown"} before, ${after ?? "unknown"} after\n`);
    const head = ["min", "median", "p99", "max"].map((word) => word.padStart(10)).join(" ");
    console.log(`${"".padEnd(58)} ${"n".padStart(4)} ${head}`);
    for (const { name, unit, samples, min, median, p99, max } of all) {
        const count = String(samples.length).padStart(4);
        console.log(`${name.padEnd(58)} ${count} ${figures([min, median, p99, max])} ${unit}`);
    }
    console.log();
    for (const { name, unit, figure, limit, ratio, holds } of bounds) {
        const beside = ratio ? `  (${ratio.toFixed(2)} x its peer)` : "";
        const figures = `${figure.toFixed(1).padStart(8)} ${unit} of ${limit.toFixed(1)} ${unit}${beside}`;
        console.log(`${holds ? "kept  " : "BROKEN"} ${name.padEnd(58)} ${figures}`);
    }
}

process.chdir(import.meta.dirname);
const before = load();
await build({ mode: "mock", logLevel: "warn" });
const server = await preview({ mode: "mock", build: { outDir: "dist-mock" }, preview: { host: "127.0.0.1", port: 0 } });
const address = server.resolvedUrls.local[0];
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // A frame begins when the one before is done, so that it takes as long as its work, not up to the next beat of a screen.
    args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-gpu-vsync",
        "--disable-frame-rate-limit",
        "--disable-background-networking",
    ],
});

const passes = [];
for (let pass = 0; pass < PASSES; pass++) passes.push(await scroll(browser));
const times = await screens(browser);
await browser.close();
await server.close();

const frames = series("runs: a frame while 10,000 scroll by", passes.flat());
const longest = series(
    "  the longest frame of each pass",
    passes.map((pass) => Math.max(...pass)),
);
const long = series("review: first screen of 10,000 lines", times[10000]);
const short = series("  peer: first screen of 100 lines", times[100]);
const report = {
    processors: cpus().length,
    load: [before, load()],
    series: [frames, longest, long, short],
    bounds: [
        bound("10,000 runs: the longest frame of all, 33 ms", longest.max, 33),
        bound("10,000 lines: first screen, 300 ms", long.median, 300),
        bound("10,000 lines: first screen, 1.5 x that of 100", long.median, 1.5 * short.median, short.median),
    ],
};
const target = join(process.env.CARGO_TARGET_DIR ?? "../target", "bench");
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "windows.json"), `${JSON.stringify(report, null, 2)}\n`);
print(report);
process.exit(report.bounds.every((one) => one.holds) ? 0 : 1);
