//! Whole-binary tests: what they share. The tests themselves are in `tests/`.

pub mod faults;
pub mod nasty;
pub mod stage;
