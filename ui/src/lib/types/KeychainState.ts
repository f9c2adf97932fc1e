export type KeychainState = "ready" | "absent" | "locked" | "slow" | "denied" | "failed";
