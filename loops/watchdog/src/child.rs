//! The child that is watched: the runner of a run, or whoever performs its `finally:` steps. Started, held, and ended whole.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use loopwright_core::lease;
use rustix::event::{PollFd, PollFlags};
use rustix::io::FdFlags;
use rustix::process::{self, Pid, PidfdFlags, Signal};

use crate::processes;
use crate::watch::wait;

/// How long a child that still moves may take to write its end.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often sandboxes are looked for while it writes its end.
const SWEEP_EVERY: Duration = Duration::from_millis(20);
/// After this long, processes that do not die (stuck in the kernel) are left.
const GIVE_UP: Duration = Duration::from_secs(60);

/// A child that can't be mistaken for another process.
pub(crate) struct Runner {
    pub(crate) child: Child,
    pub(crate) pidfd: OwnedFd,
    pid: Pid,
    // Held so that it sees us alive; closed by our death, whatever its kind.
    _life: OwnedFd,
}

impl Runner {
    /// Starts it from this, the only thread: it asks the kernel to die with the thread that started it.
    pub(crate) fn start(words: &[OsString]) -> io::Result<Runner> {
        let (seen, life) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        rustix::io::fcntl_setfd(&seen, FdFlags::empty())?;
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env(lease::WATCHDOG_FD, seen.as_raw_fd().to_string());
        let mut child = command.spawn()?;
        let held = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let held = held.and_then(|pid| Some((pid, process::pidfd_open(pid, PidfdFlags::empty()).ok()?)));
        let Some((pid, pidfd)) = held else {
            child.kill()?;
            return Err(io::Error::other("the runner can't be held"));
        };
        Ok(Runner { child, pidfd, pid, _life: life })
    }

    pub(crate) fn exited_within(&self, limit: Duration) -> bool {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        wait(&mut fds, limit);
        !fds[0].revents().is_empty()
    }

    /// Gives one that still moves time to write its end; what it starts meanwhile is killed.
    pub(crate) fn last_words(&self, run_dir: &Path, boot: &str) -> u32 {
        let until = Instant::now() + LAST_WORDS;
        let mut killed = 0;
        while processes::is_running(self.pid) && Instant::now() < until {
            if self.exited_within(SWEEP_EVERY) {
                break;
            }
            killed += processes::kill_sandboxes(run_dir, boot);
        }
        killed
    }

    /// Kills it; 1 if it was still alive.
    pub(crate) fn kill(&self) -> u32 {
        let alive = !self.exited_within(Duration::ZERO);
        u32::from(process::pidfd_send_signal(&self.pidfd, Signal::KILL).is_ok() && alive)
    }

    /// Kills and collects until nothing but the dead child itself is left, and returns how many were killed.
    pub(crate) fn sweep(&mut self, run_dir: &Path, boot: &str) -> u32 {
        let until = Instant::now() + GIVE_UP;
        let mut killed = processes::kill_sandboxes(run_dir, boot);
        loop {
            killed += processes::kill_descendants(Some(self.pid));
            processes::collect(Some(self.pid));
            if self.exited_within(Duration::ZERO) {
                let _ = self.child.wait();
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
}
