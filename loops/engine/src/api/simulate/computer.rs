//! The computer of a simulation: its clock, which may be wrong, and whether it is there.

use chrono::{DateTime, Duration, Utc};
use loopwright_core::scheduler::{Reading, TICK};

/// The same moment on a clock that is always right and on the computer's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// By a right clock, on which things take their time.
    pub(super) truly: DateTime<Utc>,
    /// By the computer's clock, which everything is stored by.
    pub(super) wall: DateTime<Utc>,
}

/// A clock is wrong by a thousand years at most: times are written with four digits of the year.
const FARTHEST: Duration = Duration::days(365_000);

/// A computer that is on, asleep or off.
pub(super) struct Computer {
    truly: DateTime<Utc>,
    /// How far its clock is ahead of a right one.
    ahead: Duration,
    pub(super) asleep: bool,
    pub(super) off: bool,
    pub(super) on_battery: bool,
    /// Since when nobody is there, by the right clock, and whether it was off meanwhile.
    away: Option<(DateTime<Utc>, bool)>,
    /// When it was started, and for the how many-th time.
    booted: (DateTime<Utc>, u32),
    /// How long it was asleep since.
    slept: Duration,
    /// What its clocks showed when its scheduler gave its last sign of life, and when that was by the right clock.
    last: (Reading, DateTime<Utc>),
}

impl Computer {
    /// One that is switched on now, with a clock that is right.
    pub(super) fn on(at: DateTime<Utc>) -> Computer {
        let reading = Reading { at, boottime_ms: 0, monotonic_ms: 0, boot: "boot 1".to_owned() };
        Computer {
            truly: at,
            ahead: Duration::zero(),
            asleep: false,
            off: false,
            on_battery: false,
            away: None,
            booted: (at, 1),
            slept: Duration::zero(),
            last: (reading, at),
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment { truly: self.truly, wall: self.truly + self.ahead }
    }

    /// The moment that its clock calls so.
    pub(super) fn truly(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        wall - self.ahead
    }

    /// Time goes on.
    pub(super) fn go_on_to(&mut self, truly: DateTime<Utc>) {
        self.truly = self.truly.max(truly);
    }

    pub(super) fn set_clock(&mut self, by_s: i64) {
        self.ahead = (self.ahead + Duration::seconds(by_s)).clamp(-FARTHEST, FARTHEST);
    }

    /// Whether it is asleep or off, so that nothing happens on it.
    pub(super) fn is_away(&self) -> bool {
        self.asleep || self.off
    }

    /// It has just fallen asleep or was switched off.
    pub(super) fn leave(&mut self) {
        self.away = Some((self.truly, self.off));
    }

    /// One that is away may be switched off meanwhile.
    pub(super) fn note_off(&mut self) {
        if let Some((_, off)) = &mut self.away {
            *off |= self.off;
        }
    }

    /// It is back: how long it slept, or none if it was off.
    pub(super) fn come_back(&mut self) -> Option<Duration> {
        let (since, off) = self.away.take()?;
        if off {
            self.booted = (self.truly, self.booted.1 + 1);
            self.slept = Duration::zero();
            return None;
        }
        self.slept += self.truly - since;
        Some(self.truly - since)
    }

    /// What its clocks show now.
    pub(super) fn reading(&self) -> Reading {
        self.reading_at(self.truly)
    }

    fn reading_at(&self, truly: DateTime<Utc>) -> Reading {
        let up = truly - self.booted.0;
        let ms = |long: Duration| u64::try_from(long.num_milliseconds()).unwrap_or(0);
        Reading {
            at: truly + self.ahead,
            boottime_ms: ms(up),
            monotonic_ms: ms(up - self.slept),
            boot: format!("boot {}", self.booted.1),
        }
    }

    /// What they showed at the scheduler's last sign of life.
    pub(super) fn last(&self) -> &Reading {
        &self.last.0
    }

    /// The scheduler has made the passes in which there is nothing to do: one at each tick up to now, while it was there.
    pub(super) fn beat(&mut self) {
        let ticks = (self.truly - self.last.1).num_seconds() / TICK.num_seconds();
        let of_this_boot = self.last.0.boot == self.reading().boot;
        if self.away.is_none() && of_this_boot && ticks > 0 && self.is_unchanged() {
            let at = self.last.1 + TICK * i32::try_from(ticks).unwrap_or(i32::MAX);
            self.last = (self.reading_at(at), at);
        }
    }

    /// Whether nobody has set its clock and it never slept since the last sign of life.
    fn is_unchanged(&self) -> bool {
        let then = self.reading_at(self.last.1);
        (then.at, then.monotonic_ms) == (self.last.0.at, self.last.0.monotonic_ms)
    }

    /// The scheduler has made a pass.
    pub(super) fn looked(&mut self) {
        self.last = (self.reading(), self.truly);
    }
}
