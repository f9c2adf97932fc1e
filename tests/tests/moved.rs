//! A branch that moves under an approved change: the same change is checked again on it and lands, or the person decides again.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use loopwright_tests::stage::{RAILS, Stage, events, id, outcomes, state, steps, wait_for};
use serde_json::Value;

/// One file for each issue.
const MAKER: &str = "#!/bin/sh\nmkdir -p docs; echo done > docs/$LOOPWRIGHT_FINDING_KEY.md\n";

/// A maker that changes a line that others may change too.
const EDITOR: &str = "#!/bin/sh\nsed -i 's/^# .*/# The shop of makers/' README.md\n";

/// A shop with one issue, and a pull request for it.
fn shipped_by(rest: &str, maker: &str) -> (Stage, Value) {
    let stage = Stage::shop();
    stage.edit(|| fs::remove_file(stage.repo.join(".loopwright/issues/2-opening-hours.md")).expect("the second issue"));
    stage.commit("issues: one is enough");
    stage.maker(&format!("{RAILS}{rest}"), maker);
    stage.run("work").exits(21);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    (stage, review)
}

fn shipped() -> (Stage, Value) {
    shipped_by("", MAKER)
}

/// Somebody else's commit.
fn meanwhile(stage: &Stage, path: &str, text: &str) -> String {
    stage.write(path, text);
    stage.commit("meanwhile")
}

fn history(review: &Value) -> Vec<&str> {
    review["history"].as_array().expect("a history").iter().map(|h| h["what"].as_str().expect("a word")).collect()
}

fn approve_again(stage: &Stage, review: &Value) -> loopwright_tests::stage::Answer {
    stage.approve(&stage.review(id(review)))
}

#[test]
fn the_same_change_lands_by_the_same_command() {
    for merge in ["squash", "merge", "fast_forward"] {
        let (stage, review) = shipped_by(&format!("review: {{merge: {merge}}}\n"), MAKER);
        let head = meanwhile(&stage, "docs/other.md", "meanwhile\n");
        assert_eq!(stage.approve(&review).exits(0).json()["result"], "merged", "{merge}");
        let landed = stage.review(id(&review));
        assert_eq!(history(&landed), ["opened", "approved", "kept waiting", "updated", "landed", "merged"], "{merge}");
        let first_parent = stage.git(&["rev-list", "--first-parent", "-n", "2", "main"]);
        assert_eq!(first_parent.lines().nth(1), Some(head.as_str()), "{merge}: it stands on what was there");
        let parents = stage.git(&["log", "-1", "--format=%p"]).split(' ').count();
        assert_eq!(parents, if merge == "merge" { 2 } else { 1 }, "{merge}");
        assert_eq!(stage.git(&["show", "main:docs/1.md", "main:docs/other.md"]), "done\nmeanwhile");
        assert_eq!(stage.git(&["status", "--porcelain"]), "");
        nobody_made_it_again(&stage);
    }
}

/// Gates alone, no agent, no money; the finding's rounds are not used up.
fn nobody_made_it_again(stage: &Stage) {
    let run = stage.last();
    assert_eq!(run["row"]["cause"], "moved");
    assert_eq!(run["row"]["spent"], 0);
    let start = &events(&run, "run_started")[0];
    assert_eq!((start["maker"]["name"].as_str(), start["checker"].is_null()), (Some("rebase"), true), "{start}");
    assert_eq!((steps(&run, "build").len(), steps(&run, "verify").len()), (1, 1));
    let gates = outcomes(&run, "verified")[0]["verdict"]["gates"].as_array().expect("gates").len();
    assert_eq!(gates, 3, "all of them again");
}

