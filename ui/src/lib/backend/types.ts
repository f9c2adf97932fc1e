// All generated types in one place, and the few that only the webview has.
export type { View } from "$lib/views";
export type * from "$lib/types";
