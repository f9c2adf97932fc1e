//! The arguments of the verbs about time: when loops start, and why they did or did not.

use clap::Args;
use clap_complete::engine::ArgValueCandidates as Values;

use crate::complete;

#[derive(Debug, Args)]
pub(crate) struct NextArgs {
    /// Only this loop
    #[arg(value_name = "LOOP", add = Values::new(complete::loops))]
    pub(crate) name: Option<String>,
    /// The next so many due times of all loops together, a line each
    #[arg(short = 'n', long = "count", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) count: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The loop's name
    #[arg(value_name = "LOOP", add = Values::new(complete::loops))]
    pub(crate) name: String,
    /// The due time; default: the last and the next
    #[arg(value_name = "WHEN")]
    pub(crate) when: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EnableArgs {
    /// The loop's name
    #[arg(value_name = "LOOP", add = Values::new(complete::loops))]
    pub(crate) name: String,
}
