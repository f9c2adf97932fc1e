//! What a shell may fill in: the values that only the store knows. Verbs and options are clap's own.
//!
//! Whatever goes wrong here means no suggestions: a shell that completes is no place for an error.

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::CompletionCandidate as Candidate;
use clap_complete::env::Shells;
use loopwright_core::triage::plain;
use loopwright_engine::api::{self, Context};

use crate::args::Cli;

/// The variable by which a shell's script says that it asks.
const ASKS: &str = "LOOPWRIGHT_COMPLETE";

/// The program's name, as it is typed.
const NAME: &str = "loopwright";

/// As many runs are offered.
const RUNS: u32 = 20;

/// Answers a shell that asks for completions; whether one did.
pub(crate) fn asked() -> bool {
    let folder = std::env::current_dir().ok();
    let env = CompleteEnv::with_factory(Cli::command).var(ASKS).bin(NAME);
    // Something went wrong after a shell had asked: there is nobody who could read about it.
    env.try_complete(std::env::args_os(), folder.as_deref()).unwrap_or(true)
}

/// The script for a shell; `program` is what it will ask.
pub(crate) fn script(shell: &str, program: &str) -> Option<String> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    shells.completer(shell)?.write_registration(ASKS, "loopwright", NAME, program, &mut script).ok()?;
    String::from_utf8(script).ok()
}

/// The registered loops.
pub(crate) fn loops() -> Vec<Candidate> {
    let views = Context::look().and_then(|context| api::loops(&context).ok()).unwrap_or_default();
    views.into_iter().map(|view| candidate(view.name, &view.repo)).collect()
}

/// The shipped loops.
pub(crate) fn templates() -> Vec<Candidate> {
    api::templates().into_iter().map(|template| candidate(template.name, &template.summary)).collect()
}

/// Both.
pub(crate) fn loops_and_templates() -> Vec<Candidate> {
    loops().into_iter().chain(templates()).collect()
}

/// The newest runs.
pub(crate) fn runs() -> Vec<Candidate> {
    let rows = Context::look().and_then(|context| api::runs(&context, None, RUNS).ok()).unwrap_or_default();
    let last = std::iter::once(candidate("last".to_owned(), "the newest run"));
    last.chain(rows.into_iter().map(|row| candidate(row.short, &format!("{} {}", row.loop_name, row.started))))
        .collect()
}

/// The pull requests that wait.
pub(crate) fn pull_requests() -> Vec<Candidate> {
    let rows = Context::look().and_then(|context| api::reviews(&context, false).ok()).unwrap_or_default();
    rows.into_iter().map(|row| candidate(row.short, &row.title)).collect()
}

/// The stories of `simulate`.
pub(crate) fn stories() -> Vec<Candidate> {
    loopwright_core::simulate::STORIES.into_iter().map(Candidate::new).collect()
}

fn candidate(value: String, help: &str) -> Candidate {
    Candidate::new(value).help(Some(plain(help, 60).into()))
}
