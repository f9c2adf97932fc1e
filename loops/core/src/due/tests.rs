//! Scripts of passes over one loop and over several.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::*;
use crate::ids::{LoopId, OccurrenceId, RunId};
use crate::timing::{CatchUp, QuietHours, Trigger};

fn utc(text: &str) -> DateTime<Utc> {
    format!("2026-11-{text}:00Z").parse().expect("a time")
}

fn cron(expression: &str) -> Timing {
    Timing { triggers: vec![Trigger::Cron(expression.to_owned())], ..Timing::manual() }
}

fn caught(how: CatchUpHow, within_h: u64) -> CatchUp {
    CatchUp { how, within_s: within_h * 3600 }
}

fn arriving<'a>(timing: &'a Timing, since: &str, now: &str) -> Arriving<'a> {
    let now = utc(now);
    Arriving {
        timing,
        zone: Tz::UTC,
        since: utc(since),
        now,
        stopped: None,
        on_battery: false,
        live: None,
        live_since: None,
        waiting: 0,
        absences: &[],
        caught_up_from: now,
    }
}

fn told(arriving: &Arriving<'_>) -> Vec<String> {
    let line = |a: &Arrival| {
        let many = a.until.map_or(String::new(), |u| format!(" to {} ({})", u.format("%d %H:%M"), a.times));
        let fate = match &a.fate {
            Fate::Waits { not_before, held } => {
                let late = held.as_ref().map(|why| format!(", as {why}")).unwrap_or_default();
                format!("starts {}{late}", not_before.format("%d %H:%M:%S"))
            }
            Fate::Missed(why) => format!("missed: {why}"),
            Fate::Skipped(why) => format!("skipped: {why}"),
        };
        format!("{}{many} {fate}", a.due_at.format("%d %H:%M"))
    };
    arrivals(arriving, |_| Duration::zero()).iter().map(line).collect()
}

#[test]
fn on_time_it_starts_and_before_nothing_is_there() {
    let timing = cron("0 9 * * *");
    assert_eq!(told(&arriving(&timing, "20T09:00", "21T08:59")), [""; 0]);
    assert_eq!(told(&arriving(&timing, "20T09:00", "21T09:00")), ["21 09:00 starts 21 09:00:00"]);
    assert_eq!(told(&arriving(&timing, "21T09:00", "21T09:00")), [""; 0], "what has its row has no other");
}

#[test]
fn after_nine_hours_asleep_a_quarter_of_an_hour_starts_once_and_the_others_have_their_reason() {
    let timing = Timing { catch_up: caught(CatchUpHow::Once, 12), ..cron("*/15 * * * *") };
    let absences = [Absence { from: utc("20T22:00"), to: utc("21T07:02"), why: Absent::Asleep }];
    let rows = told(&Arriving { absences: &absences, ..arriving(&timing, "20T22:00", "21T07:02") });
    assert_eq!(rows.len(), 36);
    assert_eq!(
        rows[0],
        "20 22:15 missed: the computer was asleep from 2026-11-20 22:00 to 2026-11-21 07:02; \
         the start of 2026-11-21 07:00 stands for it"
    );
    let asleep = "the computer was asleep from 2026-11-20 22:00 to 2026-11-21 07:02";
    assert_eq!(rows[35], format!("21 07:00 starts 21 07:02:00, as {asleep}"));
    let on_the_hour = told(&arriving(&timing, "20T22:00", "21T07:00"));
    assert_eq!(on_the_hour.iter().filter(|row| row.contains("starts")).count(), 1, "one on time stands for all");
}

#[test]
fn several_are_caught_up_one_after_the_other_and_never_what_is_too_old() {
    let timing = Timing { catch_up: caught(CatchUpHow::All(3), 4), ..cron("0 * * * *") };
    let rows = told(&arriving(&timing, "20T22:00", "21T07:30"));
    let starts: Vec<&str> = rows.iter().filter(|r| r.contains("starts")).map(String::as_str).collect();
    let wanted = ["21 05:00 starts 21 07:30:00", "21 06:00 starts 21 07:30:10", "21 07:00 starts 21 07:30:20"];
    assert_eq!(starts, wanted);
    assert!(rows[0].contains("too long ago to be caught up (within 4h)"), "{}", rows[0]);
    let none = Timing { catch_up: caught(CatchUpHow::Skip, 4), ..timing };
    let rows = told(&arriving(&none, "20T22:00", "21T07:30"));
    assert!(rows.len() == 9 && rows.iter().all(|r| r.contains("missed")), "{rows:?}");
}

