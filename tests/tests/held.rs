//! A decision that can't be done yet: it waits, says why and what repairs it, and is done once that is repaired.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use loopwright_tests::stage::{RAILS, Stage, id, state, tree, wait_for, write_program};
use serde_json::Value;

/// What the maker was told stands in its file.
const MAKER: &str = "#!/bin/sh\nmkdir -p docs; cat \"$LOOPWRIGHT_REASONS\" > docs/1.md; echo done >> docs/1.md\n";

/// A shop with one issue, and a pull request for it.
fn shipped() -> (Stage, Value) {
    let stage = Stage::shop();
    stage.edit(|| fs::remove_file(stage.repo.join(".loopwright/issues/2-opening-hours.md")).expect("the second issue"));
    stage.commit("issues: one is enough");
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    (stage, review)
}

/// The loop file is not the one that was confirmed any more.
fn change_loop(stage: &Stage) {
    let file = stage.beside("loops/work/loop.yaml");
    let text = fs::read_to_string(&file).expect("the loop");
    stage.edit(|| fs::write(&file, format!("{text}# another thought\n")).expect("written"));
}

/// The next attempt showed what it made.
fn again(stage: &Stage, review: &Value) -> Value {
    wait_for("the next attempt", || {
        let over = !stage.last()["row"]["end"].is_null();
        let now = stage.review(id(review));
        (over && now["row"]["state"] == "open" && now["tree"] != review["tree"]).then_some(now)
    })
}

fn told(review: &Value) -> &str {
    review["diff"].as_str().expect("a patch")
}

/// Its repository is away: the approval says that it stands, and lands once the repository is back.
#[test]
fn an_approval_that_is_kept_is_not_an_error() {
    let (stage, review) = shipped();
    let away = stage.beside("away");
    let mut approve = stage.command(&["approve", id(&review), "--tree", tree(&review), "--json"]);
    fs::rename(&stage.repo, &away).expect("moved away");
    let answer = stage.ask(approve.current_dir(&stage.home)).exits(21).json();
    fs::rename(&away, &stage.repo).expect("moved back");
    assert_eq!(answer["result"], "waiting", "{answer}");
    assert!(answer["why"].as_str().expect("why").contains("does not exist"), "{answer}");
    assert_eq!(answer["command"], format!("loopwright undo {}", review["row"]["short"].as_str().expect("an id")));
    assert_eq!(state(&stage, &review), "approved");
    stage.paste(answer["command"].as_str().expect("a command")).exits(0);
    stage.verb(&["tick"]).exits(20);
    stage.assert_untouched();
    assert_eq!(state(&stage, &review), "open", "taken back is taken back");
}

/// A loop that changed holds a sending back until it is confirmed again; the note is kept.
#[test]
fn a_sending_back_waits_until_its_loop_is_confirmed() {
    let (stage, review) = shipped();
    change_loop(&stage);
    let sent = stage.verb(&["send-back", id(&review), "--note", "kept words"]).exits(0).json();
    assert!(sent["waits"].as_str().expect("why").contains("changed since it was confirmed"), "{sent}");
    assert_eq!(state(&stage, &review), "sent back");
    let held = stage.verb(&["tick"]).exits(21).json();
    assert_eq!((held["deeds"][0]["did"].as_str(), held["deeds"].as_array().map(Vec::len)), (Some("held"), Some(1)));
    assert_eq!(state(&stage, &review), "sent back", "and it goes on waiting");
    stage.verb(&["undo", id(&review)]).exits(0);
    let sent = stage.verb(&["send-back", id(&review), "--note", "kept words"]).exits(0).json();
    stage.paste(sent["repair"].as_str().expect("a command")).exits(0);
    stage.verb(&["tick"]);
    let second = again(&stage, &review);
    assert!(told(&second).contains("+kept words"), "{}", told(&second));
}

/// The same where HALT came first.
#[test]
fn a_sending_back_under_halt_outlives_a_changed_loop() {
    let (stage, review) = shipped();
    stage.verb(&["halt"]).exits(0);
    let sent = stage.verb(&["send-back", id(&review), "--note", "kept words"]).exits(0).json();
    assert!(sent["repair"].as_str().expect("a command").contains("resume"), "{sent}");
    change_loop(&stage);
    stage.verb(&["resume", "--reason", "looked"]).exits(0);
    assert_eq!(state(&stage, &review), "sent back");
    let held = stage.verb(&["tick"]).exits(21).json();
    stage.paste(held["deeds"][0]["command"].as_str().expect("a command")).exits(0);
    stage.verb(&["tick"]);
    assert!(told(&again(&stage, &review)).contains("+kept words"));
}

