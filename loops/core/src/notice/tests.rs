//! What is told, when, and in which words.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::{Europe::Berlin, Tz};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::definition::preferences::{BreaksQuiet, Notifications};
use crate::diff::DiffStat;
use crate::ids::{NoticeId, PullRequestId};
use crate::money::Micros;

mod held;

/// A moment of 23 November 2026 in Berlin, a Monday.
pub(super) fn at(time: &str) -> DateTime<Utc> {
    on("2026-11-23", time)
}

pub(super) fn on(day: &str, time: &str) -> DateTime<Utc> {
    let local = format!("{day}T{time}:00").parse::<chrono::NaiveDateTime>().expect("a time");
    local.and_local_timezone(Berlin).single().expect("one moment").to_utc()
}

/// Nothing to tell, at this moment.
pub(super) fn nothing(now: DateTime<Utc>) -> Facts {
    Facts {
        now,
        zone: Berlin,
        halted: false,
        halted_loops: Vec::new(),
        buttons: true,
        opened: true,
        review_has_focus: false,
        waiting: Vec::new(),
        handed_over: Vec::new(),
        budgets: Vec::new(),
        keys: Vec::new(),
        failed: Vec::new(),
        missed: Vec::new(),
        approved: Vec::new(),
        no_tray: None,
    }
}

pub(super) fn pull_request(n: u8, loop_name: &str, opened: DateTime<Utc>) -> Waiting {
    Waiting {
        id: PullRequestId(Uuid::from_u128(u128::from(n))),
        tree: format!("{n:040x}"),
        title: "Fix flaky date test in parser".to_owned(),
        loop_name: loop_name.to_owned(),
        opened,
        again: None,
        stat: DiffStat { files: 3, added: 38, removed: 22 },
        cost: Micros(410_000),
        gates: 3,
        checker: Some(true),
        must_open: None,
    }
}

/// Does what a plan says, as the engine does: what was told after it.
pub(super) fn done(told: &mut Vec<Told>, plan: &Plan, now: DateTime<Utc>) -> Vec<Notice> {
    let mut shown = Vec::new();
    for step in &plan.steps {
        match step {
            Step::Show { notice, replaces, counts } => {
                told.iter_mut().filter(|t| Some(t.id) == *replaces).for_each(|t| t.live = false);
                told.push(one(told.len(), notice, counts.as_ref(), now, true));
                shown.push((**notice).clone());
            }
            Step::Seen(notice) => told.push(one(told.len(), notice, None, now, false)),
            Step::Withdraw(id) => told.iter_mut().filter(|t| t.id == *id).for_each(|t| t.live = false),
        }
    }
    shown
}

fn one(n: usize, notice: &Notice, counts: Option<&Vec<String>>, at: DateTime<Utc>, live: bool) -> Told {
    Told {
        id: NoticeId(Uuid::from_u128(n as u128)),
        kind: notice.kind,
        topics: notice.topics.clone(),
        loops: counts.unwrap_or(&notice.about.loops).clone(),
        buttons: notice.buttons.clone(),
        at,
        live,
        counted: counts.is_some(),
    }
}

/// A notification as a person sees it.
fn drawn(notice: &Notice) -> String {
    let buttons: Vec<&str> = notice.buttons.iter().map(|b| b.label()).collect();
    format!("{:?} {}\n  {}\n  [{}]\n", notice.urgency, notice.title, notice.body, buttons.join("] ["))
}

fn first(facts: &Facts) -> Notice {
    done(&mut Vec::new(), &plan(facts, &[], &Notifications::default()), facts.now).remove(0)
}

