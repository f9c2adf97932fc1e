//! `loopwright review ID`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::ReviewArgs;
use crate::commands::command;
use crate::output::usage_error;
use crate::render::review;

pub(crate) fn run(args: &ReviewArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::review(&app.context, &args.id)?;
    if args.since && view.since.is_none() {
        let hint = format!("`{}` shows the whole change", command(&format!("review {}", args.id)));
        return Err(usage_error("it was not updated since it was opened", hint));
    }
    app.output.answer(&view, |page| review::review(page, &view, args.since, app.zone, app.context.now))?;
    Ok(exit::DONE)
}
