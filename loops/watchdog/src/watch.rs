//! The watch over one run: start the runner, wait for HALT, deadline, silence or its exit, and end everything that is left.
//!
//! What follows on the end is in [`finally`].

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use loopwright_core::lease::{self, AwakeTime, Beat, BeatWatch, End, EndCause, HaltView, Seen};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::process;

use crate::args::Order;
use crate::child::Runner;
use crate::signals::Signals;
use crate::{INTERNAL, finally, processes};

/// Files are looked at this often even if the kernel reports nothing.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Watches a run to its end and returns the exit code.
pub(crate) fn run(order: &Order) -> io::Result<u8> {
    // Fails only if it leads a session already.
    let _ = process::setsid();
    process::set_child_subreaper(Some(process::getpid()))?;
    let signals = Signals::take_over()?;
    let changes = changes(order)?;
    let boot = processes::boot_id();
    leave_name(&order.run_dir, lease::WATCHDOG, &boot)?;
    let Some(finally) = &order.finally else { return watched(order, signals, changes, boot) };
    let code = match order.command.is_empty() {
        true => Ok(INTERNAL),
        false => watched(order, signals, changes, boot.clone()),
    };
    // Whatever became of the run.
    let done = finally::perform(order, finally, &boot)?;
    Ok(done.unwrap_or(code?))
}

/// Watches the runner to its end.
fn watched(order: &Order, signals: Signals, changes: OwnedFd, boot: String) -> io::Result<u8> {
    let _ = fs::remove_file(order.run_dir.join(lease::END));
    let _ = fs::remove_file(order.run_dir.join(lease::BEAT));
    if halted(order) {
        write_end(&order.run_dir, EndCause::Halted, 0);
        return Ok(EndCause::Halted.exit_code());
    }
    let mut watch = Watch { order, signals, changes, boot, runner: Runner::start(&order.command)? };
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
            if beats.silent(seq(&self.order.run_dir), awake) {
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
        if cause != EndCause::Silent {
            killed += self.runner.last_words(&self.order.run_dir, &self.boot);
        }
        killed += self.runner.kill();
        killed += self.runner.sweep(&self.order.run_dir, &self.boot);
        let _ = self.runner.child.wait();
        write_end(&self.order.run_dir, cause, killed);
        cause.exit_code()
    }

    /// After the runner's own exit: nothing of the run may go on without it.
    fn after_exit(&mut self) -> u8 {
        let killed = self.runner.sweep(&self.order.run_dir, &self.boot);
        let status = self.runner.child.wait();
        match status.ok().and_then(|status| status.code()) {
            Some(code) => u8::try_from(code).unwrap_or(INTERNAL),
            None => {
                write_end(&self.order.run_dir, EndCause::Died, killed);
                EndCause::Died.exit_code()
            }
        }
    }
}

/// The number of the last beat.
pub(crate) fn seq(run_dir: &Path) -> Option<u64> {
    Some(Beat::parse(&fs::read(run_dir.join(lease::BEAT)).ok()?)?.seq)
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
pub(crate) fn changes(order: &Order) -> io::Result<OwnedFd> {
    use inotify::{CreateFlags, WatchFlags};
    let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let own = order.run_dir.join(lease::HALT);
    let nows = order.finally.iter().flat_map(|finally| &finally.nows);
    let what = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::ATTRIB;
    for folder in order.halts.iter().chain(nows).chain([&order.armed, &own]).filter_map(|path| path.parent()) {
        // A folder that does not exist yet is covered by looking every second.
        let _ = inotify::add_watch(&fd, folder, what);
    }
    Ok(fd)
}

pub(crate) fn discard(changes: &OwnedFd) {
    let mut buffer = [0; 4096];
    while rustix::io::read(changes, &mut buffer).is_ok_and(|count| count > 0) {}
}

/// Waits until one of `fds` is ready; an interruption counts as that.
pub(crate) fn wait(fds: &mut [PollFd<'_>], limit: Duration) {
    let seconds = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
    let limit = Timespec { tv_sec: seconds, tv_nsec: i64::from(limit.subsec_nanos()) };
    let _ = poll(fds, Some(&limit));
}

/// Writes down who watches, so that HALT can end the run without us; a watchdog that can't be named starts nothing.
pub(crate) fn leave_name(run_dir: &Path, file: &str, boot: &str) -> io::Result<()> {
    let own = processes::own_record(boot).ok_or_else(|| io::Error::other("/proc does not say who we are"))?;
    let fresh = run_dir.join(format!(".{file}.new"));
    fs::write(&fresh, own.line())?;
    fs::rename(&fresh, run_dir.join(file))
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
