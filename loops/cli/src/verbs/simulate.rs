//! `loopwright simulate [--story NAME]`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::SimulateArgs;
use crate::render::simulation;

pub(crate) fn run(args: &SimulateArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::simulate(&args.story)?;
    app.output.answer(&view, |page| simulation::table(page, &view))?;
    Ok(exit::DONE)
}
