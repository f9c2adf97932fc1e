//! Moves bytes between a box and us until its first process ends or it has to be ended. Never waits for one stream alone.

use std::cell::RefCell;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ChildStdin};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use loopwright_core::check::Ended;
use rustix::event::{PollFd, PollFlags, poll};

use super::log::Log;
use super::{BoxSpec, Limits, Output};
use crate::os;

/// How often the halt files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The same for what may run all day; whoever halts it does not wait for us.
const LOOK_SELDOM: Duration = Duration::from_millis(250);
/// So much of the beginning of a stream that goes into a log is kept in memory too: what bubblewrap itself says.
const BEGINNING: usize = 4 << 10;
/// Most bytes of one stream that are moved before the other things are looked at again.
const TURN: usize = 1 << 20;

/// The three standard streams of a box.
pub(super) struct Pump<'a> {
    stdin: Option<ChildStdin>,
    unwritten: &'a [u8],
    stdout: Stream,
    stderr: Stream,
    limits: Limits,
    look: Duration,
}

struct Stream {
    pipe: Option<File>,
    sink: Sink,
    room: u64,
}

enum Sink {
    Memory(Vec<u8>),
    File(File),
    /// The log of both streams, and the beginning of this one.
    Log(Rc<RefCell<Log>>, Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    Nothing,
    Something,
    TooMuch,
}

impl<'a> Pump<'a> {
    /// Takes over the child's pipes.
    ///
    /// # Errors
    /// If the file for standard output exists or can't be created.
    pub(super) fn new(child: &mut Child, spec: &'a BoxSpec, limits: Limits) -> anyhow::Result<Pump<'a>> {
        let (out, err) = sinks(&spec.stdout)?;
        let stdin = child.stdin.take().filter(|_| !spec.stdin.is_empty());
        if let Some(pipe) = &stdin {
            nonblocking(pipe)?;
        }
        let room = limits.output;
        Ok(Pump {
            stdin,
            unwritten: &spec.stdin,
            stdout: Stream::new(child.stdout.take().map(OwnedFd::from), out, room)?,
            stderr: Stream::new(child.stderr.take().map(OwnedFd::from), err, room)?,
            limits,
            look: if matches!(spec.stdout, Output::Log(_)) { LOOK_SELDOM } else { LOOK_EVERY },
        })
    }

    /// Moves bytes until `monitor` ends (none), or says why the box has to be ended.
    ///
    /// # Errors
    /// If our own side fails: the kernel's poll, or the file for standard output.
    pub(super) fn until_end(
        &mut self,
        monitor: &OwnedFd,
        mut asked: impl FnMut() -> Option<Ended>,
    ) -> anyhow::Result<Option<Ended>> {
        let began = Instant::now();
        let (mut heard, mut look) = (began, began);
        loop {
            let now = Instant::now();
            if now >= look {
                if let Some(ended) = asked() {
                    return Ok(Some(ended));
                }
                look = now + self.look;
            }
            if now - began >= self.limits.wall {
                return Ok(Some(Ended::TimedOut));
            }
            if self.limits.idle.is_some_and(|idle| now - heard >= idle) {
                return Ok(Some(Ended::Silent));
            }
            if self.wait(monitor, look - now)? {
                return Ok(None);
            }
            match self.turn()? {
                Moved::TooMuch => return Ok(Some(Ended::Flooded)),
                Moved::Something => heard = Instant::now(),
                Moved::Nothing => {}
            }
        }
    }

    /// Takes what is left in the pipes of a box in which nothing lives any more; true if it was too much.
    ///
    /// # Errors
    /// If the file for standard output can't be written.
    pub(super) fn drain(&mut self) -> anyhow::Result<bool> {
        loop {
            match self.turn()? {
                Moved::TooMuch => return Ok(true),
                Moved::Something => {}
                Moved::Nothing => return Ok(false),
            }
        }
    }

    /// Standard output and standard error so far.
    pub(super) fn into_outputs(self) -> (Vec<u8>, Vec<u8>) {
        (self.stdout.sink.into_bytes(), self.stderr.sink.into_bytes())
    }

    /// Waits until something can be moved; true if the monitor ended.
    fn wait(&self, monitor: &OwnedFd, limit: Duration) -> anyhow::Result<bool> {
        let mut fds = vec![PollFd::new(monitor, PollFlags::IN)];
        if let Some(pipe) = &self.stdin {
            fds.push(PollFd::new(pipe, PollFlags::OUT));
        }
        for pipe in [&self.stdout.pipe, &self.stderr.pipe].into_iter().flatten() {
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
        match poll(&mut fds, Some(&os::timespec(limit))) {
            Ok(_) => Ok(!fds[0].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error).context("waiting for a box"),
        }
    }

    fn turn(&mut self) -> anyhow::Result<Moved> {
        self.feed();
        let moved = [self.stdout.take()?, self.stderr.take()?];
        let any = |wanted| moved.contains(&wanted);
        Ok(match () {
            () if any(Moved::TooMuch) => Moved::TooMuch,
            () if any(Moved::Something) => Moved::Something,
            () => Moved::Nothing,
        })
    }

    /// Writes what the pipe takes; a reader that went away is its own affair.
    fn feed(&mut self) {
        let Some(pipe) = &mut self.stdin else { return };
        match pipe.write(self.unwritten) {
            Ok(written) => self.unwritten = &self.unwritten[written..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.unwritten = &[],
        }
        if self.unwritten.is_empty() {
            self.stdin = None;
        }
    }
}

impl Stream {
    fn new(pipe: Option<OwnedFd>, sink: Sink, room: u64) -> anyhow::Result<Stream> {
        if let Some(pipe) = &pipe {
            nonblocking(pipe)?;
        }
        Ok(Stream { pipe: pipe.map(File::from), sink, room })
    }

    fn take(&mut self) -> anyhow::Result<Moved> {
        let mut buffer = [0; 1 << 16];
        let mut total = 0;
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    total += count;
                    if !self.keep(&buffer[..count])? {
                        return Ok(Moved::TooMuch);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("reading a box's output"),
            }
            if total >= TURN {
                break;
            }
        }
        Ok(if total > 0 { Moved::Something } else { Moved::Nothing })
    }

    /// Keeps what there is room for; false if that was not all.
    fn keep(&mut self, bytes: &[u8]) -> anyhow::Result<bool> {
        if let Sink::Log(log, beginning) = &mut self.sink {
            let room = BEGINNING.saturating_sub(beginning.len()).min(bytes.len());
            beginning.extend_from_slice(&bytes[..room]);
            log.borrow_mut().write(bytes)?;
            return Ok(true);
        }
        let fits = usize::try_from(self.room).unwrap_or(usize::MAX).min(bytes.len());
        match &mut self.sink {
            Sink::Memory(kept) => kept.extend_from_slice(&bytes[..fits]),
            Sink::File(file) => file.write_all(&bytes[..fits]).context("writing a box's output")?,
            Sink::Log(..) => {}
        }
        self.room -= u64::try_from(fits).unwrap_or(u64::MAX).min(self.room);
        Ok(fits == bytes.len())
    }
}

impl Sink {
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Sink::Memory(bytes) => bytes,
            Sink::File(_) => Vec::new(),
            Sink::Log(_, beginning) => beginning,
        }
    }
}

/// Where standard output and standard error go.
fn sinks(output: &Output) -> anyhow::Result<(Sink, Sink)> {
    Ok(match output {
        Output::Memory => (Sink::Memory(Vec::new()), Sink::Memory(Vec::new())),
        Output::File(path) => {
            let file = File::create_new(path).with_context(|| format!("creating {}", path.display()))?;
            (Sink::File(file), Sink::Memory(Vec::new()))
        }
        Output::Log(path) => {
            let log = Rc::new(RefCell::new(Log::new(path)?));
            (Sink::Log(Rc::clone(&log), Vec::new()), Sink::Log(log, Vec::new()))
        }
    })
}

fn nonblocking(pipe: &impl AsFd) -> anyhow::Result<()> {
    rustix::io::ioctl_fionbio(pipe, true).context("setting up a box's pipe")
}
