//! What the watchdog is told: its command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How long the first beat may take, unless told otherwise.
const BOOT_GRACE: Duration = Duration::from_secs(30);

/// One run to watch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// The run directory.
    pub(crate) run_dir: PathBuf,
    /// Present: end the run.
    pub(crate) halts: Vec<PathBuf>,
    /// Absent: end the run.
    pub(crate) armed: PathBuf,
    /// Most awake time that the run may take.
    pub(crate) most: Duration,
    /// How long the first beat may take.
    pub(crate) boot_grace: Duration,
    /// The runner and its arguments; empty only where nothing but the `finally:` steps is left to do.
    pub(crate) command: Vec<OsString>,
    /// What is done after the run's end; none = nothing.
    pub(crate) finally: Option<Finally>,
}

/// The `finally:` steps of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finally {
    /// Most awake time that all of them may take.
    pub(crate) most: Duration,
    /// Present: they are not to begin, or to stop.
    pub(crate) nows: Vec<PathBuf>,
    /// Who performs them, and its arguments; not empty.
    pub(crate) command: Vec<OsString>,
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Order, String> {
    let mut words = words;
    let (mut run_dir, mut halts, mut armed, mut most) = (None, Vec::new(), None, None);
    let mut boot_grace = BOOT_GRACE;
    let (mut finally_most, mut nows, mut finally) = (None, Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        let option = word.to_string_lossy().into_owned();
        if option == "--" {
            break;
        }
        let value = words.next().ok_or_else(|| format!("{option} lacks its value"))?;
        match option.as_str() {
            "--run-dir" => run_dir = Some(PathBuf::from(value)),
            "--halt" => halts.push(PathBuf::from(value)),
            "--armed" => armed = Some(PathBuf::from(value)),
            "--max-seconds" => most = Some(seconds(&option, &value)?),
            "--boot-grace" => boot_grace = seconds(&option, &value)?,
            "--finally-seconds" => finally_most = Some(seconds(&option, &value)?),
            "--now" => nows.push(PathBuf::from(value)),
            "--finally" => finally.push(value),
            _ => return Err(format!("{option} is not an option")),
        }
    }
    let command: Vec<OsString> = words.collect();
    if finally.is_empty() != finally_most.is_none() {
        return Err("--finally and --finally-seconds go together".to_owned());
    }
    let finally = finally_most.map(|most| Finally { most, nows, command: finally });
    if command.is_empty() && finally.is_none() {
        return Err("no runner is named after --".to_owned());
    }
    Ok(Order {
        run_dir: run_dir.ok_or("--run-dir is missing")?,
        halts,
        armed: armed.ok_or("--armed is missing")?,
        most: most.ok_or("--max-seconds is missing")?,
        boot_grace,
        command,
        finally,
    })
}

fn seconds(option: &str, value: &OsString) -> Result<Duration, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.map(Duration::from_secs).ok_or_else(|| format!("{option} takes whole seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Order, String> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn a_whole_order() {
        let order =
            parsed("--run-dir r --halt a --halt b --armed c --max-seconds 9 -- prog --halt x").expect("an order");
        assert_eq!(order.halts, [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(order.most, Duration::from_secs(9));
        assert_eq!(order.boot_grace, BOOT_GRACE);
        assert_eq!(order.command, ["prog", "--halt", "x"]);
        assert_eq!(order.finally, None);
    }

    #[test]
    fn what_follows_on_the_end_may_be_all_there_is() {
        let line = "--run-dir r --armed c --max-seconds 9 --finally p --finally --halt --now n --finally-seconds 7 --";
        let order = parsed(line).expect("an order");
        assert!(order.command.is_empty() && order.halts.is_empty());
        let command = ["p", "--halt"].map(OsString::from).to_vec();
        let nows = vec![PathBuf::from("n")];
        assert_eq!(order.finally, Some(Finally { most: Duration::from_secs(7), nows, command }));
    }

    #[test]
    fn what_is_missing_is_said() {
        for (line, part) in [
            ("--armed c --max-seconds 9 -- p", "--run-dir is missing"),
            ("--run-dir r --max-seconds 9 -- p", "--armed is missing"),
            ("--run-dir r --armed c -- p", "--max-seconds is missing"),
            ("--run-dir r --armed c --max-seconds x -- p", "whole seconds"),
            ("--run-dir r --armed c --max-seconds 9 --", "no runner"),
            ("--run-dir r --armed c --max-seconds 9 --finally p --", "go together"),
            ("--run-dir r --armed c --max-seconds 9 --finally-seconds 9 -- p", "go together"),
            ("--run-dir", "lacks its value"),
            ("--what 1 -- p", "not an option"),
        ] {
            assert!(parsed(line).expect_err(line).contains(part), "{line}");
        }
    }
}
