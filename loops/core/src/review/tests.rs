//! The state machine and the binding, as tables.

use super::*;

fn shown(tree: char, patch: char) -> Shown {
    let id = |c: char| c.to_string().repeat(40);
    Shown { commit: id(tree), tree: id(tree), patch_id: id(patch), diff_sha256: tree.to_string().repeat(64) }
}

fn opened() -> Event {
    Event::Opened { shown: shown('a', 'p') }
}

fn approved(tree: char) -> Event {
    Event::Approved { shown: shown(tree, 'p'), via: Via::Terminal, lands_at: None }
}

fn words(events: &[Event]) -> Result<&'static str, ReviewError> {
    fold(events).map(|s| s.map_or("none", |s| s.word()))
}

fn landing(commit: &str) -> Event {
    Event::Landing { commit: commit.to_owned(), committer: "Una User <una@example.org>".to_owned() }
}

#[test]
fn legal_ways() {
    let merged = || Event::Merged { commit: "c".to_owned() };
    let back = || Event::SentBack { note: "n".to_owned() };
    let updated = |tree, patch| Event::Updated { shown: shown(tree, patch), look_again: false };
    let waiting = || Event::Waiting { why: "dirty".to_owned() };
    let rejected = || Event::Rejected { reason: "r".to_owned() };
    let later = || Event::Later { until: Some("2026-12-01T08:00:00.000Z".to_owned()) };
    for (events, word) in [
        (vec![], "none"),
        (vec![opened()], "open"),
        (vec![opened(), approved('a'), waiting(), waiting(), merged()], "merged"),
        (vec![opened(), approved('a'), landing("c"), waiting(), landing("d"), merged()], "merged"),
        (vec![opened(), approved('a'), landing("c"), Event::Undone], "open"),
        (vec![opened(), approved('a'), merged(), Event::Reverted { by: "d".to_owned() }], "reverted"),
        (vec![opened(), approved('a'), Event::Undone], "open"),
        (vec![opened(), back(), updated('b', 'q'), approved('a')], "stale"),
        (vec![opened(), back(), updated('b', 'q')], "open"),
        (vec![opened(), back(), rejected()], "rejected"),
        (vec![opened(), approved('a'), updated('b', 'p')], "approved"),
        (vec![opened(), approved('a'), updated('b', 'q')], "open"),
        (vec![opened(), approved('a'), Event::Updated { shown: shown('b', 'p'), look_again: true }], "open"),
        (vec![opened(), back(), Event::Undone], "open"),
        (vec![opened(), back(), Event::Reopened { why: "w".to_owned() }, approved('a')], "approved"),
        (vec![opened(), approved('a'), Event::Reopened { why: "w".to_owned() }], "open"),
        (vec![opened(), rejected(), Event::Undone, approved('a')], "approved"),
        (vec![opened(), later(), later(), approved('a')], "approved"),
        (vec![opened(), back(), later()], "sent back"),
        (vec![opened(), Event::ClosedElsewhere], "closed elsewhere"),
    ] {
        match words(&events) {
            Err(ReviewError::Stale { now, asked }) => {
                assert_eq!((word, now.as_str(), asked.as_str()), ("stale", "bbbbbbbbbbbb", "aaaaaaaaaaaa"));
            }
            other => assert_eq!(other, Ok(word), "{events:?}"),
        }
    }
}

#[test]
fn illegal_ways() {
    let merged = || Event::Merged { commit: "c".to_owned() };
    for (events, message) in [
        (vec![merged()], "the first event is `merged`, not `opened`"),
        (vec![opened(), opened()], "a pull request that is open can't be opened"),
        (vec![opened(), merged()], "a pull request that is open can't be merged"),
        (vec![opened(), Event::Undone], "a pull request that is open can't be undone"),
        (vec![opened(), Event::Reopened { why: String::new() }], "a pull request that is open can't be reopened"),
        (
            vec![opened(), approved('a'), Event::Later { until: None }],
            "a pull request that is approved can't be put off",
        ),
        (vec![opened(), landing("c")], "a pull request that is open can't be landed"),
        (vec![opened(), approved('a'), approved('a')], "a pull request that is approved can't be approved"),
        (
            vec![opened(), approved('a'), merged(), Event::Rejected { reason: String::new() }],
            "a pull request that is merged can't be rejected",
        ),
        (
            vec![opened(), Event::SentBack { note: String::new() }, approved('a')],
            "a pull request that is sent back can't be approved",
        ),
        (
            vec![opened(), Event::ClosedElsewhere, approved('a')],
            "a pull request that is closed elsewhere can't be approved",
        ),
    ] {
        assert_eq!(words(&events).map_err(|e| e.to_string()), Err(message.to_owned()));
    }
}

