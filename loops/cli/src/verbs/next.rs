//! `loopwright next [LOOP] [-n N]`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::NextArgs;
use crate::commands::command;
use crate::output::usage_error;
use crate::render::loops;

pub(crate) fn run(args: &NextArgs, app: &App) -> Result<u8, ApiError> {
    match args.count {
        Some(count) => times(args, usize::from(count), app),
        None => all(args, app),
    }
}

/// The next times of all loops together.
fn times(args: &NextArgs, count: usize, app: &App) -> Result<u8, ApiError> {
    let rows = api::next(&app.context, args.name.as_deref(), count)?;
    app.output.answer(&rows, |page| match rows.is_empty() {
        true => page.line(&format!("No due time is to come. See `{}`.", command("next"))),
        false => loops::times(page, &rows, app.zone, app.context.now),
    })?;
    Ok(exit::DONE)
}

/// Each loop with its next times.
fn all(args: &NextArgs, app: &App) -> Result<u8, ApiError> {
    let mut all = api::loops(&app.context)?;
    if let Some(name) = &args.name {
        all.retain(|l| l.name == *name);
        if all.is_empty() {
            let hint = format!("see `{}`", command("next"));
            return Err(usage_error(format!("there is no loop `{name}`"), hint));
        }
    }
    app.output.answer(&all, |page| {
        if all.is_empty() {
            page.line(&format!("No loops yet. See `{}`.", command("templates")));
        }
        for one in &all {
            loops::one(page, one, app.zone, app.context.now);
        }
    })?;
    Ok(exit::DONE)
}
