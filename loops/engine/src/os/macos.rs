//! macOS: nothing of it is supported yet; every function says so.

use std::fs::File;
use std::process::Command;

use anyhow::bail;
use loopwright_core::lease::{InitRecord, ProcStat};

/// The identity of this boot.
///
/// # Errors
/// Always: not supported yet.
pub fn boot_id() -> anyhow::Result<String> {
    bail!("the boot's identity is not supported on macOS yet")
}

/// What the kernel says of a process: nothing yet.
pub fn process_stat(_pid: i32) -> Option<ProcStat> {
    None
}

/// Ends the sandbox of a record.
///
/// # Errors
/// Always: not supported yet.
pub fn end_recorded(_record: &InitRecord) -> anyhow::Result<()> {
    bail!("sandboxes are not supported on macOS yet")
}

/// Makes the calling process die with its parent.
///
/// # Errors
/// Always: not supported yet.
pub fn die_with_parent() -> anyhow::Result<()> {
    bail!("runs are not supported on macOS yet")
}

/// Whether this inherited descriptor is a pipe that somebody holds: never yet.
pub fn pipe_is_held(_number: i32) -> bool {
    false
}

/// Leaves `command` as it is: nothing but the standard descriptors is inherited here anyway.
pub fn inherit_only(_command: &mut Command, _kept: Option<&File>) {}

/// Makes `command` go on when a terminal is closed; that it outlives a log-out is unproven here.
pub fn detach(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// Leaves `command` as it is: nothing dies with its parent here yet.
pub fn bind(_command: &mut Command) {}

/// Whether the computer runs on its battery: not asked here yet, so that nothing waits for the mains.
pub fn on_battery() -> bool {
    false
}
