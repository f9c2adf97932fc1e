//! The file of a loop, as a window edits it: drafts, saving, conflicts, links, deleting, new loops.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use loopwright_core::definition::form::Form;
use loopwright_core::exit;
use loopwright_core::schedule::Preset;
use loopwright_engine::api::{self, Context, DraftRequest, LoopDraft, LoopSaved, LoopState, NewLoop};
use loopwright_engine::home::Home;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_tests::stage::Stage;

const TEXT: &str = "# mine\nname: triage\ntrigger: cron(\"0 9 * * *\")  # nine\nsteps:\n  - discover: {run: todo_comments, \
                    write_to: state/triage.md}\nguardrails: {max_iterations: 1, budget: $1/run, halt_on: no_progress(1)}\n";

fn context(stage: &Stage) -> Context {
    let host = HostEnvironment { home: Some(stage.person()), ..HostEnvironment::default() };
    let now = loopwright_engine::clock::now();
    let context = Context {
        home: Home::under(&stage.home),
        chosen: true,
        host,
        cwd: stage.repo.clone(),
        zone: Tz::UTC,
        now,
        by: "window",
    };
    context.home.create(now).expect("the folders");
    context
}

/// A stage with one personal loop, that loop's file, and its text.
fn one() -> (Stage, Context, PathBuf, String) {
    let stage = Stage::shop();
    let context = context(&stage);
    let text = TEXT.replacen("trigger:", &format!("repo: {:?}\ntrigger:", stage.repo), 1);
    api::create_written(&context, &text).expect("it is made");
    let path = stage.home.join("config/loops/triage/loop.yaml");
    assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    (stage, context, path, text)
}

fn draft(context: &Context, text: &str, form: Option<Form>) -> LoopDraft {
    api::draft_loop(context, &DraftRequest { text: text.to_owned(), base: text.to_owned(), form })
}

fn saved(context: &Context, text: &str, base: &str) -> LoopSaved {
    api::save_loop(context, "triage", text, base).expect("an answer")
}

fn hash(context: &Context) -> String {
    api::loop_detail(context, "triage").expect("a detail").hash.expect("a hash")
}

#[test]
fn a_form_becomes_a_draft_that_is_saved_and_counts() {
    let (_stage, context, path, text) = one();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
    let before = draft(&context, &text, None);
    assert!(before.changed.is_empty() && before.next.len() == 5, "{before:?}");
    let preset = Preset::Weekday { times: vec!["09:00".to_owned()] };
    let after = draft(&context, &text, Some(Form { preset, ..before.form.expect("a form") }));
    assert_eq!(after.text, text.replace("0 9 * * *", "0 9 * * MON-FRI"));
    assert_eq!((after.changed.len(), after.words.as_str()), (1, "weekdays at 09:00"));
    let LoopSaved::Saved { detail, left: None } = saved(&context, &after.text, &hash(&context)) else {
        panic!("not saved")
    };
    assert!(detail.confirmed && detail.row.state == LoopState::On, "{detail:?}");
    assert_eq!(detail.row.view.schedule, "weekdays at 09:00");
    assert_eq!(fs::read_to_string(&path).expect("the file"), after.text);
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o640, "its mode is kept");
    let beside: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("a folder").flatten().collect();
    assert_eq!(beside.len(), 1, "nothing is left beside it");
}

#[test]
fn what_changed_on_disk_is_not_overwritten() {
    let (_stage, context, path, text) = one();
    let base = hash(&context);
    let theirs = text.replace("# mine", "# theirs");
    fs::write(&path, &theirs).expect("another editor");
    let mine = text.replace("# nine", "# 9");
    let LoopSaved::ChangedOnDisk { text, hash } = saved(&context, &mine, &base) else { panic!("overwritten") };
    assert_eq!(
        (text.as_str(), fs::read_to_string(&path).expect("the file").as_str()),
        (theirs.as_str(), theirs.as_str())
    );
    // The control: with the hash of what stands there now it is replaced.
    assert!(matches!(saved(&context, &mine, &hash), LoopSaved::Saved { .. }));
    assert_eq!(fs::read_to_string(&path).expect("the file"), mine);
}

#[test]
fn nothing_is_written_through_a_link_nor_what_is_no_loop() {
    let (stage, context, path, text) = one();
    let base = hash(&context);
    let error = api::save_loop(&context, "triage", "name: triage\n", &base).expect_err("no loop");
    assert_eq!(error.code, exit::INVALID_LOOP, "{error:?}");
    let outside = stage.beside("outside.yaml");
    fs::write(&outside, &text).expect("a file");
    fs::remove_file(&path).and_then(|()| symlink(&outside, &path)).expect("a link");
    let error = api::save_loop(&context, "triage", &text.replace("nine", "9"), &base).expect_err("a link");
    assert!(error.message.contains("link"), "{error:?}");
    assert_eq!(fs::read_to_string(&outside).expect("the file"), text);
    assert!(path.symlink_metadata().expect("the link").is_symlink(), "and the link stands");
}

#[test]
fn a_shared_loop_is_written_to_the_working_tree_and_counts_once_committed() {
    let stage = Stage::shop();
    let context = context(&stage);
    stage.write(".loopwright/triage/loop.yaml", TEXT);
    stage.commit("a loop");
    stage.add(".loopwright/triage", false).exits(0);
    let changed = TEXT.replace("0 9", "0 8");
    let LoopSaved::Saved { detail, left: Some(left) } = saved(&context, &changed, &hash(&context)) else {
        panic!("no")
    };
    assert!(left.contains("once it is committed"), "{left}");
    assert!(detail.row.shared && !detail.confirmed && detail.row.state == LoopState::On, "{detail:?}");
    assert_eq!(detail.row.view.schedule, "every day at 09:00", "the committed one counts");
    assert_eq!(stage.touched(), [".loopwright/triage/loop.yaml"], "and nothing else: no index, no branch");
    stage.remember();
}

#[test]
fn a_deleted_loop_starts_no_more_and_its_name_is_free() {
    let (stage, context, path, text) = one();
    let error = api::delete_loop(&context, "triage", "tirage").expect_err("another name was typed");
    assert_eq!((error.code, path.is_file()), (exit::USAGE, true));
    let deleted = api::delete_loop(&context, "triage", "triage").expect("deleted");
    let moved = deleted.moved.expect("moved aside");
    assert_eq!(fs::read_to_string(Path::new(&moved).join("loop.yaml")).expect("the file"), text);
    assert!(api::loop_list(&context).expect("a list").is_empty());
    assert!(api::next(&context, None, 5).expect("times").is_empty());
    stage.verb(&["doctor"]);
    api::create_written(&context, &text).expect("made anew");
    assert_eq!(api::loop_list(&context).expect("a list").len(), 1);
}

#[test]
fn a_template_is_shown_and_then_made_as_it_was_shown() {
    let stage = Stage::shop();
    let context = context(&stage);
    let repo = Some(stage.repo.display().to_string());
    let new = NewLoop { template: "daily-triage".to_owned(), repo, name: Some("mornings".to_owned()) };
    let shown = api::new_loop(&context, &new).expect("a loop");
    assert!(!Path::new(&shown.path).exists(), "nothing is written by showing");
    assert!(api::create_loop(&context, &new, "another hash").is_err());
    let made = api::create_loop(&context, &new, &shown.hash).expect("made");
    assert_eq!((made.row.view.name.as_str(), made.text.as_deref()), ("mornings", Some(shown.text.as_str())));
    let simulated = api::simulate_draft(&context, &shown.text).expect("a simulation");
    assert_eq!((simulated.days, simulated.lines.len()), (7, 5), "{simulated:?}");
}
