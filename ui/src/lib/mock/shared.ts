import type { SharedCommands } from "$lib/backend/shared";
import type { StatusView } from "$lib/backend/types";
import type { Handlers } from "./index";
import { loopsOf, row } from "./loops-world";
import type { World } from "./world";

function status(world: World): StatusView {
    return {
        halted: world.halted,
        scheduler: { health: "alive", pid: 4711, since: "2026-11-22T07:00:00Z", last_pass: null, fault: null },
        loops: loopsOf(world).map((loop) => row(loop).view),
        running: [],
        parked: [],
        lost: [],
        waiting: [],
        needs_you: [],
        ceilings: [],
        settings: null,
        drill: world.drill,
    } as unknown as StatusView;
}

export const shared: Handlers<SharedCommands> = {
    status: (_, world) => status(world),
    halt({ level }, world) {
        if (level.level === "run") {
            world.history.halt(level.which);
            world.changed();
            return { what: `run ${level.which.slice(-8)}`, stopped: 1, finishing: 0 };
        }
        world.halted = "from the window";
        world.changed();
        const what = level.level === "all" ? "everything" : `${level.level} ${level.which}`;
        return { what, stopped: 0, finishing: 0 };
    },
    resume(_, world) {
        world.halted = null;
        world.changed();
        return {} as never;
    },
    open_window: () => null,
    close_window: () => null,
    preferences: (_, world) => world.preferences,
    first_target: () => new URLSearchParams(location.search).get("target"),
};
