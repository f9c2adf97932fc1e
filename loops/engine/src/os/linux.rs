//! Linux: processes named beyond doubt, and what a child process takes along from us.

mod awake;
mod places;
mod wake;

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use loopwright_core::lease::{InitRecord, ProcStat};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{self, Pid, PidfdFlags, Resource, Rlimit, Signal};

pub use awake::{Awake, stay_awake};
pub use places::{folder, is_beneath, open_beneath, open_folder, open_place};
pub use wake::{Wake, Woken, clocks, give_memory_back};

/// The identity of this boot.
///
/// # Errors
/// If `/proc` does not say.
pub fn boot_id() -> anyhow::Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    Ok(text.trim().to_owned())
}

/// What the kernel says of a process; none if there is no such process.
pub fn process_stat(pid: i32) -> Option<ProcStat> {
    ProcStat::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// A process that can't be mistaken for another one, whatever becomes of its number.
#[derive(Debug)]
pub struct Held {
    pidfd: OwnedFd,
    /// Its record for `inits`.
    pub record: InitRecord,
}

impl Held {
    /// Takes hold of the living child `pid` of `parent`.
    ///
    /// # Errors
    /// If there is no such process, or it has another parent (then the number was given to somebody else).
    pub fn child_of(pid: i32, parent: i32) -> anyhow::Result<Held> {
        let number = Pid::from_raw(pid).context("a process number above 0")?;
        let pidfd = process::pidfd_open(number, PidfdFlags::empty())
            .with_context(|| format!("taking hold of process {pid}"))?;
        // Read after the descriptor was opened, so both mean the same process if the parent is right.
        let stat = process_stat(pid).with_context(|| format!("reading /proc/{pid}/stat"))?;
        if stat.parent != parent {
            bail!("process {pid} is not the one that was started");
        }
        let record = InitRecord { pid, start: stat.start, boot: boot_id()? };
        Ok(Held { pidfd, record })
    }

    /// Takes hold of the process of a record; none if it is gone, whoever has its number now.
    pub fn recorded(record: &InitRecord) -> Option<Held> {
        let pidfd = process::pidfd_open(Pid::from_raw(record.pid)?, PidfdFlags::empty()).ok()?;
        let same = process_stat(record.pid)?.start == record.start && boot_id().ok()? == record.boot;
        same.then(|| Held { pidfd, record: record.clone() })
    }

    /// Whether it has ended, collected by its parent or not.
    pub fn gone(&self) -> bool {
        self.gone_within(Duration::ZERO)
    }

    /// Kills it; one that is dead already stays so.
    pub fn kill(&self) {
        let _ = process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Waits until it and, being the first of its PID namespace, everything in it is gone; false after `limit`.
    pub fn gone_within(&self, limit: Duration) -> bool {
        readable_within(&self.pidfd, limit)
    }
}

impl AsFd for Held {
    /// Becomes readable when the process ends.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Asks the first child of the first process of a sandbox, which is its program, to end; whether there is one.
pub fn terminate_first_child(init: &Held) -> bool {
    let children = children_of(init);
    let first = children.iter().min_by_key(|child| (child.record.start, child.record.pid));
    first.is_some_and(|first| process::pidfd_send_signal(&first.pidfd, Signal::TERM).is_ok())
}

/// Ends the sandbox of a record and waits until it is gone; nothing happens to a process that only has its number.
///
/// # Errors
/// If it does not end.
pub fn end_recorded(record: &InitRecord) -> anyhow::Result<()> {
    let Some(held) = Held::recorded(record) else {
        return Ok(());
    };
    held.kill();
    if !held.gone_within(Duration::from_secs(10)) {
        bail!("process {} does not end", record.pid);
    }
    Ok(())
}

/// Ends the boxes in the making that hold one of these pipes: they wait there for somebody who is gone.
pub fn end_those_at(pipes: &BTreeSet<u64>) {
    if pipes.is_empty() {
        return;
    }
    let names: BTreeSet<String> = pipes.iter().map(|pipe| format!("pipe:[{pipe}]")).collect();
    let held =
        |entry: &fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|to| names.contains(&*to.to_string_lossy()));
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let Some(pidfd) = number.and_then(|pid| process::pidfd_open(pid, PidfdFlags::empty()).ok()) else { continue };
        // Looked at after the descriptor was opened, so both mean the same process.
        let is_box = fs::read(entry.path().join("comm")).is_ok_and(|name| name == b"bwrap\n");
        if is_box && fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten().any(|fd| held(&fd)) {
            let _ = process::pidfd_send_signal(&pidfd, Signal::KILL);
        }
    }
}

/// Takes hold of our own child `pid`: becomes readable when it ends.
///
/// # Errors
/// If there is no such process.
pub fn child_pidfd(pid: u32) -> anyhow::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("a process number")?;
    process::pidfd_open(pid, PidfdFlags::empty()).context("taking hold of a child")
}

