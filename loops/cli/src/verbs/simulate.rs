//! `loopwright simulate [LOOP]… [--from DAY] [--days N] [--zone ZONE] [--scenario FILE] [--journal]`, or `--story NAME`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, SimulateRequest};

use crate::App;
use crate::args::SimulateArgs;
use crate::render::{played, simulation};

/// Over so many days, the steps of one loop are told unasked.
const FEW_DAYS: u32 = 3;

pub(crate) fn run(args: &SimulateArgs, app: &App) -> Result<u8, ApiError> {
    if args.loops.is_empty() {
        let view = api::simulate(&args.story)?;
        app.output.answer(&view, |page| simulation::table(page, &view))?;
        return Ok(exit::DONE);
    }
    let request = SimulateRequest {
        loops: args.loops.clone(),
        from: args.from.clone(),
        days: args.days,
        zone: args.zone.clone(),
        scenario: args.scenario.clone(),
        journal: args.journal || (args.loops.len() == 1 && args.days <= FEW_DAYS),
    };
    let view = api::simulate_loops(&app.context, &request)?;
    app.output.answer(&view, |page| played::journal(page, &view))?;
    Ok(exit::DONE)
}
