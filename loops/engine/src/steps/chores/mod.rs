//! Chores: what is observed for them, and how one try of a `run:` step is made.
//!
//! Which of them is next is decided in `core::chores`; when, by the runner.

mod attempt;
mod seen;

pub use attempt::{Attempt, Site, Tried, shared};
pub use seen::observed;
