//! `loopwright sample`: makes the sample, and says how to try it.

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, SampleView};

use crate::App;
use crate::commands::command;
use crate::page::{Page, Tint};
use crate::render::marked;

pub(crate) fn run(app: &App) -> Result<u8, ApiError> {
    let view = api::sample(&app.context)?;
    app.output.answer(&view, |page| show(page, &view))?;
    Ok(exit::DONE)
}

fn show(page: &mut Page, view: &SampleView) {
    marked(page, 0, Mark::Passed, &format!("The sample lies in {}", view.repo));
    page.line("  A failing test and two wishes. Its agents replay recorded answers: $0.00, no network.");
    page.say("  Run it: ").tinted(Tint::Accent, &command("run sample"));
}
