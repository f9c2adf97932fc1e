// What the Settings, Welcome and Quit windows ask for.
import type {
    AgentTest,
    ChangedSetting,
    CredentialsView,
    DoctorRow,
    DrillView,
    DryRun,
    EnableView,
    FirstDraft,
    LoginItemView,
    RunRow,
    SettingsView,
    WakeView,
    WelcomeView,
} from "./types";

type Nothing = Record<never, never>;

export interface SettingsCommands {
    settings_view: { args: Nothing; answer: SettingsView };
    /** `value` is YAML in one line; null takes the key away. */
    change_setting: { args: { key: string; value: string | null }; answer: ChangedSetting };
    /** Asks an agent for its version, in the sandbox. */
    test_agent: { args: { program: string }; answer: AgentTest };
    doctor: { args: Nothing; answer: DoctorRow[] };
    /** Tries the kill switch on a run that is made for it; takes some seconds. */
    drill: { args: Nothing; answer: DrillView };
    welcome: { args: Nothing; answer: WelcomeView };
    welcome_done: { args: Nothing; answer: null };
    /** Git repositories in a folder. */
    repositories: { args: { folder: string }; answer: string[] };
    /** Drafts a loop; with the hash of the draft, registers it, only looking and paused. */
    first_loop: { args: { repo: string; template: string | null; hash: string | null }; answer: FirstDraft };
    dry_run: { args: { name: string }; answer: RunRow };
    dry_run_so_far: { args: { run: string }; answer: DryRun };
    /** Makes the sample, if it is not there yet, and starts a run of it. */
    try_sample: { args: Nothing; answer: RunRow };
    turn_on: { args: { name: string }; answer: EnableView };
    credentials: { args: Nothing; answer: CredentialsView };
    /** Stores a key in the keychain; it is in no file, no log and no answer. */
    login: { args: { name: string; secret: string }; answer: CredentialsView };
    logout: { args: { name: string }; answer: CredentialsView };
    unlock_keychain: { args: Nothing; answer: CredentialsView };
    wake: { args: Nothing; answer: WakeView };
    login_item: { args: Nothing; answer: LoginItemView };
    set_login_item: { args: { on: boolean }; answer: LoginItemView };
    /** Shows a notification that means nothing. */
    test_notice: { args: Nothing; answer: null };
    /** Ends the tray; with `pause`, no loop starts by itself any more. */
    quit: { args: { pause: boolean }; answer: null };
}
