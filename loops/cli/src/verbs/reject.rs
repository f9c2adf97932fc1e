//! `loopwright reject ID --reason TEXT`

use loopwright_core::exit;
use loopwright_core::review::Via;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::RejectArgs;
use crate::commands;
use crate::output::usage_error;
use crate::page::Tint;
use crate::render::marked;

pub(crate) fn run(args: &RejectArgs, app: &App) -> Result<u8, ApiError> {
    let reason = match &args.reason {
        Some(reason) => reason.clone(),
        None if app.output.person() => {
            app.output.say_what("Why? This closes the pull request; its finding isn't tried again.")
        }
        None => return Err(usage_error("rejecting wants a reason", "say why, it is remembered: --reason '…'")),
    };
    let view = api::reject(&app.context, &args.id, &reason, Via::Terminal)?;
    app.output.answer(&view, |page| {
        marked(
            page,
            0,
            Mark::Passed,
            "Rejected. Its finding is left alone until what fails changes, or you ask for it:",
        );
        page.tinted(Tint::Accent, &commands::in_text(&view.again));
        page.line("This takes it back:");
        page.tinted(Tint::Accent, &commands::in_text(&view.undo));
    })?;
    Ok(exit::DONE)
}
