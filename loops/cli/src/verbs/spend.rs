//! `loopwright spend [--today|--week|--month]`

use loopwright_core::exit;
use loopwright_core::spend::SpendRange;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::SpendArgs;
use crate::render::spend;

pub(crate) fn run(args: &SpendArgs, app: &App) -> Result<u8, ApiError> {
    let range = match (args.today, args.month) {
        (true, _) => SpendRange::Today,
        (_, true) => SpendRange::Month,
        _ => SpendRange::Week,
    };
    let view = api::spend(&app.context, range)?;
    app.output.answer(&view, |page| spend::spend(page, &view))?;
    Ok(exit::DONE)
}
