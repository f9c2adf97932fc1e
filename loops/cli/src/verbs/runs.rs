//! `loopwright runs [LOOP]`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::RunsArgs;
use crate::render::runs;

pub(crate) fn run(args: &RunsArgs, app: &App) -> Result<u8, ApiError> {
    let rows = api::runs(&app.context, args.name.as_deref(), args.limit)?;
    app.output.answer(&rows, |page| {
        if rows.is_empty() {
            page.line("No run yet.");
        }
        runs::rows(page, 0, &rows, app.zone, app.context.now);
    })?;
    Ok(exit::DONE)
}
