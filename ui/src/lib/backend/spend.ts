// What the Spend window asks for.
import type { CeilingSet, Period, SpendRange, SpendView } from "./types";

export interface SpendCommands {
    /** What was spent in a range of days around now. */
    spend: { args: { range: SpendRange }; answer: SpendView };
    /** Sets a ceiling over all loops in settings.yaml; null takes it away. */
    set_ceiling: { args: { per: Period; amount: number | null }; answer: CeilingSet };
}
