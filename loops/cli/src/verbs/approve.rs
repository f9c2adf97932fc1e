//! `loopwright approve ID --tree HEX`: an approval names the tree that was looked at.

use loopwright_core::exit;
use loopwright_core::review::Via;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, Approval, ApproveView, Context};

use crate::App;
use crate::args::ApproveArgs;
use crate::commands::{self, command};
use crate::live::{self, Screen};
use crate::output::usage_error;
use crate::page::{Page, Tint};
use crate::render::{marked, review};
use crate::zone::Zone;

/// How often a branch may move while a change is checked on it.
const CHECKS: u32 = 3;

pub(crate) fn run(args: &ApproveArgs, app: &App) -> Result<u8, ApiError> {
    let tree = match &args.tree {
        Some(tree) => tree.clone(),
        None if !app.output.person() => return Err(unseen(&args.id)),
        None => match shown(args, app)? {
            Some(tree) => tree,
            None => return Ok(exit::USAGE),
        },
    };
    let approval = Approval { tree, via: Via::Terminal, after_s: args.after_s };
    let view = api::approve(&app.context, &args.id, &approval)?;
    let view = if args.detach { view } else { checked(args, app, view)? };
    app.output.answer(&view, |page| answer(page, &args.id, &view, app.zone))?;
    Ok(match view {
        ApproveView::Merged { .. } => exit::DONE,
        ApproveView::Waiting { .. } | ApproveView::Scheduled { .. } | ApproveView::Checking { .. } => exit::WAITS,
        ApproveView::Moved { .. } => exit::FAILED,
    })
}

/// Follows the run that checks the change on its new base, and lands it then.
fn checked(args: &ApproveArgs, app: &App, mut view: ApproveView) -> Result<ApproveView, ApiError> {
    for _ in 0..CHECKS {
        let ApproveView::Checking { run: Some(run), why, .. } = &view else { break };
        let screen = Screen::new(&app.output);
        let mut page = app.output.error_page();
        page.line(&format!("{why}; checking the same change on it (run {})", run.short()));
        if !app.output.json() {
            app.output.print_error(&page);
        }
        live::follow(app, &screen, *run)?;
        view = api::landed(&Context::open()?, &args.id)?;
    }
    Ok(view)
}

fn unseen(id: &str) -> ApiError {
    let review = command(&format!("review {id}"));
    let hint = format!("`{review}` shows the change and ends with the command that approves it");
    usage_error("an approval names the tree that you looked at (--tree)", hint)
}

/// Shows the change and asks; the tree that was shown, if the answer is yes.
fn shown(args: &ApproveArgs, app: &App) -> Result<Option<String>, ApiError> {
    let view = api::review(&app.context, &args.id)?;
    let mut page = app.output.page();
    review::review(&mut page, &view, false, app.zone, app.context.now);
    app.output.print(&page);
    let question = format!("Approve and merge into {}?", visible_branch(&view.target.1));
    if app.output.ask(&question) {
        return Ok(Some(view.tree));
    }
    let mut page = app.output.page();
    page.line("Not approved. Nothing was changed.");
    app.output.print(&page);
    Ok(None)
}

fn visible_branch(branch: &str) -> String {
    loopwright_core::triage::plain(branch, 120)
}

fn answer(page: &mut Page, id: &str, view: &ApproveView, zone: Zone) {
    match view {
        ApproveView::Merged { commit, branch, repo } => {
            let text = format!("Merged as {commit} into {branch} of {repo}.");
            marked(page, 0, Mark::Passed, &text);
        }
        ApproveView::Waiting { why, command } => {
            marked(page, 0, Mark::NeedsYou, &format!("Approved, waiting: {why}"));
            page.tinted(Tint::Accent, &commands::in_text(command));
        }
        ApproveView::Scheduled { at, branch, command } => {
            let at = zone.clock(at);
            marked(page, 0, Mark::NeedsYou, &format!("Approved: merging into {} at {at}.", visible_branch(branch)));
            page.line("It lands with the next verb that acts after that. Until then this takes it back:");
            page.tinted(Tint::Accent, &commands::in_text(command));
        }
        ApproveView::Checking { why, run, .. } => checking(page, id, why, run.as_ref()),
        ApproveView::Moved { why, command } => {
            marked(page, 0, Mark::Failed, &format!("Not merged: {}", loopwright_core::triage::plain(why, 400)));
            page.line("Nothing was written and nothing is lost. Look again, send it back, or reject it:");
            page.tinted(Tint::Accent, &commands::in_text(command));
        }
    }
}

fn checking(page: &mut Page, id: &str, why: &str, run: Option<&loopwright_core::ids::RunId>) {
    marked(page, 0, Mark::Running, &format!("Approved: {why}; the same change is checked on it, then it lands."));
    match run {
        Some(run) => page.tinted(Tint::Accent, &command(&format!("show {}", run.short()))),
        None => page.line("The check begins when the loop's run is over."),
    }
    page.tinted(Tint::Accent, &command(&format!("undo {id}")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::tests::BERLIN;

    #[test]
    fn without_a_tree_it_is_a_usage_error_with_the_way_on() {
        let error = unseen("1a2b3c4d");
        assert_eq!(error.code, exit::USAGE);
        assert!(error.hint.is_some_and(|h| h.contains("`loopwright review 1a2b3c4d`")));
    }

    #[test]
    fn answers_say_what_happened() {
        let mut page = Page::new(false);
        let merged = ApproveView::Merged {
            commit: "c0ffee0".to_owned(),
            branch: "main".to_owned(),
            repo: "/home/ada/src/shop-api".to_owned(),
        };
        let waiting = ApproveView::Waiting {
            why: "your checkout of main has changes. It merges when clean.".to_owned(),
            command: "git -C /home/ada/src/shop-api stash".to_owned(),
        };
        let scheduled = ApproveView::Scheduled {
            at: "2026-11-22T08:00:20.000Z".to_owned(),
            branch: "main".to_owned(),
            command: "loopwright undo 1a2b3c4d".to_owned(),
        };
        let checking = ApproveView::Checking {
            now: "c0ffee0".to_owned(),
            why: "main moved to c0ffee0 since this was checked".to_owned(),
            run: None,
        };
        let moved = ApproveView::Moved {
            why: "the branch moved, and the change is not verified on it: conflicts in src/a.rs".to_owned(),
            command: "loopwright review 1a2b3c4d".to_owned(),
        };
        for view in [merged, waiting, scheduled, checking, moved] {
            answer(&mut page, "1a2b3c4d", &view, BERLIN);
        }
        insta::assert_snapshot!(page.text());
    }
}
