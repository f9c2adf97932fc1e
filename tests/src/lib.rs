//! Whole-binary tests: what they share. The tests themselves are in `tests/`.

pub mod book;
pub mod crash;
pub mod dice;
pub mod faults;
pub mod nasty;
pub mod power;
pub mod registry;
pub mod stage;

use std::io::Write as _;
use std::process::Command;

/// A temporary folder whose syncs cost nothing, where the system has such a place.
///
/// # Panics
/// It can't be made.
#[expect(clippy::expect_used, reason = "tests fail by panicking")]
pub fn in_memory() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("lw-").tempdir_in(place).expect("a temporary folder")
}

/// Says in a test's output how many cases it ran, and with which seed.
#[expect(clippy::print_stdout, reason = "the output of a test is where its figures are looked for")]
pub fn tell(text: &str) {
    println!("{text}");
}

/// Whether a program that this part of a test needs works here. If not, one line says so beside the results; where
/// LOOPWRIGHT_EXTRA=1 asks for all of them (`make test-extra`), the test fails.
///
/// # Panics
/// It does not work, and all of them are asked for.
pub fn at_hand(part: &str, probe: &[&str]) -> bool {
    let works = Command::new(probe[0]).args(&probe[1..]).output().is_ok_and(|said| said.status.success());
    let Some(line) = left_out(part, probe, works) else { return true };
    assert!(!extra(), "{line}; install it, or leave LOOPWRIGHT_EXTRA unset");
    tell_past_the_harness(&line);
    false
}

/// The same for a part that takes so long that it is tried only where LOOPWRIGHT_EXTRA=1 asks for it.
///
/// # Panics
/// As [`at_hand`].
pub fn asked_for(part: &str, probe: &[&str]) -> bool {
    if !extra() {
        tell_past_the_harness(&format!("not tried: {part}, only with LOOPWRIGHT_EXTRA=1 (make test-extra)"));
    }
    extra() && at_hand(part, probe)
}

fn extra() -> bool {
    std::env::var("LOOPWRIGHT_EXTRA").is_ok_and(|extra| extra == "1")
}

/// Says something that the harness would keep to itself where the test passes.
fn tell_past_the_harness(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The line on a part that is left out; none where its program works.
fn left_out(part: &str, probe: &[&str], works: bool) -> Option<String> {
    (!works).then(|| format!("not tried: {part}, as `{}` does not work on this machine", probe.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_work_is_named_with_its_part() {
        assert_eq!(left_out("go", &["go", "version"], true), None);
        let line = left_out("go", &["go", "version"], false).expect("a line");
        assert_eq!(line, "not tried: go, as `go version` does not work on this machine");
        assert!(at_hand("none", &["true"]));
    }
}
