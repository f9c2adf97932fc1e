// The first run, step by step. Each step really does what it says; none goes on by itself.
import { Asked } from "$lib/asked.svelte";
import { backend } from "$lib/backend";
import type { DryRun, FirstDraft, TimelineView } from "$lib/backend/types";

export const STEPS = {
    hello: "Welcome",
    here: "What's here",
    sample: "Sample",
    repository: "Your repository",
    plan: "What it would do",
    schedule: "Schedule",
    notify: "Notifications",
    done: "Done",
} as const;

export type Step = keyof typeof STEPS;

const ALL = Object.keys(STEPS) as Step[];

/** How often a run is looked at, in ms. */
const LOOK = 1000;

export class Welcome {
    step = $state<Step>("hello");
    /** The person wants to see the sample first. */
    sampling = $state(false);
    readonly order = $derived(this.sampling ? ALL : ALL.filter((step) => step !== "sample"));
    /** The run of the sample, once it was started. */
    readonly sample: Asked<TimelineView> = new Asked(() => this.timeline(this.sample.value?.row.run ?? ""));
    readonly here = new Asked(() => backend().call("welcome"));
    folder = $state("");
    readonly found = new Asked(() => backend().call("repositories", { folder: this.folder.trim() }));
    repo = $state("");
    template = $state<string | null>(null);
    readonly draft = new Asked<FirstDraft>(() => this.first(null));
    readonly dry = new Asked<DryRun>(() => this.look());
    /** Whether the loop starts by itself, and when next. */
    next = $state<string | null>(null);
    readonly schedule = new Asked(() => this.turnOn());

    go(step: Step): void {
        this.step = step;
        if (step === "here") void this.here.look();
        if (step === "done") void backend().call("welcome_done");
    }

    onward(): void {
        const after = this.order[this.order.indexOf(this.step) + 1];
        if (after) this.go(after);
    }

    /** Makes the sample and runs it. */
    async trySample(): Promise<void> {
        this.sample.asking = true;
        await this.sample.take(
            backend()
                .call("try_sample")
                .then(({ id }) => this.timeline(id)),
        );
        this.sample.asking = false;
    }

    /** Looks at the repository and drafts a loop for it. */
    async choose(repo: string): Promise<void> {
        this.repo = repo;
        this.template = null;
        await this.redraft();
    }

    async redraft(): Promise<void> {
        this.dry.value = undefined;
        this.dry.failed = undefined;
        this.schedule.failed = undefined;
        await this.draft.look();
        if (this.draft.value && !this.draft.failed) this.go("plan");
    }

    /** Registers the loop, only looking and paused, and runs it once. */
    async dryRun(): Promise<void> {
        if (!(await this.register())) return;
        const name = this.draft.value?.registered?.name;
        if (!name) return;
        this.dry.asking = true;
        await this.dry.take(
            backend()
                .call("dry_run", { name })
                .then(async (row) => backend().call("dry_run_so_far", { run: row.short })),
        );
        this.dry.asking = false;
    }

    /** Looks at what runs until it ends; the answer stops that. */
    follow(): () => void {
        const timer = setInterval(() => {
            if (document.hidden) return;
            if (this.dry.value && !this.dry.value.row.ended) void this.dry.look();
            if (this.sample.value && !this.sample.value.row.ended) void this.sample.look();
        }, LOOK);
        return () => clearInterval(timer);
    }

    private timeline(run: string): Promise<TimelineView> {
        return backend().call("timeline", { run });
    }

    private first(hash: string | null): Promise<FirstDraft> {
        return backend().call("first_loop", { repo: this.repo, template: this.template, hash });
    }

    /** Whether the loop is registered; its draft says why not. */
    private async register(): Promise<boolean> {
        if (this.draft.value?.registered) return true;
        return this.draft.take(this.first(this.draft.value?.hash ?? null));
    }

    private look(): Promise<DryRun> {
        return backend().call("dry_run_so_far", { run: this.dry.value?.row.short ?? "" });
    }

    private async turnOn(): Promise<string | null> {
        if (!(await this.register())) throw this.draft.failed;
        const { next } = await backend().call("turn_on", { name: this.draft.value?.registered?.name ?? "" });
        this.next = next;
        return next;
    }
}
