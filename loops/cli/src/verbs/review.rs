//! `loopwright review ID`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::ReviewArgs;
use crate::render::review;

pub(crate) fn run(args: &ReviewArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::review(&app.context, &args.id)?;
    app.output.answer(&view, |page| review::review(page, &view))?;
    Ok(exit::DONE)
}
