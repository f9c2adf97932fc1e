//! The formats of a run directory: what runner and watchdog tell each other through files, and when a run is halted.
//!
//! Reading and writing these files is the engine's and the watchdog's; here are only their formats, total on any bytes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::money::Micros;

/// Held by the runner with a lock of the kernel's; its release means that the run may be taken over.
pub const LOCK: &str = "lock";
/// Held with a lock of the kernel's by whoever brings the run to life, and from then on by its watchdog and its runner, which
/// inherit it: while it is held, nobody else takes the run up.
pub const CLAIM: &str = "claim";
/// A [`Beat`], replaced every [`BEAT_EVERY`].
pub const BEAT: &str = "beat";
/// An [`InitRecord`] per line: the sandboxes that live.
pub const INITS: &str = "inits";
/// A line per sandbox that was begun: the number of the pipe that it waits at until it is in [`INITS`], and the boot id. A
/// sandbox in the making does not die with its runner.
pub const GATES: &str = "gates";
/// The [`InitRecord`] of the watchdog, written before it starts the runner: the way to end a run whose watchdog is stopped.
pub const WATCHDOG: &str = "watchdog";
/// Present: this run is to stop.
pub const HALT: &str = "HALT";
/// Present, beside a HALT: not even the `finally:` steps of what it stops are to begin or go on.
pub const NOW: &str = "NOW";
/// The [`InitRecord`] of a watchdog that has seen the run's end and now lets its `finally:` steps run; gone after them.
pub const FINALLY: &str = "finally";
/// An [`End`]: the watchdog ended the run.
pub const END: &str = "end";
/// Folder of the agents' raw streams.
pub const RAW: &str = "raw";
/// Folder of the gates' outputs.
pub const EVIDENCE: &str = "evidence";
/// Folder of recorded traffic.
pub const RECORD: &str = "record";

/// How often the runner beats.
pub const BEAT_EVERY: Duration = Duration::from_secs(2);
/// A beat whose number did not change for this long of awake time is stale.
pub const BEAT_STALE: Duration = Duration::from_secs(30);
/// How much longer than its own time the process of the `finally:` steps may take until its watchdog ends it.
pub const FINALLY_GRACE: Duration = Duration::from_secs(15);
/// Names the descriptor of the pipe that a watchdog hands to its runner.
pub const WATCHDOG_FD: &str = "LOOPWRIGHT_WATCHDOG_FD";

/// A sign of life of the runner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// One more than in the beat before.
    pub seq: u64,
    /// What the run has cost.
    pub spent: Micros,
    /// What is set aside for calls that are under way.
    pub reserved: Micros,
    /// When the run is to end.
    pub deadline: Option<DateTime<Utc>>,
    /// Whether the run is frozen.
    pub frozen: bool,
    /// Awake seconds since this process took the run.
    #[serde(default)]
    pub awake_s: u64,
}

impl Beat {
    /// Reads a beat; none if the bytes are not one.
    pub fn parse(bytes: &[u8]) -> Option<Beat> {
        serde_json::from_slice(bytes).ok()
    }
}

/// A process (the first of a sandbox, or a watchdog), named so that no other one can be taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitRecord {
    /// Its number on the host.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
    /// The boot that both numbers belong to.
    pub boot: String,
}

impl InitRecord {
    /// The record as one line, with its end.
    pub fn line(&self) -> String {
        format!("{} {} {}\n", self.pid, self.start, self.boot)
    }

    fn parse(line: &str) -> Option<InitRecord> {
        let mut words = line.split(' ');
        let pid = words.next()?.parse().ok().filter(|pid| *pid > 1)?;
        let start = words.next()?.parse().ok()?;
        let boot = words.next().filter(|b| !b.is_empty())?.to_owned();
        words.next().is_none().then_some(InitRecord { pid, start, boot })
    }
}

/// Reads `inits`; lines that are not records are left out, and so is a last line without its end (half written).
pub fn parse_inits(bytes: &[u8]) -> Vec<InitRecord> {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.split('\n').filter_map(InitRecord::parse).collect()
}

/// Why the watchdog ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// HALT, or a signal to the watchdog that asks for it.
    Halted,
    /// The run's time was over.
    Time,
    /// The runner showed no sign of life.
    Silent,
    /// The runner died of a signal.
    Died,
}

