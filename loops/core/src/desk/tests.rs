//! Every situation of the menu as text, and what holds in all of them.

use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

use super::*;

const DAILY: &str = "daily-triage";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// Thursday 12:00 in Berlin, three loops, nothing going on.
fn quiet() -> Glance {
    let on = |name: &str| LoopFact { name: name.to_owned(), pause: Pause::On };
    Glance {
        now: at("2026-11-19T11:00:00Z"),
        zone: Berlin,
        known: true,
        loops: vec![on(DAILY), on("deps"), on("sentry-fix")],
        running: Vec::new(),
        waiting: Vec::new(),
        next: Some(NextFact { loop_name: DAILY.to_owned(), at: at("2026-11-20T08:00:00Z"), zone: Berlin }),
        halted: None,
        scheduler: SchedulerFact { health: Health::Alive, last: Some(at("2026-11-19T10:59:50Z")), fails: false },
        repairs: Vec::new(),
        wake: None,
        at_login: true,
        said: None,
    }
}

fn pull_request(id: &str, title: &str, opened: &str, stands: Stands) -> PullRequestFact {
    PullRequestFact { id: id.to_owned(), title: title.to_owned(), opened: at(opened), tree: "5f".repeat(20), stands }
}

fn three() -> Vec<PullRequestFact> {
    vec![
        pull_request("1", "Fix flaky date test in parser", "2026-11-19T08:40:00Z", Stands::Open),
        pull_request("2", "Bump serde to 1.0.230", "2026-11-19T05:30:00Z", Stands::Open),
        pull_request("3", "Retry upload on 503", "2026-11-18T09:00:00Z", Stands::Look("protected path".to_owned())),
    ]
}

fn run(id: &str, loop_name: &str, doing: &'static str, cents: u64) -> RunFact {
    RunFact { id: id.to_owned(), loop_name: loop_name.to_owned(), doing, spent: Micros(cents * 10_000) }
}

/// The menu as a person reads it: `( )` = can't be clicked.
fn text(desk: &Desk) -> String {
    let mut out = format!("{:?}: {}\n", desk.sign, desk.title);
    write(&mut out, &desk.menu, "");
    out
}

fn write(out: &mut String, lines: &[Line], indent: &str) {
    for line in lines {
        let (text, under): (String, &[Line]) = match line {
            Line::Between => ("──".to_owned(), &[]),
            Line::Says(text) => (format!("({text})"), &[]),
            Line::Does(text, _) => (text.clone(), &[]),
            Line::Ticks(text, ticked, _) => (format!("{text} [{}]", if *ticked { "✓" } else { " " }), &[]),
            Line::Leads(text, under) => (format!("{text} ▸"), under),
        };
        out.push_str(&format!("{indent}{text}\n"));
        write(out, under, &format!("{indent}  "));
    }
}

#[test]
fn nothing_scheduled_yet() {
    let none = Glance { loops: Vec::new(), next: None, at_login: false, ..quiet() };
    let gone = SchedulerFact { health: Health::Gone, last: None, fails: false };
    insta::assert_snapshot!(text(&desk(&Glance { scheduler: gone, ..none })));
}

#[test]
fn idle() {
    let wake = Some(WakeFact { at: at("2026-11-20T07:25:00Z"), armed: true });
    insta::assert_snapshot!(text(&desk(&Glance { wake, ..quiet() })));
}

#[test]
fn two_running() {
    let next = Some(NextFact { loop_name: "sentry-fix".to_owned(), at: at("2026-11-19T13:00:00Z"), zone: Berlin });
    let running = vec![run("r1", DAILY, "building", 41), run("r2", "deps", "checking", 21)];
    insta::assert_snapshot!(text(&desk(&Glance { next, running, ..quiet() })));
}

#[test]
fn three_pull_requests_wait() {
    insta::assert_snapshot!(text(&desk(&Glance { waiting: three(), ..quiet() })));
}

#[test]
fn halted() {
    let asked = HaltFact::Asked { at: Some(at("2026-11-19T09:42:00Z")), by: "tray".to_owned(), stopped: 2 };
    let waiting = three().drain(..1).collect();
    insta::assert_snapshot!(text(&desk(&Glance { halted: Some(asked), waiting, ..quiet() })));
}