#[test]
fn a_conflict_goes_back_to_the_person() {
    let (stage, review) = shipped_by("", EDITOR);
    let head = meanwhile(&stage, "README.md", "# Another name\n");
    let moved = stage.approve(&review).exits(1).json();
    assert_eq!(moved["result"], "moved");
    assert!(moved["why"].as_str().expect("why").ends_with("conflicts in README.md"), "{moved}");
    stage.assert_untouched();
    assert_eq!(stage.git(&["rev-parse", "HEAD"]), head);
    let back = stage.review(id(&review));
    assert_eq!((back["row"]["state"].as_str(), &back["tree"]), (Some("open"), &review["tree"]));
    stage.verb(&["tick"]).exits(20);
    // Sent back, the maker starts from the branch as it is now, and knows why.
    stage.verb(&["send-back", id(&review), "--note", "on the new name, please"]).exits(0);
    let again = wait_for("the next attempt", || {
        let now = stage.review(id(&review));
        (now["row"]["state"] == "open" && now["tree"] != review["tree"]).then_some(now)
    });
    let run = stage.last();
    let raw = stage.home.join("data/runs").join(run["row"]["id"].as_str().expect("an id")).join("raw");
    let told = fs::read_dir(raw)
        .expect("streams")
        .flatten()
        .find_map(|entry| fs::read_to_string(entry.path().join("order/reasons.txt")).ok());
    let told = told.expect("what the maker was told");
    assert!(told.contains("on the new name, please") && told.contains("conflicts"), "{told}");
    stage.approve(&again).exits(0);
    assert_eq!(stage.git(&["show", "main:README.md"]), "# The shop of makers");
}

