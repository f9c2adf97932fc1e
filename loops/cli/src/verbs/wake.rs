//! `loopwright wake`

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, WakeState, WakeView};

use crate::App;
use crate::args::WakeArgs;
use crate::commands;
use crate::page::{Page, Tint};
use crate::render::marked;

pub(crate) fn run(args: &WakeArgs, app: &App) -> Result<u8, ApiError> {
    if let Some(folder) = &args.units {
        let written = api::wake_units(&app.context, folder)?;
        app.output.answer(&written, |page| {
            page.line("Written; nothing is installed:");
            written.iter().for_each(|path| page.line(&format!("  {}", path.display())));
        })?;
        return Ok(exit::DONE);
    }
    let view = api::wake(&app.context)?;
    app.output.answer(&view, |page| show(page, &view, app))?;
    Ok(if view.state == WakeState::WillNotWake { exit::FAILED } else { exit::DONE })
}

fn show(page: &mut Page, view: &WakeView, app: &App) {
    let at = view.at.map(|at| app.zone.day_time(&at.to_rfc3339(), app.context.now)).unwrap_or_default();
    let (name, why) = (view.loop_name.clone().unwrap_or_default(), view.why.clone().unwrap_or_default());
    match view.state {
        WakeState::Armed => marked(page, 0, Mark::Passed, &format!("Wakes the computer {at} for {name}.")),
        WakeState::NeverSleeps => {
            marked(page, 0, Mark::Passed, &format!("This computer never sleeps; {name} is due {at}."))
        }
        WakeState::WillNotWake => {
            marked(page, 0, Mark::Failed, &format!("The computer won't wake {at} for {name}: {why}."));
            page.line("  What it sleeps through is caught up as the loop says.");
        }
        WakeState::NotAsked if why.is_empty() => page.line("No loop asks for the computer to be woken (`wake: true`)."),
        WakeState::NotAsked => {
            page.line(&format!("No loop asks for the computer to be woken, and it can't be: {why}."))
        }
    }
    if let Some(repair) = &view.repair {
        page.tinted(Tint::Accent, &format!("  {}", commands::in_text(repair)));
    }
}