#[test]
fn what_was_decided_stays_decided() {
    let all = [
        opened(),
        approved('a'),
        Event::Updated { shown: shown('a', 'p'), look_again: false },
        Event::Reopened { why: String::new() },
        Event::Later { until: None },
        Event::Waiting { why: String::new() },
        landing("c"),
        Event::Merged { commit: String::new() },
        Event::SentBack { note: String::new() },
        Event::Rejected { reason: String::new() },
        Event::ClosedElsewhere,
        Event::Reverted { by: String::new() },
    ];
    let rejected = State::Rejected { shown: shown('a', 'p'), reason: String::new() };
    for end in [rejected.clone(), State::ClosedElsewhere, State::Reverted { by: String::new() }] {
        for event in &all {
            assert!(next(Some(end.clone()), event).is_err(), "{end:?} {event:?}");
        }
    }
    // A person alone takes a rejection back, and nothing else.
    assert_eq!(next(Some(rejected), &Event::Undone), Ok(State::Open { shown: shown('a', 'p') }));
    assert!(next(Some(State::ClosedElsewhere), &Event::Undone).is_err());
}

#[test]
fn a_landing_that_was_begun_is_known_until_something_else_is_shown() {
    let begun = |more: &[Event]| {
        let events: Vec<Event> = [opened(), approved('a'), landing("c")].into_iter().chain(more.to_vec()).collect();
        match fold(&events) {
            Ok(Some(State::Approved { landing, .. })) => landing,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(begun(&[]).as_deref(), Some("c"));
    assert_eq!(begun(&[Event::Waiting { why: "dirty".to_owned() }]).as_deref(), Some("c"));
    assert_eq!(begun(&[Event::Updated { shown: shown('b', 'p'), look_again: false }]), None);
    assert_eq!(begun(&[Event::Undone, approved('a')]), None);
}

#[test]
fn an_approval_is_bound_to_the_tree() {
    let shown = shown('a', 'p');
    assert_eq!(bind(&shown, "aaaaaaaaaaaa"), Ok(&shown));
    assert_eq!(bind(&shown, &"A".repeat(40)), Ok(&shown));
    for asked in ["", "aaaaaaaaaaa", "aaaaaaaaaaag", "main", &"a".repeat(41)] {
        assert!(matches!(bind(&shown, asked), Err(BindError::NotATree { .. })), "{asked}");
    }
    assert_eq!(
        bind(&shown, "bbbbbbbbbbbb").map_err(|e| e.to_string()),
        Err("the pull request has tree aaaaaaaaaaaa, not bbbbbbbbbbbb: it changed since you looked; review it again"
            .to_owned())
    );
}

#[test]
fn events_are_stored_as_words() {
    let event = Event::Approved { shown: shown('a', 'p'), via: Via::Notification, lands_at: None };
    let json = serde_json::to_value(&event).expect("JSON");
    assert_eq!((json["type"].as_str(), json["via"].as_str()), (Some("approved"), Some("notification")));
    assert_eq!(serde_json::from_value::<Event>(json).expect("an event"), event);
}

#[test]
fn older_journals_are_read() {
    let id = |c: &str| c.repeat(40);
    let shown = format!(
        r#"{{"commit": "{0}", "tree": "{0}", "patch_id": "{1}", "diff_sha256": "{2}"}}"#,
        id("a"),
        id("p"),
        "a".repeat(64)
    );
    let read = |json: String| serde_json::from_str::<Event>(&json).expect("an event");
    assert_eq!(read(format!(r#"{{"type": "approved", "shown": {shown}, "via": "terminal"}}"#)), approved('a'));
    let updated = read(format!(r#"{{"type": "updated", "shown": {shown}}}"#));
    assert!(matches!(updated, Event::Updated { look_again: false, .. }));
}
