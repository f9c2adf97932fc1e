// What the Settings window knows: what is set, how each change went, what the agents answered.
import { backend, refusal, type Refusal } from "$lib/backend";
import type { AgentTest, SettingsView } from "$lib/backend/types";
import { toast } from "$lib/toasts.svelte";

export const SECTIONS = {
    agents: "Agents",
    credentials: "Credentials",
    wake: "Wake and login",
    notifications: "Notifications",
    limits: "Limits",
    appearance: "Appearance and keys",
    safety: "Safety",
    doctor: "Doctor",
} as const;

export type Section = keyof typeof SECTIONS;

export function isSection(name: string | null): name is Section {
    return name !== null && name in SECTIONS;
}

/** How long a change can be taken back by its toast, in ms. */
const UNDO = 20_000;

export class Settings {
    section = $state<Section>("agents");
    view = $state.raw<SettingsView>();
    failed = $state.raw<unknown>();
    /** What is wrong with the value that was last given for a key. */
    wrong = $state<Record<string, string>>({});
    tests = $state<Record<string, AgentTest | "asked">>({});

    private asked = 0;

    async look(): Promise<void> {
        const asked = ++this.asked;
        try {
            const view = await backend().call("settings_view");
            if (asked !== this.asked) return;
            this.view = view;
            this.failed = undefined;
        } catch (error) {
            if (asked === this.asked) this.failed = error;
        }
    }

    /**
     * Sets a key to YAML in one line; the toast names what it was and takes it back. What did not stand in the
     * file was what holds without it.
     */
    async change(key: string, value: string | null, label: string, was?: string): Promise<void> {
        const held = was ?? holds(this.view, key);
        delete this.wrong[key];
        try {
            const { before } = await backend().call("change_setting", { key, value });
            await this.look();
            if (before !== value) {
                toast(
                    `${label} changed. It was ${was ?? before ?? held}.`,
                    () => void this.undo(key, before, label),
                    UNDO,
                );
            }
        } catch (error) {
            this.wrong[key] = sentence(refusal(error));
            await this.look();
        }
    }

    /** Asks an agent for its version, in the sandbox. */
    async test(program: string): Promise<void> {
        this.tests[program] = "asked";
        try {
            this.tests[program] = await backend().call("test_agent", { program });
        } catch (error) {
            this.tests[program] = { program, works: false, said: sentence(refusal(error)) };
        }
    }

    private async undo(key: string, before: string | null, label: string): Promise<void> {
        try {
            await backend().call("change_setting", { key, value: before });
            toast(`${label} is as it was.`);
        } catch (error) {
            this.wrong[key] = sentence(refusal(error));
        }
        await this.look();
    }
}

/** What a key comes to, whether it stands in the file or not, in the words of the file. */
function holds(view: SettingsView | undefined, key: string): string {
    const name = key.replace(/^notifications\./, "");
    if (name === "agents") return view?.agents.map((one) => one.program).join(", ") || "as they were found";
    const value = view?.[name as keyof SettingsView];
    if (Array.isArray(value)) return value.join(", ") || "none";
    if (typeof value === "boolean") return value ? "on" : "off";
    return typeof value === "string" || typeof value === "number" ? String(value) : "off";
}

export function sentence({ message, hint }: Refusal): string {
    return hint ? `${message}: ${hint}` : message;
}
