//! `loopwright __run RUN`: the process of a run. Its watchdog starts it; people don't.

use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_engine::api::{self, ApiError};
use tracing_subscriber::EnvFilter;

use crate::App;
use crate::args::RunInnerArgs;

pub(crate) fn run(args: &RunInnerArgs, app: &App) -> Result<u8, ApiError> {
    let run = begun(&args.run)?;
    Ok(api::run_inner(&app.context, run, args.finding.clone()))
}

/// `loopwright __finally RUN`: what follows on its end.
pub(crate) fn finally(args: &RunInnerArgs, app: &App) -> Result<u8, ApiError> {
    let run = begun(&args.run)?;
    Ok(api::finally_inner(&app.context, run))
}

/// Reads the run's id, and begins to log for whoever looks into its directory.
fn begun(text: &str) -> Result<RunId, ApiError> {
    let run: RunId = text.parse().map_err(|e| ApiError {
        code: exit::USAGE,
        message: format!("`{text}` is no run's id: {e}"),
        hint: None,
    })?;
    let filter = EnvFilter::try_from_env("LOOPWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(run)
}
