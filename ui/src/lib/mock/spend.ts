import type { SpendCommands } from "$lib/backend/spend";
import type { SpendRow, SpendView } from "$lib/backend/types";
import type { Handlers } from "./index";
import type { World } from "./world";

function row(name: string, today: number, spent: number, merged: number, models: [string | null, number][]): SpendRow {
    return {
        loop_name: name,
        today,
        spent,
        day: name === "nightly-docs" ? null : 5_000_000,
        run: 2_000_000,
        month: null,
        merged,
        reverted: name === "deps" ? 2 : 0,
        per_merged: merged ? Math.floor(spent / merged) : null,
        models: models.map(([model, charged]) => ({ model, charged })),
    };
}

function rows(world: World): SpendRow[] {
    if (world.scene === "empty") return [];
    const hostile = world.scene === "hostile" ? "<b onclick=alert(1)>deps</b>" : "deps";
    return [
        row("daily-triage", 410_000, 3_100_000, 5, [
            ["claude-sonnet-5", 2_500_000],
            ["gpt-6-codex", 600_000],
        ]),
        row(hostile, 210_000, 1_020_000, 3, [["claude-sonnet-5", 1_020_000]]),
        row("sentry-fix", 0, 2_300_000, 0, [
            ["gpt-6-codex", 1_500_000],
            [null, 800_000],
        ]),
        row("nightly-docs", 0, 0, 0, []),
    ];
}

function view(world: World, range: SpendView["range"]): SpendView {
    const loops = rows(world);
    const spent = loops.reduce((sum, one) => sum + one.spent, 0);
    const day = world.ceilings.day;
    const ceiling = { today: day, week: day && day * 7, month: world.ceilings.month }[range];
    const words = range === "month" ? "$60/month" : `${range === "week" ? "7 × " : ""}$${(day ?? 0) / 1e6}/day`;
    return {
        range,
        from: "2026-11-16",
        to: "2026-11-22",
        zone: "Europe/Berlin",
        resets: "Mon 23 Nov 00:00 (Europe/Berlin)",
        ends: "2026-11-22T23:00:00Z",
        spent,
        reserved: spent ? 350_000 : 0,
        ceiling: ceiling ? { amount: ceiling, words } : null,
        pace: spent ? 11_000_000 : null,
        merged: spent ? 8 : 0,
        reverted: spent ? 2 : 0,
        per_merged: spent ? Math.floor(spent / 8) : null,
        ceilings: [day ? `$${day / 1e6}/day` : "", world.ceilings.month ? "$60/month" : ""].filter(Boolean),
        loops,
        models: [],
        unknown_prices:
            world.scene === "unpriced"
                ? [{ loop_name: "web", why: "`maker` names no price", help: "add `price: $0` if it costs nothing" }]
                : [],
        settings:
            world.scene === "unread" ? "settings.yaml is not valid: a budget is per run, day or month (1:13)" : null,
    };
}

export const spend: Handlers<SpendCommands> = {
    spend: ({ range }, world) => view(world, range),
    set_ceiling({ per, amount }, world) {
        const which = per === "month" ? "month" : "day";
        const before = world.ceilings[which];
        world.ceilings[which] = amount;
        world.changed();
        return { before, after: amount, path: "~/.config/loopwright/settings.yaml" };
    },
};
