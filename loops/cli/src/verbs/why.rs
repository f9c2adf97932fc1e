//! `loopwright why LOOP [WHEN]`

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, WhyRow};

use crate::App;
use crate::args::WhyArgs;
use crate::commands;
use crate::page::{Page, Tint};
use crate::render::mark;

pub(crate) fn run(args: &WhyArgs, app: &App) -> Result<u8, ApiError> {
    let when = (!args.when.is_empty()).then(|| args.when.join(" "));
    let view = api::why(&app.context, &args.name, when.as_deref())?;
    app.output.answer(&view, |page| {
        page.tinted(Tint::Muted, &format!("{} ({})", view.loop_name, view.zone));
        view.answers.iter().for_each(|row| line(page, row));
    })?;
    Ok(exit::DONE)
}

fn line(page: &mut Page, row: &WhyRow) {
    mark(page, mark_of(row)).line(&row.sentence);
    if let Some(command) = &row.command {
        page.say("  ").tinted(Tint::Accent, &commands::in_text(command));
    }
}

fn mark_of(row: &WhyRow) -> Mark {
    match row.state.as_str() {
        "finished" => Mark::Passed,
        "halted" => Mark::Halted,
        "failed" => Mark::Failed,
        "missed" | "open" => Mark::NeedsYou,
        "skipped" => Mark::Skipped,
        "claimed" | "running" => Mark::Running,
        // What hinders it says what to do about it.
        "next" if row.command.is_some() => Mark::NeedsYou,
        _ => Mark::Nothing,
    }
}
