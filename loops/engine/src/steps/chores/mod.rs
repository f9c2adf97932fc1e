//! Chores: what is observed for them, and how one try of a `run:` step is made.
//!
//! Which of them is next is decided in `core::chores`.

mod seen;

pub use seen::observed;
