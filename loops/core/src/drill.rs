//! The drill of the kill switch: what it promises, and what is said of the last one. Doing it is the engine's.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::desk::age;

/// How long the processes of an agent may live after HALT, in milliseconds.
pub const LIMIT_MS: u64 = 1000;

/// What a drill came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// How many processes the run in its box had.
    pub processes: u32,
    /// How many of them lived on after [`LIMIT_MS`].
    pub left: u32,
    /// When the last of them was gone, in milliseconds after the switch; where some were left, when that was given up.
    pub took_ms: u64,
    /// What else went wrong: the switch itself failed, or what watched the run lived on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Drill {
    /// Whether the kill switch did what it promises.
    pub fn passed(&self) -> bool {
        self.processes > 0 && self.left == 0 && self.took_ms <= LIMIT_MS && self.fault.is_none()
    }

    /// What is said of it: `Drilled 3 d ago, ended in 0.4 s`.
    pub fn words(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let ago = match age(at, now).as_str() {
            "now" => "just now".to_owned(),
            age => format!("{age} ago"),
        };
        match (&self.fault, self.left) {
            (Some(fault), _) => format!("Drill failed {ago}: {fault}"),
            (None, 0) if self.passed() => format!("Drilled {ago}, ended in {}", seconds(self.took_ms)),
            (None, 0) => format!("Drill failed {ago}: ending took {}", seconds(self.took_ms)),
            (None, left) => {
                let of = self.processes;
                format!("Drill failed {ago}: {left} of {of} processes lived on after {}", seconds(LIMIT_MS))
            }
        }
    }
}

/// Tenths of a second; what is less is said as less.
fn seconds(ms: u64) -> String {
    if ms < 50 { "less than 0.1 s".to_owned() } else { format!("{}.{} s", (ms + 50) / 1000, (ms + 50) % 1000 / 100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drill() -> Drill {
        Drill { processes: 9, left: 0, took_ms: 420, fault: None }
    }

    fn said(drill: &Drill) -> String {
        let at: DateTime<Utc> = "2026-11-19T09:30:00Z".parse().expect("a time");
        drill.words(at, at + chrono::Duration::days(3))
    }

    #[test]
    fn a_drill_is_told_in_a_line() {
        assert_eq!(said(&drill()), "Drilled 3 d ago, ended in 0.4 s");
        assert_eq!(said(&Drill { took_ms: 12, ..drill() }), "Drilled 3 d ago, ended in less than 0.1 s");
        assert_eq!(said(&Drill { took_ms: 949, ..drill() }), "Drilled 3 d ago, ended in 0.9 s");
        assert_eq!(said(&Drill { took_ms: 950, ..drill() }), "Drilled 3 d ago, ended in 1.0 s");
        let left = Drill { left: 2, took_ms: 1000, ..drill() };
        assert_eq!(said(&left), "Drill failed 3 d ago: 2 of 9 processes lived on after 1.0 s");
        let fault = Some("the watchdog lived on".to_owned());
        assert_eq!(said(&Drill { fault, ..drill() }), "Drill failed 3 d ago: the watchdog lived on");
    }

    #[test]
    fn only_a_tree_that_was_there_and_is_gone_in_time_passes() {
        assert!(drill().passed());
        for bad in [
            Drill { processes: 0, ..drill() },
            Drill { left: 1, ..drill() },
            Drill { took_ms: LIMIT_MS + 1, ..drill() },
            Drill { fault: Some(String::new()), ..drill() },
        ] {
            assert!(!bad.passed(), "{bad:?}");
        }
    }
}
