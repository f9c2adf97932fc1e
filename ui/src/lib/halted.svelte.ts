// Whether everything is halted, as every window knows it: the bar above it looks, what would start something reads it here.

class Halted {
    /** Since when and from where; none = nothing is halted. */
    cause = $state<string | null>(null);

    /** Why nothing can be started now. */
    get why(): string | undefined {
        return this.cause === null ? undefined : "Everything is halted: resume first";
    }
}

export const halted = new Halted();
