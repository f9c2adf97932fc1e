export type WakeState = "not_asked" | "armed" | "will_not_wake" | "never_sleeps";
