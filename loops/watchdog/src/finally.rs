//! After the run's end: whoever performs its `finally:` steps, with a time of its own. Deaf to HALT, not to NOW.
//!
//! Which steps these are, and whether there is an end at all, the watchdog does not know: it starts a process that does.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use loopwright_core::lease::{self, AwakeTime, BeatWatch};
use rustix::event::{PollFd, PollFlags};

use crate::args::{Finally, Order};
use crate::child::Runner;
use crate::processes;
use crate::watch::{LOOK_EVERY, changes, discard, leave_name, seq, wait};

/// Watches the steps to their end; the exit code if whoever performs them ended by itself.
pub(crate) fn perform(order: &Order, finally: &Finally, boot: &str) -> io::Result<Option<u8>> {
    let changes = changes(order)?;
    // Whoever halts the run looks here, and does not end what HALT leaves alone.
    leave_name(&order.run_dir, lease::FINALLY, boot)?;
    let done = Runner::start(&finally.command).map(|runner| watch(order, finally, runner, &changes, boot));
    let _ = fs::remove_file(order.run_dir.join(lease::FINALLY));
    done
}

fn watch(order: &Order, finally: &Finally, mut runner: Runner, changes: &OwnedFd, boot: &str) -> Option<u8> {
    if !by_itself(order, finally, &runner, changes) {
        processes::kill_sandboxes(&order.run_dir, boot);
        runner.last_words(&order.run_dir, boot);
        runner.kill();
    }
    runner.sweep(&order.run_dir, boot);
    let code = runner.child.wait().ok().and_then(|status| status.code());
    code.and_then(|code| u8::try_from(code).ok())
}

/// Waits; false = it has to be ended.
fn by_itself(order: &Order, finally: &Finally, runner: &Runner, changes: &OwnedFd) -> bool {
    let most = finally.most + lease::FINALLY_GRACE;
    let (began, mut time, mut beats) = (Instant::now(), AwakeTime::default(), BeatWatch::new(order.boot_grace));
    loop {
        let awake = time.advance(began.elapsed());
        if runner.exited_within(std::time::Duration::ZERO) {
            return true;
        }
        if now(order, finally) || awake >= most || beats.silent(seq(&order.run_dir), awake) {
            return false;
        }
        let mut fds = [PollFd::new(changes, PollFlags::IN), PollFd::new(&runner.pidfd, PollFlags::IN)];
        wait(&mut fds, LOOK_EVERY.min(most - awake));
        discard(changes);
    }
}

/// Whether NOW is there; what can't be read is not: these steps are what leaves things in order.
fn now(order: &Order, finally: &Finally) -> bool {
    let own = order.run_dir.join(lease::NOW);
    finally.nows.iter().chain([&own]).any(|path| fs::symlink_metadata(path).is_ok())
}
