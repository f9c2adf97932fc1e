//! `loopwright undo ID`

use loopwright_core::exit;
use loopwright_core::review::Via;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::UndoArgs;
use crate::commands::command;
use crate::page::Tint;
use crate::render::marked;

pub(crate) fn run(args: &UndoArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::undo(&app.context, &args.id, Via::Terminal)?;
    app.output.answer(&view, |page| {
        marked(page, 0, Mark::Passed, &format!("Taken back: the {}. The pull request waits for you again.", view.what));
        page.tinted(Tint::Accent, &command(&format!("review {}", view.id.short())));
    })?;
    Ok(exit::DONE)
}