#[test]
fn what_they_say() {
    let now = at("10:00");
    let base = nothing(now);
    let ready = pull_request(1, "daily-triage", now);
    let look = Waiting {
        title: "Retry upload on 503".to_owned(),
        loop_name: "sentry-fix".to_owned(),
        stat: DiffStat { files: 1, added: 12, removed: 3 },
        cost: Micros(220_000),
        must_open: Some("touches a protected path".to_owned()),
        ..ready.clone()
    };
    let old = Waiting { opened: now - Duration::days(1), ..pull_request(2, "deps", now) };
    let handed = HandedOver {
        loop_name: "daily-triage".to_owned(),
        what: "1a2b3c4d".to_owned(),
        run: "0a1b2c3d".to_owned(),
        title: "Fix flaky date test".to_owned(),
        why: "no progress twice".to_owned(),
        spent: Micros(900_000),
        budget: Micros(5_000_000),
        at: now,
    };
    let budget = Budget {
        loop_name: Some("deps".to_owned()),
        ceiling: "$5/day of deps 2026-11-24".to_owned(),
        period: "today".to_owned(),
        committed: Micros(5_000_000),
        amount: Micros(5_000_000),
        until: "midnight".to_owned(),
        at: now,
    };
    let key = NoKey {
        loop_name: "daily-triage".to_owned(),
        provider: "Codex".to_owned(),
        why: "The keychain is locked. Unlock it or add the key.".to_owned(),
        at: now,
    };
    let failed = |n: u8, name: &str, why: &str| FailedRun {
        run: format!("{n:08x}"),
        loop_name: name.to_owned(),
        why: why.to_owned(),
        at: on("2026-11-22", "14:00"),
    };
    let tests = "tests don't start";
    let failures = vec![
        failed(1, "deps", tests),
        failed(2, "web", "forge unreachable"),
        failed(3, "deps", tests),
        failed(4, "deps", tests),
    ];
    let missed = |wake, catch_up| MissedTime {
        loop_name: "daily-triage".to_owned(),
        zone: Berlin,
        due: at("09:00"),
        wake,
        catch_up,
    };
    let shown = [
        ("1", Facts { waiting: vec![ready.clone()], ..base.clone() }),
        ("1 halted", Facts { waiting: vec![ready.clone()], halted: true, ..base.clone() }),
        ("1 no buttons", Facts { waiting: vec![ready.clone()], buttons: false, ..base.clone() }),
        ("2", Facts { waiting: vec![look], ..base.clone() }),
        ("3", Facts { waiting: vec![ready.clone(), old], ..base.clone() }),
        ("4", Facts { handed_over: vec![handed.clone()], ..base.clone() }),
        (
            "4 two",
            Facts { handed_over: vec![handed.clone(), HandedOver { what: "2".to_owned(), ..handed }], ..base.clone() },
        ),
        ("5", Facts { budgets: vec![budget.clone()], ..base.clone() }),
        ("5 all", Facts { budgets: vec![Budget { loop_name: None, ..budget }], ..base.clone() }),
        ("6", Facts { keys: vec![key], ..base.clone() }),
        ("7", Facts { failed: failures, ..base.clone() }),
        ("8", Facts { missed: vec![missed(true, Some(at("10:15")))], ..base.clone() }),
        ("8 no scheduler", Facts { missed: vec![missed(false, None)], ..base }),
    ];
    let mut text: String = shown.iter().map(|(name, facts)| format!("{name}: {}", drawn(&first(facts)))).collect();
    let back = Approved {
        id: ready.id,
        title: ready.title.clone(),
        loop_name: ready.loop_name,
        landing: Landing::GivenBack(String::new()),
    };
    for answer in [
        merging(ready.id, &ready.title, "main", "/home/una/shop-api", 20),
        halted(None, 2, 0.12),
        halted(Some("deps"), 1, 0.31),
        not_merged(&back, "the branch moved"),
        not_done(Button::RunNow, "halted: HALT for everything; nothing starts", About::default()),
        no_tray(),
        sample(),
    ] {
        text.push_str(&drawn(&answer));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn keys_are_each_known_once_and_the_notification_itself_never_approves() {
    let all = BUTTONS.map(|(button, ..)| button);
    for button in all {
        assert_eq!(Button::of_key(button.key()), Some(button));
        assert_eq!(all.iter().filter(|other| other.key() == button.key()).count(), 1);
    }
    assert_eq!(Button::of_key("default"), Some(Button::Review));
    for unknown in ["", "Approve", "approve ", "merge", "__closed"] {
        assert_eq!(Button::of_key(unknown), None, "{unknown:?}");
    }
    for kind in [Kind::Ready, Kind::NotDone, Kind::ReadyToLook] {
        assert_eq!(kind_of(&word_of(kind)), Some(kind));
    }
    assert_eq!(kind_of("of_tomorrow"), None);
}

/// What titles, names and reasons may hold when somebody means harm.
const HOSTILE: [&str; 6] = [
    "<b>Approved</b> <a href=\"https://evil.example\">by you</a> & <img src=x>",
    "\u{202e}gnihtemos\u{2066} \u{200b}\u{7}\u{1b}[31m",
    "line one\nline two\r\n\tline three",
    "--help ; rm -rf / && $(reboot) `id`",
    "%s%n {} \\u{0000} &lt;b&gt;",
    "",
];

#[test]
fn what_is_not_ours_stays_short_plain_text() {
    let now = at("10:00");
    let mut texts: Vec<String> = HOSTILE.iter().map(ToString::to_string).collect();
    texts.push("Aa ".repeat(3400));
    for text in texts {
        let waiting =
            |must_open| Waiting { title: text.clone(), loop_name: text.clone(), must_open, ..pull_request(1, "", now) };
        let key = NoKey { loop_name: text.clone(), provider: text.clone(), why: text.clone(), at: now };
        let failed = FailedRun {
            run: "1".to_owned(),
            loop_name: text.clone(),
            why: text.clone(),
            at: on("2026-11-22", "09:00"),
        };
        for facts in [
            Facts { waiting: vec![waiting(None)], ..nothing(now) },
            Facts { waiting: vec![waiting(Some(text.clone()))], ..nothing(now) },
            Facts { keys: vec![key], ..nothing(now) },
            Facts { failed: vec![failed], ..nothing(now) },
        ] {
            let notice = first(&facts);
            for (shown, most) in [(&notice.title, TITLE), (&notice.body, BODY)] {
                assert!(shown.chars().count() <= most, "{shown}");
                assert!(!shown.chars().any(|c| c != '\u{fffd}' && crate::hidden::is_hidden(c)), "{shown:?}");
            }
            let safe = escaped(&notice.body, true);
            assert!(!safe.contains(['<', '>']), "{safe}");
            assert_eq!(
                safe.matches('&').count(),
                safe.matches("&amp;").count() + safe.matches("&lt;").count() + safe.matches("&gt;").count()
            );
            assert_eq!(
                escaped(&notice.body, false),
                notice.body,
                "a server without markup shows it as it is: the control"
            );
        }
    }
}

#[test]
fn what_was_broken_for_a_forge_is_whole_here() {
    let title = crate::review::harmless::line("Issue #1: tell @una", 80);
    assert!(title.contains('\u{200b}'), "the control");
    let facts =
        Facts { waiting: vec![Waiting { title, ..pull_request(1, "deps", at("10:00")) }], ..nothing(at("10:00")) };
    assert_eq!(first(&facts).title, "Ready: Issue #1: tell @una");
}

/// One thing that happens in a made-up history.
#[derive(Clone, Debug)]
enum Happens {
    Opens(u8, u8),
    Decided(u8),
    HandsOver(u8, u8),
    Fails(u8, u8),
    Misses(u8),
    Halts(bool),
    Focus(bool),
    Dismissed,
    FindsNothing,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (any::<u8>(), 0..2u8).prop_map(|(n, l)| Happens::Opens(n, l)),
        2 => any::<u8>().prop_map(Happens::Decided),
        2 => (any::<u8>(), 0..2u8).prop_map(|(n, l)| Happens::HandsOver(n, l)),
        1 => (any::<u8>(), 0..2u8).prop_map(|(n, l)| Happens::Fails(n, l)),
        1 => (0..2u8).prop_map(Happens::Misses),
        1 => any::<bool>().prop_map(Happens::Halts),
        1 => any::<bool>().prop_map(Happens::Focus),
        1 => Just(Happens::Dismissed),
        2 => Just(Happens::FindsNothing),
    ]
}

fn happen(facts: &mut Facts, told: &mut [Told], what: &Happens) {
    let name = |l: u8| ["deps", "web"][usize::from(l % 2)];
    match what {
        Happens::Opens(n, l) => {
            let opened = pull_request(*n, name(*l), facts.now);
            facts.waiting.retain(|p| p.id != opened.id);
            facts.waiting.push(opened);
        }
        Happens::Decided(n) => {
            let gone = usize::from(*n) % facts.waiting.len().max(1);
            if gone < facts.waiting.len() {
                facts.waiting.remove(gone);
            }
        }
        Happens::HandsOver(n, l) => facts.handed_over.push(HandedOver {
            loop_name: name(*l).to_owned(),
            what: n.to_string(),
            run: n.to_string(),
            title: "A finding".to_owned(),
            why: "no progress twice".to_owned(),
            spent: Micros(0),
            budget: Micros(1),
            at: facts.now,
        }),
        Happens::Fails(n, l) => facts.failed.push(FailedRun {
            run: n.to_string(),
            loop_name: name(*l).to_owned(),
            why: "tests don't start".to_owned(),
            at: facts.now,
        }),
        Happens::Misses(l) => facts.missed.push(MissedTime {
            loop_name: name(*l).to_owned(),
            zone: Berlin,
            due: facts.now,
            wake: true,
            catch_up: None,
        }),
        Happens::Halts(halted) => facts.halted = *halted,
        Happens::Focus(focus) => facts.review_has_focus = *focus,
        Happens::Dismissed => told.iter_mut().for_each(|told| told.live = false),
        // A run that found nothing leaves nothing in what is gone by.
        Happens::FindsNothing => {}
    }
}

/// One notification of a history, with when it was shown.
struct Told1 {
    at: DateTime<Utc>,
    notice: Notice,
    counts: Option<Vec<String>>,
    halted: bool,
    focus: bool,
}

/// Lives through a history, a step every few minutes.
fn live(history: &[(u16, Happens)], set: &Notifications) -> Vec<Told1> {
    let (mut facts, mut told, mut all) = (nothing(at("07:00")), Vec::new(), Vec::new());
    for (minutes, what) in history {
        facts.now += Duration::minutes(i64::from(*minutes));
        happen(&mut facts, &mut told, what);
        let plan = plan(&facts, &told, set);
        for step in &plan.steps {
            if let Step::Show { notice, counts, .. } = step {
                let (at, halted, focus) = (facts.now, facts.halted, facts.review_has_focus);
                all.push(Told1 { at, notice: (**notice).clone(), counts: counts.clone(), halted, focus });
            }
        }
        done(&mut told, &plan, facts.now);
        // Done at once, nothing is left to do: it comes to rest.
        let again = super::plan(&facts, &told, set);
        assert!(again.steps.is_empty(), "{:?} again {:?}", plan.steps, again.steps);
    }
    all
}

fn history() -> impl Strategy<Value = Vec<(u16, Happens)>> {
    prop::collection::vec((1..90u16, happens()), 1..120)
}

fn quiet(at: DateTime<Utc>, zone: Tz) -> bool {
    let hour = chrono::Timelike::hour(&at.with_timezone(&zone));
    !(8..20).contains(&hour)
}

/// The first two that ask within ten minutes.
fn too_often(all: &[Told1]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let asks: Vec<_> = all.iter().filter(|t| t.counts.is_some() && t.notice.kind.needs_you()).map(|t| t.at).collect();
    asks.windows(2).find(|two| two[1] - two[0] < Duration::minutes(10)).map(|two| (two[0], two[1]))
}

/// Whether one asks for a loop alone that has asked six times on that day.
fn too_many(all: &[Told1]) -> bool {
    let day = |at: DateTime<Utc>| at.with_timezone(&Berlin).date_naive();
    let asks: Vec<_> = all
        .iter()
        .filter(|t| t.notice.kind.needs_you())
        .filter_map(|t| Some((day(t.at), t.counts.as_ref()?)))
        .collect();
    asks.iter().enumerate().any(|(n, (on, loops))| {
        let before = |name: &String| asks[..n].iter().filter(|(d, l)| d == on && l.contains(name)).count();
        !loops.is_empty() && loops.iter().all(|name| before(name) >= 6)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_asked_too_often_or_in_quiet_hours(history in history()) {
        let all = live(&history, &Notifications::default());
        prop_assert_eq!(too_often(&all), None);
        prop_assert!(!too_many(&all));
        for told in &all {
            let asks = told.notice.kind.needs_you() || told.notice.kind.broken();
            prop_assert!(!(asks && quiet(told.at, Berlin)), "{} at {}", told.notice.title, told.at);
            prop_assert!(!(asks && told.focus), "{}", told.notice.title);
            // Approve stands where it would succeed, and nowhere else.
            prop_assert!(!(told.halted && told.notice.buttons.contains(&Button::Approve)));
            prop_assert_eq!(told.notice.buttons.first(), Some(&Button::Review));
            let digests = all.iter().filter(|t| t.notice.kind == Kind::Failures);
            let days: Vec<_> = digests.map(|t| t.at.with_timezone(&Berlin).date_naive()).collect();
            prop_assert!(days.windows(2).all(|two| two[0] != two[1]), "two digests in a day");
            // The clock that failed for a loop is told once in 24 hours.
            let missed: Vec<_> = all.iter().filter(|t| t.notice.kind == Kind::Missed).collect();
            for (n, later) in missed.iter().enumerate() {
                let same = |earlier: &&&Told1| earlier.notice.about.loops.iter().any(|l| later.notice.about.loops.contains(l));
                let near = missed[..n].iter().filter(same).any(|e| later.at - e.at < Duration::hours(24));
                prop_assert!(!near);
            }
        }
    }

    #[test]
    fn a_run_that_found_nothing_says_nothing(waits in prop::collection::vec(1..600u16, 1..50)) {
        let history: Vec<_> = waits.into_iter().map(|minutes| (minutes, Happens::FindsNothing)).collect();
        prop_assert!(live(&history, &Notifications::default()).is_empty());
    }

    #[test]
    fn each_thing_asks_once(history in history()) {
        let set = Notifications { quiet_hours: None, ..Notifications::default() };
        let all = live(&history, &set);
        let mut asked: Vec<Topic> = Vec::new();
        for told in all.iter().filter(|t| t.counts.is_some() && !t.notice.kind.broken()) {
            prop_assert!(told.notice.topics.iter().any(|topic| !asked.contains(topic)), "nothing new: {}", told.notice.title);
            asked.extend(told.notice.topics.iter().cloned());
        }
    }
}

/// The controls: each rule left out is seen by what looks for it.
#[test]
fn what_looks_for_the_rules_sees_them_broken() {
    let show = |minute: i64, kind: Kind| {
        let notice = Notice { kind, ..sample() };
        let counts = Some(vec!["deps".to_owned()]);
        Told1 { at: at("10:00") + Duration::minutes(minute), notice, counts, halted: false, focus: false }
    };
    assert!(too_often(&[show(0, Kind::Ready), show(9, Kind::Several)]).is_some());
    assert!(too_often(&[show(0, Kind::Ready), show(10, Kind::Several)]).is_none());
    let seven: Vec<_> = (0..7).map(|n| show(n * 20, Kind::Several)).collect();
    assert!(too_many(&seven) && !too_many(&seven[..6]));
    // With quiet hours off, the same history tells at night what it holds otherwise.
    let night = [(15 * 60, Happens::Opens(1, 0))];
    let none = Notifications { quiet_hours: None, ..Notifications::default() };
    assert!(live(&night, &Notifications::default()).is_empty());
    assert!(live(&night, &none).iter().any(|told| quiet(told.at, Berlin)));
    let through = Notifications { break_quiet: vec![BreaksQuiet::NeedsYou], ..Notifications::default() };
    assert_eq!(live(&night, &through).len(), 1, "what a person ticked comes through");
    let off = Notifications { needs_you: false, quiet_hours: None, ..Notifications::default() };
    assert!(live(&night, &off).is_empty());
}
