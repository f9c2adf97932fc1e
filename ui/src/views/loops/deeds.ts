// What a person does with a loop, with its toast; what is refused is said, and nothing else happens.
import { backend, refusal } from "$lib/backend";
import { toast } from "$lib/toasts.svelte";

/** Does it and says what was refused; whether it was done. */
export async function tried(act: () => Promise<unknown>): Promise<boolean> {
    try {
        await act();
        return true;
    } catch (error) {
        const { message, hint } = refusal(error);
        toast(hint ? `${message}. ${hint}` : message);
        return false;
    }
}

export function run(name: string): Promise<boolean> {
    return tried(async () => {
        await backend().call("run_loop", { name });
        toast(`Started ${name}.`);
    });
}

/** Lets a loop start by itself or not, with the way back. */
export async function turn(name: string, to: "on" | "off" | "tomorrow", again: () => void): Promise<void> {
    const done = await tried(() =>
        to === "on"
            ? backend().call("enable_loop", { name })
            : backend().call("pause_loop", { name, tomorrow: to === "tomorrow" }),
    );
    if (!done) return;
    again();
    const said = {
        on: `${name} starts by itself again.`,
        off: `${name} is off: nothing starts it by itself.`,
        tomorrow: `${name} is paused until tomorrow.`,
    };
    toast(said[to], () => void turn(name, to === "on" ? "off" : "on", again));
}
