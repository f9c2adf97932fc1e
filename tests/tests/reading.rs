//! How a person reads a pull request in a window: the order of files, pages, viewed marks, comments, evidence; and what an
//! approval from there wants.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use chrono::Utc;
use loopwright_core::patch::Class;
use loopwright_core::review::{Risk, Via};
use loopwright_engine::api::{self, Against, Approval, ApproveView, Context, DiffFile, DraftView, OpenedDiff};
use loopwright_engine::home::Home;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_tests::stage::{RAILS, Stage, id, state, tree, wait_for};
use serde_json::Value;

/// A text, and a file that decides how everything is built; the person's words come back in the text.
const MAKER: &str = "#!/bin/sh
mkdir -p docs
{ cat \"$LOOPWRIGHT_REASONS\"; echo \"round $LOOPWRIGHT_ITERATION\"; } >> docs/1.md
[ -f Makefile ] || printf 'all:\\n\\ttrue\\n' > Makefile
";

fn shipped() -> (Stage, Value) {
    let stage = Stage::shop();
    stage.edit(|| fs::remove_file(stage.repo.join(".loopwright/issues/2-opening-hours.md")).expect("the second issue"));
    stage.commit("issues: one is enough");
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    (stage, review)
}

fn context(stage: &Stage) -> Context {
    Context {
        home: Home::under(&stage.home),
        chosen: true,
        host: HostEnvironment::default(),
        cwd: stage.repo.clone(),
        zone: chrono_tz::Tz::UTC,
        now: Utc::now(),
        by: "window",
    }
}

fn files(context: &Context, review: &Value, against: Against) -> Vec<DiffFile> {
    let diff = OpenedDiff::open(context, id(review), against).expect("opened");
    diff.view(context).expect("a view").files
}

fn file(context: &Context, review: &Value, path: &str) -> DiffFile {
    let found = files(context, review, Against::Base).into_iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("no {path}"))
}

fn approve(context: &Context, review: &Value) -> Result<ApproveView, api::ApiError> {
    let approval = Approval { tree: tree(review).to_owned(), via: Via::Window, after_s: None };
    api::approve(context, id(review), &approval)
}

/// What is written down with the last approval.
fn noted(stage: &Stage) -> Option<String> {
    let db = rusqlite::Connection::open(stage.home.join("data/loopwright.db")).expect("the database");
    let sql = "SELECT note FROM reviews WHERE decision = 'approve' ORDER BY rowid DESC LIMIT 1";
    db.query_row(sql, [], |row| row.get(0)).expect("an approval")
}

#[test]
fn a_protected_file_is_viewed_before_a_window_approves() {
    let (stage, review) = shipped();
    let at = context(&stage);
    let queue = api::review_queue(&at).expect("a queue");
    assert_eq!((queue.waiting.len(), queue.waiting[0].risk), (1, Risk::Risky), "{queue:?}");
    assert!(queue.waiting[0].why.as_deref().is_some_and(|why| why.contains("Makefile")), "{queue:?}");

    let diff = OpenedDiff::open(&at, id(&review), Against::Since).expect("opened");
    let view = diff.view(&at).expect("a view");
    let order: Vec<(&str, Class)> = view.files.iter().map(|file| (file.path.as_str(), file.class)).collect();
    assert_eq!(order, [("Makefile", Class::Protected), ("docs/1.md", Class::Mechanical)]);
    assert_eq!((view.has_since, view.must_view.as_slice()), (false, ["Makefile".to_owned()].as_slice()));
    assert_eq!((view.tree.as_str(), diff.page(0, 10).rows.len()), (tree(&review), view.lines as usize));

    let refused = approve(&at, &review).expect_err("not viewed");
    assert_eq!(refused.message, "View Makefile first");
    // A mark on another content is none.
    api::mark_viewed(&at, id(&review), "Makefile", "another", true).expect("marked");
    assert!(file(&at, &review, "Makefile").changed_since);
    assert_eq!(approve(&at, &review).expect_err("not as it is").message, "View Makefile first");
    assert_eq!(state(&stage, &review), "open");

    let content = file(&at, &review, "Makefile").content;
    api::mark_viewed(&at, id(&review), "Makefile", &content, true).expect("marked");
    assert!(matches!(approve(&at, &review), Ok(ApproveView::Scheduled { .. })));
    assert_eq!(noted(&stage).as_deref(), Some("approved with 1 file unviewed"));
    // Whoever asks what became of it within its moment does not shorten that.
    assert!(matches!(api::landed(&at, id(&review)), Ok(ApproveView::Scheduled { .. })));
    stage.assert_untouched();
    assert_eq!(api::undo_decision(&at, id(&review)).expect("undone").what, "approval");

    let text = file(&at, &review, "docs/1.md").content;
    api::mark_viewed(&at, id(&review), "docs/1.md", &text, true).expect("marked");
    assert!(matches!(approve(&at, &review), Ok(ApproveView::Scheduled { .. })));
    assert_eq!(noted(&stage), None, "all was viewed");
}

