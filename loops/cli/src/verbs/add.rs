//! `loopwright add TARGET`: shows what the loop may do, has it confirmed, registers it.

use loopwright_core::exit;
use loopwright_engine::api::{self, AddRequest, AddView, ApiError, Confirm};

use crate::App;
use crate::args::AddArgs;
use crate::commands::{command, quoted};
use crate::page::{Page, Tint};
use crate::render::{self, check, loops};
use crate::verbs::tick;

pub(crate) fn run(args: &AddArgs, app: &App) -> Result<u8, ApiError> {
    let confirm = args.confirm.clone().map_or(Confirm::None, Confirm::Hash);
    let read = api::add(&app.context, request(args, confirm))?;
    if check::invalid(&read.check) {
        app.output.answer(&read, |page| check::diagnostics(page, &read.check))?;
        return Ok(exit::INVALID_LOOP);
    }
    if read.registered.is_some() {
        return added(app, &read);
    }
    match app.output.person() {
        true => ask(args, app, &read),
        false => unconfirmed(args, app, &read),
    }
}

fn request(args: &AddArgs, confirm: Confirm) -> AddRequest {
    let AddArgs { target, repo, name, ship, .. } = args;
    AddRequest { target: target.clone(), repo: repo.clone(), name: name.clone(), ship: *ship, confirm }
}

fn ask(args: &AddArgs, app: &App, read: &AddView) -> Result<u8, ApiError> {
    let mut page = app.output.page();
    check::explained(&mut page, &read.check, app.context.now);
    renaming(&mut page, read);
    page.gap();
    app.output.print(&page);
    if !app.output.ask("Add it?") {
        let mut page = app.output.page();
        page.line("Not added.");
        app.output.print(&page);
        return Ok(exit::USAGE);
    }
    // The hash that was shown: a file that changed since is refused.
    let confirm = Confirm::Hash(read.hash.clone());
    added(app, &api::add(&app.context, request(args, confirm))?)
}

fn unconfirmed(args: &AddArgs, app: &App, read: &AddView) -> Result<u8, ApiError> {
    app.output.answer(read, |page| {
        check::explained(page, &read.check, app.context.now);
        renaming(page, read);
        page.gap();
        page.line("Not added yet. This confirms exactly this file:");
        page.tinted(Tint::Accent, &confirmation(args, &read.hash));
    })?;
    Ok(exit::USAGE)
}

fn renaming(page: &mut Page, read: &AddView) {
    if let Some(before) = &read.renames {
        let text = format!("This file is registered as {before}: adding it renames that loop, with all it knows.");
        render::marked(page, 0, loopwright_core::story::Mark::Note, &text);
    }
}

fn confirmation(args: &AddArgs, hash: &str) -> String {
    let repo = args.repo.as_ref().map_or_else(String::new, |r| format!(" --repo {}", quoted(&r.display().to_string())));
    let ship = if args.ship { " --ship" } else { "" };
    let name = args.name.as_ref().map_or_else(String::new, |n| format!(" --name {}", quoted(n)));
    let target = quoted(&args.target);
    command(&format!("add {target}{repo}{name}{ship} --confirm {hash}"))
}

fn added(app: &App, view: &AddView) -> Result<u8, ApiError> {
    app.output.answer(view, |page| registered(page, app, view))?;
    Ok(exit::DONE)
}

fn registered(page: &mut Page, app: &App, view: &AddView) {
    let Some(registered) = &view.registered else {
        return;
    };
    render::marked(page, 0, loopwright_core::story::Mark::Passed, "Added.");
    loops::one(page, registered, app.zone, app.context.now);
    page.tinted(Tint::Accent, &command(&format!("run {}", registered.name)));
    tick::deeds(page, &view.deeds);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_confirmation_is_the_same_command_with_the_hash() {
        let args = AddArgs {
            target: "daily-triage".to_owned(),
            repo: Some("/home/ada/my shop's".into()),
            name: Some("b-triage".to_owned()),
            ship: true,
            confirm: None,
        };
        assert_eq!(
            confirmation(&args, "ab12"),
            r"loopwright add daily-triage --repo '/home/ada/my shop'\''s' --name b-triage --ship --confirm ab12"
        );
    }
}