#[test]
fn a_sending_back_waits_until_the_settings_are_valid() {
    let (stage, review) = shipped();
    let settings = stage.home.join("config/settings.yaml");
    fs::write(&settings, "budget: $50/dya\n").expect("written");
    let sent = stage.verb(&["send-back", id(&review), "--note", "kept words"]).exits(0).json();
    assert!(sent["waits"].as_str().expect("why").contains("settings.yaml is not valid"), "{sent}");
    stage.verb(&["tick"]).exits(21);
    fs::remove_file(&settings).expect("removed");
    stage.verb(&["tick"]).exits(0);
    assert!(told(&again(&stage, &review)).contains("+kept words"));
}

/// Approved, its branch moved, and the loop that would check it there is not confirmed: it waits for that, and then lands.
#[test]
fn an_approval_on_a_moved_base_waits_until_its_loop_is_confirmed() {
    let (stage, review) = shipped();
    change_loop(&stage);
    stage.write("docs/other.md", "meanwhile\n");
    stage.commit("meanwhile");
    let held = stage.verb(&["approve", id(&review), "--tree", tree(&review)]).exits(21).json();
    assert_eq!(held["result"], "waiting", "{held}");
    assert_eq!(state(&stage, &review), "approved");
    stage.paste(held["command"].as_str().expect("a command")).exits(0);
    wait_for("the landing", || {
        stage.verb(&["tick"]);
        (state(&stage, &review) == "merged").then_some(())
    });
    stage.remember();
}

/// A pass says what it holds: under HALT with that code, otherwise as something that waits for a person.
#[test]
fn a_pass_says_what_waits() {
    let (stage, review) = shipped();
    stage.write("README.md", "being written\n");
    stage.verb(&["approve", id(&review), "--tree", tree(&review)]).exits(21);
    let waits = stage.verb(&["tick"]).exits(21).json();
    assert!(waits["deeds"][0]["why"].as_str().expect("why").contains("has changes"), "{waits}");
    stage.verb(&["halt"]).exits(0);
    let held = stage.plain(&["tick"]).exits(10);
    assert!(held.out.contains("halted") && held.out.contains("loopwright resume"), "{held:?}");
    stage.verb(&["resume", "--reason", "looked"]).exits(0);
    stage.verb(&["undo", id(&review)]).exits(0);
    stage.verb(&["tick"]).exits(20);
    stage.git(&["checkout", "--quiet", "README.md"]);
}

/// What others landed meanwhile is no part of what an update changed.
#[test]
fn since_the_last_look_is_the_changes_own() {
    let (stage, review) = shipped();
    stage.write("docs/other.md", "meanwhile\n");
    stage.commit("meanwhile");
    stage.verb(&["send-back", id(&review), "--note", "kept words"]).exits(0);
    let second = again(&stage, &review);
    let since = &second["since"];
    let patch = since["diff"].as_str().expect("a patch");
    assert!(patch.contains("+kept words") && !patch.contains("other.md"), "{since}");
    assert_eq!((since["whole"].as_bool(), since["stat"]["files"].as_u64()), (Some(false), Some(1)), "{since}");
    // What was shown does not fit any more: that is said, and the whole change is shown.
    stage.write("docs/1.md", "by hand\n");
    stage.commit("by hand");
    stage.edit(|| write_program(&stage.beside("loops/work/maker.sh"), "#!/bin/sh\necho other > docs/1.md\n"));
    stage.verb(&["send-back", id(&review), "--note", "once more"]).exits(0);
    let third = again(&stage, &second);
    assert_eq!((&third["since"]["whole"], &third["since"]["diff"]), (&Value::Bool(true), &third["diff"]));
    let told = stage.plain(&["review", id(&review), "--since"]).exits(0).out;
    assert!(told.contains("does not fit the branch"), "{told}");
}

/// Whatever else a verb does, what was due and is done by it is told, also where the run is refused then.
#[test]
fn verbs_tell_what_was_due() {
    let (stage, review) = shipped();
    stage.write("README.md", "being written\n");
    stage.verb(&["approve", id(&review), "--tree", tree(&review)]).exits(21);
    stage.git(&["checkout", "--quiet", "README.md"]);
    let ran = stage.plain(&["run", "work"]).exits(20);
    stage.remember();
    let short = review["row"]["short"].as_str().expect("an id");
    assert!(ran.err.contains(&format!("Pull request {short} landed as")), "{ran:?}");
    assert_eq!(stage.verb(&["run", "work"]).exits(20).json()["deeds"], serde_json::json!([]));
}

#[test]
fn resuming_and_adding_tell_what_they_let_begin() {
    let (stage, review) = shipped();
    stage.verb(&["halt"]).exits(0);
    stage.verb(&["send-back", id(&review), "--note", "kept words"]).exits(0);
    change_loop(&stage);
    let resumed = stage.plain(&["resume", "--reason", "looked"]).exits(0);
    assert!(resumed.out.contains("changed since it was confirmed"), "{resumed:?}");
    let held = stage.verb(&["tick"]).exits(21).json();
    let added = stage.paste(held["deeds"][0]["command"].as_str().expect("a command")).exits(0);
    assert!(added.out.contains("works on pull request"), "{added:?}");
    again(&stage, &review);
}
