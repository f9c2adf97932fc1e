// An answer of the backend that a part of a window shows: not there yet, there, or why not.
export class Asked<T> {
    value = $state.raw<T>();
    failed = $state.raw<unknown>();
    /** Whether it is being asked. */
    asking = $state(false);

    constructor(private readonly ask: () => Promise<T>) {}

    /** Asks again; what was there stays until the answer comes. */
    async look(): Promise<void> {
        this.asking = true;
        try {
            this.value = await this.ask();
            this.failed = undefined;
        } catch (error) {
            this.failed = error;
        } finally {
            this.asking = false;
        }
    }

    /** Takes an answer that came another way, or why there is none. */
    async take(answer: Promise<T>): Promise<boolean> {
        try {
            this.value = await answer;
            this.failed = undefined;
            return true;
        } catch (error) {
            this.failed = error;
            return false;
        }
    }
}
