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
    /// The runner and its arguments; not empty.
    pub(crate) command: Vec<OsString>,
}

/// Reads the arguments behind the program's name.
pub(crate) fn parse(words: impl Iterator<Item = OsString>) -> Result<Order, String> {
    let mut words = words;
    let (mut run_dir, mut halts, mut armed, mut most) = (None, Vec::new(), None, None);
    let mut boot_grace = BOOT_GRACE;
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
            _ => return Err(format!("{option} is not an option")),
        }
    }
    let command: Vec<OsString> = words.collect();
    if command.is_empty() {
        return Err("no runner is named after --".to_owned());
    }
    Ok(Order {
        run_dir: run_dir.ok_or("--run-dir is missing")?,
        halts,
        armed: armed.ok_or("--armed is missing")?,
        most: most.ok_or("--max-seconds is missing")?,
        boot_grace,
        command,
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
    }

    #[test]
    fn what_is_missing_is_said() {
        for (line, part) in [
            ("--armed c --max-seconds 9 -- p", "--run-dir is missing"),
            ("--run-dir r --max-seconds 9 -- p", "--armed is missing"),
            ("--run-dir r --armed c -- p", "--max-seconds is missing"),
            ("--run-dir r --armed c --max-seconds x -- p", "whole seconds"),
            ("--run-dir r --armed c --max-seconds 9 --", "no runner"),
            ("--run-dir", "lacks its value"),
            ("--what 1 -- p", "not an option"),
        ] {
            assert!(parsed(line).expect_err(line).contains(part), "{line}");
        }
    }
}
