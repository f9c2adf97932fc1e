//! Views for tests of rendering.

use loopwright_core::definition::Merge;
use loopwright_core::diff::DiffStat;
use loopwright_core::finding::FindingState;
use loopwright_core::gate::{GateResult, Level};
use loopwright_core::money::Micros;
use loopwright_core::run::{End, Entry, Mode};
use loopwright_core::verdict::{CheckerVerdict, Fault};
use loopwright_engine::api::{Does, FindingRow, Happened, LoopView, PullRequestRow, ReviewView, RunRow};

const PATCH: &str = "\
diff --git a/src/a.rs b/src/a.rs
index 111..222 100644
--- a/src/a.rs
+++ b/src/a.rs
@@ -1,3 +1,3 @@
 fn a() {
-  b( );\u{1b}[8m
+    b();
 }
";

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(end: &str) -> T {
    let text = format!("01936f2e-0000-7000-8000-0000{end}");
    text.parse().expect("an id")
}

pub(crate) fn run(end: Option<End>, code: Option<u8>) -> RunRow {
    RunRow {
        id: id("00000001"),
        short: "00000001".to_owned(),
        loop_name: "daily-triage".to_owned(),
        cause: "manual".to_owned(),
        started: "2026-11-22T08:00:00Z".to_owned(),
        ended: end.as_ref().map(|_| "2026-11-22T08:01:15Z".to_owned()),
        end,
        pull_requests: 0,
        handed_over: 0,
        acted: 0,
        spent: Micros(410_000),
        budget: Micros(5_000_000),
        code,
        chores: 0,
        parked: None,
        parked_until: None,
        last_steps: None,
    }
}

pub(crate) fn pull_request(title: &str) -> PullRequestRow {
    PullRequestRow {
        id: id("0000002a"),
        short: "0000002a".to_owned(),
        loop_name: "daily-triage".to_owned(),
        run: id("00000001"),
        title: title.to_owned(),
        state: "open".to_owned(),
        why: None,
        later_until: None,
        lands_at: None,
        opened: "2026-11-22T08:01:00Z".to_owned(),
        stat: DiffStat { files: 1, added: 1, removed: 1 },
        cost: Micros(410_000),
        needs_person: true,
    }
}

pub(crate) fn a_loop() -> LoopView {
    LoopView {
        id: id("00000007"),
        name: "daily-triage".to_owned(),
        path: "/home/ada/.config/loopwright/loops/daily-triage/loop.yaml".to_owned(),
        repo: "/home/ada/src/shop-api".to_owned(),
        mode: Mode::Ship,
        does: Does::Ships,
        hash: "ab".repeat(32),
        schedule: "weekdays at 09:00".to_owned(),
        next: vec!["2026-11-23T09:00:00+01:00".to_owned(), "2026-11-24T09:00:00+01:00".to_owned()],
        quiet_until: vec![None, None],
        quiet_skips: false,
        without_times: None,
        by_itself: true,
        paused_at: None,
        paused_until: None,
        wake: false,
        last: Some(run(Some(End::Finished), Some(20))),
        troubles: Vec::new(),
    }
}

pub(crate) fn handed_over() -> FindingRow {
    FindingRow {
        short: "1a2b3c4d".to_owned(),
        loop_name: "daily-triage".to_owned(),
        title: "parse_day fails".to_owned(),
        state: FindingState::NeedsYou { why: "no progress 2 times in a row".to_owned() },
        why: "no progress 2 times in a row; last: tests_pass: parse_day fails".to_owned(),
        again: "loopwright run daily-triage --finding 1a2b3c4d".to_owned(),
    }
}

pub(crate) fn review() -> ReviewView {
    let gate = |gate: &str, level, summary: &str, reasons: &[&str]| GateResult {
        gate: gate.to_owned(),
        level,
        summary: summary.to_owned(),
        reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
        evidence: None,
    };
    ReviewView {
        row: pull_request("Formatting: 4 files"),
        findings: vec![("Formatting: 4 files".to_owned(), "`cargo fmt --check` names no file".to_owned())],
        target: ("/home/ada/src/shop-api".to_owned(), "main".to_owned()),
        merge: Merge::Squash,
        commit: "c0ffeec0ffee".to_owned(),
        tree: "0123456789abcdef0123".to_owned(),
        diff_sha256: "cd".repeat(32),
        diff: PATCH.to_owned(),
        gates: vec![
            gate("tests_pass", Level::Pass, "12 passed", &["not shown"]),
            gate("lint_clean", Level::Fail, "1 new warning", &["clippy::x @ src/a.rs"]),
            gate("diff_reasonable", Level::NeedsPerson, "+1 −1 in 1 file", &["touches Cargo.lock"]),
        ],
        maker: "implementer: fixer (built in)".to_owned(),
        checked_by: "reviewer".to_owned(),
        not_independent: None,
        checker: Some(CheckerVerdict {
            accepted: true,
            reasons: vec!["only white space changed".to_owned()],
            faults: vec![Fault {
                file: "src/a.rs".to_owned(),
                rule: "naming".to_owned(),
                message: "b is a poor name".to_owned(),
            }],
            not_checked: vec!["callers outside of this crate".to_owned()],
        }),
        iterations: 2,
        worked_s: 372,
        budget: Micros(5_000_000),
        rounds_left: 1,
        merged: None,
        approve_command: "loopwright approve 0000002a --tree 0123456789ab".to_owned(),
        history: vec![Happened {
            at: "2026-11-22T08:01:00Z".to_owned(),
            what: "opened".to_owned(),
            said: None,
            commit: Some("c0ffeec0ffee".to_owned()),
        }],
        since: None,
    }
}

/// A run that ships one finding, hands one over and holds one back, as it is stored.
pub(crate) fn journal() -> Vec<Entry> {
    let text = include_str!("samples/journal.jsonl");
    let entry = |line| serde_json::from_str(line).expect("an event");
    text.lines().map(entry).collect()
}
