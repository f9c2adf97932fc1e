//! A sentence for each thing that may become of a due time.

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-{text}Z").parse().expect("a time")
}

fn asked() -> Asked<'static> {
    Asked { loop_name: "daily-triage", zone: Tz::Europe__Berlin, now: at("22T09:30:00") }
}

fn row(state: &str, reason: Option<&str>, run: Option<&str>) -> Told {
    Told {
        due_at: at("22T08:00:00"),
        until: None,
        times: 1,
        state: state.to_owned(),
        reason: reason.map(str::to_owned),
        run: run.map(str::to_owned),
        began: Some(at("22T08:00:02")),
        ended: Some(at("22T08:04:00")),
        waits: None,
    }
}

fn ahead() -> Outlook {
    Outlook {
        at: at("23T08:00:00"),
        trigger: "cron(\"0 9 * * *\")".to_owned(),
        hindrance: None,
        quiet_until: None,
        quiet_skips: false,
        jitter_s: 0,
        added: at("01T00:00:00"),
        reach: at("22T08:30:00"),
        caught_up: true,
    }
}

#[test]
fn what_became_of_it() {
    let run = Some("1a2b3c4d");
    let asleep = "the computer was asleep from 2026-11-22 02:00 to 2026-11-22 10:00";
    let overlap = "its run 00000001 still went on (overlap: skip)";
    for (told_of, sentence) in [
        (row("finished", None, run), "run 1a2b3c4d finished at 09:04."),
        (row("halted", Some("budget: $5/run"), run), "run 1a2b3c4d was halted at 09:04: budget: $5/run."),
        (row("failed", Some("no base"), run), "run 1a2b3c4d failed at 09:04: no base."),
        (row("failed", Some("its file changed"), None), "no run began: its file changed."),
        (row("missed", Some(asleep), None), &format!("missed: {asleep}.")),
        (row("skipped", Some(overlap), None), &format!("skipped: {overlap}.")),
        (row("claimed", None, None), "its run is being started."),
        (row("running", None, run), "run 1a2b3c4d goes on since 09:00."),
        (row("parked", Some("until 10:00"), run), "run 1a2b3c4d is parked: until 10:00."),
        (row("due", None, None), "it waits: the next pass starts it."),
        (
            Told { waits: Some("quiet hours until 12:00".to_owned()), ..row("due", None, None) },
            "it waits: quiet hours until 12:00.",
        ),
        (row("novel", None, None), "novel."),
    ] {
        assert_eq!(told(&asked(), &told_of).sentence, format!("2026-11-22 09:00: {sentence}"));
    }
    assert_eq!(told(&asked(), &row("finished", None, run)).command.as_deref(), Some("loopwright show 1a2b3c4d"));
    let many = Told { until: Some(at("23T07:45:00")), times: 96, ..row("missed", Some(asleep), None) };
    let sentence = told(&asked(), &many).sentence;
    assert!(sentence.starts_with("2026-11-22 09:00 to 2026-11-23 08:45, 96 times: missed: "), "{sentence}");
    let late = Told { ended: Some(at("23T08:04:00")), ..row("finished", None, run) };
    assert_eq!(told(&asked(), &late).sentence, "2026-11-22 09:00: run 1a2b3c4d finished at 2026-11-23 09:04.");
}

#[test]
fn what_will_become_of_it() {
    let said = |time: &Outlook| outlook(&asked(), time).sentence;
    assert_eq!(said(&ahead()), "2026-11-23 09:00: due in 22 h 30 min; it will start by cron(\"0 9 * * *\").");
    let quiet = Outlook { quiet_until: Some(at("23T09:00:00")), ..ahead() };
    assert_eq!(
        said(&quiet),
        "2026-11-23 09:00: due in 22 h 30 min; it will wait until 10:00, when its quiet hours end."
    );
    let skipped = Outlook { quiet_skips: true, ..quiet };
    assert!(said(&skipped).ends_with("it will be skipped: its quiet hours end at 10:00 (catch_up: skip)."));
    let jitter = Outlook { jitter_s: 300, ..ahead() };
    assert!(said(&jitter).ends_with("it will start by cron(\"0 9 * * *\"), up to 5m later."), "{}", said(&jitter));
    let unknown = Outlook { at: at("21T08:00:00"), ..ahead() };
    assert_eq!(said(&unknown), "2026-11-21 09:00: nothing is known of it: its schedule was another one then.");
    let before = Outlook { added: at("21T12:00:00"), ..unknown };
    assert_eq!(said(&before), "2026-11-21 09:00: daily-triage was registered on 2026-11-21 13:00, after that.");
}

