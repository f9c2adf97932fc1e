//! What becomes of a run whose journal has no end: a pure decision over what its processes left.
//!
//! Who looks, and what is then done, is the engine's reconcile pass.

use chrono::DateTime;

use crate::chores::{self, Observed};
use crate::lease::{Beat, EndCause};
use crate::run::{End, Entry, HaltWhy, Run, RunEvent};

/// How often a run is taken up again at most.
pub const MOST_TAKEN_UP: u32 = 5;

/// What is left of a run.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a> {
    /// The run as its journal has it.
    pub run: &'a Run,
    /// Whether a process of it lives, or somebody brings it to life at this moment.
    pub alive: bool,
    /// Why everything, its loop or the run is halted now.
    pub halted: Option<&'a str>,
    /// Why its last watchdog ended it, if it did.
    pub ended: Option<EndCause>,
    /// Awake seconds that it has taken in all.
    pub worked_s: u64,
    /// What a run that is parked waits for.
    pub chores: &'a Observed,
}

/// What is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing: it lives, or has its end.
    Leave,
    /// Its end is written.
    End(End),
    /// It goes on under a new watchdog.
    TakeUp,
}

/// Decides what becomes of a run; asked in this order: does it live? was it to stop? may it be taken up once more?
pub fn recover(left: &Left<'_>) -> Recovery {
    if left.alive || left.run.end.is_some() {
        return Recovery::Leave;
    }
    if let Some(end) = &left.run.ending {
        return Recovery::End(end.clone());
    }
    if let Some(detail) = left.halted {
        return halted(HaltWhy::Halt, detail.to_owned());
    }
    match left.ended {
        Some(EndCause::Halted) => return halted(HaltWhy::Halt, "its watchdog ended it".to_owned()),
        Some(EndCause::Time) => return halted(HaltWhy::Time, "its watchdog ended it: the time was over".to_owned()),
        Some(EndCause::Silent | EndCause::Died) | None => {}
    }
    let most = left.run.start.rails.max_duration_s;
    if left.worked_s >= most {
        return halted(HaltWhy::Time, format!("the run took its {most} s (max_duration) before its processes died"));
    }
    if left.run.parked.is_some() {
        return if chores::wakes(left.run, left.chores) { Recovery::TakeUp } else { Recovery::Leave };
    }
    if left.run.deaths() >= MOST_TAKEN_UP {
        let why = format!(
            "its processes died {} times, the last time {}; its findings are open again",
            left.run.deaths() + 1,
            during(left.run)
        );
        return Recovery::End(End::Failed { why });
    }
    Recovery::TakeUp
}

fn halted(why: HaltWhy, detail: String) -> Recovery {
    Recovery::End(End::Halted { why, detail })
}

fn during(run: &Run) -> String {
    match run.open.first() {
        Some((step, _)) => format!("in {}", step.name()),
        None => "between two steps".to_owned(),
    }
}

/// How long the processes of the last epoch were awake, in seconds: by their last beat or, where none can be read, by the times
/// of their events.
pub fn last_worked_s(beat: Option<&Beat>, journal: &[Entry]) -> u64 {
    beat.map_or_else(|| between_events_s(journal), |beat| beat.awake_s)
}