#[test]
fn degraded() {
    let no_key = Repair {
        problem: "No key for Codex".to_owned(),
        verb: "Add it…".to_owned(),
        act: Act::Open { view: View::Settings, target: Some("credentials".to_owned()) },
    };
    let glance = Glance {
        wake: Some(WakeFact { at: at("2026-11-20T07:25:00Z"), armed: false }),
        scheduler: SchedulerFact { health: Health::Gone, last: Some(at("2026-11-19T02:12:00Z")), fails: false },
        repairs: vec![no_key],
        waiting: three().drain(..1).collect(),
        ..quiet()
    };
    insta::assert_snapshot!(text(&desk(&glance)));
}

#[test]
fn approved_a_moment_ago() {
    let mut waiting = three();
    waiting[1].stands = Stands::Landing;
    waiting[2].stands = Stands::Waits;
    insta::assert_snapshot!(text(&desk(&Glance { waiting, ..quiet() })));
}

#[test]
fn more_than_fits() {
    let title = "A very long title that an agent wrote\u{202e} about <b>everything</b> & \n nothing";
    let many = |n: usize| (0..n).map(|i| pull_request(&i.to_string(), title, "2026-11-12T08:00:00Z", Stands::Open));
    let running = (0..7).map(|i| run(&i.to_string(), "a-loop-with-a-name-of-some-length-that-goes-on", "building", i));
    let paused = [Pause::UntilResumed, Pause::Until(at("2026-11-20T08:00:00Z"))];
    let loops = (0..30).map(|i| LoopFact { name: format!("loop-{i:02}"), pause: paused[i % 2] }).collect();
    let wake = Some(WakeFact { at: at("2026-11-20T07:25:00Z"), armed: true });
    let glance = Glance { loops, waiting: many(9).collect(), running: running.collect(), wake, ..quiet() };
    insta::assert_snapshot!(text(&desk(&glance)));
}

#[test]
fn halted_outranks_degraded_and_so_on() {
    let gone = SchedulerFact { health: Health::Gone, last: None, fails: false };
    let mut all = Glance {
        halted: Some(HaltFact::Unarmed("ARMED is gone".to_owned())),
        scheduler: gone,
        waiting: three(),
        running: vec![run("r1", DAILY, "building", 41)],
        ..quiet()
    };
    assert_eq!(desk(&all).sign, Sign::Halted);
    assert_eq!(desk(&all).menu[0], Line::Says("HALTED: ARMED is gone".to_owned()));
    all.halted = None;
    assert_eq!(desk(&all).sign, Sign::Degraded);
    all.scheduler = quiet().scheduler;
    assert_eq!(desk(&all).sign, Sign::NeedsYou(3));
    all.waiting.iter_mut().for_each(|p| p.stands = Stands::Landing);
    assert_eq!(desk(&all).sign, Sign::Running, "what was approved waits for nobody");
    all.running.clear();
    assert_eq!(desk(&all).sign, Sign::Idle);
}

#[test]
fn a_run_that_is_over_at_once_is_seen() {
    assert_eq!(Sign::Idle.waits(Sign::Running, 300), Some(1700));
    assert_eq!(Sign::Idle.waits(Sign::Running, 2000), None);
    assert_eq!(Sign::Halted.waits(Sign::Running, 0), None);
    assert_eq!(Sign::Running.waits(Sign::Idle, 0), None);
}

