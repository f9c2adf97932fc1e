import type { LoopsCommands } from "$lib/backend/loops";
import type { Handlers } from "./index";

export const loops: Handlers<LoopsCommands> = {};
