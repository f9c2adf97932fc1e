// The mock backend: a small Loopwright in memory, with state, limits and failures on request. Only in mock builds.
import type { Backend, Commands, Refusal } from "$lib/backend";
import { loops } from "./loops";
import { review } from "./review";
import { runs } from "./runs";
import { settings } from "./settings";
import { shared } from "./shared";
import { spend } from "./spend";
import { World } from "./world";

/** One function for each command. */
export type Handlers<Some> = {
    [C in keyof Some]: Some[C] extends { args: infer A; answer: infer R }
        ? (args: A, world: World) => R | Promise<R>
        : never;
};

declare global {
    interface Window {
        /** For tests: the world behind the mock. */
        loopwright?: World;
    }
}

/** What it shows is chosen by `?scene=`: `full`, `empty`, `failed`, `halted`, or a name that a test knows. */
export function mock(): Backend {
    const asked = new URLSearchParams(location.search);
    const world = new World(asked.get("scene") ?? "full");
    Object.assign(world.refuse, JSON.parse(asked.get("refuse") ?? "{}"));
    Object.assign(world.late, JSON.parse(asked.get("late") ?? "{}"));
    window.loopwright = world;
    const handlers: Handlers<Commands> = { ...shared, ...review, ...loops, ...runs, ...spend, ...settings };
    return {
        async call(command, ...given) {
            const asked: World["calls"][number] = { command, args: given[0] ?? {} };
            world.calls.push(asked);
            const refused: Refusal | undefined = world.refuse[command];
            if (refused) throw refused;
            const handler = handlers[command] as (args: unknown, world: World) => never;
            const answer = structuredClone(await handler(given[0] ?? {}, world));
            const late = world.late[command];
            if (late) await new Promise((resolve) => setTimeout(resolve, late));
            asked.answered = true;
            return answer;
        },
        onChange: (listener) => world.listen(listener),
        onShow: (listener) => world.listenShow(listener),
    };
}
