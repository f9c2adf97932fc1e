//! `loopwright drill`: exits 1 where the kill switch did not do what it promises.

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, DrillView};

use crate::App;
use crate::commands::command;
use crate::page::{Page, Tint};
use crate::render::marked;

pub(crate) fn run(app: &App) -> Result<u8, ApiError> {
    let view = api::drill(&app.context)?;
    app.output.answer(&view, |page| show(page, &view))?;
    Ok(if view.passed { exit::DONE } else { exit::FAILED })
}

fn show(page: &mut Page, view: &DrillView) {
    let tree = format!("{} stubborn processes", view.processes);
    match view.passed {
        true => {
            marked(page, 0, Mark::Passed, &format!("{}: {tree} in a box, none left", view.words));
        }
        false => {
            marked(page, 0, Mark::Failed, &view.words);
            page.say("  Let nothing run until it is found out why: ").tinted(Tint::Accent, &command("halt"));
        }
    }
}
