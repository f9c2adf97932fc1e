//! Signals to the watchdog, as a descriptor beside the others: TERM, INT and QUIT ask for the run's end, HUP is nothing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// Receives the signals that were taken over.
pub(crate) struct Signals(OwnedFd);

impl Signals {
    /// Takes over the signals of this process; the runner does not inherit that, since a new process begins with none blocked.
    #[expect(
        unsafe_code,
        reason = "blocking signals and receiving them as a file has no safe wrapper among our dependencies"
    )]
    pub(crate) fn take_over() -> io::Result<Signals> {
        // SAFETY: the set lives on our stack and is filled before it is used; the descriptor is new and ours alone.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
                libc::sigaddset(&raw mut set, signal);
            }
            if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(Signals(OwnedFd::from_raw_fd(fd))) }
        }
    }

    /// Whether a signal came that asks for the run's end.
    pub(crate) fn asked(&self) -> bool {
        let mut record = [0; size_of::<libc::signalfd_siginfo>()];
        let mut asked = false;
        while rustix::io::read(&self.0, &mut record).is_ok_and(|count| count == record.len()) {
            // The record begins with the signal's number.
            let number = u32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
            asked |= number != libc::SIGHUP.unsigned_abs();
        }
        asked
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