#[test]
fn ten_years_away_are_one_row() {
    let timing = cron("0 * * * *");
    let rows = told(&arriving(&timing, "01T00:00", "29T00:30"));
    assert_eq!(rows.len(), 1 + 12, "{rows:?}");
    assert!(rows[0].starts_with("01 01:00 to 28 12:00 (660) missed"), "{}", rows[0]);
}

#[test]
fn what_stops_a_loop_is_told_for_every_time() {
    let timing = cron("0 * * * *");
    let absences = [Absence { from: utc("20T22:00"), to: utc("21T00:30"), why: Absent::Asleep }];
    let rows = told(&Arriving {
        stopped: Some("it is paused"),
        absences: &absences,
        ..arriving(&timing, "20T22:00", "21T02:00")
    });
    // What it is now says nothing of what it was then.
    assert_eq!(
        rows,
        [
            "20 23:00 missed: the computer was asleep from 2026-11-20 22:00 to 2026-11-21 00:30; not caught up: it is paused",
            "21 00:00 missed: the computer was asleep from 2026-11-20 22:00 to 2026-11-21 00:30; not caught up: it is paused",
            "21 01:00 skipped: it is paused",
            "21 02:00 skipped: it is paused",
        ]
    );
}

/// Nothing stands for what was missed if what would stand for it is left out itself.
#[test]
fn what_is_left_out_stands_for_nothing() {
    let battery = Timing { battery: Battery::Skip, ..cron("0 * * * *") };
    let rows = told(&Arriving { on_battery: true, ..arriving(&battery, "21T01:30", "21T03:30") });
    let left = "missed: nobody looked at that time; not caught up: the computer ran on its battery (battery: skip)";
    assert_eq!(rows, [format!("21 02:00 {left}"), format!("21 03:00 {left}")]);
    let control = told(&arriving(&battery, "21T01:30", "21T03:30"));
    assert!(control[0].ends_with("the start of 2026-11-21 03:00 stands for it"), "the control: {control:?}");
    // A run that goes on now says nothing of a time before it began.
    for (since, wanted) in [
        (
            "21T03:10",
            "missed: nobody looked at that time; not caught up: its run 1a2b3c4d still went on (overlap: skip)",
        ),
        ("21T02:50", "skipped: its run 1a2b3c4d still went on (overlap: skip)"),
    ] {
        let live = (Some(("1a2b3c4d", false)), Some(utc(since)));
        let timing = cron("0 3 * * *");
        let arriving = Arriving { live: live.0, live_since: live.1, ..arriving(&timing, "21T01:30", "21T03:30") };
        assert_eq!(told(&arriving), [format!("21 03:00 {wanted}")]);
    }
}

/// More than are counted are one row to their true end.
#[test]
fn what_is_not_counted_is_in_its_row_all_the_same() {
    let timing = Timing { triggers: vec![Trigger::Every(60)], ..Timing::manual() };
    let since = utc("21T00:00") - Duration::days(100);
    let arriving = Arriving { since, ..arriving(&timing, "21T00:00", "21T00:00") };
    let rows = arrivals(&arriving, |_| Duration::zero());
    assert_eq!((rows[0].due_at, rows[0].times), (since + Duration::minutes(1), COUNTED));
    let next = rows[1].due_at;
    assert_eq!(rows[0].until.map(|until| next - until), Some(Duration::minutes(1)), "{next}");
}

#[test]
fn while_it_runs_the_policy_decides() {
    let live = Some(("1a2b3c4d", false));
    let of = |overlap, live, waiting| {
        let timing = Timing { overlap, ..cron("0 9 * * *") };
        told(&Arriving { live, waiting, ..arriving(&timing, "21T08:00", "21T09:00") }).remove(0)
    };
    assert!(of(Overlap::Skip, live, 0).ends_with("skipped: its run 1a2b3c4d still went on (overlap: skip)"));
    assert!(of(Overlap::Queue, live, 0).contains("starts"));
    assert!(of(Overlap::Queue, live, 1).ends_with("skipped: an earlier start still waited"));
    assert!(of(Overlap::CancelPrevious, live, 0).contains("starts"));
    for overlap in [Overlap::Skip, Overlap::Queue, Overlap::CancelPrevious] {
        assert!(of(overlap, Some(("1a2b3c4d", true)), 0).ends_with("skipped: its run 1a2b3c4d was parked"));
    }
}

