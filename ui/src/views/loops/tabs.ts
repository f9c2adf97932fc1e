// What is shown of a loop.

export const TABS = ["Overview", "Schedule", "YAML"] as const;
export type Tab = (typeof TABS)[number];