#[test]
fn evidence_is_that_of_the_pull_request_alone() {
    let (stage, review) = shipped();
    let at = context(&stage);
    let gates = review["gates"].as_array().expect("gates");
    let kept = gates.iter().find_map(|gate| gate["evidence"].as_str()).expect("an output");
    let page = api::evidence(&at, id(&review), kept, 0).expect("a page");
    assert!(page.next.is_none() && page.size > 0 && !page.text.is_empty(), "{page:?}");
    for other in ["", "../../../etc/passwd", &"a".repeat(64), &kept[..63]] {
        let refused = api::evidence(&at, id(&review), other, 0).expect_err(other);
        assert_eq!(refused.message, "no gate of this pull request left that output");
    }
    // A link in its place is not followed.
    let run = review["row"]["run"].as_str().expect("a run");
    let place = Home::under(&stage.home).run(run.parse().expect("an id")).join("evidence").join(kept);
    fs::remove_file(&place).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", &place).expect("a link");
    assert!(api::evidence(&at, id(&review), kept, 0).expect_err("a link").message.contains("can't read"));
}

fn draft(name: &str, path: Option<&str>, text: &str) -> DraftView {
    let code = path.map(|_| "round 1".to_owned()).unwrap_or_default();
    DraftView {
        id: name.to_owned(),
        path: path.map(str::to_owned),
        old: false,
        from: 1,
        to: 1,
        code,
        text: text.to_owned(),
    }
}

#[test]
fn comments_wait_are_sent_with_their_lines_and_marks_follow_the_content() {
    let (stage, review) = shipped();
    let at = context(&stage);
    for path in ["Makefile", "docs/1.md"] {
        let content = file(&at, &review, path).content;
        api::mark_viewed(&at, id(&review), path, &content, true).expect("marked");
    }
    let none = api::send_drafts(&at, id(&review)).expect_err("nothing is said");
    assert_eq!(none.message, "sending back wants a note");
    api::put_draft(&at, id(&review), draft("whole", None, "Almo")).expect("kept");
    api::put_draft(&at, id(&review), draft("whole", None, "Almost.")).expect("kept");
    api::put_draft(&at, id(&review), draft("a", Some("docs/1.md"), "Say it twice.")).expect("kept");
    api::put_draft(&at, id(&review), draft("b", Some("docs/1.md"), "Never mind.")).expect("kept");
    api::drop_draft(&at, id(&review), "b").expect("dropped");
    // Kept by the store, not by the window.
    assert_eq!(api::drafts(&context(&stage), id(&review)).expect("drafts").len(), 2);
    let much = draft("c", None, &"x".repeat(4001));
    assert!(api::put_draft(&at, id(&review), much).is_err());

    // Held, so that the program begins the attempt and not this test.
    stage.verb(&["halt"]).exits(0);
    let sent = api::send_drafts(&at, id(&review)).expect("sent");
    assert!(sent.waits.is_some(), "{sent:?}");
    assert_eq!(sent.note, "Almost.\n\ndocs/1.md, line 1:\n    > round 1\nSay it twice.");
    assert!(api::drafts(&at, id(&review)).expect("drafts").is_empty());
    stage.verb(&["resume", "--reason", "said"]).exits(0);
    wait_for("another attempt", || (state(&stage, &review) == "open").then_some(()));
    let (same, other) = (file(&at, &review, "Makefile"), file(&at, &review, "docs/1.md"));
    assert!(same.viewed && !same.changed_since, "{same:?}");
    assert!(!other.viewed && other.changed_since, "{other:?}");
    let since = OpenedDiff::open(&at, id(&review), Against::Since).expect("opened").view(&at).expect("a view");
    let paths: Vec<&str> = since.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!((since.has_since, paths.as_slice()), (true, ["docs/1.md"].as_slice()));
    assert_eq!(since.files[0].content, other.content, "one mark for both");
}