#[test]
fn quiet_hours_and_battery() {
    let quiet_hours = Some(QuietHours { from: "22:00:00".parse().expect("t"), to: "07:00:00".parse().expect("t") });
    let timing = Timing { quiet_hours, ..cron("0 5 * * *") };
    assert_eq!(told(&arriving(&timing, "21T04:00", "21T05:00")), ["21 05:00 starts 21 05:00:00"], "it is held later");
    let skip = Timing { catch_up: caught(CatchUpHow::Skip, 12), ..timing };
    let rows = told(&arriving(&skip, "21T04:00", "21T05:00"));
    assert_eq!(rows, ["21 05:00 skipped: it was within quiet hours (22:00 to 07:00)"]);
    let battery = Timing { battery: Battery::Skip, ..cron("0 5 * * *") };
    let rows = told(&Arriving { on_battery: true, ..arriving(&battery, "21T04:00", "21T05:00") });
    assert_eq!(rows, ["21 05:00 skipped: the computer ran on its battery (battery: skip)"]);
}

struct World {
    loops: BTreeMap<LoopId, Subject>,
    live: Vec<Live>,
    waiting: Vec<Waiting>,
    absences: Vec<Absence>,
}

fn loop_id(n: u128) -> LoopId {
    LoopId(Uuid::from_u128(n))
}

impl World {
    /// `n` loops with one occurrence each, due at 09:00.
    fn of(n: u128, timing: &Timing) -> World {
        let subject = Subject { timing: timing.clone(), zone: Tz::UTC, stopped: None, last_began: None };
        let waiting = |n| Waiting {
            id: OccurrenceId(Uuid::from_u128(100 + n)),
            loop_id: loop_id(n),
            trigger: "cron".to_owned(),
            due_at: utc("21T09:00"),
            not_before: None,
            held: None,
        };
        World {
            loops: (1..=n).map(|n| (loop_id(n), subject.clone())).collect(),
            live: Vec::new(),
            absences: Vec::new(),
            waiting: (1..=n).map(waiting).collect(),
        }
    }

    fn runs(&mut self, loop_: u128, parked: bool) {
        let began = utc("21T08:30");
        self.live.push(Live {
            loop_id: loop_id(loop_),
            run: RunId(Uuid::from_u128(0xabcd_0000 + loop_)),
            parked,
            began,
        });
    }

    fn told(&self, now: &str, on_battery: bool) -> Vec<String> {
        let pass = Pass {
            now: utc(now),
            slots: 2,
            on_battery,
            loops: &self.loops,
            live: &self.live,
            absences: &self.absences,
        };
        let choices = choose(&self.waiting, &pass);
        let line = |(id, choice): &(OccurrenceId, Choice)| {
            let what = match choice {
                Choice::Start => "start".to_owned(),
                Choice::Cancel(run) => format!("cancel {}", run.short()),
                Choice::Hold(hold) => format!("hold: {}", hold.why),
                Choice::Missed(why) => format!("missed: {why}"),
                Choice::Skipped(why) => format!("skipped: {why}"),
            };
            format!("{} {what}", id.0.as_u128() - 100)
        };
        choices.iter().map(line).collect()
    }
}

#[test]
fn slots_are_shared_fairly() {
    let mut world = World::of(4, &cron("0 9 * * *"));
    world.runs(9, false);
    world.runs(8, true);
    world.loops.get_mut(&loop_id(1)).expect("a loop").last_began = Some(utc("21T08:00"));
    world.loops.get_mut(&loop_id(3)).expect("a loop").last_began = Some(utc("20T08:00"));
    let busy = "hold: 2 runs go on, and 2 may at once";
    let told = world.told("21T09:00", false);
    assert_eq!(told[0], "2 start", "one that never ran comes first, and a parked run holds no slot");
    assert_eq!(told[1..], [format!("4 {busy}"), format!("3 {busy}"), format!("1 {busy}")]);
}