impl EndCause {
    /// The exit code that says so.
    pub fn exit_code(self) -> u8 {
        match self {
            EndCause::Halted => 10,
            EndCause::Time => 14,
            EndCause::Silent | EndCause::Died => 70,
        }
    }
}

/// What the watchdog leaves when it ended a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Why.
    pub cause: EndCause,
    /// How many processes it killed; 0 while it is still at it.
    pub killed: u32,
    /// When.
    pub at: DateTime<Utc>,
}

impl End {
    /// Reads an end; none if the bytes are not one.
    pub fn parse(bytes: &[u8]) -> Option<End> {
        serde_json::from_slice(bytes).ok()
    }
}

/// A moment from the time since 1970.
pub fn moment(since_epoch: Duration) -> DateTime<Utc> {
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, since_epoch.subsec_nanos()).unwrap_or_default()
}

/// The content of a HALT or ARMED file: who wrote it, when, and why. For people; that the file exists is what counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltNote {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom: `cli`, `tray`, `watchdog`.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What a look at a file showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    Present,
    /// It is not.
    Absent,
    /// That can't be told.
    Unreadable,
}

/// Why everything that looked must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltView {
    /// The HALT file at this place of the list exists.
    Asked(usize),
    /// The HALT file at this place of the list can't be read.
    HaltUnreadable(usize),
    /// ARMED is gone.
    Disarmed,
    /// ARMED can't be read.
    ArmedUnreadable,
}

impl HaltView {
    /// Whether to stop: a HALT file exists, or ARMED is gone, or any of them can't be read.
    pub fn judge(halt_files: &[Seen], armed: Seen) -> Option<HaltView> {
        let place = |seen| halt_files.iter().position(|s| *s == seen);
        match armed {
            _ if place(Seen::Present).is_some() => place(Seen::Present).map(HaltView::Asked),
            Seen::Absent => Some(HaltView::Disarmed),
            Seen::Unreadable => Some(HaltView::ArmedUnreadable),
            Seen::Present => place(Seen::Unreadable).map(HaltView::HaltUnreadable),
        }
    }
}

/// What `/proc/PID/stat` says of a process, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcStat {
    /// `R`, `S`, `T` (stopped), `Z` (dead, not yet collected), …
    pub state: char,
    /// Its parent.
    pub parent: i32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

impl ProcStat {
    /// Reads `/proc/PID/stat`; the name in it may hold anything, also blanks and parentheses.
    pub fn parse(bytes: &[u8]) -> Option<ProcStat> {
        let text = String::from_utf8_lossy(bytes);
        let (_, rest) = text.rsplit_once(") ")?;
        let mut words = rest.split_ascii_whitespace();
        let state = words.next()?.chars().next()?;
        let parent = words.next()?.parse().ok()?;
        // Field 22 of the whole line; field 3 was the first word here.
        let start = words.nth(17)?.parse().ok()?;
        Some(ProcStat { state, parent, start })
    }
}

/// Counts the time in which its owner was awake and not stopped, from readings of a clock that may jump ahead.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwakeTime {
    last: Duration,
    total: Duration,
}

impl AwakeTime {
    /// The longest step between two readings that counts in full.
    const STEP: Duration = Duration::from_secs(2);

    /// Takes a reading and says how long it was awake in all.
    pub fn advance(&mut self, reading: Duration) -> Duration {
        self.total += reading.saturating_sub(self.last).min(Self::STEP);
        self.last = reading;
        self.total
    }
}

/// Notices that a runner no longer beats.
#[derive(Clone, Copy, Debug)]
pub struct BeatWatch {
    seq: Option<u64>,
    since: Duration,
    boot_grace: Duration,
}

impl BeatWatch {
    /// Waits up to `boot_grace` for the first beat.
    pub fn new(boot_grace: Duration) -> BeatWatch {
        BeatWatch { seq: None, since: Duration::ZERO, boot_grace }
    }

