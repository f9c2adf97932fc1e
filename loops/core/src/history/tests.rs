//! The words of the history's rows.

use super::*;

const LIVE: RunFacts<'_> = RunFacts {
    end: None,
    code: None,
    pull_requests: 0,
    handed_over: 0,
    acted: 0,
    chores: 0,
    parked: None,
    last_steps: None,
};

fn row<'a>(state: &'a str, reason: Option<&'a str>, run: Option<RunFacts<'a>>) -> String {
    let told = brief(&Facts { state, reason, times: 1, run }, Some("building"));
    format!("{} {} ({:?})", told.mark.shape(), told.words, told.came)
}

#[test]
fn every_kind_of_row_has_its_mark_and_its_words() {
    let finished = End::Finished;
    let halted = End::Halted { why: HaltWhy::Halt, detail: "by hand".to_owned() };
    let failed = End::Failed { why: "cargo is not\nfound".to_owned() };
    let ended = |end, code| RunFacts { end: Some(end), code: Some(code), ..LIVE };
    let rows = [
        row("due", None, None),
        row("claimed", None, None),
        row("running", None, Some(LIVE)),
        row("parked", Some("until 15:30"), Some(RunFacts { parked: Some("until 15:30"), ..LIVE })),
        row("finished", None, Some(RunFacts { pull_requests: 2, acted: 2, ..ended(&finished, exit::WAITS) })),
        row("finished", None, Some(RunFacts { handed_over: 1, acted: 1, ..ended(&finished, exit::WAITS) })),
        row("finished", None, Some(ended(&finished, exit::NOTHING))),
        row("finished", None, Some(RunFacts { chores: 1, ..ended(&finished, exit::DONE) })),
        row("finished", None, Some(ended(&finished, exit::DONE))),
        row("halted", Some("by hand"), Some(ended(&halted, exit::HALTED))),
        row("failed", Some("x"), Some(ended(&failed, exit::FAILED))),
        row("failed", Some("the start took too long"), None),
        row("missed", Some("the computer was asleep from 2026-11-21 23:00 to 2026-11-22 10:00"), None),
        row("skipped", Some("its run 1a2b3c4d still went on (overlap: skip)"), None),
    ];
    insta::assert_snapshot!(rows.join("\n"), @r"
    – waits for its start (Waiting)
    ● starting (Running)
    ● building (Running)
    – parked until 15:30 (Parked)
    ◆ 2 pull requests (Opened)
    ◆ 1 handed to you (HandedOver)
    ○ nothing to do (Nothing)
    ✓ done (Done)
    ✓ reported only (Done)
    ■ halted (Halted)
    ✕ failed: cargo is not found (Failed)
    ✕ did not begin: the start took too long (Failed)
    – missed: asleep (Missed)
    – skipped: its last run still ran (Skipped)
    ");
}

#[test]
fn a_reason_is_five_words_at_most() {
    for (whole, words) in [
        ("no scheduler ran from 2026-11-21 23:00 to 2026-11-22 10:00; too long ago", "no scheduler ran"),
        ("it waited too long (within 4h): quiet hours until 07:00", "waited too long"),
        ("its run 1a2b3c4d was parked", "its last run is parked"),
        ("one two three four five", "one two three four five"),
        ("one two three four five six", "one two three four five…"),
        ("<b>\u{202e}bold</b>\u{7}", "<b>bold</b>"),
        ("", ""),
    ] {
        assert_eq!(short(whole), words, "{whole}");
        assert!(short(whole).split(' ').count() <= 5, "{whole}");
    }
}

#[test]
fn many_times_with_one_fate_say_how_many() {
    let told = brief(&Facts { state: "missed", reason: None, times: 600, run: None }, None);
    assert_eq!(told.words, "missed (600 times)");
}

#[test]
fn what_a_row_may_be_is_found_by_its_state() {
    let finished = End::Finished;
    let ended = |code| RunFacts { end: Some(&finished), code: Some(code), ..LIVE };
    for (state, run) in [
        ("finished", Some(RunFacts { pull_requests: 1, ..ended(exit::WAITS) })),
        ("finished", Some(RunFacts { handed_over: 1, ..ended(exit::WAITS) })),
        ("finished", Some(ended(exit::NOTHING))),
        ("finished", Some(ended(exit::DONE))),
        ("finished", Some(ended(exit::FAILED))),
        ("running", Some(LIVE)),
        ("claimed", None),
        ("due", None),
        ("missed", None),
        ("skipped", None),
        ("failed", None),
        ("halted", None),
        ("parked", Some(RunFacts { parked: Some("until 15:30"), ..LIVE })),
    ] {
        let came = brief(&Facts { state, reason: None, times: 1, run }, None).came;
        assert!(came.states().contains(&state), "{came:?} has no {state}");
    }
}