#[test]
fn times_are_said_as_people_say_them() {
    let now = at("2026-11-19T11:00:00Z");
    let said = |text: &str| words::moment(at(text), now, Berlin, Berlin);
    assert_eq!(said("2026-11-19T13:00:00Z"), "14:00");
    assert_eq!(said("2026-11-19T23:30:00Z"), "tomorrow 00:30");
    assert_eq!(said("2026-11-18T09:42:00Z"), "yesterday 10:42");
    assert_eq!(said("2026-11-23T06:00:00Z"), "Mon 07:00");
    assert_eq!(said("2026-12-03T06:00:00Z"), "3 Dec 07:00");
    let there = words::moment(at("2026-11-20T14:00:00Z"), now, chrono_tz::America::New_York, Berlin);
    assert_eq!(there, "tomorrow 09:00 New York");
    assert_eq!(age(at("2026-11-19T10:59:30Z"), now), "now");
    assert_eq!(age(at("2026-11-19T10:48:00Z"), now), "12 min");
    assert_eq!(words::money(Micros(5_000_000)), "$5.00");
    assert_eq!(words::money(Micros(414_999)), "$0.41");
}

/// All lines, those of submenus too, each with whether the submenu of a pull request holds it.
fn all_lines<'a>(lines: &'a [Line], depth: usize, found: &mut Vec<(&'a Line, usize)>) {
    for line in lines {
        found.push((line, depth));
        if let Line::Leads(_, under) = line {
            all_lines(under, depth + 1, found);
        }
    }
}

fn label(line: &Line) -> &str {
    match line {
        Line::Between => "",
        Line::Says(text) | Line::Does(text, _) | Line::Ticks(text, _, _) | Line::Leads(text, _) => text,
    }
}

fn act(line: &Line) -> Option<&Act> {
    match line {
        Line::Does(_, act) | Line::Ticks(_, _, act) => Some(act),
        _ => None,
    }
}

fn any_stands() -> impl Strategy<Value = Stands> {
    prop_oneof![Just(Stands::Open), ".{0,60}".prop_map(Stands::Look), Just(Stands::Landing), Just(Stands::Waits)]
}

prop_compose! {
    fn any_pull_request()(
        id in "[0-9a-f]{8}", title in ".{0,80}", age in 0_i64..10_000, stands in any_stands(), tree in "[0-9a-f]{40}"
    ) -> PullRequestFact {
        let opened = at("2026-11-19T11:00:00Z") - chrono::Duration::minutes(age);
        PullRequestFact { id, title, opened, tree, stands }
    }
}

prop_compose! {
    fn any_loop()(name in "[a-z_&-]{1,60}", pause in 0..3_u8, hours in 0_i64..9000) -> LoopFact {
        let until = at("2026-11-19T11:00:00Z") + chrono::Duration::hours(hours);
        LoopFact { name, pause: [Pause::On, Pause::Until(until), Pause::UntilResumed][usize::from(pause)] }
    }
}

fn any_halt() -> impl Strategy<Value = Option<HaltFact>> {
    let asked = (".{0,30}", 0..40_usize, prop::option::of(0_i64..5000)).prop_map(|(by, stopped, ago)| {
        let at = ago.map(|ago| at("2026-11-19T11:00:00Z") - chrono::Duration::hours(ago));
        Some(HaltFact::Asked { at, by, stopped })
    });
    prop_oneof![3 => Just(None), 2 => asked, 1 => ".{0,90}".prop_map(|why| Some(HaltFact::Unarmed(why)))]
}