/// Kills the children of our own child `parent`, which is living or not yet waited for.
pub fn kill_children(parent: u32) {
    if let Ok(parent) = i32::try_from(parent) {
        children(parent).iter().for_each(Held::kill);
    }
}

/// Takes hold of the children of a process; of none if it has ended, since its number may be another's by then.
pub fn children_of(parent: &Held) -> Vec<Held> {
    let children = children(parent.record.pid);
    if parent.gone() { Vec::new() } else { children }
}

fn children(parent: i32) -> Vec<Held> {
    numbers().filter_map(|pid| Held::child_of(pid, parent).ok()).collect()
}

/// Takes hold of every process in the PID namespace of the first process of a sandbox; of none if it has ended.
pub fn members(init: &Held) -> Vec<Held> {
    let space = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = i32::try_from(std::process::id()).ok().and_then(space);
    // In ours are all of this computer's.
    let Some(theirs) = space(init.record.pid).filter(|theirs| !init.gone() && Some(theirs) != own.as_ref()) else {
        return Vec::new();
    };
    let Ok(boot) = boot_id() else { return Vec::new() };
    let held = |pid: i32| Held::recorded(&InitRecord { pid, start: process_stat(pid)?.start, boot: boot.clone() });
    numbers().filter_map(held).filter(|held| space(held.record.pid).as_ref() == Some(&theirs) && !held.gone()).collect()
}

/// The numbers of all processes.
fn numbers() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Waits until a descriptor is readable or at its end; false after `limit`.
pub fn readable_within(fd: &impl AsFd, limit: Duration) -> bool {
    let until = Instant::now() + limit;
    loop {
        let mut fds = [PollFd::new(fd, PollFlags::IN)];
        let left = until.saturating_duration_since(Instant::now());
        match poll(&mut fds, Some(&timespec(left))) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(0) if !left.is_zero() => {}
            outcome => return matches!(outcome, Ok(n) if n > 0),
        }
    }
}

/// A span as the kernel takes it.
pub fn timespec(span: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(span.subsec_nanos()) }
}

/// Most that a process of a box may hold open.
const MAX_OPEN: u64 = 16_384;
/// Largest file that a process of a box may write, in bytes.
const MAX_FILE: u64 = 4 << 30;

/// Makes `command` inherit the three standard descriptors and `pass`, nothing else.
pub fn pass_only(command: &mut Command, pass: &[&OwnedFd]) {
    let pass: Vec<RawFd> = pass.iter().map(|fd| fd.as_raw_fd()).collect();
    before_exec(command, move || keep_only(&pass));
}

/// Makes `command` inherit the three standard descriptors and `kept`, nothing else.
pub fn inherit_only(command: &mut Command, kept: Option<&fs::File>) {
    let kept: Vec<RawFd> = kept.iter().map(|file| file.as_raw_fd()).collect();
    before_exec(command, move || keep_only(&kept));
}

/// Makes `command` go on whatever becomes of the session that starts it; it inherits the three standard descriptors only.
pub fn detach(command: &mut Command) {
    before_exec(command, || {
        process::setsid()?;
        keep_only(&[])
    });
}

/// Makes `command` die with the calling *thread*.
pub fn bind(command: &mut Command) {
    let parent = process::getpid();
    before_exec(command, move || {
        process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the line above; then nobody would send the signal.
        if process::getppid() == Some(parent) { Ok(()) } else { Err(std::io::ErrorKind::NotFound.into()) }
    });
}

/// Makes `command` die with the calling *thread* and hold at most what a box may hold.
pub fn bind_and_limit(command: &mut Command) {
    bind(command);
    before_exec(command, move || {
        lower(Resource::Nofile, MAX_OPEN)?;
        lower(Resource::Fsize, MAX_FILE)?;
        lower(Resource::Core, 0)
    });
}

/// Makes the calling process die with its parent's thread that started it.
///
/// # Errors
/// If the kernel refuses.
pub fn die_with_parent() -> anyhow::Result<()> {
    process::set_parent_process_death_signal(Some(Signal::KILL)).context("asking to die with the parent")
}

/// Whether the computer runs on its battery: it has one, and no mains that is connected.
pub fn on_battery() -> bool {
    on_battery_in(Path::new("/sys/class/power_supply"))
}

fn on_battery_in(folder: &Path) -> bool {
    let (mut battery, mut mains) = (false, false);
    for supply in fs::read_dir(folder).into_iter().flatten().flatten() {
        let of = |name: &str| fs::read_to_string(supply.path().join(name)).unwrap_or_default();
        match of("type").trim() {
            // That of a mouse or a headset says nothing of the computer.
            "Battery" => battery |= of("scope").trim() != "Device",
            _ => mains |= of("online").trim() == "1",
        }
    }
    battery && !mains
}

