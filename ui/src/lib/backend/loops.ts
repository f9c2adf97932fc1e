// What the Loops window asks for.
import type {
    DraftRequest,
    EnableView,
    LoopDeleted,
    LoopDetail,
    LoopDraft,
    LoopListRow,
    LoopSaved,
    NewLoop,
    NewLoopView,
    SimulatedDraft,
    TemplateView,
} from "./types";

export interface LoopsCommands {
    loop_list: { args: Record<never, never>; answer: LoopListRow[] };
    loop_detail: { args: { name: string }; answer: LoopDetail };
    /** What a text comes to, with the change of the form where one is given. */
    draft_loop: { args: { request: DraftRequest }; answer: LoopDraft };
    simulate_draft: { args: { text: string }; answer: SimulatedDraft };
    /** Replaces the file if it is still the one with the hash `base`. */
    save_loop: { args: { name: string; text: string; base: string }; answer: LoopSaved };
    /** Confirms a file that changed outside; answers what is left to do. */
    confirm_loop: { args: { name: string; hash: string }; answer: string | null };
    /** Until tomorrow, or until a person says so. */
    pause_loop: { args: { name: string; tomorrow: boolean }; answer: EnableView };
    enable_loop: { args: { name: string }; answer: EnableView };
    /** Starts it now; the run's id. */
    run_loop: { args: { name: string }; answer: string };
    delete_loop: { args: { name: string; typed: string }; answer: LoopDeleted };
    loop_templates: { args: Record<never, never>; answer: TemplateView[] };
    new_loop: { args: { new: NewLoop }; answer: NewLoopView };
    create_loop: { args: { new: NewLoop; hash: string }; answer: LoopDetail };
    create_written: { args: { text: string }; answer: LoopDetail };
    /** The JSON Schema of loop.yaml. */
    loop_schema: { args: Record<never, never>; answer: string };
}