#[test]
fn what_it_waits_for_is_named_and_ends() {
    let quiet_hours = Some(QuietHours { from: "08:00:00".parse().expect("t"), to: "10:00:00".parse().expect("t") });
    let world = World::of(1, &Timing { quiet_hours, ..cron("0 9 * * *") });
    assert_eq!(world.told("21T09:00", false), ["1 hold: quiet hours until 10:00"]);
    assert_eq!(world.told("21T10:00", false), ["1 start"]);
    let world =
        World::of(1, &Timing { battery: Battery::Wait, catch_up: caught(CatchUpHow::Once, 1), ..cron("0 9 * * *") });
    assert_eq!(world.told("21T09:30", true), ["1 hold: the computer runs on its battery (battery: wait)"]);
    assert_eq!(world.told("21T09:30", false), ["1 start"]);
    assert!(world.told("21T10:01", true)[0].starts_with("1 missed: it waited too long (within 1h): the computer runs"));
    let mut world = world;
    world.waiting[0].held = Some("the computer runs on its battery (battery: wait)".to_owned());
    let told = world.told("21T10:01", false);
    assert_eq!(
        told,
        ["1 missed: it waited too long (within 1h): the computer runs on its battery (battery: wait)"],
        "what held it ended just now"
    );
}

/// What waits for the same is one start, the newest; it is not told that nobody looked.
#[test]
fn a_newer_time_stands_for_those_that_wait_with_it() {
    let quiet_hours = Some(QuietHours { from: "08:00:00".parse().expect("t"), to: "10:00:00".parse().expect("t") });
    let of = |catch_up| {
        let mut world = World::of(3, &Timing { quiet_hours, catch_up, ..cron("0 * * * *") });
        for (waiting, due) in world.waiting.iter_mut().zip(["21T08:00", "21T09:00", "21T10:00"]) {
            waiting.loop_id = loop_id(1);
            waiting.due_at = utc(due);
        }
        world
    };
    let world = of(caught(CatchUpHow::Once, 2));
    let gone = |n: usize, for_it: &str| {
        format!("{n} missed: quiet hours until 10:00; the start of 2026-11-21 {for_it} stands for it")
    };
    assert_eq!(world.told("21T10:00", false), [gone(1, "09:00"), gone(2, "10:00"), "3 start".to_owned()]);
    // Under `all(2)` two are caught up, one after the other.
    let told = of(caught(CatchUpHow::All(2), 2)).told("21T10:00", false);
    assert_eq!(told[0], gone(1, "10:00"));
    assert!(told[1] == "2 start" && told[2].starts_with("3 hold: its run"), "{told:?}");
    // One whose own moment is yet to come keeps its place, or nothing would ever start.
    let mut world = of(caught(CatchUpHow::Once, 2));
    world.waiting.truncate(2);
    world.waiting[0].not_before = Some(utc("21T10:30"));
    let told = world.told("21T10:10", false);
    assert!(told[0].starts_with("1 hold: it starts at") && told[1] == "2 skipped: an earlier start still waited");
    // While its run goes on, nothing gives way.
    let mut world = of(caught(CatchUpHow::All(3), 2));
    world.runs(1, false);
    assert!(
        world.told("21T10:00", false).iter().all(|told| told.contains("hold")),
        "{:?}",
        world.told("21T10:00", false)
    );
}

#[test]
fn a_live_run_is_waited_for_or_cancelled_and_a_parked_one_never_disturbed() {
    for (overlap, parked, wanted) in [
        (Overlap::Queue, false, "1 hold: its run abcd0001 goes on"),
        (Overlap::CancelPrevious, false, "1 cancel abcd0001"),
        (Overlap::CancelPrevious, true, "1 hold: its run abcd0001 is parked"),
    ] {
        let mut world = World::of(1, &Timing { overlap, ..cron("0 9 * * *") });
        world.runs(1, parked);
        assert_eq!(world.told("21T09:00", false), [wanted]);
    }
    let mut world = World::of(1, &cron("0 9 * * *"));
    world.loops.get_mut(&loop_id(1)).expect("a loop").stopped = Some("everything is halted".to_owned());
    assert_eq!(world.told("21T09:00", false), ["1 skipped: everything is halted"]);
    world.loops.clear();
    assert_eq!(world.told("21T09:00", false), ["1 skipped: its loop is no longer registered"]);
}

