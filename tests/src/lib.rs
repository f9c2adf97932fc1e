//! Whole-binary tests.

pub mod nasty;
