//! Loops on a virtual clock, through the real scheduler and a store that is thrown away.

#[cfg(test)]
mod chores;
#[cfg(test)]
mod fires;
#[cfg(test)]
mod held;
#[cfg(test)]
mod jumps;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod missed;
#[cfg(test)]
mod overlap;
#[cfg(test)]
mod printed;
#[cfg(test)]
mod reasons;
#[cfg(test)]
mod support;
#[cfg(test)]
mod weeks;
