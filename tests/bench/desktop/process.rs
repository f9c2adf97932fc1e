//! What the system says of a process: its memory, its time, when it began.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What it has in memory, in MB of a million bytes; a page that several share is divided among them.
///
/// # Errors
/// It is gone.
pub(crate) fn pss(pid: i32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).context("reading its memory")?;
    let kib = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("no PSS is told")?;
    let kib: u32 = kib.split_whitespace().next().context("no number")?.parse()?;
    Ok(f64::from(kib) * 1024.0 / 1e6)
}

/// The processor's time that it took so far, in ticks of a hundredth of a second.
///
/// # Errors
/// It is gone.
pub(crate) fn ticks(pid: i32) -> Result<u64> {
    Ok(field(pid, 14)? + field(pid, 15)?)
}

/// When it began, in milliseconds since 1970, to the hundredth of a second.
///
/// # Errors
/// It is gone.
pub(crate) fn began_ms(pid: i32) -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let boot = stat.lines().find_map(|line| line.strip_prefix("btime ")).context("no time of the boot")?;
    let boot: u32 = boot.trim().parse()?;
    // `btime` has whole seconds; the uptime and the clock of now say the rest.
    let uptime: f64 = fs::read_to_string("/proc/uptime")?.split(' ').next().context("no uptime")?.parse()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs_f64();
    let boot = if (now - uptime - f64::from(boot)).abs() < 2.0 { now - uptime } else { f64::from(boot) };
    let began = f64::from(u32::try_from(field(pid, 22)?)?);
    Ok((boot + began / 100.0) * 1e3)
}

/// A field of `/proc/PID/stat` by its number in proc(5); the second may hold blanks, so it is left out.
fn field(pid: i32, number: usize) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).context("it is gone")?;
    let rest = text.rsplit_once(") ").context("not a stat")?.1;
    Ok(rest.split(' ').nth(number - 3).context("a field is missing")?.parse()?)
}

/// The newest process whose program is this file and that was started with these words.
pub(crate) fn find(program: &Path, words: &[&str]) -> Option<i32> {
    let pids =
        fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let given: Vec<&str> = line.split('\0').skip(1).filter(|word| !word.is_empty()).collect();
        given == words && fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|own| own == program)
    };
    pids.filter(is).max()
}

/// Whether one of the processes below has this name (15 letters of it).
pub(crate) fn has_descendant(pid: i32, name: &str) -> bool {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut children = children.split_whitespace().filter_map(|child| child.parse::<i32>().ok());
    let is = |child: i32| fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|comm| comm.trim() == name);
    children.any(|child| is(child) || has_descendant(child, name))
}
