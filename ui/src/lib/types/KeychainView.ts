import type { KeychainState } from "./KeychainState";
export type KeychainView = { state: KeychainState, why: string | null, repair: string | null, };
