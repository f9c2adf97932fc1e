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
        let now = match view.state.as_str() {
            "sent back" => "Its next attempt opens the pull request again.",
            _ => "The pull request waits for you again.",
        };
        marked(page, 0, Mark::Passed, &format!("Taken back: the {}. {now}", view.what));
        page.tinted(Tint::Accent, &command(&format!("review {}", view.id.short())));
    })?;
    Ok(exit::DONE)
}
