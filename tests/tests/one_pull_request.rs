//! One finding, one open pull request (G1): killed at every point of shipping, taken up by several passes at once.
//! In the short form each point once; with LOOPWRIGHT_FULL=1 each with every victim.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use loopwright_tests::crash::{Acknowledged, Kill, acknowledged, audit, small};
use loopwright_tests::stage::{Running, Stage, wait_for};
use serde_json::Value;

/// Points of a run that opens a pull request: before the ref, after it and before the row, after the row, and at the end.
const OPENING: [&str; 5] = ["step-intent#5", "ship-ref#1", "step-acted#5", "step-result#5", "run-ending#1"];

/// The same of a run that updates one that was sent back.
const UPDATING: [&str; 3] = ["step-intent#5", "ship-update-ref#1", "step-acted#5"];

/// The same of a run that carries an approved one onto a branch that moved.
const MOVING: [&str; 2] = ["step-intent#3", "ship-update-ref#1"];

/// Who is killed there, and who puts it in order: one pass, or several at once and another run.
const HOW: [(&str, bool); 3] = [("self", true), ("watchdog", false), ("self", false)];

/// What the run that is killed does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Open,
    Update,
    Move,
}

#[derive(Clone, Debug)]
struct Case {
    does: Does,
    kill: Kill,
    races: bool,
}

fn cases() -> Vec<Case> {
    let full = std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1");
    let points = OPENING.map(|at| (Does::Open, at)).into_iter().chain(UPDATING.map(|at| (Does::Update, at)));
    let points = points.chain(MOVING.map(|at| (Does::Move, at)));
    let case = |(at, point): (usize, (Does, &str))| {
        let chosen = if full { HOW.to_vec() } else { vec![HOW[at % HOW.len()]] };
        let (does, point) = (point.0, point.1.to_owned());
        let kill = move |whom| Kill { at: point.clone(), whom };
        chosen.into_iter().map(move |(whom, races)| Case { does, kill: kill(whom), races })
    };
    points.enumerate().flat_map(case).collect()
}

/// Kills, puts in order, compares rows with refs.
fn suffer(case: &Case) {
    let stage = small();
    let before = match case.does {
        Does::Open => kill_an_opening(&stage, case),
        Does::Update => kill_an_update(&stage, case),
        Does::Move => kill_a_move(&stage, case),
    };
    put_in_order(&stage, case.races);
    stage.remember();
    let all = stage.verb(&["reviews", "--all"]).exits(0).json();
    let all = all.as_array().expect("a list");
    assert_eq!(all.len(), 1, "{case:?}: {all:?}");
    let review = stage.review(all[0]["id"].as_str().expect("an id"));
    assert_eq!(updates(&review), usize::from(case.does != Does::Open), "{case:?}: {review}");
    let state = if case.does == Does::Move { "merged" } else { "open" };
    assert_eq!(review["row"]["state"], state, "{case:?}: {review}");
    // The comparison knows no commits but those that landed.
    if case.does != Does::Move {
        assert_eq!(audit(&stage, &before), [""; 0], "{case:?}");
        // And the next run finds nothing to do for it.
        stage.run("work").exits(20);
    } else {
        assert_eq!(stage.git(&["rev-list", "--count", "main"]), "3", "{case:?}: it landed once");
        assert_eq!(stage.git(&["show", "main:NOTES"]), "1", "{case:?}");
    }
}

fn kill_an_opening(stage: &Stage, case: &Case) -> Acknowledged {
    strike(stage, &["run", "work", "--detach"], &case.kill);
    acknowledged(stage)
}

/// What was acknowledged before an update is not what is shown after it: nothing is compared with that.
fn kill_an_update(stage: &Stage, case: &Case) -> Acknowledged {
    stage.run("work").exits(21);
    let id = stage.reviews()[0]["id"].as_str().expect("an id").to_owned();
    strike(stage, &["send-back", &id, "--note", "again"], &case.kill);
    Acknowledged::default()
}

/// Its branch moves, and the run that checks it there is killed; then it lands all the same.
fn kill_a_move(stage: &Stage, case: &Case) -> Acknowledged {
    stage.run("work").exits(21);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    let (id, tree) = (review["row"]["id"].as_str().expect("an id"), review["tree"].as_str().expect("a tree"));
    stage.write("other", "meanwhile\n");
    stage.commit("meanwhile");
    strike(stage, &["approve", id, "--tree", tree, "--detach"], &case.kill);
    Acknowledged::default()
}

fn strike(stage: &Stage, words: &[&str], kill: &Kill) {
    stage.ask(stage.killing(words, kill, "once").stdin(Stdio::null()));
    wait_for("the strike", || stage.struck("once").then_some(()));
    stage.until_nobody_lives();
}

fn put_in_order(stage: &Stage, races: bool) {
    if races {
        let words: [&[&str]; 3] = [&["tick"], &["run", "work"], &["tick"]];
        let racing: Vec<Running> = words.iter().map(|words| stage.start(words)).collect();
        racing.into_iter().for_each(|one| drop(one.end()));
    }
    stage.tick_until_quiet();
}

fn updates(review: &Value) -> usize {
    review["history"].as_array().into_iter().flatten().filter(|h| h["what"] == "updated").count()
}

#[test]
fn a_finding_has_one_pull_request_whoever_is_killed_while_it_is_shipped() {
    let (cases, next) = (cases(), AtomicUsize::new(0));
    println!("{} kills of shipping", cases.len());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    println!("{case:?}");
                    suffer(case);
                }
            });
        }
    });
}

/// The control: a ship step that opened under a fresh id at each try would leave this, and the comparison tells.
#[test]
fn a_second_pull_request_for_a_finding_is_told() {
    let stage = small();
    stage.run("work").exits(21);
    // Its processes outlive its end by the time that sweeping takes.
    stage.until_nobody_lives();
    assert_eq!(audit(&stage, &Acknowledged::default()), [""; 0]);
    let (id, commit) = stage.refs("pr").into_iter().next().expect("a pull request");
    let fresh = "01936f2e-0000-7000-8000-00000000002a";
    stage.rename_ref("pr/none", &format!("pr/{fresh}"), &commit);
    assert!(!audit(&stage, &Acknowledged::default()).is_empty(), "a ref more");
    let rows = [
        "INSERT INTO pull_requests SELECT ?1, loop, run, attempt, title, body, state, branch, base, commit_id, tree,
         patch_id, diff_sha256, opened_at, merged, later_until, lands_at, merged_at FROM pull_requests WHERE id = ?2",
        "INSERT INTO pull_request_findings SELECT ?1, loop, fingerprint, linked_issue FROM pull_request_findings
         WHERE pull_request = ?2",
    ];
    for row in rows {
        assert_eq!(stage.change_rows(row, &[fresh, &id]), 1);
    }
    let faults = audit(&stage, &Acknowledged::default());
    assert!(faults.iter().any(|fault| fault.starts_with("two pull requests for ")), "{faults:?}");
    stage.change_rows("DELETE FROM pull_request_findings WHERE pull_request = ?1", &[fresh]);
    stage.change_rows("DELETE FROM pull_requests WHERE id = ?1", &[fresh]);
}
