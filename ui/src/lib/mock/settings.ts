import type { SettingsCommands } from "$lib/backend/settings";
import type { Handlers } from "./index";

export const settings: Handlers<SettingsCommands> = {};
