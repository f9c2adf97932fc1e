// Browser tests: the windows on the mock backend, in the Chromium of the system, by keyboard and with axe.
import { defineConfig } from "@playwright/test";

/** A port of this checkout's own, so that two checkouts can be tested at the same time. */
function port(): number {
    const given = process.env["LOOPWRIGHT_UI_PORT"];
    if (given) return Number(given);
    let sum = 0;
    for (const letter of import.meta.dirname) sum = (sum * 31 + letter.charCodeAt(0)) % 20_000;
    return 20_000 + sum;
}

const PORT = port();

export default defineConfig({
    testDir: "tests",
    fullyParallel: true,
    retries: 0,
    workers: "100%",
    timeout: 60_000,
    expect: { timeout: 5_000 },
    reporter: [["list"]],
    use: {
        baseURL: `http://127.0.0.1:${PORT}`,
        browserName: "chromium",
        viewport: { width: 1180, height: 760 },
        timezoneId: "Europe/Berlin",
        locale: "en-GB",
        launchOptions: {
            executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
            // The network of a test machine may be closed: a browser that looks for updates fills it with refusals.
            args: [
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        },
    },
    webServer: {
        command: `npx vite build --mode mock --logLevel warn && npx vite preview --mode mock --outDir dist-mock --host 127.0.0.1 --port ${PORT} --strictPort`,
        url: `http://127.0.0.1:${PORT}`,
        reuseExistingServer: false,
        timeout: 120_000,
    },
});