#[test]
fn what_is_late_itself_cancels_nothing() {
    let mut world = World::of(1, &Timing { overlap: Overlap::CancelPrevious, ..cron("0 9 * * *") });
    world.runs(1, false);
    assert_eq!(world.told("21T09:00", false), ["1 cancel abcd0001"], "the control: it began before");
    world.waiting[0].due_at = utc("21T08:00");
    assert_eq!(world.told("21T09:00", false), ["1 hold: its run abcd0001 goes on"]);
}

#[test]
fn what_happens_obeys_the_policies_too_and_waits_once() {
    let of = |timing: Timing, parked: Option<bool>, on_battery| {
        let mut world = World::of(1, &timing);
        world.waiting[0].trigger = "after".to_owned();
        if let Some(parked) = parked {
            world.runs(1, parked);
        }
        world.told("21T09:00", on_battery).remove(0)
    };
    let overlap = |overlap| Timing { overlap, ..cron("0 9 * * *") };
    assert_eq!(of(overlap(Overlap::Skip), None, false), "1 start");
    assert_eq!(
        of(overlap(Overlap::Skip), Some(false), false),
        "1 skipped: its run abcd0001 still went on (overlap: skip)"
    );
    assert_eq!(of(overlap(Overlap::Queue), Some(true), false), "1 skipped: its run abcd0001 was parked");
    assert_eq!(of(overlap(Overlap::Queue), Some(false), false), "1 hold: its run abcd0001 goes on");
    let battery = Timing { battery: Battery::Skip, ..cron("0 9 * * *") };
    assert_eq!(of(battery, None, true), "1 skipped: the computer ran on its battery (battery: skip)");
    let mut world = World::of(3, &overlap(Overlap::CancelPrevious));
    for waiting in &mut world.waiting {
        waiting.loop_id = loop_id(1);
        waiting.trigger = "file".to_owned();
    }
    let told = world.told("21T09:00", false);
    assert_eq!(
        told,
        ["1 start", "2 skipped: an earlier start still waited", "3 skipped: an earlier start still waited"]
    );
}

#[test]
fn what_is_not_caught_up_does_not_start_hours_later_either() {
    let mut world = World::of(1, &Timing { catch_up: caught(CatchUpHow::Skip, 12), ..cron("0 9 * * *") });
    world.waiting[0].not_before = Some(utc("21T09:20"));
    assert_eq!(world.told("21T09:35", false), ["1 start"]);
    assert_eq!(
        world.told("21T19:00", false),
        ["1 missed: it waited too long (within 15m): nobody looked at that time"]
    );
    world.absences = vec![Absence { from: utc("21T09:30"), to: utc("21T19:00"), why: Absent::Asleep }];
    let told = world.told("21T19:00", true).remove(0);
    assert!(
        told.ends_with("(within 15m): the computer was asleep from 2026-11-21 09:30 to 2026-11-21 19:00"),
        "{told}"
    );
}

#[test]
fn tomorrow_begins_at_midnight_there_or_as_soon_as_it_can() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
    let berlin = tomorrow(at("2026-11-19T23:30:00Z"), chrono_tz::Europe::Berlin);
    assert_eq!(berlin, at("2026-11-20T23:00:00Z"), "it is the 20th there already");
    // Clocks go from 00:00 to 01:00 on that day.
    let santiago = tomorrow(at("2026-09-05T12:00:00Z"), chrono_tz::America::Santiago);
    assert_eq!(santiago, at("2026-09-06T04:00:00Z"));
}

