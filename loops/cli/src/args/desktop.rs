//! The verbs about what the system lends: the keychain, wake timers, starting at login.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What a person may ask about the keychain, wake timers and login.
#[derive(Debug, Subcommand)]
pub(crate) enum DesktopVerb {
    /// Stores a key in the keychain; without a provider, lists which keys there are
    #[command(after_help = "\
The key is asked for without being shown, or read from standard input with --stdin; it is never part of a command line.
Where there is no keychain, or it stays locked, nothing is stored: keys are never written to files.

Example: loopwright login anthropic\n         pass show openai | loopwright login openai --stdin")]
    Login(LoginArgs),
    /// Removes a provider's key from the keychain
    #[command(after_help = "Example: loopwright logout anthropic")]
    Logout(LogoutArgs),
    /// Says whether the computer will wake for loops with `wake: true`, and if not, why
    #[command(after_help = "\
The timer is set by the scheduler and ends with it. Where Loopwright has no right to set alarms, --units writes what gives
it to you, with a README; nothing is installed.

Example: loopwright wake\n         loopwright wake --units ~/loopwright-wake")]
    Wake(WakeArgs),
    /// Has the tray start when you log in, or not; without a word, says which
    #[command(after_help = "Example: loopwright autostart on")]
    Autostart(AutostartArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// For whom the key is, as in anthropic or openai
    pub(crate) provider: Option<String>,
    /// Reads the key from standard input instead of asking for it
    #[arg(long, requires = "provider")]
    pub(crate) stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    /// For whom the key is
    pub(crate) provider: String,
}

#[derive(Debug, Args)]
pub(crate) struct WakeArgs {
    /// Writes units for root to install into this folder
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(crate) units: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AutostartArgs {
    /// on or off
    #[arg(value_parser = ["on", "off"])]
    pub(crate) on: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Writes a unit of your own systemd that keeps the scheduler running, and says how to start it
    #[arg(long, conflicts_with = "uninstall")]
    pub(crate) install: bool,
    /// Removes that unit
    #[arg(long)]
    pub(crate) uninstall: bool,
}