/// From the last start of the run to its last event.
fn between_events_s(journal: &[Entry]) -> u64 {
    let started = journal.iter().rev().find(|entry| matches!(entry.event, RunEvent::RunStarted(_)));
    let at = |entry: &Entry| DateTime::parse_from_rfc3339(&entry.at).ok();
    let span = started.and_then(at).zip(journal.last().and_then(at)).map(|(first, last)| last - first);
    span.and_then(|span| u64::try_from(span.num_seconds()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::run::RunStart;

    /// A run that has begun and nothing else.
    fn run(epoch: u32) -> Run {
        let text = r#"{"run":"01936f2e-0000-7000-8000-000000000001","loop_id":"01936f2e-0000-7000-8000-000000000002",
            "loop_name":"n","occurrence":"01936f2e-0000-7000-8000-000000000003","cause":"manual","mode":"ship","epoch":1,
            "definition":"","rails":{"max_iterations":3,"budget":5000000,"no_progress":2,"max_duration_s":60,
            "max_tokens":null,"max_turns":null,"max_findings":5},"review":{"max_open":3,"merge":"squash"},
            "maker":{"name":"m","kind":"command","model":null,"price":0},"checker":null,
            "retries":{"discover":{"times":0,"every_s":0},"act":{"times":0,"every_s":0},"verify":{"times":0,"every_s":0},
            "ship":{"times":0,"every_s":0}}}"#;
        let start: RunStart = serde_json::from_str(text).expect("a start");
        Run::new(RunStart { epoch, ..start })
    }

    fn left(run: &Run) -> Left<'_> {
        static NOTHING: Observed =
            Observed { now: DateTime::UNIX_EPOCH, files: BTreeSet::new(), ending: BTreeSet::new() };
        Left { run, alive: false, halted: None, ended: None, worked_s: 0, chores: &NOTHING }
    }

    fn ends_as(recovery: &Recovery) -> &'static str {
        match recovery {
            Recovery::Leave => "left",
            Recovery::TakeUp => "taken up",
            Recovery::End(End::Halted { why: HaltWhy::Halt, .. }) => "halted",
            Recovery::End(End::Halted { why: HaltWhy::Time, .. }) => "time",
            Recovery::End(_) => "failed",
        }
    }

    #[test]
    fn what_was_to_stop_stops_and_the_rest_goes_on() {
        let run = run(1);
        let base = left(&run);
        for (left, expected) in [
            (base, "taken up"),
            (Left { alive: true, halted: Some("HALT"), ..base }, "left"),
            (Left { halted: Some("HALT"), ..base }, "halted"),
            (Left { ended: Some(EndCause::Halted), ..base }, "halted"),
            (Left { ended: Some(EndCause::Time), ..base }, "time"),
            (Left { ended: Some(EndCause::Died), ..base }, "taken up"),
            (Left { ended: Some(EndCause::Silent), ..base }, "taken up"),
            (Left { worked_s: 59, ..base }, "taken up"),
            (Left { worked_s: 60, ..base }, "time"),
        ] {
            assert_eq!(ends_as(&recover(&left)), expected, "{left:?}");
        }
        let ended = Run { end: Some(End::Finished), ..run.clone() };
        assert_eq!(recover(&Left { run: &ended, ..base }), Recovery::Leave);
    }

    #[test]
    fn five_times_and_no_more() {
        for epoch in 1..=MOST_TAKEN_UP {
            assert_eq!(recover(&left(&run(epoch))), Recovery::TakeUp);
        }
        let Recovery::End(End::Failed { why }) = recover(&left(&run(MOST_TAKEN_UP + 1))) else { panic!("it goes on") };
        assert_eq!(why, "its processes died 6 times, the last time between two steps; its findings are open again");
    }

    #[test]
    fn time_is_counted_by_beats_or_by_events() {
        let entry = |at: &str, event| Entry { v: 1, at: at.to_owned(), event };
        let noted = || RunEvent::Noted { topic: "t".to_owned(), text: String::new() };
        let started = || RunEvent::RunStarted(Box::new(run(1).start));
        let journal = [
            entry("2026-01-01T00:00:00Z", started()),
            entry("2026-01-01T05:00:00Z", noted()),
            entry("2026-01-01T09:00:00Z", started()),
            entry("2026-01-01T09:00:07Z", noted()),
        ];
        assert_eq!(last_worked_s(None, &journal), 7, "what was before is counted already");
        assert_eq!(last_worked_s(Some(&Beat { seq: 20, awake_s: 40, ..Beat::default() }), &journal), 40);
        assert_eq!(last_worked_s(None, &journal[1..2]), 0);
    }
}
