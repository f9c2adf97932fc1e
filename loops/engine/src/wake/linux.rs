//! Linux: a timerfd on the alarm clock. That one can be made proves nothing: without a clock that wakes, it only fires.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use chrono::{DateTime, Utc};
use loopwright_core::system_files::systemd;
use loopwright_core::wake::{Facts, Hindrance};
use rustix::event::Timespec;
use rustix::io::Errno;
use rustix::time::{
    DynamicClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, clock_gettime_dynamic, timerfd_create,
    timerfd_gettime, timerfd_settime,
};

/// What the system may say that a timer is off by, which it tells as the time that is left: that passes meanwhile.
const OFF: chrono::Duration = chrono::Duration::seconds(2);

/// A timer that wakes the computer, as long as this process lives.
#[derive(Debug, Default)]
pub struct WakeTimer {
    timer: Option<OwnedFd>,
}

impl WakeTimer {
    /// Sets it for a moment of the computer's clock, which it follows also where that is set; tells what the kernel then holds.
    ///
    /// # Errors
    /// The kernel refuses it, or holds another time.
    pub fn set(&mut self, at: DateTime<Utc>) -> Result<DateTime<Utc>, Hindrance> {
        let timer = match self.timer.take() {
            Some(timer) => timer,
            None => alarm().map_err(refused)?,
        };
        let it_value = Timespec { tv_sec: at.timestamp().max(1), tv_nsec: 0 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &once).map_err(refused)?;
        let left = timerfd_gettime(&timer).map_err(refused)?.it_value;
        self.timer = Some(timer);
        let left = chrono::Duration::seconds(left.tv_sec) + chrono::Duration::nanoseconds(left.tv_nsec);
        let holds = Utc::now() + left;
        match (holds - at).abs() < OFF {
            true => Ok(at),
            false => Err(Hindrance::Refused("the system holds another time than was set".to_owned())),
        }
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.timer = None;
    }
}

/// Why no timer of this program wakes this computer; none where all that can be asked says that one does.
pub fn hindrance() -> Option<Hindrance> {
    Facts { alarm_clock: has_alarm_clock(), may_wake: may_wake(), right: alarm().is_ok(), sleeps: sleeps() }.hindrance()
}

/// The moments at which the system's own timer wakes the computer, where it is installed.
pub fn installed() -> Vec<DateTime<Utc>> {
    let system = Path::new("/etc/systemd/system");
    let enabled = system.join("timers.target.wants").join(format!("{}.timer", systemd::WAKE));
    // The link of a timer that was removed leads nowhere.
    fs::read_to_string(enabled).map(|timer| systemd::times(&timer)).unwrap_or_default()
}

/// What root installs so that the computer wakes at these moments: names and texts.
pub fn units(times: &[DateTime<Utc>]) -> Vec<(String, String)> {
    let texts = [
        ("README".to_owned(), systemd::README.to_owned()),
        (systemd::RIGHT.to_owned(), systemd::wake_right()),
        (format!("{}.timer", systemd::WAKE), systemd::wake_timer(times)),
        (format!("{}.service", systemd::WAKE), systemd::wake_service()),
    ];
    texts.into()
}

fn alarm() -> Result<OwnedFd, Errno> {
    timerfd_create(TimerfdClockId::RealtimeAlarm, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)
}

fn refused(error: Errno) -> Hindrance {
    match error {
        Errno::PERM => Hindrance::NoRight,
        error => Hindrance::Refused(error.to_string()),
    }
}

/// Whether the kernel has an alarm clock: it reads that clock only where one is there, and anybody may ask.
fn has_alarm_clock() -> bool {
    clock_gettime_dynamic(DynamicClockId::BoottimeAlarm).is_ok()
}

/// Whether any clock may wake the computer; none where there is no clock.
fn may_wake() -> Option<bool> {
    let clocks: Vec<_> = fs::read_dir("/sys/class/rtc").ok()?.flatten().collect();
    if clocks.is_empty() {
        return None;
    }
    let words = clocks.iter().filter_map(|clock| fs::read_to_string(clock.path().join("device/power/wakeup")).ok());
    Some(words.into_iter().any(|word| word.trim() == "enabled"))
}

/// Whether the kernel can sleep in a way that a clock ends.
fn sleeps() -> bool {
    let ways = fs::read_to_string("/sys/power/state").unwrap_or_default();
    ways.split_whitespace().any(|way| ["mem", "freeze", "standby"].contains(&way))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_read_back_and_stops() {
        let mut timer = WakeTimer::default();
        let at = Utc::now() + chrono::Duration::hours(3);
        match timer.set(at) {
            Ok(held) => assert_eq!(held, at),
            // Who has no right learns just that.
            Err(hindrance) => assert_eq!(hindrance, Hindrance::NoRight),
        }
        timer.stop();
        assert!(timer.timer.is_none());
    }

    #[test]
    fn without_a_clock_there_is_no_claim_whatever_timers_can_be_made() {
        if may_wake().is_none() {
            assert!(matches!(hindrance(), Some(Hindrance::NoClock | Hindrance::NeverSleeps)), "{:?}", hindrance());
        }
    }
}
