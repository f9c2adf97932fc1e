// The windows: their names, in the order of Ctrl+1…5.

export const WINDOWS = ["review", "loops", "runs", "spend", "settings"] as const;

/** A window; `welcome` and `quit` have no key. */
export type View = (typeof WINDOWS)[number] | "welcome" | "quit";

export const TITLES: Record<View, string> = {
    review: "Review",
    loops: "Loops",
    runs: "Runs",
    spend: "Spend",
    settings: "Settings",
    welcome: "Welcome",
    quit: "Quit Loopwright",
};

export function isView(name: string): name is View {
    return name in TITLES;
}