/// The change still fits, but what it is judged by no longer passes with it: the base wants something that it takes away.
#[test]
fn a_change_that_fails_on_the_new_base_goes_back() {
    let maker = "#!/bin/sh\nmkdir -p docs; echo done > docs/1.md; rm -f README.md\n";
    let (stage, review) = shipped_by("", maker);
    stage.write(
        "checks/lint.sh",
        "echo 1..1; [ -e README.md ] && echo 'ok 1 - a readme' || { echo 'not ok 1 - a readme'; exit 1; }\n",
    );
    let head = stage.commit("lint: a readme");
    let moved = stage.approve(&review).exits(1).json();
    let why = moved["why"].as_str().expect("why");
    assert!(why.contains("not verified on it: lint_clean: "), "{why}");
    assert_eq!(stage.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(state(&stage, &review), "open");
    // Once more by the person's wish is once more, and no more often.
    approve_again(&stage, &review).exits(1);
    stage.verb(&["tick"]).exits(20);
}

/// Nothing is left of the change: somebody did the same.
#[test]
fn a_change_that_is_there_already_goes_back() {
    let (stage, review) = shipped();
    meanwhile(&stage, "docs/1.md", "done\n");
    let moved = stage.approve(&review).exits(1).json();
    assert!(moved["why"].as_str().expect("why").contains("changed nothing"), "{moved}");
    stage.verb(&["reject", id(&review), "--reason", "done by hand"]).exits(0);
}

/// Approved, waiting for a clean checkout, and meanwhile the branch moves: it is checked again, and lands when it is clean.
#[test]
fn what_waits_is_checked_again_and_lands_when_it_is_clean() {
    for merge in ["squash", "merge", "fast_forward"] {
        waits_and_is_checked_again(merge);
    }
}

fn waits_and_is_checked_again(merge: &str) {
    let (stage, review) = shipped_by(&format!("review: {{merge: {merge}}}\n"), MAKER);
    stage.write("src/cart.conf", "adds=ok\n# being written\n");
    stage.verb(&["approve", id(&review), "--tree", review["tree"].as_str().expect("a tree")]).exits(21);
    stage.git(&["commit", "--quiet", "--allow-empty", "-m", "meanwhile"]);
    let head = stage.git(&["rev-parse", "HEAD"]);
    let ticked = stage.verb(&["tick"]).exits(0).json();
    assert_eq!(ticked["deeds"][0]["did"], "began", "{ticked}");
    let updated = wait_for("the check", || {
        let now = stage.review(id(&review));
        (history(&now).contains(&"updated") && !stage.last()["row"]["end"].is_null()).then_some(now)
    });
    assert_eq!(updated["row"]["state"], "approved", "the same change stays approved");
    stage.verb(&["tick"]);
    stage.assert_untouched();
    stage.git(&["checkout", "--quiet", "src/cart.conf"]);
    stage.verb(&["tick"]).exits(0);
    stage.remember();
    assert_eq!(state(&stage, &review), "merged", "{merge}");
    assert_eq!(stage.git(&["rev-parse", "HEAD^"]), head, "{merge}");
    assert_eq!(stage.git(&["status", "--porcelain"]), "", "{merge}");
    assert_eq!(stage.verb(&["runs"]).json().as_array().map(Vec::len), Some(2), "checked once");
}

/// Undone while it is checked again: it is shown on the new base, and nothing lands.
#[test]
fn an_approval_undone_while_it_is_checked_does_not_land() {
    let (stage, review) = shipped();
    stage.write("checks/lint.sh", "sleep 2; echo 1..1; echo 'ok 1 - slow'\n");
    let head = stage.commit("lint: slow");
    let approving = stage.start(&["approve", id(&review), "--tree", review["tree"].as_str().expect("a tree")]);
    wait_for("the check", || (stage.verb(&["runs"]).json().as_array().map(Vec::len) == Some(2)).then_some(()));
    stage.verb(&["undo", id(&review)]).exits(0);
    assert_eq!(approving.end().code, 1);
    assert_eq!(stage.git(&["rev-parse", "HEAD"]), head);
    let shown = stage.review(id(&review));
    assert_eq!((shown["row"]["state"].as_str(), history(&shown).last()), (Some("open"), Some(&"updated")));
    stage.approve(&shown).exits(0);
}

#[test]
fn a_rewritten_branch_is_a_moved_one() {
    let (stage, review) = shipped();
    stage.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let head = meanwhile(&stage, "docs/other.md", "another history\n");
    stage.approve(&review).exits(0);
    assert_eq!(stage.git(&["rev-parse", "HEAD^"]), head, "nothing of the old history comes back");
    assert_eq!(stage.git(&["show", "main:docs/1.md"]), "done");
}

#[test]
fn a_branch_that_is_gone_is_said_and_nothing_is_lost() {
    let (stage, review) = shipped();
    stage.git(&["branch", "--quiet", "-m", "main", "trunk"]);
    let head = stage.git(&["rev-parse", "HEAD"]);
    let tree = review["tree"].as_str().expect("a tree");
    let gone = stage.verb(&["approve", id(&review), "--tree", tree]).exits(1).json();
    assert!(gone["why"].as_str().expect("why").starts_with("main of "), "{gone}");
    assert!(gone["why"].as_str().expect("why").contains("gone"), "{gone}");
    stage.assert_untouched();
    assert_eq!(state(&stage, &review), "open");
    // Made anew on the branch that is there.
    let triage = stage.triage();
    let short = triage[0].rsplit(' ').next().expect("an id");
    stage.verb(&["run", "work", "--finding", short]).exits(21);
    let anew = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    assert_eq!(anew["target"][1], "trunk");
    stage.approve(&anew).exits(0);
    assert_eq!(stage.git(&["rev-parse", "trunk^"]), head);
}

/// A waiting approval whose branch goes away is given back by the next pass.
#[test]
fn what_waits_for_a_branch_that_is_gone_is_given_back() {
    let (stage, review) = shipped();
    stage.write("README.md", "being written\n");
    stage.verb(&["approve", id(&review), "--tree", review["tree"].as_str().expect("a tree")]).exits(21);
    stage.git(&["checkout", "--quiet", "README.md"]);
    stage.git(&["branch", "--quiet", "-m", "main", "trunk"]);
    let ticked = stage.verb(&["tick"]).exits(0).json();
    assert_eq!(ticked["deeds"][0]["did"], "gave_back", "{ticked}");
    assert_eq!(state(&stage, &review), "open");
    stage.assert_untouched();
}
