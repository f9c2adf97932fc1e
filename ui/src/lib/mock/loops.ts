import type { LoopsCommands } from "$lib/backend/loops";
import type { Changed, Form, FormFault, LoopDraft, TemplateView } from "$lib/backend/types";
import schema from "../../../../loops/core/schema/loop.schema.json?raw";
import type { Handlers } from "./index";
import { diagnostics, form, next, retimed, words } from "./loops-text";
import { detail, hash, loopsOf, row, text, type MockLoop } from "./loops-world";
import type { World } from "./world";

function find(world: World, name: string): MockLoop {
    const found = loopsOf(world).find((loop) => loop.name === name);
    if (!found) throw { code: 2, message: `no loop ${name}`, hint: "`loopwright status` lists them" };
    return found;
}

function faults(form: Form): FormFault[] {
    const times = "times" in form.preset ? form.preset.times : [];
    const said = (field: string, index: number, message: string, help: string): FormFault =>
        ({ field, index, column: 1, message, help }) as FormFault;
    const bad = times.flatMap((time, at) =>
        /^([01]?\d|2[0-3]):[0-5]\d$/.test(time)
            ? []
            : [said("times", at, `\`${time}\` is no time of the day`, "write hours and minutes, 00:00 to 23:59")],
    );
    const zone = !form.timezone || Intl.supportedValuesOf("timeZone").includes(form.timezone);
    return zone ? bad : [...bad, said("timezone", 0, `\`${form.timezone}\` is no time zone`, "as in Europe/Berlin")];
}

function changed(before: string, after: string): Changed[] {
    const [old, now] = [before.split("\n"), after.split("\n")];
    let from = 0;
    while (from < old.length && old[from] === now[from]) from += 1;
    let back = 0;
    while (back < Math.min(old.length, now.length) - from && old.at(-1 - back) === now.at(-1 - back)) back += 1;
    const [removed, added] = [old.slice(from, old.length - back), now.slice(from, now.length - back)];
    return removed.length + added.length > 0 ? [{ line: from + 1, removed, added }] : [];
}

function draft(given: string, base: string, asked: Form | null): LoopDraft {
    const wrong = asked ? faults(asked) : [];
    const written = asked && wrong.length === 0 ? retimed(given, asked) : given;
    const problems = diagnostics(written);
    const valid = problems.length === 0;
    const found = form(written);
    const abroad = found.timezone !== "" && found.timezone !== "Europe/Berlin";
    const night = "times" in found.preset && found.preset.times.includes("02:30");
    return {
        text: written,
        valid,
        diagnostics: problems,
        form: valid ? found : null,
        faults: wrong,
        refused: null,
        words: valid ? words(found.preset) : "",
        zone: found.timezone || "Europe/Berlin",
        computer: "Europe/Berlin",
        next: valid ? next(found.preset, abroad) : [],
        shifts: night ? ["28 Mar 02:30 doesn't exist; runs 03:00"] : [],
        changed: changed(base, written),
    };
}

const TEMPLATES: TemplateView[] = (
    [
        ["daily-triage", "Every weekday morning: fixes what is red or untidy, and hands you what it can't fix."],
        ["report", "Every weekday morning: lists open issues; changes nothing."],
        ["nightly-backup", "Every night at 02:30: copies a folder, and says what changed."],
    ] as const
).map(([name, summary]) => {
    const head = `# ${summary}\n${text(name, 'trigger: cron("0 9 * * MON-FRI")\n')}`;
    return {
        name,
        summary,
        text: name === "nightly-backup" ? head.replace("- discover:", "- run:") : head,
        beside: [],
    };
});

function add(world: World, name: string, written: string): MockLoop {
    const made = {
        name,
        text: written,
        confirmed: hash(written),
        paused: false,
        until: null,
        shared: false,
        pullRequests: 0,
        spent: 0,
    };
    loopsOf(world).push(made);
    loopsOf(world).sort((a, b) => a.name.localeCompare(b.name));
    world.changed();
    return made;
}

function turn(world: World, name: string, paused: boolean, until: string | null = null) {
    const loop = find(world, name);
    loop.paused = paused;
    loop.until = until;
    world.changed();
    return {
        loop_name: name,
        paused_at: paused ? "2026-11-22T12:00:00Z" : null,
        paused_until: until,
        changed: true,
        skipped: 0,
        next: null,
    };
}

export const loops: Handlers<LoopsCommands> = {
    loop_list: (_, world) => loopsOf(world).map(row),
    loop_detail: ({ name }, world) => detail(find(world, name)),
    draft_loop: ({ request }) => draft(request.text, request.base, request.form),
    simulate_draft({ text }) {
        const lines = next(form(text).preset, false).map((time) => ({ at: time.shown, text: "would start" }));
        return { days: 7, lines, more: 0 };
    },
    save_loop({ name, text, base }, world) {
        const loop = find(world, name);
        const now = loop.text ?? "";
        if (hash(now) !== base) return { outcome: "changed_on_disk", text: now, hash: hash(now) };
        loop.text = text;
        if (!loop.shared) loop.confirmed = hash(text);
        world.changed();
        const left = loop.shared ? "Written to the working tree. It counts once it is committed and confirmed." : null;
        return { outcome: "saved", detail: detail(loop), left };
    },
    confirm_loop({ name, hash }, world) {
        find(world, name).confirmed = hash;
        world.changed();
        return null;
    },
    pause_loop: ({ name, tomorrow }, world) => turn(world, name, true, tomorrow ? "2026-11-23T00:00:00+01:00" : null),
    enable_loop: ({ name }, world) => turn(world, name, false),
    run_loop({ name }, world) {
        if (world.halted) throw { code: 10, message: `halted: ${world.halted}; nothing starts`, hint: "Resume first" };
        const begun = world.history.start(name);
        world.changed();
        return begun.run ?? "";
    },
    delete_loop({ name, typed }, world) {
        if (typed !== name) throw { code: 2, message: "nothing was deleted", hint: `type ${name}` };
        loopsOf(world).splice(loopsOf(world).indexOf(find(world, name)), 1);
        world.changed();
        return { name, moved: `/home/ada/.local/share/loopwright/deleted/${name}`, left: null };
    },
    loop_templates: () => TEMPLATES,
    new_loop({ new: { template, name } }) {
        const called = name ?? template;
        const found = TEMPLATES.find((one) => one.name === template)?.text ?? "";
        const written = found.replace(`name: ${template}`, `name: ${called}`);
        const path = `/home/ada/.config/loopwright/loops/${called}/loop.yaml`;
        const plan = ["Finds red builds and issues.", "At most $5.00 a run."];
        return { name: called, path, text: written, hash: hash(written), plan, missing: [], existing: false };
    },
    create_loop({ new: { template, name } }, world) {
        const called = name ?? template;
        const found = TEMPLATES.find((one) => one.name === template)?.text ?? "";
        return detail(add(world, called, found.replace(`name: ${template}`, `name: ${called}`)));
    },
    create_written({ text }, world) {
        const [first] = diagnostics(text);
        const name = /^name: (.*)$/m.exec(text)?.[1];
        if (first || !name)
            throw { code: 3, message: "nothing was saved: the text is no valid loop", hint: first?.diagnostic.message };
        return detail(add(world, name, text));
    },
    loop_schema: () => schema,
};
