import type { SpendCommands } from "$lib/backend/spend";
import type { Handlers } from "./index";

export const spend: Handlers<SpendCommands> = {};
