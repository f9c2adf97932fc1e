//! What happens to all loops together, as it is stored in the journal's stream `fleet`. Only ever extended.
//!
//! What happens in a run is [`crate::run`]'s, what becomes of a due time its row's.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::drill::Drill;
use crate::ids::LoopId;

/// The name of the stream.
pub const STREAM: &str = "fleet";

/// The version of the stored events.
pub const VERSION: u32 = 1;

/// One stored event with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of the format.
    pub v: u32,
    /// RFC 3339 UTC.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: FleetEvent,
}

/// What happens to all loops together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FleetEvent {
    /// A scheduler began.
    SchedulerStarted {
        /// Its process.
        pid: i32,
    },
    /// It ended because it was asked to; one that was killed leaves none.
    SchedulerStopped {
        /// Its process.
        pid: i32,
    },
    /// The computer was asleep.
    Slept {
        /// Since when.
        from: DateTime<Utc>,
        /// Until when.
        to: DateTime<Utc>,
    },
    /// The clock was set by more than [`crate::scheduler::JUMP`].
    ClockJumped {
        /// What it showed.
        from: DateTime<Utc>,
        /// What it showed from then on.
        to: DateTime<Utc>,
    },
    /// A person let nothing start a loop by itself any more.
    LoopPaused {
        /// Which.
        loop_id: LoopId,
        /// Its name then.
        name: String,
        /// Until when; none = until a person says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
    /// A person let it start by itself again.
    LoopEnabled {
        /// Which.
        loop_id: LoopId,
        /// Its name then.
        name: String,
    },
    /// The kill switch was tried.
    Drilled(Drill),
}

impl Entry {
    /// An event at a time.
    pub fn new(at: String, event: FleetEvent) -> Entry {
        Entry { v: VERSION, at, event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_stored_as_they_are_documented() {
        let at = "2026-11-22T09:30:00.000Z".to_owned();
        let moment = |text: &str| text.parse().expect("a time");
        let (from, to) = (moment("2026-11-22T01:00:00Z"), moment("2026-11-22T09:30:00Z"));
        let entry = Entry::new(at.clone(), FleetEvent::ClockJumped { from, to });
        let json = serde_json::to_string(&entry).expect("it can be written");
        assert_eq!(
            json,
            r#"{"v":1,"at":"2026-11-22T09:30:00.000Z","type":"clock_jumped","from":"2026-11-22T01:00:00Z","to":"2026-11-22T09:30:00Z"}"#
        );
        assert_eq!(serde_json::from_str::<Entry>(&json).expect("it can be read"), entry);
        let json = serde_json::to_string(&Entry::new(at, FleetEvent::SchedulerStarted { pid: 7 })).expect("written");
        assert!(json.ends_with(r#""type":"scheduler_started","pid":7}"#), "{json}");
        let drill = Drill { processes: 9, left: 0, took_ms: 120, fault: None };
        let json = serde_json::to_string(&FleetEvent::Drilled(drill.clone())).expect("written");
        assert_eq!(json, r#"{"type":"drilled","processes":9,"left":0,"took_ms":120}"#);
        assert_eq!(serde_json::from_str::<FleetEvent>(&json).expect("it can be read"), FleetEvent::Drilled(drill));
    }
}
