//! `loopwright halt`: acts at once and asks nothing.

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, Level};

use crate::App;
use crate::args::{HaltArgs, LevelArgs};
use crate::commands::command;
use crate::page::Tint;
use crate::render::{count, marked};

pub(crate) fn run(args: &HaltArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::halt(&app.context, level(&args.level), args.now, args.reason.clone())?;
    app.output.answer(&view, |page| {
        let stopped = count(view.stopped as usize, "run");
        let text = format!("Halted: {}. {stopped} stopped.", view.what);
        marked(page, 0, Mark::Halted, &text);
        if view.finishing > 0 {
            page.say("  Its last steps (finally) are still under way; to end them too: ");
            page.tinted(Tint::Accent, &command(&format!("halt{} --now", flags(&args.level))));
        }
        let resume = format!("resume{} --reason '…'", flags(&args.level));
        page.say("  Nothing of it starts until you resume: ");
        page.tinted(Tint::Accent, &command(&resume));
    })?;
    Ok(exit::DONE)
}

/// What is meant: a loop, a run, or everything.
pub(crate) fn level(args: &LevelArgs) -> Level {
    match (&args.of_loop, &args.of_run) {
        (Some(name), _) => Level::Loop(name.clone()),
        (None, Some(run)) => Level::Run(run.clone()),
        (None, None) => Level::All,
    }
}

fn flags(args: &LevelArgs) -> String {
    match (&args.of_loop, &args.of_run) {
        (Some(name), _) => format!(" --loop {name}"),
        (None, Some(run)) => format!(" --run {run}"),
        (None, None) => String::new(),
    }
}
