//! Units of systemd: the scheduler as a unit of the person's own manager, and what lets the computer be woken.

use chrono::{DateTime, NaiveDateTime, Utc};

/// The name of the scheduler's unit.
pub const SERVE: &str = "loopwright.service";
/// The name of the timer of the system that wakes the computer, and of what it starts.
pub const WAKE: &str = "loopwright-wake";
/// What a drop-in of `user@.service` is named that gives a person's sessions the right to set alarms.
pub const RIGHT: &str = "50-loopwright-wake.conf";

/// How what `loopwright wake --units` writes is installed.
pub const README: &str = "\
Loopwright has no right to set alarms that wake this computer. One of these two gives it what it needs; both ask for root once.

1. The right for your own sessions (from systemd 254 on, those at this computer's own screen have it without this file).
   Whatever you start may then set alarms that wake this computer, and nothing more. Log out and in again afterwards.

     sudo install -D -m 644 50-loopwright-wake.conf /etc/systemd/system/user@.service.d/50-loopwright-wake.conf
     sudo systemctl daemon-reload
     loopwright serve --install     # so that the scheduler is started by your own systemd, which has the right

2. A timer of the system. It holds the coming times alone: write and install it again when loops change, or they are used up.

     sudo install -m 644 loopwright-wake.timer loopwright-wake.service /etc/systemd/system/
     sudo systemctl daemon-reload
     sudo systemctl enable loopwright-wake.timer
     sudo systemctl restart loopwright-wake.timer

`loopwright wake` shows whether it worked.
";

/// The unit of the scheduler, for the person's own manager. `home` is what `LOOPWRIGHT_HOME` is, where it is set.
///
/// Only its own process is ended with it: watchdogs and the runs below them go on.
pub fn serve_unit(program: &str, home: Option<&str>) -> String {
    let home =
        home.map(|home| format!("Environment={}\n", quote(&format!("LOOPWRIGHT_HOME={home}")))).unwrap_or_default();
    format!(
        "[Unit]\nDescription=Loopwright's scheduler: starts loops at their times\n\
         Documentation=man:loopwright-serve(1)\nStartLimitIntervalSec=10min\nStartLimitBurst=5\n\n\
         [Service]\nType=exec\n{home}ExecStart=:{}{} serve\nKillMode=process\nRestart=on-failure\nRestartSec=5s\n\
         # One that serves already is no failure that another try would mend.\nRestartPreventExitStatus=1 2\n\n\
         [Install]\nWantedBy=default.target\n",
        // systemd takes no such letter in the name of a program, only in its arguments.
        if program.contains(['"', '\'', '\\']) { "/usr/bin/env " } else { "" },
        quote(program)
    )
}

/// The timer of the system that wakes the computer at these moments, the earliest first.
pub fn wake_timer(times: &[DateTime<Utc>]) -> String {
    let times: String = times.iter().map(|at| format!("OnCalendar={}\n", calendar(*at))).collect();
    format!(
        "[Unit]\nDescription=Wakes the computer for loops of Loopwright\n\n\
         [Timer]\n{times}AccuracySec=1s\nWakeSystem=true\nUnit={WAKE}.service\n\n[Install]\nWantedBy=timers.target\n"
    )
}

/// What that timer starts: nothing; the scheduler looks by itself once the computer is awake.
pub fn wake_service() -> String {
    "[Unit]\nDescription=The computer was woken for loops of Loopwright\n\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
        .to_owned()
}

/// A drop-in of `user@.service`: what a person's own manager starts may set alarms that wake the computer, and nothing more.
pub fn wake_right() -> String {
    "[Service]\nAmbientCapabilities=CAP_WAKE_ALARM\n".to_owned()
}

/// The moments of a timer that was written by [`wake_timer`].
pub fn times(timer: &str) -> Vec<DateTime<Utc>> {
    let read = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S UTC").ok().map(|at| at.and_utc());
    timer.lines().filter_map(|line| read(line.strip_prefix("OnCalendar=")?)).collect()
}

/// A moment as `OnCalendar` takes it.
pub fn calendar(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A word in which nothing is replaced (with `:` before the program, as here, `$` is a letter like any other).
fn quote(word: &str) -> String {
    let mut out = String::from('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '%' => out.push_str("%%"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moments_of_a_timer_are_read_back() {
        let at = DateTime::from_timestamp(1_796_112_000, 0).expect("a time");
        let moments = [at, at + chrono::Duration::hours(30)];
        assert_eq!(times(&wake_timer(&moments)), moments);
        assert!(times("OnCalendar=daily\n").is_empty());
    }

    #[test]
    fn a_path_is_one_word() {
        let unit = serve_unit("/opt/a b/$x/100%/q\"\\loopwright", Some("/h/ü %i"));
        assert!(unit.contains("ExecStart=:/usr/bin/env \"/opt/a b/$x/100%%/q\\\"\\\\loopwright\" serve\n"), "{unit}");
        assert!(unit.contains("Environment=\"LOOPWRIGHT_HOME=/h/ü %%i\"\n"), "{unit}");
        assert!(!serve_unit("/usr/bin/loopwright", None).contains("Environment"));
    }
}
