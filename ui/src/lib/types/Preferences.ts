import type { Appearance } from "./Appearance";
export type Preferences = { appearance: Appearance, single_keys: boolean };
