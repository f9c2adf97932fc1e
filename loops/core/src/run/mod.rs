//! A run is a fold over its journal: `event` is what is stored, `fold` the state that follows from it.
//!
//! What comes next is decided in [`crate::next`]; nothing here acts.

mod chores;
mod event;
mod fold;
mod revision;
mod step;

pub use chores::{Parked, Progress, Stand};
pub use event::{
    AgentLine, BuildResult, Built, Chores, Discovered, End, Entry, HaltWhy, Mode, Outcome, Queued, Ran, RanHow,
    Retries, RunEvent, RunStart, Shipped, VERSION,
};
pub use fold::{IllegalTransition, Item, Run, Stage};
pub use revision::{Revise, Revision};
pub use step::{HandOver, HoldBack, Step};
