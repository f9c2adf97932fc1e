//! Loops on a virtual clock, through the real scheduler and a store that is thrown away.

mod support;
mod weeks;
