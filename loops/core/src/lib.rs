//! Decides. Everything that Loopwright decides is decided here, purely: no I/O, no clock, no environment, no randomness.
//!
//! The engine observes, asks this crate what follows, and does it.

pub mod asked;
pub mod changed;
pub mod check;
pub mod chores;
pub mod circle;
pub mod definition;
pub mod desk;
pub mod diagnostic;
pub mod diff;
pub mod draft;
pub mod drill;
pub mod due;
pub mod exit;
pub mod finally;
pub mod finding;
pub mod fleet;
pub mod gate;
pub mod gateway;
pub mod hidden;
pub mod history;
pub mod ids;
pub mod independence;
pub mod keys;
pub mod known;
pub mod lease;
pub mod ledger;
pub mod money;
pub mod next;
pub mod notice;
pub mod patch;
pub mod progress;
pub mod recover;
pub mod review;
pub mod revise;
pub mod run;
pub mod scan;
pub mod scenario;
pub mod schedule;
pub mod scheduler;
pub mod simulate;
pub mod spend;
pub mod story;
pub mod system_files;
pub mod timing;
pub mod todo;
pub mod triage;
pub mod verdict;
pub mod wake;
pub mod watched;
pub mod why;

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}
