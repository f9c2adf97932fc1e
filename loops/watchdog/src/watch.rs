//! The watch over one run: start the runner, wait for HALT, deadline, silence or its exit, and end everything that is left.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use loopwright_core::lease::{self, AwakeTime, Beat, BeatWatch, End, EndCause, HaltView, Seen};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::io::FdFlags;
use rustix::process::{self, Pid, PidfdFlags, Signal};

use crate::INTERNAL;
use crate::args::Order;
use crate::processes;
use crate::signals::Signals;

/// Files are looked at this often even if the kernel reports nothing.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a runner that still moves may take to write its end.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often sandboxes are looked for while the runner writes its end.
const SWEEP_EVERY: Duration = Duration::from_millis(20);
/// After this long, processes that do not die (stuck in the kernel) are left.
const GIVE_UP: Duration = Duration::from_secs(60);

/// Watches a run to its end and returns the exit code.
pub(crate) fn run(order: &Order) -> io::Result<u8> {
    // Fails only if it leads a session already.
    let _ = process::setsid();
    process::set_child_subreaper(Some(process::getpid()))?;
    let signals = Signals::take_over()?;
    let _ = fs::remove_file(order.run_dir.join(lease::END));
    let _ = fs::remove_file(order.run_dir.join(lease::BEAT));
    let changes = changes(order)?;
    if halted(order) {
        write_end(&order.run_dir, EndCause::Halted, 0);
        return Ok(EndCause::Halted.exit_code());
    }
    let boot = processes::boot_id();
    leave_name(&order.run_dir, &boot)?;
    let mut watch = Watch { order, signals, changes, boot, runner: Runner::start(order)? };
    Ok(match watch.until_end() {
        None => watch.after_exit(),
        Some(cause) => watch.end(cause),
    })
}

struct Watch<'a> {
    order: &'a Order,
    signals: Signals,
    changes: OwnedFd,
    boot: String,
    runner: Runner,
}

struct Runner {
    child: Child,
    pid: Pid,
    pidfd: OwnedFd,
    // Held so that the runner sees us alive; closed by our death, whatever its kind.
    _life: OwnedFd,
}

impl Runner {
    /// Starts the runner from this, the only thread: it asks the kernel to die with the thread that started it.
    fn start(order: &Order) -> io::Result<Runner> {
        let (seen, life) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        rustix::io::fcntl_setfd(&seen, FdFlags::empty())?;
        let mut command = Command::new(&order.command[0]);
        command.args(&order.command[1..]).env(lease::WATCHDOG_FD, seen.as_raw_fd().to_string());
        let mut child = command.spawn()?;
        let held = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let held = held.and_then(|pid| Some((pid, process::pidfd_open(pid, PidfdFlags::empty()).ok()?)));
        let Some((pid, pidfd)) = held else {
            child.kill()?;
            return Err(io::Error::other("the runner can't be held"));
        };
        Ok(Runner { child, pid, pidfd, _life: life })
    }

    fn exited_within(&self, limit: Duration) -> bool {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        wait(&mut fds, limit);
        !fds[0].revents().is_empty()
    }
}