/// What stands for one that could start now starts now: with passes as far apart as the due times nothing would ever start if
/// its own moment were waited for.
#[test]
fn what_stands_for_one_that_may_start_starts() {
    let mut world = World::of(3, &cron("0 * * * *"));
    for (waiting, due) in world.waiting.iter_mut().zip(["21T08:00", "21T09:00", "21T10:00"]) {
        waiting.loop_id = loop_id(1);
        waiting.due_at = utc(due);
    }
    world.waiting[2].not_before = Some(utc("21T10:20"));
    let told = world.told("21T10:00", false);
    assert!(told[0].ends_with("the start of 2026-11-21 09:00 stands for it"), "{told:?}");
    assert!(told[1].ends_with("the start of 2026-11-21 10:00 stands for it"), "{told:?}");
    assert_eq!(told[2], "3 start");
    // One whose own moment is yet to come itself gives way to none, and nothing makes it start earlier.
    world.waiting[1].not_before = Some(utc("21T10:10"));
    world.waiting.remove(0);
    let told = world.told("21T10:00", false);
    assert!(told[0].starts_with("2 hold: it starts at") && told[1] == "3 skipped: an earlier start still waited");
    // The control: what could not start now hands nothing over.
    world.waiting[0].not_before = None;
    world.loops.get_mut(&loop_id(1)).expect("a loop").timing.battery = Battery::Wait;
    let told = world.told("21T10:00", true);
    assert!(told[0].starts_with("2 missed: the computer runs on its battery"), "{told:?}");
    assert!(told[1].starts_with("3 hold: it starts at 2026-11-21 10:20"), "{told:?}");
}

/// What was queued behind a run that has just ended starts, and what comes at that moment is queued behind it; what was held by
/// anything else gives way.
#[test]
fn what_was_queued_is_the_next() {
    let mut world = World::of(2, &Timing { overlap: Overlap::Queue, ..cron("0 * * * *") });
    world.waiting[1].loop_id = loop_id(1);
    world.waiting[1].due_at = utc("21T10:00");
    world.waiting[0].held = Some("its run abcd0001 goes on".to_owned());
    let told = world.told("21T10:00", false);
    assert!(told[0] == "1 start" && told[1] == "2 hold: its run goes on", "{told:?}");
    world.waiting[0].held = Some("quiet hours until 10:00".to_owned());
    let told = world.told("21T10:00", false);
    assert_eq!(told, ["1 missed: quiet hours until 10:00; the start of 2026-11-21 10:00 stands for it", "2 start"]);
}

/// Two that happen within one pass are one that starts and one that waits.
#[test]
fn what_happens_waits_behind_what_starts_in_the_same_pass() {
    let mut world = World::of(3, &Timing { overlap: Overlap::Queue, ..cron("0 9 * * *") });
    for waiting in &mut world.waiting {
        waiting.loop_id = loop_id(1);
        waiting.trigger = "after".to_owned();
    }
    let told = world.told("21T09:00", false);
    assert!(told[0] == "1 start" && told[1].starts_with("2 hold: its run"), "{told:?}");
    assert_eq!(told[2], "3 skipped: an earlier start still waited");
}

/// A due time that comes while something waits that happened is as little as one start as the other way round.
#[test]
fn a_due_time_waits_behind_nothing_that_happened() {
    for (first, second) in [("file", "cron"), ("cron", "file")] {
        let mut world = World::of(2, &cron("0 9 * * *"));
        for (waiting, (trigger, due)) in world.waiting.iter_mut().zip([(first, "21T08:00"), (second, "21T09:00")]) {
            waiting.loop_id = loop_id(1);
            (waiting.trigger, waiting.due_at) = (trigger.to_owned(), utc(due));
        }
        assert_eq!(world.told("21T09:00", false), ["1 start", "2 skipped: an earlier start still waited"], "{first}");
    }
}

/// Nothing is cancelled for a start that another loop, which waits already, would take the slot of.
#[test]
fn nothing_is_cancelled_for_a_slot_that_others_wait_for() {
    let mut world = World::of(2, &Timing { overlap: Overlap::CancelPrevious, ..cron("0 9 * * *") });
    world.runs(2, false);
    let other = Live { loop_id: loop_id(9), run: RunId(Uuid::from_u128(9)), parked: false, began: utc("21T08:00") };
    world.live.push(other);
    world.loops.get_mut(&loop_id(2)).expect("a loop").last_began = Some(utc("21T08:30"));
    let told = world.told("21T09:00", false);
    assert_eq!(told, ["1 hold: 2 runs go on, and 2 may at once", "2 hold: 2 runs go on, and 2 may at once"]);
    world.waiting.remove(0);
    assert!(world.told("21T09:00", false)[0].starts_with("2 cancel"), "the control: nobody waits for it");
}
