import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vitest/config";

// The mock backend is only in a build of mode "mock" (the dev server and the browser tests); what ships has none of it.
export default defineConfig(({ mode }) => ({
    plugins: [svelte(), tailwindcss()],
    base: "./",
    resolve: { alias: { $lib: fileURLToPath(new URL("./src/lib", import.meta.url)) } },
    define: { __MOCK__: JSON.stringify(mode !== "production") },
    build: {
        target: "safari16",
        outDir: mode === "mock" ? "dist-mock" : "dist",
        emptyOutDir: true,
        modulePreload: { polyfill: false },
    },
    // What is pure is tested here; what is drawn, by Playwright in tests/.
    test: { include: ["src/**/*.test.ts"] },
    server: { port: 5173, strictPort: true },
}));
