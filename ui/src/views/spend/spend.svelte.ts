// What the Spend window holds: one range of days, and the ceiling that is being changed.
import { backend, refusal } from "$lib/backend";
import type { Period, SpendRange, SpendView } from "$lib/backend/types";
import { money } from "$lib/format";
import { toast } from "$lib/toasts.svelte";

export class Spend {
    range = $state<SpendRange>("week");
    view = $state.raw<SpendView | null>(null);
    error = $state.raw<unknown>(null);
    private asked = 0;

    async look(): Promise<void> {
        const asked = ++this.asked;
        try {
            const view = await backend().call("spend", { range: this.range });
            if (asked !== this.asked) return;
            this.view = view;
            this.error = null;
        } catch (error) {
            if (asked === this.asked) this.error = error;
        }
    }

    choose(range: SpendRange): void {
        this.range = range;
        void this.look();
    }

    /** Sets a ceiling over all loops, and offers the way back. */
    async set(per: Period, amount: number | null): Promise<boolean> {
        try {
            const { before, after } = await backend().call("set_ceiling", { per, amount });
            const say = (micros: number | null): string => (micros === null ? "none" : money(micros));
            toast(`Ceiling a ${per}: ${say(before)} → ${say(after)}.`, () => void this.set(per, before), 10_000);
            await this.look();
            return true;
        } catch (error) {
            const said = refusal(error);
            toast(said.hint ? `${said.message}. ${said.hint}` : said.message);
            return false;
        }
    }
}

/** Amounts as they stand in the settings (`7 × $5/day`) as a person reads them: `7 × $5.00 a day`. */
export function amounts(words: string): string {
    return words.replaceAll(/\$(\d+(?:\.\d+)?)\/(day|week|month|run)/g, (whole, amount: string, per: string) => {
        const number = micros(amount);
        return number === null ? whole : `${money(number)} a ${per}`;
    });
}

/** `$12.50` or `12.5` in micro-dollars; none where it is no amount. */
export function micros(text: string): number | null {
    const found = /^\s*\$?\s*(\d{1,9})(?:[.,](\d{1,6}))?\s*$/.exec(text);
    if (!found) return null;
    return Number(found[1]) * 1_000_000 + Number((found[2] ?? "").padEnd(6, "0"));
}
