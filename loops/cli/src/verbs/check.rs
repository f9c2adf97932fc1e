//! `loopwright check TARGET`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::CheckArgs;
use crate::render::check;

pub(crate) fn run(args: &CheckArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::check(&app.context, &args.target)?;
    app.output.answer(&view, |page| check::explained(page, &view, app.context.now))?;
    Ok(match check::invalid(&view) {
        true => exit::INVALID_LOOP,
        false => exit::DONE,
    })
}
