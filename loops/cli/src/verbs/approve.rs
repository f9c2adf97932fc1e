//! `loopwright approve ID --tree HEX`: an approval names the tree that was looked at.

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, ApproveView};

use crate::App;
use crate::args::ApproveArgs;
use crate::commands::{self, command};
use crate::output::usage_error;
use crate::page::{Page, Tint};
use crate::render::{marked, review};

pub(crate) fn run(args: &ApproveArgs, app: &App) -> Result<u8, ApiError> {
    let tree = match &args.tree {
        Some(tree) => tree.clone(),
        None if !app.output.person() => return Err(unseen(&args.id)),
        None => match shown(args, app)? {
            Some(tree) => tree,
            None => return Ok(exit::USAGE),
        },
    };
    let view = api::approve(&app.context, &args.id, &tree)?;
    app.output.answer(&view, |page| answer(page, &view))?;
    Ok(match view {
        ApproveView::Merged { .. } => exit::DONE,
        ApproveView::Waiting { .. } => exit::WAITS,
        ApproveView::Moved { .. } => exit::FAILED,
    })
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
    review::review(&mut page, &view);
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

fn answer(page: &mut Page, view: &ApproveView) {
    match view {
        ApproveView::Merged { commit, branch, repo } => {
            let text = format!("Merged as {commit} into {branch} of {repo}.");
            marked(page, 0, Mark::Passed, &text);
        }
        ApproveView::Waiting { why, command } => {
            marked(page, 0, Mark::NeedsYou, &format!("Approved, waiting: {why}"));
            page.tinted(Tint::Accent, &commands::in_text(command));
        }
        ApproveView::Moved { now, command } => {
            let text = format!("Not merged: the branch moved to {now} since this was checked. Nothing was written.");
            marked(page, 0, Mark::Failed, &text);
            page.line("Make the change anew on it, with all gates:");
            page.tinted(Tint::Accent, &commands::in_text(command));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let moved = ApproveView::Moved {
            now: "1a2b3c4".to_owned(),
            command: "loopwright run daily-triage --finding 54cafa18".to_owned(),
        };
        for view in [merged, waiting, moved] {
            answer(&mut page, &view);
        }
        insta::assert_snapshot!(page.text());
    }
}
