//! Whole-binary tests: what they share. The tests themselves are in `tests/`.

pub mod crash;
pub mod nasty;
pub mod stage;
