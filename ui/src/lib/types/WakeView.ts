import type { WakeState } from "./WakeState";
export type WakeView = { state: WakeState, at: string | null, starts_at: string | null, loop_name: string | null, why: string | null, repair: string | null, };
