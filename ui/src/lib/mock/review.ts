import type { ReviewCommands } from "$lib/backend/review";
import type { Handlers } from "./index";

export const review: Handlers<ReviewCommands> = {};
