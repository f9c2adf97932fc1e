//! The port `Agent`: whoever makes or checks a change.

pub mod command;
pub mod fixer;
pub mod prompt;
pub mod rebase;
mod suggestions;

use std::collections::BTreeMap;
use std::path::PathBuf;

use loopwright_core::check::Ended;
use loopwright_core::finding::Finding;
use loopwright_core::money::Micros;
use loopwright_core::verdict::AgentResult;

use crate::sandbox::{Mount, Sandbox};

/// What an agent is asked to do.
#[derive(Clone, Debug)]
pub struct Order {
    /// What it is asked to be.
    pub role: Role,
    /// What it reads on standard input.
    pub prompt: String,
    /// What it works on.
    pub finding: Finding,
    /// The working tree on the host; `/workspace` inside (read-only for a checker).
    pub workspace: PathBuf,
    /// Which round this is, from 1.
    pub iteration: u32,
    /// Why the last round was not accepted.
    pub reasons: Vec<String>,
    /// Variables of the loop's `env:`.
    pub env: BTreeMap<String, String>,
    /// What else it may see (prepared dependencies, the base objects).
    pub mounts: Vec<Mount>,
    /// Folder of the engine's where its raw streams are kept.
    pub raw: PathBuf,
}

/// What an agent is asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Makes the change.
    Maker,
    /// Judges it.
    Checker,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct AgentReport {
    /// How it ended.
    pub ended: Ended,
    /// What it says of itself.
    pub result: AgentResult,
    /// The end of its output, for people.
    pub tail: String,
}

/// What is known of an agent before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentFacts {
    /// Its name in the loop.
    pub name: String,
    /// What kind it is, for people: `fixer (built in)`, `command ./fix.sh`.
    pub kind: String,
    /// Its model; none = deterministic.
    pub model: Option<String>,
    /// Whose model that is, if the loop says so.
    pub vendor: Option<String>,
    /// The most that one attempt costs.
    pub price: Micros,
}

/// Whoever makes or checks a change.
pub trait Agent: Send + Sync {
    /// What is known before it starts.
    fn facts(&self) -> AgentFacts;

    /// Carries out an order inside the sandbox.
    ///
    /// # Errors
    /// Only what lies outside of the box; a hanging, flooding or failing agent is a report.
    fn run(&self, order: &Order, sandbox: &dyn Sandbox) -> anyhow::Result<AgentReport>;
}
