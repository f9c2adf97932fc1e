import type { RunsCommands } from "$lib/backend/runs";
import type { Handlers } from "./index";

export const runs: Handlers<RunsCommands> = {};
