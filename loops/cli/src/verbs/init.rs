//! `loopwright init`: shows what a repository has and the loop that fits it, has it confirmed, writes and registers it.

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, Confirm, InitRequest, InitView};

use crate::App;
use crate::args::InitArgs;
use crate::commands::command;
use crate::page::Tint;
use crate::render::init;

pub(crate) fn run(args: &InitArgs, app: &App) -> Result<u8, ApiError> {
    let confirm = if args.yes { Confirm::Person } else { Confirm::None };
    let drafted = api::init(&app.context, &request(args, confirm))?;
    if drafted.existing || drafted.add.registered.is_some() {
        return done(app, &drafted);
    }
    match app.output.person() {
        true => ask(args, app, &drafted),
        false => unconfirmed(args, app, &drafted),
    }
}

fn request(args: &InitArgs, confirm: Confirm) -> InitRequest {
    let InitArgs { repo, template, name, share, .. } = args;
    InitRequest { repo: repo.clone(), template: template.clone(), name: name.clone(), share: *share, confirm }
}

fn ask(args: &InitArgs, app: &App, drafted: &InitView) -> Result<u8, ApiError> {
    let mut page = app.output.page();
    init::drafted(&mut page, drafted, app.context.now);
    page.gap();
    app.output.print(&page);
    if !app.output.ask("Write this loop and register it?") {
        let mut page = app.output.page();
        page.line("Nothing was written.");
        app.output.print(&page);
        return Ok(exit::USAGE);
    }
    // The hash that was shown: where the repository changed since, it is another loop.
    let written = api::init(&app.context, &request(args, Confirm::Hash(drafted.add.hash.clone())))?;
    app.output.answer(&written, |page| init::next_steps(page, &written))?;
    Ok(exit::DONE)
}

fn unconfirmed(args: &InitArgs, app: &App, drafted: &InitView) -> Result<u8, ApiError> {
    app.output.answer(drafted, |page| {
        init::drafted(page, drafted, app.context.now);
        page.gap();
        page.line("Nothing was written yet. This writes and registers it:");
        page.tinted(Tint::Accent, &command(&again(args)));
    })?;
    Ok(exit::USAGE)
}

/// The same command with `--yes`.
fn again(args: &InitArgs) -> String {
    let mut words = vec!["init".to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        words.extend(value.map(|v| format!("--{name} {}", crate::commands::quoted(&v))));
    };
    option("template", args.template.clone());
    option("name", args.name.clone());
    option("repo", args.repo.as_ref().map(|repo| repo.display().to_string()));
    words.extend(args.share.then(|| "--share".to_owned()));
    words.push("--yes".to_owned());
    words.join(" ")
}

fn done(app: &App, view: &InitView) -> Result<u8, ApiError> {
    app.output.answer(view, |page| {
        match view.existing {
            true => init::existing(page, view),
            false => init::drafted(page, view, app.context.now),
        }
        page.gap();
        init::next_steps(page, view);
    })?;
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_confirmation_is_the_same_command() {
        let args =
            InitArgs { template: None, name: Some("x".to_owned()), repo: Some("/a b".into()), share: true, yes: false };
        assert_eq!(again(&args), "init --name x --repo '/a b' --share --yes");
    }
}