impl Watch<'_> {
    /// Waits; none = the runner ended by itself.
    fn until_end(&mut self) -> Option<EndCause> {
        let began = Instant::now();
        let mut time = AwakeTime::default();
        let mut beats = BeatWatch::new(self.order.boot_grace);
        let mut asked = false;
        loop {
            let awake = time.advance(began.elapsed());
            if asked || halted(self.order) {
                return Some(EndCause::Halted);
            }
            if self.runner.exited_within(Duration::ZERO) {
                return None;
            }
            if awake >= self.order.most {
                return Some(EndCause::Time);
            }
            if beats.silent(self.seq(), awake) {
                return Some(EndCause::Silent);
            }
            let mut fds = [
                PollFd::new(&self.changes, PollFlags::IN),
                PollFd::new(&self.runner.pidfd, PollFlags::IN),
                PollFd::new(&self.signals, PollFlags::IN),
            ];
            wait(&mut fds, LOOK_EVERY.min(self.order.most - awake));
            discard(&self.changes);
            asked = self.signals.asked();
        }
    }

    /// Ends the run: sandboxes first, then the runner, then whatever is left.
    fn end(&mut self, cause: EndCause) -> u8 {
        let mut killed = processes::kill_sandboxes(&self.order.run_dir, &self.boot);
        // Written before as well as after: the runner reads here that it is to write its end.
        write_end(&self.order.run_dir, cause, 0);
        killed += self.last_words(cause);
        if process::pidfd_send_signal(&self.runner.pidfd, Signal::KILL).is_ok()
            && !self.runner.exited_within(Duration::ZERO)
        {
            killed += 1;
        }
        killed += self.sweep();
        let _ = self.runner.child.wait();
        write_end(&self.order.run_dir, cause, killed);
        cause.exit_code()
    }

    /// Gives a runner that still moves time to write its end; what it starts meanwhile is killed.
    fn last_words(&self, cause: EndCause) -> u32 {
        let until = Instant::now() + LAST_WORDS;
        let mut killed = 0;
        while cause != EndCause::Silent && processes::is_running(self.runner.pid) && Instant::now() < until {
            if self.runner.exited_within(SWEEP_EVERY) {
                break;
            }
            killed += processes::kill_sandboxes(&self.order.run_dir, &self.boot);
        }
        killed
    }

    /// After the runner's own exit: nothing of the run may go on without it.
    fn after_exit(&mut self) -> u8 {
        let killed = self.sweep();
        let status = self.runner.child.wait();
        match status.ok().and_then(|status| status.code()) {
            Some(code) => u8::try_from(code).unwrap_or(INTERNAL),
            None => {
                write_end(&self.order.run_dir, EndCause::Died, killed);
                EndCause::Died.exit_code()
            }
        }
    }

    /// Kills and collects until nothing but the dead runner itself is left, and returns how many were killed.
    fn sweep(&mut self) -> u32 {
        let until = Instant::now() + GIVE_UP;
        let mut killed = processes::kill_sandboxes(&self.order.run_dir, &self.boot);
        loop {
            killed += processes::kill_descendants(Some(self.runner.pid));
            processes::collect(Some(self.runner.pid));
            if self.runner.exited_within(Duration::ZERO) {
                let _ = self.runner.child.wait();
                if !processes::any_descendant() {
                    return killed;
                }
            }
            if Instant::now() >= until {
                return killed;
            }
            wait(&mut [], Duration::from_millis(2));
        }
    }

    fn seq(&self) -> Option<u64> {
        Some(Beat::parse(&fs::read(self.order.run_dir.join(lease::BEAT)).ok()?)?.seq)
    }
}

fn halted(order: &Order) -> bool {
    let seen = |path: &Path| judge(fs::symlink_metadata(path).map(drop));
    let halts: Vec<Seen> = order.halts.iter().map(|path| seen(path)).collect();
    let own = seen(&order.run_dir.join(lease::HALT));
    let halts = [halts, vec![own]].concat();
    HaltView::judge(&halts, judge(fs::read(&order.armed).map(drop))).is_some()
}

fn judge(looked: io::Result<()>) -> Seen {
    match looked {
        Ok(()) => Seen::Present,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Seen::Absent,
        Err(_) => Seen::Unreadable,
    }
}

/// A descriptor that becomes readable when a file appears in or vanishes from a folder that matters.
fn changes(order: &Order) -> io::Result<OwnedFd> {
    use inotify::{CreateFlags, WatchFlags};
    let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let own = order.run_dir.join(lease::HALT);
    let what = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::ATTRIB;
    for folder in order.halts.iter().chain([&order.armed, &own]).filter_map(|path| path.parent()) {
        // A folder that does not exist yet is covered by looking every second.
        let _ = inotify::add_watch(&fd, folder, what);
    }
    Ok(fd)
}

fn discard(changes: &OwnedFd) {
    let mut buffer = [0; 4096];
    while rustix::io::read(changes, &mut buffer).is_ok_and(|count| count > 0) {}
}

/// Waits until one of `fds` is ready; an interruption counts as that.
fn wait(fds: &mut [PollFd<'_>], limit: Duration) {
    let seconds = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
    let limit = Timespec { tv_sec: seconds, tv_nsec: i64::from(limit.subsec_nanos()) };
    let _ = poll(fds, Some(&limit));
}

/// Writes down who watches, so that HALT can end the run without us; a watchdog that can't be named starts nothing.
fn leave_name(run_dir: &Path, boot: &str) -> io::Result<()> {
    let own = processes::own_record(boot).ok_or_else(|| io::Error::other("/proc does not say who we are"))?;
    let fresh = run_dir.join(".watchdog.new");
    fs::write(&fresh, own.line())?;
    fs::rename(&fresh, run_dir.join(lease::WATCHDOG))
}

/// Leaves word of the end; on a full disk there is none, and the run ends all the same.
fn write_end(run_dir: &Path, cause: EndCause, killed: u32) {
    let at = lease::moment(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
    let fresh = run_dir.join(".end.new");
    let written = serde_json::to_vec(&End { cause, killed, at }).map(|json| fs::write(&fresh, json));
    if matches!(written, Ok(Ok(()))) {
        let _ = fs::rename(&fresh, run_dir.join(lease::END));
    }
}