#[test]
fn what_keeps_it_from_starting_and_what_to_do() {
    let path = "/l/loop.yaml".to_owned();
    for (hindrance, why, command) in [
        (
            Hindrance::Paused { since: at("20T12:00:00") },
            "it is paused since 2026-11-20 13:00",
            "loopwright enable daily-triage",
        ),
        (
            Hindrance::Halted { why: "HALT for everything".to_owned(), alone: false },
            "it is halted (HALT for everything)",
            "loopwright resume --reason '…'",
        ),
        (
            Hindrance::Halted { why: "HALT for this loop".to_owned(), alone: true },
            "it is halted (HALT for this loop)",
            "loopwright resume --loop daily-triage --reason '…'",
        ),
        (
            Hindrance::Changed { path: path.clone(), gone: false },
            "its file /l/loop.yaml changed since it was confirmed",
            "loopwright add /l/loop.yaml",
        ),
        (
            Hindrance::Changed { path, gone: true },
            "its file /l/loop.yaml can't be read: put it back, or pause the loop",
            "loopwright disable daily-triage",
        ),
        (
            Hindrance::Settings { why: "settings.yaml is not valid".to_owned() },
            "settings.yaml is not valid",
            "loopwright doctor",
        ),
        (Hindrance::NoScheduler, "no scheduler runs", "loopwright serve"),
        (
            Hindrance::StuckScheduler { pid: 7, fault: Some("the disk is full".to_owned()) },
            "the scheduler (process 7) makes no passes: the disk is full",
            "loopwright status",
        ),
    ] {
        let answer = outlook(&asked(), &Outlook { hindrance: Some(hindrance), ..ahead() });
        let start = "2026-11-23 09:00: due in 22 h 30 min, and will not start as things stand: ";
        assert_eq!(answer, Answer { sentence: format!("{start}{why}."), command: Some(command.to_owned()) });
    }
    let paused = Some(Hindrance::Paused { since: at("20T12:00:00") });
    let skipped = Outlook { at: at("22T09:00:00"), hindrance: paused, ..ahead() };
    let sentence = "2026-11-22 10:00: skipped: it is paused since 2026-11-20 13:00.";
    assert_eq!(outlook(&asked(), &skipped).sentence, sentence);
    let over = Outlook { at: at("22T09:00:00"), hindrance: Some(Hindrance::NoScheduler), ..ahead() };
    assert_eq!(
        outlook(&asked(), &over).sentence,
        "2026-11-22 10:00: it was due and no pass has looked since, and will not start as things stand: no scheduler runs; \
         it will be caught up then."
    );
}

#[test]
fn where_nothing_was_due_the_nearest_are_named() {
    let (before, after) = (Some(at("22T08:00:00")), Some(at("23T08:00:00")));
    assert_eq!(
        nothing(&asked(), "2026-11-22 11:11", before, after).sentence,
        "2026-11-22 11:11: daily-triage was not due; the due time before it is 2026-11-22 09:00, the one after it \
         2026-11-23 09:00."
    );
    assert_eq!(
        nothing(&asked(), "2026-11-22 11:11", None, None).sentence,
        "2026-11-22 11:11: daily-triage was not due; it has no due times."
    );
}

#[test]
fn a_loop_without_due_times_says_how_it_starts() {
    for (how, said) in [
        ("only by hand", "daily-triage has no due times: it starts only by hand."),
        ("after deps", "daily-triage has no due times: it starts after deps."),
        ("its time is over", "daily-triage has no due time to come: its time is over."),
    ] {
        assert_eq!(no_more(&asked(), how), said);
    }
}

#[test]
fn spans_in_words() {
    for (seconds, words) in [
        (5, "5 s"),
        (59, "59 s"),
        (300, "5 min"),
        (3 * 3600, "3 h"),
        (3 * 3600 + 300, "3 h 5 min"),
        (86_400, "1 day"),
        (90_000, "1 day 1 h"),
        (3 * 86_400 + 7200, "3 days 2 h"),
    ] {
        assert_eq!(until(Duration::seconds(seconds)), format!("due in {words}"));
    }
}
