//! Loops on a virtual clock, through the real scheduler and a store that is thrown away.

mod chores;
mod fires;
mod jumps;
mod kills;
mod ledger;
mod missed;
mod overlap;
mod support;
mod weeks;
