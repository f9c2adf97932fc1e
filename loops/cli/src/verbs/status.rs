//! `loopwright status`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::render::status;

pub(crate) fn run(app: &App) -> Result<u8, ApiError> {
    let view = api::status(&app.context)?;
    let now = app.context.now;
    app.output.answer(&view, |page| status::status(page, &view, app.zone, now))?;
    Ok(exit::DONE)
}
