//! What is held, gathered, replaced and withdrawn, one situation at a time.

use chrono::Duration;

use super::*;

fn titles(told: &mut Vec<Told>, facts: &Facts) -> Vec<String> {
    let plan = plan(facts, told, &Notifications::default());
    done(told, &plan, facts.now).into_iter().map(|notice| notice.title).collect()
}

fn later(facts: &Facts, minutes: i64) -> Facts {
    Facts { now: facts.now + Duration::minutes(minutes), ..facts.clone() }
}

#[test]
fn what_comes_within_ten_minutes_is_told_together() {
    let mut told = Vec::new();
    let mut facts = nothing(at("10:00"));
    facts.waiting = vec![pull_request(1, "deps", at("10:00"))];
    assert_eq!(titles(&mut told, &facts), ["Ready: Fix flaky date test in parser"]);
    facts = later(&facts, 4);
    facts.waiting.push(pull_request(2, "deps", facts.now));
    let held = plan(&facts, &told, &Notifications::default());
    assert_eq!((held.steps.len(), held.held, held.next), (0, 1, Some(at("10:10"))));
    facts = later(&facts, 3);
    facts.waiting.push(pull_request(3, "web", facts.now));
    assert!(titles(&mut told, &facts).is_empty());
    facts = later(&facts, 3);
    let plan = plan(&facts, &told, &Notifications::default());
    assert!(matches!(&plan.steps[..], [Step::Show { replaces: Some(id), .. }] if *id == told[0].id), "in its place");
    assert_eq!(done(&mut told, &plan, facts.now)[0].title, "3 pull requests wait for you");
}

#[test]
fn what_is_decided_elsewhere_is_withdrawn_and_what_is_left_stays_true() {
    let mut told = Vec::new();
    let mut facts = nothing(at("10:00"));
    facts.waiting = (1..=3).map(|n| pull_request(n, "deps", at("10:00"))).collect();
    assert_eq!(titles(&mut told, &facts), ["3 pull requests wait for you"]);
    facts.waiting.pop();
    assert_eq!(titles(&mut told, &facts), ["2 pull requests wait for you"], "at once, and not asked again");
    assert!(!told[1].counted);
    facts.waiting.pop();
    assert_eq!(titles(&mut told, &facts), ["Ready: Fix flaky date test in parser"]);
    facts.waiting.pop();
    assert_eq!(plan(&facts, &told, &Notifications::default()).steps, [Step::Withdraw(told[2].id)]);
}

#[test]
fn approve_goes_with_what_made_it_possible() {
    let mut told = Vec::new();
    let mut facts = nothing(at("10:00"));
    facts.waiting = vec![pull_request(1, "deps", at("10:00"))];
    titles(&mut told, &facts);
    assert!(told[0].buttons.contains(&Button::Approve));
    facts.halted = true;
    titles(&mut told, &facts);
    assert!(told[1].live && !told[0].live && !told[1].buttons.contains(&Button::Approve));
    facts.halted = false;
    facts.halted_loops = vec!["deps".to_owned()];
    assert!(titles(&mut told, &facts).is_empty(), "its loop is halted: nothing to offer yet");
    facts.halted_loops.clear();
    titles(&mut told, &facts);
    assert!(told[2].buttons.contains(&Button::Approve));
    // Another tree is another thing: what was announced is gone, and the new one waits for its time.
    facts.waiting[0].tree = "f".repeat(40);
    let plan = plan(&facts, &told, &Notifications::default());
    assert_eq!((&plan.steps[..], plan.held), (&[Step::Withdraw(told[2].id)][..], 1));
}

#[test]
fn later_shows_it_once_more() {
    let mut told = Vec::new();
    let mut facts = nothing(at("10:00"));
    facts.waiting = vec![pull_request(1, "deps", at("10:00"))];
    titles(&mut told, &facts);
    told[0].live = false;
    assert!(titles(&mut told, &later(&facts, 61)).is_empty(), "dismissed is dismissed");
    facts = later(&facts, 61);
    facts.waiting[0].again = Some(at("11:00"));
    assert_eq!(titles(&mut told, &facts).len(), 1);
    told[1].live = false;
    assert!(titles(&mut told, &later(&facts, 600)).is_empty());
}

#[test]
fn what_comes_at_night_is_one_summary_in_the_morning() {
    let mut told = Vec::new();
    let mut facts = nothing(at("21:00"));
    facts.waiting = (1..=2).map(|n| pull_request(n, "deps", at("21:00"))).collect();
    let held = plan(&facts, &told, &Notifications::default());
    assert_eq!((held.steps.len(), held.next), (0, Some(on("2026-11-24", "08:00"))));
    facts.now = on("2026-11-24", "08:00");
    assert_eq!(titles(&mut told, &facts), ["2 pull requests wait for you"]);
}

