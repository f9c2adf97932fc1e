//! What time it is. In debug builds a file may put all clocks of this program forward or back, for tests: setting the
//! computer's own clock is not theirs to do. A release build has no such file.

use chrono::{DateTime, Duration, Utc};
use loopwright_core::scheduler::Reading;

use crate::os;

/// Names the file: seconds by which the wall clock was set, seconds that the computer slept, the name of its boot (`-`: as it
/// is), and seconds that it was awake; those at the end may be left out. It is read anew each time.
pub const SHIFT: &str = "LOOPWRIGHT_CLOCK";

/// By how much the clocks are put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shift {
    set: i64,
    slept: u32,
    boot: Option<String>,
    awake: u32,
}

/// The time on the wall clock.
pub fn now() -> DateTime<Utc> {
    let shift = shift();
    // An absurd shift shows the true time.
    Utc::now().checked_add_signed(shift.wall()).unwrap_or_else(Utc::now)
}

/// What all clocks show.
///
/// # Errors
/// If the kernel does not say which boot this is.
pub fn reading() -> anyhow::Result<Reading> {
    let (shift, at) = (shift(), now());
    let (boottime, monotonic) = os::clocks();
    let ms = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let boot = match shift.boot {
        Some(boot) => boot,
        None => os::boot_id()?,
    };
    let awake = u64::from(shift.awake) * 1000;
    let boottime_ms = ms(boottime).saturating_add(u64::from(shift.slept) * 1000 + awake);
    Ok(Reading { at, boottime_ms, monotonic_ms: ms(monotonic).saturating_add(awake), boot })
}

/// A time as the computer's own clock will show it.
pub fn on_the_computer(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_sub_signed(shift().wall()).unwrap_or(at)
}

/// The file that puts the clocks, if there is one.
pub fn file() -> Option<std::path::PathBuf> {
    let named = cfg!(debug_assertions).then(|| std::env::var_os(SHIFT)).flatten();
    named.map(Into::into)
}

fn shift() -> Shift {
    let text = file().and_then(|path| std::fs::read_to_string(path).ok());
    text.map(|text| Shift::parse(&text)).unwrap_or_default()
}

impl Shift {
    fn parse(text: &str) -> Shift {
        let mut words = text.split_whitespace();
        let set = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let slept = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let boot = words.next().filter(|word| *word != "-").map(str::to_owned);
        let awake = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        Shift { set, slept, boot, awake }
    }

    /// By how much the wall clock goes ahead.
    fn wall(&self) -> Duration {
        let seconds = self.set.saturating_add(i64::from(self.slept)).saturating_add(i64::from(self.awake));
        Duration::try_seconds(seconds).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_is_read_as_far_as_it_goes() {
        assert_eq!(Shift::parse(""), Shift::default());
        assert_eq!(Shift::parse("-60\n"), Shift { set: -60, ..Shift::default() });
        let all = Shift::parse("5 3600 other-boot");
        assert_eq!(all, Shift { set: 5, slept: 3600, boot: Some("other-boot".to_owned()), awake: 0 });
        assert_eq!(Shift::parse("0 0 - 60"), Shift { awake: 60, ..Shift::default() });
        assert_eq!(all.wall(), Duration::seconds(3605), "what is slept passes on the wall clock too");
    }

    #[test]
    fn without_a_file_it_is_the_computers_time() {
        assert!((now() - Utc::now()).abs() < Duration::seconds(5));
        assert_eq!(on_the_computer(DateTime::UNIX_EPOCH), DateTime::UNIX_EPOCH);
        let (first, second) = (reading().expect("a reading"), reading().expect("a reading"));
        assert!(first.monotonic_ms <= second.monotonic_ms && first.boottime_ms >= first.monotonic_ms);
        assert_eq!(first.boot, second.boot);
    }
}