/// Whether this descriptor, inherited by number, is the reading end of a pipe whose writing end is held by somebody.
pub fn pipe_is_held(number: i32) -> bool {
    use std::os::unix::fs::FileTypeExt;
    // Opened anew by name, so that no descriptor has to be made from a bare number.
    let path = format!("/proc/self/fd/{number}");
    let is_pipe = fs::metadata(Path::new(&path)).is_ok_and(|m| m.file_type().is_fifo());
    if !is_pipe {
        return false;
    }
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let Ok(pipe) = rustix::fs::open(&path, flags, rustix::fs::Mode::empty()) else {
        return false;
    };
    let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
    poll(&mut fds, Some(&timespec(Duration::ZERO))).is_ok()
        && !fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

#[expect(unsafe_code, reason = "what runs between fork and exec can be given in no other way")]
fn before_exec(command: &mut Command, step: impl FnMut() -> std::io::Result<()> + Send + Sync + 'static) {
    // SAFETY: the callers' closures only make system calls; they take no lock and allocate nothing.
    unsafe { command.pre_exec(step) };
}

#[expect(unsafe_code, reason = "the kernel's call has no safe wrapper, and descriptors are known by number only")]
fn keep_only(pass: &[RawFd]) -> std::io::Result<()> {
    let cloexec = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: plain system calls on numbers; none of them reads or writes our memory.
    unsafe {
        if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, cloexec) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        for fd in pass {
            if libc::fcntl(*fd, libc::F_SETFD, 0) != 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
    }
    Ok(())
}

fn lower(resource: Resource, to: u64) -> std::io::Result<()> {
    let now = process::getrlimit(resource);
    let bound = |old: Option<u64>| Some(old.map_or(to, |old| old.min(to)));
    Ok(process::setrlimit(resource, Rlimit { current: bound(now.current), maximum: bound(now.maximum) })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_child_is_held() {
        let mut child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
        let pid = i32::try_from(child.id()).expect("a pid");
        let me = i32::try_from(std::process::id()).expect("a pid");
        assert!(Held::child_of(pid, 1).is_err(), "another parent: another process");
        let held = Held::child_of(pid, me).expect("our child");
        assert!(!held.gone_within(Duration::ZERO));
        held.kill();
        assert!(held.gone_within(Duration::from_secs(5)));
        child.wait().expect("collected");
        assert!(Held::child_of(pid, me).is_err(), "it is gone");
    }

    #[test]
    fn a_pipe_is_held_as_long_as_its_other_end_lives() {
        let (read, write) = rustix::pipe::pipe().expect("a pipe");
        assert!(pipe_is_held(read.as_raw_fd()));
        drop(write);
        assert!(!pipe_is_held(read.as_raw_fd()));
        let file = fs::File::open("/dev/null").expect("/dev/null");
        assert!(!pipe_is_held(file.as_raw_fd()));
        assert!(!pipe_is_held(1 << 20));
    }

    #[test]
    fn nothing_else_is_inherited() {
        let (read, _write) = rustix::pipe::pipe().expect("a pipe without close-on-exec");
        let pipe = fs::read_link(format!("/proc/self/fd/{}", read.as_raw_fd())).expect("its name");
        let wanted = OwnedFd::from(fs::File::open("/usr").expect("/usr"));
        let list = |strict: bool| {
            let mut command = Command::new("ls");
            command.args(["-l", "/proc/self/fd"]);
            if strict {
                pass_only(&mut command, &[&wanted]);
            }
            String::from_utf8(command.output().expect("ls").stdout).expect("names")
        };
        let pipe = pipe.to_str().expect("a name");
        assert!(list(false).contains(pipe), "without it the pipe is inherited: the control");
        let strict = list(true);
        assert!(!strict.contains(pipe), "{strict}");
        assert!(strict.contains(" /usr\n"), "{strict}");
    }
    #[test]
    fn a_battery_counts_while_no_mains_is_connected() {
        let folder = tempfile::tempdir().expect("a folder");
        let supply = |name: &str, files: &[(&str, &str)]| {
            fs::create_dir_all(folder.path().join(name)).expect("a supply");
            for (file, text) in files {
                fs::write(folder.path().join(name).join(file), format!("{text}\n")).expect("written");
            }
        };
        assert!(!on_battery_in(folder.path()), "a desktop computer has no supply");
        supply("hid-mouse", &[("type", "Battery"), ("scope", "Device")]);
        assert!(!on_battery_in(folder.path()), "a mouse is no battery of the computer");
        supply("BAT0", &[("type", "Battery")]);
        assert!(on_battery_in(folder.path()));
        supply("AC", &[("type", "Mains"), ("online", "1")]);
        assert!(!on_battery_in(folder.path()));
        supply("AC", &[("online", "0")]);
        assert!(on_battery_in(folder.path()));
        assert!(!on_battery_in(&folder.path().join("nowhere")));
    }
}