prop_compose! {
    fn any_glance()(
        loops in prop::collection::vec(any_loop(), 0..30),
        waiting in prop::collection::vec(any_pull_request(), 0..12),
        running in prop::collection::vec(("[0-9a-f]{8}", ".{0,60}", 0..200_000_000_000_u64), 0..9),
        repairs in prop::collection::vec(".{0,60}", 0..7),
        halted in any_halt(),
        (next, wake) in (prop::option::of((".{0,60}", -9000_i64..9000)), prop::option::of((-90_i64..90, any::<bool>()))),
        (gone, last, fails) in (any::<bool>(), prop::option::of(0_i64..9000), any::<bool>()),
        (at_login, said) in (any::<bool>(), prop::option::of(".{0,90}")),
    ) -> Glance {
        let quiet = quiet();
        let hours = |hours: i64| quiet.now + chrono::Duration::hours(hours);
        let shown = |what: String| Repair { problem: what, verb: "Repair…".to_owned(), act: Act::Serve };
        let health = if gone { Health::Gone } else { Health::Alive };
        Glance {
            running: running.into_iter().map(|(id, loop_name, spent)| {
                RunFact { id, loop_name, doing: "building", spent: Micros(spent) }
            }).collect(),
            next: next.map(|(loop_name, h)| NextFact { loop_name, at: hours(h), zone: chrono_tz::Asia::Kathmandu }),
            wake: wake.map(|(h, armed)| WakeFact { at: hours(h), armed }),
            scheduler: SchedulerFact { health, last: last.map(|ago| hours(-ago)), fails },
            repairs: repairs.into_iter().map(shown).collect(),
            said: said.map(|what| Said { what, act: Act::Serve }),
            loops, waiting, halted, at_login,
            ..quiet
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_menu_is_too_long_or_too_wide(glance in any_glance()) {
        let desk = desk(&glance);
        let mut lines = Vec::new();
        all_lines(&desk.menu, 0, &mut lines);
        for (line, _) in &lines {
            let label = label(line);
            prop_assert!(label.chars().count() <= LONGEST_LINE, "{label:?}");
            prop_assert!(!label.chars().any(crate::hidden::is_hidden), "{label:?}");
            prop_assert!(matches!(line, Line::Between) || !label.trim().is_empty(), "{line:?}");
        }
        let rows = |lines: &[Line]| lines.iter().filter(|line| !matches!(line, Line::Between)).count();
        prop_assert!(rows(&desk.menu) <= MOST_ROWS, "{}", text(&desk));
        for (line, _) in &lines {
            if let Line::Leads(_, under) = line {
                prop_assert!(!under.is_empty() && rows(under) <= MOST_ROWS, "{}", text(&desk));
            }
        }
    }

    #[test]
    fn the_first_and_the_last_row_do_no_harm(glance in any_glance()) {
        let menu = desk(&glance).menu;
        prop_assert!(matches!(menu.first(), Some(Line::Says(_))), "{menu:?}");
        let last = menu.last().and_then(act);
        prop_assert!(matches!(last, Some(Act::Quit | Act::Open { view: View::Quit, .. })), "{menu:?}");
        prop_assert!(!menu.windows(2).any(|two| two == [Line::Between, Line::Between]), "{menu:?}");
    }

    #[test]
    fn approve_stands_one_level_down_carries_its_tree_and_is_off_while_halted(glance in any_glance()) {
        let menu = desk(&glance).menu;
        let mut lines = Vec::new();
        all_lines(&menu, 0, &mut lines);
        for (line, depth) in &lines {
            if let Some(Act::Approve { id, tree }) = act(line) {
                prop_assert!(glance.halted.is_none() && *depth == 1);
                let shown = glance.waiting.iter().any(|p| p.id == *id && p.tree == *tree && p.stands == Stands::Open);
                prop_assert!(shown, "{line:?}");
            }
        }
        let starts = lines.iter().filter(|(line, _)| matches!(act(line), Some(Act::Run { .. } | Act::Enable { .. })));
        prop_assert!(glance.halted.is_none() || starts.count() == 0, "nothing is offered that HALT refuses");
        let halts = lines.iter().any(|(line, depth)| act(line) == Some(&Act::HaltAll) && *depth == 0);
        prop_assert_eq!(halts, glance.halted.is_none());
    }
}

#[test]
fn what_is_not_known_asks_before_it_quits() {
    let quit = |known| match desk(&Glance { known, loops: Vec::new(), ..quiet() }).menu.pop() {
        Some(Line::Does(_, act)) => act,
        other => panic!("no quit: {other:?}"),
    };
    assert_eq!(quit(true), Act::Quit, "the control: without a loop there is nothing to ask");
    assert_eq!(quit(false), Act::Open { view: View::Quit, target: None });
}

#[test]
fn what_became_of_a_halt_is_said_whole() {
    for far in [Halted::Not, Halted::Lives, Halted::Ended, Halted::Unknown] {
        let said = Said { what: far.words().to_owned(), act: far.place() };
        let menu = text(&desk(&Glance { said: Some(said), ..quiet() }));
        assert!(menu.contains(&format!("{}. Show why", far.words())), "{menu}");
    }
}