#[test]
fn before_the_first_opening_and_in_the_face_of_review_nothing_is_told() {
    let mut told = Vec::new();
    let mut facts = Facts { opened: false, ..nothing(at("10:00")) };
    facts.waiting = vec![pull_request(1, "deps", at("10:00"))];
    assert!(titles(&mut told, &facts).is_empty());
    facts.opened = true;
    facts.review_has_focus = true;
    assert!(titles(&mut told, &facts).is_empty());
    facts.review_has_focus = false;
    assert!(titles(&mut told, &facts).is_empty(), "it was before their eyes: a toast is enough");
    facts.waiting.push(pull_request(2, "deps", at("10:00")));
    assert_eq!(titles(&mut told, &facts), ["2 pull requests wait for you"]);
}

#[test]
fn a_second_missed_time_is_critical_and_repeated_failures_get_louder() {
    let mut told = Vec::new();
    let missed = |now: DateTime<Utc>| MissedTime {
        loop_name: "deps".to_owned(),
        zone: Berlin,
        due: now,
        wake: true,
        catch_up: None,
    };
    let mut facts = nothing(at("10:00"));
    facts.missed = vec![missed(facts.now)];
    let urgency = |told: &mut Vec<Told>, facts: &Facts| {
        let plan = plan(facts, told, &Notifications::default());
        done(told, &plan, facts.now).iter().map(|notice| notice.urgency).collect::<Vec<_>>()
    };
    assert_eq!(urgency(&mut told, &facts), [Urgency::Normal]);
    facts = later(&facts, 60);
    facts.missed.push(missed(facts.now));
    assert!(urgency(&mut told, &facts).is_empty(), "the same fault within a day");
    facts = later(&facts, 24 * 60);
    facts.missed = vec![missed(facts.now)];
    assert_eq!(urgency(&mut told, &facts), [Urgency::Critical]);
    facts.missed.clear();
    let failed = |run: &str, at: DateTime<Utc>| FailedRun {
        run: run.to_owned(),
        loop_name: "deps".to_owned(),
        why: "tests don't start".to_owned(),
        at,
    };
    facts.failed = vec![failed("1", facts.now)];
    assert!(urgency(&mut told, &facts).is_empty(), "gathered until the morning");
    facts.now = on("2026-11-25", "08:00");
    assert_eq!(urgency(&mut told, &facts), [Urgency::Low]);
    facts.failed = vec![failed("2", facts.now)];
    facts.now = on("2026-11-26", "08:01");
    assert_eq!(urgency(&mut told, &facts), [Urgency::Normal]);
}

#[test]
fn an_approval_that_did_not_land_says_so_once() {
    let mut told = Vec::new();
    let mut facts = nothing(at("10:00"));
    let card = pull_request(1, "deps", at("10:00"));
    let answer = merging(card.id, &card.title, "main", "shop", 20);
    let step = Step::Show { notice: Box::new(answer), replaces: None, counts: None };
    done(&mut told, &Plan { steps: vec![step], ..Plan::default() }, facts.now);
    let of = |landing| Approved { id: card.id, title: card.title.clone(), loop_name: "deps".to_owned(), landing };
    facts.approved = vec![of(Landing::Ahead)];
    assert!(plan(&facts, &told, &Notifications::default()).steps.is_empty());
    facts.approved = vec![of(Landing::Merged)];
    assert_eq!(plan(&facts, &told, &Notifications::default()).steps, [Step::Withdraw(told[0].id)]);
    facts.approved = vec![of(Landing::GivenBack("the branch moved".to_owned()))];
    assert_eq!(titles(&mut told, &facts), ["Not merged: Fix flaky date test in parser"]);
    assert!(titles(&mut told, &later(&facts, 5)).is_empty());
}

#[test]
fn that_there_is_no_tray_is_told_once_and_not_in_quiet_hours() {
    let (mut told, mut facts) = (Vec::new(), nothing(at("06:30")));
    facts.no_tray = Some(facts.now);
    let quiet = plan(&facts, &told, &Notifications::default());
    assert_eq!((quiet.steps.len(), quiet.held, quiet.next), (0, 1, Some(at("08:00"))));
    facts = later(&facts, 91);
    assert_eq!(titles(&mut told, &facts), ["Loopwright runs without an icon"]);
    for days in [0, 1, 400] {
        let again = later(&facts, days * 24 * 60 + 10);
        assert!(titles(&mut told, &again).is_empty(), "at another login, after {days} days");
    }
}
