//! Whether a run still moves, in a few words: what it said last and how long ago, or how long it has been silent.

use super::duration;
use crate::triage::plain;

/// Silence of so many seconds is worth a word of its own.
const SILENT: u64 = 60;

/// `last event 4 s ago: cargo test`, or `silent for 6 min; ends at 10 min`.
///
/// `said` is the last line of what it writes (untrusted); `idle_s` the silence in seconds after which it is ended.
pub fn pulse(ago_s: u64, said: Option<&str>, idle_s: Option<u64>) -> String {
    if ago_s >= SILENT {
        let limit = idle_s.map(|limit| format!("; ends at {}", duration(limit))).unwrap_or_default();
        return format!("silent for {}{limit}", duration(if ago_s >= 120 { ago_s / 60 * 60 } else { ago_s }));
    }
    let said = said.map(|said| plain(said, 80)).filter(|said| !said.is_empty());
    let what = said.map(|said| format!(": {said}")).unwrap_or_default();
    match ago_s {
        0 | 1 => format!("last event just now{what}"),
        _ => format!("last event {ago_s} s ago{what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_came_last_or_how_long_nothing_came() {
        for (ago, said, idle, told) in [
            (4, Some("cargo test"), Some(600), "last event 4 s ago: cargo test"),
            (0, None, None, "last event just now"),
            (59, Some("\u{1b}[31m \u{202e}"), None, "last event 59 s ago: [31m"),
            (60, Some("cargo test"), Some(300), "silent for 1 min; ends at 5 min"),
            (375, Some("cargo test"), Some(600), "silent for 6 min; ends at 10 min"),
            (375, None, None, "silent for 6 min"),
        ] {
            assert_eq!(pulse(ago, said, idle), told);
        }
    }
}
