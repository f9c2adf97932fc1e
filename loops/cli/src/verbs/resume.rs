//! `loopwright resume --reason TEXT`

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::ResumeArgs;
use crate::output::usage_error;
use crate::render::marked;
use crate::verbs::halt::level;
use crate::verbs::tick;

pub(crate) fn run(args: &ResumeArgs, app: &App) -> Result<u8, ApiError> {
    if args.reason.trim().is_empty() {
        let hint = "say why it may go on: --reason 'branch fixed'";
        return Err(usage_error("the reason is empty", hint));
    }
    let view = api::resume(&app.context, level(&args.level), &args.reason)?;
    app.output.answer(&view, |page| {
        marked(page, 0, Mark::Passed, &format!("Resumed: {}", view.what));
        tick::deeds(page, &view.deeds);
    })?;
    Ok(exit::DONE)
}