    /// Takes what was read (none = no beat, or garbage) at this awake time and says whether the runner is silent.
    pub fn silent(&mut self, seq: Option<u64>, awake: Duration) -> bool {
        if seq.is_some() && seq != self.seq {
            self.seq = seq;
            self.since = awake;
        }
        let patience = if self.seq.is_none() { self.boot_grace } else { BEAT_STALE };
        awake.saturating_sub(self.since) >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(pid: i32) -> InitRecord {
        InitRecord { pid, start: 77, boot: "b-1".to_owned() }
    }

    #[test]
    fn inits_round_trip_and_forgive() {
        let text = format!("{}garbage\n-4 1 b\n1 1 b\n{}99 5", record(12).line(), record(13).line());
        assert_eq!(parse_inits(text.as_bytes()), [record(12), record(13)]);
        assert!(parse_inits(b"12 77 b-1").is_empty(), "a half-written line is no record");
        assert!(parse_inits(b"\xff\xfe\n \n\n1 2 3 4\n").is_empty());
    }

    #[test]
    fn halted_unless_everything_is_well() {
        use Seen::{Absent, Present, Unreadable};
        assert_eq!(HaltView::judge(&[Absent, Absent], Present), None);
        assert_eq!(HaltView::judge(&[], Present), None);
        assert_eq!(HaltView::judge(&[Absent, Present], Present), Some(HaltView::Asked(1)));
        assert_eq!(HaltView::judge(&[Unreadable, Present], Unreadable), Some(HaltView::Asked(1)));
        assert_eq!(HaltView::judge(&[Unreadable], Present), Some(HaltView::HaltUnreadable(0)));
        assert_eq!(HaltView::judge(&[Absent], Absent), Some(HaltView::Disarmed));
        assert_eq!(HaltView::judge(&[Absent], Unreadable), Some(HaltView::ArmedUnreadable));
    }

    #[test]
    fn stat_with_a_hostile_name() {
        let tail = "S 42 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8814 99 100";
        for name in ["sh", "a b", ") R 1 (", "x) S 1 "] {
            let stat = ProcStat::parse(format!("7 ({name}) {tail}\n").as_bytes());
            assert_eq!(stat, Some(ProcStat { state: 'S', parent: 42, start: 8814 }), "{name}");
        }
        for garbage in [&b""[..], b"7 (x", b"7 (x) ", b"\xff) S a b"] {
            assert_eq!(ProcStat::parse(garbage), None);
        }
    }

    #[test]
    fn time_asleep_or_stopped_does_not_count() {
        let mut awake = AwakeTime::default();
        assert_eq!(awake.advance(Duration::from_secs(1)), Duration::from_secs(1));
        assert_eq!(awake.advance(Duration::from_secs(8 * 3600)), Duration::from_secs(3));
        assert_eq!(awake.advance(Duration::ZERO), Duration::from_secs(3), "a clock that runs back adds nothing");
    }

    #[test]
    fn silence_is_a_number_that_stays() {
        let s = Duration::from_secs;
        let mut watch = BeatWatch::new(s(5));
        assert!(!watch.silent(None, s(4)));
        assert!(watch.silent(None, s(5)), "it never began");
        assert!(!watch.silent(Some(1), s(6)));
        assert!(!watch.silent(None, s(35)), "an unreadable beat is no news");
        assert!(!watch.silent(Some(2), s(36)));
        assert!(!watch.silent(Some(2), s(65)));
        assert!(watch.silent(Some(2), s(66)));
    }

    #[test]
    fn notes_round_trip_and_garbage_is_none() {
        let end = End { cause: EndCause::Time, killed: 3, at: moment(Duration::from_secs(1_700_000_000)) };
        let json = serde_json::to_string(&end).expect("it can be written");
        assert_eq!(json, r#"{"cause":"time","killed":3,"at":"2023-11-14T22:13:20Z"}"#);
        assert_eq!(End::parse(json.as_bytes()), Some(end));
        let beat = Beat { seq: 9, ..Beat::default() };
        assert_eq!(Beat::parse(&serde_json::to_vec(&beat).expect("it can be written")), Some(beat));
        for garbage in [&b""[..], b"{", b"null", b"\xff", br#"{"seq":-1}"#] {
            assert_eq!(Beat::parse(garbage), None);
            assert_eq!(End::parse(garbage), None);
        }
    }
}
