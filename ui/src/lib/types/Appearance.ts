export type Appearance = "system" | "light" | "dark";
