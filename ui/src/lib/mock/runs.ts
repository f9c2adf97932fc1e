import type { RunsCommands } from "$lib/backend/runs";
import type { HistoryRow, LogPlace } from "$lib/backend/types";
import { CHECKING } from "./history";
import type { Handlers } from "./index";
import type { World } from "./world";

const PAGE = 65_536;

function row(world: World, run: string): HistoryRow {
    const found = world.history.rows.find((one) => one.run === run || one.short === run || run === "last");
    if (!found) throw { code: 2, message: `no run ${run}`, hint: "`loopwright runs` lists them" };
    return found;
}

function bounds(bytes: Uint8Array, place: LogPlace): [number, number] {
    const size = bytes.length;
    if (place === "end") return [Math.max(0, size - PAGE), size];
    if ("from" in place)
        return place.from > size ? bounds(bytes, "end") : [place.from, Math.min(size, place.from + PAGE)];
    return [Math.max(0, place.before - PAGE), place.before];
}

export const runs: Handlers<RunsCommands> = {
    history({ filter, after, count }, world) {
        const text = filter.text?.toLowerCase() ?? "";
        const found = world.history.rows.filter(
            (one) =>
                (!filter.of_loop || one.loop_name === filter.of_loop) &&
                (!filter.came || one.came === filter.came) &&
                `${one.loop_name} ${one.words} ${one.short ?? ""}`.toLowerCase().includes(text),
        );
        const from = Number(after ?? 0);
        const more = from + count < found.length;
        return { rows: found.slice(from, from + count), next: more ? String(from + count) : null, looked_to: null };
    },
    timeline: ({ run }, world) => world.history.timeline(row(world, run)),
    live_runs: (_, world) =>
        world.history.rows
            .filter((one) => world.history.lives(one))
            .map((one) => ({ run: one.run ?? "", phase: "building", pulse: world.history.pulse(), spent: 410_000 })),
    why_row({ id }, world) {
        const found = world.history.rows.find((one) => one.id === id);
        if (!found) throw { code: 2, message: "there is no such row in the history", hint: null };
        const sentence = `2026-11-22 09:00: ${found.short ? `run ${found.short} ` : ""}${world.history.why.get(id) ?? ""}.`;
        const command = found.short ? `loopwright show ${found.short}` : null;
        const answer = {
            due_at: found.due,
            until: null,
            times: 1,
            state: found.came,
            run: found.short,
            sentence,
            command,
        };
        return { loop_name: found.loop_name, zone: found.zone, answers: [answer] };
    },
    log_page({ run, file, place }, world) {
        const bytes = new TextEncoder().encode(
            file.startsWith("maker") ? world.history.log(row(world, run)) : file.startsWith("checker") ? CHECKING : "",
        );
        let [from, to] = bounds(bytes, place);
        const newline = 10;
        if (typeof place === "object" && "from" in place && to < bytes.length)
            to = bytes.lastIndexOf(newline, to - 1) + 1;
        if (!(typeof place === "object" && "from" in place) && from > 0) from = bytes.indexOf(newline, from) + 1;
        return { from, to, size: bytes.length, text: new TextDecoder().decode(bytes.slice(from, to)) };
    },
    log_find({ run, text, from, back }, world) {
        const whole = world.history.log(row(world, run)).toLowerCase();
        const places: number[] = [];
        for (
            let at = whole.indexOf(text.toLowerCase());
            at >= 0 && text;
            at = whole.indexOf(text.toLowerCase(), at + 1)
        ) {
            places.push(at);
        }
        if (places.length === 0) return { total: 0, nth: 0, at: 0 };
        const behind = places.findIndex((at) => at >= from);
        const nth = back
            ? ((behind < 0 ? places.length : behind) - 1 + places.length) % places.length
            : Math.max(0, behind);
        return { total: places.length, nth: nth + 1, at: places[nth] ?? 0 };
    },
};
