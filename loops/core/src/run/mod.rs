//! A run is a fold over its journal: `event` is what is stored, `fold` the state that follows from it.
//!
//! What comes next is decided in [`crate::next`]; nothing here acts.

mod event;
mod fold;
mod step;

pub use event::{
    AgentLine, BuildResult, Built, Discovered, End, Entry, HaltWhy, Mode, Outcome, Queued, Retries, Revise, Revision,
    RunEvent, RunStart, Shipped, VERSION,
};
pub use fold::{IllegalTransition, Item, Run, Stage};
pub use step::{HandOver, HoldBack, Step};
