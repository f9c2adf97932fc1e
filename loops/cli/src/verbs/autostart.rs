//! `loopwright autostart [on|off]`

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, LoginItemView};

use crate::App;
use crate::args::AutostartArgs;
use crate::commands::command;
use crate::page::{Page, Tint};
use crate::render::marked;

pub(crate) fn run(args: &AutostartArgs, app: &App) -> Result<u8, ApiError> {
    let view = match args.on.as_deref() {
        Some(word) => api::set_login_item(&app.context, word == "on")?,
        None => api::login_item(&app.context)?,
    };
    app.output.answer(&view, |page| show(page, &view))?;
    Ok(exit::DONE)
}

fn show(page: &mut Page, view: &LoginItemView) {
    match (view.on, &view.fault) {
        (true, None) => marked(page, 0, Mark::Passed, &format!("The tray starts when you log in ({}).", view.path)),
        (true, Some(fault)) => {
            marked(page, 0, Mark::Failed, &format!("The tray would not start when you log in: {fault}."));
            page.tinted(Tint::Accent, &format!("  {}", command("autostart on")));
        }
        (false, _) => marked(page, 0, Mark::Skipped, "The tray does not start when you log in."),
    }
}
