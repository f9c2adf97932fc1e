//! The arguments of the verbs that look back: runs, their logs, and what was spent.

use clap::Args;
use clap_complete::engine::ArgValueCandidates as Values;

use crate::complete;

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// Only runs of this loop
    #[arg(value_name = "LOOP", add = Values::new(complete::loops))]
    pub(crate) name: Option<String>,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A run's id, or `last`
    #[arg(default_value = "last", add = Values::new(complete::runs))]
    pub(crate) run: String,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// A run's id, or `last`
    #[arg(default_value = "last", add = Values::new(complete::runs))]
    pub(crate) run: String,
    /// Follows until the run ends
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct SpendArgs {
    /// This day
    #[arg(long)]
    pub(crate) today: bool,
    /// This week, from Monday on; so without any of these
    #[arg(long)]
    pub(crate) week: bool,
    /// This calendar month
    #[arg(long)]
    pub(crate) month: bool,
}
