//! Waiting for the next thing to do: a time on the wall clock, a file that changed, a child that ended, or a word to stop.
//!
//! The timer follows the wall clock: it fires when the clock is set and right after the computer was asleep.

use std::ffi::OsString;
use std::fs;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;
use rustix::process::{self, Pid, PidfdFlags, WaitId, WaitIdOptions};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, clock_gettime, timerfd_create,
    timerfd_settime,
};

use super::Held;

/// How long since the computer was started, and how much of it it was awake.
pub fn clocks() -> (Duration, Duration) {
    let read = |clock| {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
    };
    // In this order: awake time is never more than all of it.
    let monotonic = read(ClockId::Monotonic);
    (read(ClockId::Boottime), monotonic)
}

/// Gives memory that is not needed until the next pass back to the system.
pub fn give_memory_back() {
    give_heap_back();
    give_code_back();
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the allocator's call has no safe wrapper")]
fn give_heap_back() {
    // SAFETY: it only returns unused pages; nothing of ours moves.
    unsafe { libc::malloc_trim(0) };
}

/// This allocator does so by itself.
#[cfg(not(target_env = "gnu"))]
fn give_heap_back() {}

/// Unmaps the pages of the program's code. They stay in the page cache, where the system takes first what nobody has mapped;
/// the next pass finds them there in well under a millisecond.
#[expect(unsafe_code, reason = "advice on a range of addresses has no safe form")]
fn give_code_back() {
    let (Ok(maps), Ok(program)) = (fs::read_to_string("/proc/self/maps"), fs::read_link("/proc/self/exe")) else {
        return;
    };
    for code in maps.lines().filter_map(|line| code_of(line, &program)) {
        // SAFETY: these pages are code of a file, never written: what is touched again is read from the file again.
        unsafe { libc::madvise(code.start as *mut libc::c_void, code.len(), libc::MADV_DONTNEED) };
    }
}

/// The addresses of a line of `/proc/self/maps`, if it is code of this program that nobody can have written to.
fn code_of(line: &str, program: &Path) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (range, rights) = (fields.next()?, fields.next()?);
    let file = fields.nth(3)?;
    let (from, to) = range.split_once('-')?;
    let addresses = usize::from_str_radix(from, 16).ok()?..usize::from_str_radix(to, 16).ok()?;
    (rights == "r-xp" && Path::new(file) == program).then_some(addresses)
}

/// What was waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Somebody says to stop.
    pub stop: bool,
    /// The time has come, or the clock was set.
    pub time: bool,
    /// What is in a watched file changed.
    pub file: bool,
    /// A watched name came or went.
    pub name: bool,
    /// A watched process ended.
    pub process: bool,
}

/// The folders whose files start loops, at most: a person has many, and a computer few watches.
const MOST_FOLDERS: usize = 256;

/// A file that is watched.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// The names that count in a folder; none = the file itself.
    names: Vec<OsString>,
    number: i32,
}

/// Waits for whatever comes first.
#[derive(Debug)]
pub struct Wake {
    timer: OwnedFd,
    files: OwnedFd,
    watched: Vec<Watched>,
    /// Folders in which any file counts.
    folders: Vec<Watched>,
    processes: Vec<Held>,
    children: Vec<OwnedFd>,
}

impl Wake {
    /// Waits for nothing yet.
    ///
    /// # Errors
    /// If the kernel refuses a timer or a watch.
    pub fn new() -> Result<Wake> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)
            .context("a timer")?;
        let files = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).context("watching files")?;
        let (watched, folders, processes, children) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Wake { timer, files, watched, folders, processes, children })
    }

    /// Watches what is written to one file, which need not be there yet.
    pub fn watch_file(&mut self, path: &Path) {
        self.watched.push(Watched { path: path.to_owned(), names: Vec::new(), number: -1 });
    }

    /// Watches files that come and go in a folder: those with these names, or all of them.
    pub fn watch_folder(&mut self, folder: &Path, names: &[&str]) {
        let every = if names.is_empty() { vec![OsString::new()] } else { Vec::new() };
        let names = names.iter().map(OsString::from).chain(every).collect();
        self.watched.push(Watched { path: folder.to_owned(), names, number: -1 });
    }

    /// Watches all that is written in these folders from now on, and in no others; true if one of them was not watched
    /// before: whoever looked into it before may have missed what came since.
    pub fn watch_contents(&mut self, folders: Vec<PathBuf>) -> bool {
        let watched = |folder: &PathBuf| self.folders.iter().any(|known| known.path == *folder);
        let new = !folders.iter().take(MOST_FOLDERS).all(watched);
        let known = |watched: &&Watched| folders.contains(&watched.path);
        let gone: Vec<i32> = self.folders.iter().filter(|w| !known(w)).map(|watched| watched.number).collect();
        for number in gone {
            // One that vanished has lost its watch already.
            let _ = inotify::remove_watch(&self.files, number);
        }
        // A known one keeps its number: what it told meanwhile is read with the next wait.
        let number = |path: &PathBuf| self.folders.iter().find(|w| w.path == *path).map_or(-1, |w| w.number);
        let contents = |path: PathBuf| Watched { number: number(&path), path, names: vec![OsString::new()] };
        self.folders = folders.into_iter().take(MOST_FOLDERS).map(contents).collect();
        if new {
            self.watch_again();
        }
        new
    }

    /// Watches these processes for their end, and no others.
    pub fn watch_processes(&mut self, processes: Vec<Held>) {
        self.processes = processes;
    }

    /// Waits until `until` on the computer's clock, a watched file changes, a watched process ends, or `stop` has something to read.
    /// Children that have ended are collected.
    ///
    /// # Errors
    /// If the kernel refuses the timer or the waiting.
    pub fn wait(&mut self, until: DateTime<Utc>, stop: BorrowedFd<'_>) -> Result<Woken> {
        self.children = children();
        let mut woken = self.files_changed();
        // A file may have come in the place of one that was watched.
        self.watch_again();
        self.set(until)?;
        while woken == Woken::default() {
            let ready = self.poll(stop)?;
            let files = if ready[2] { self.files_changed() } else { Woken::default() };
            let process = ready.iter().skip(3).take(self.processes.len()).any(|ready| *ready);
            woken = Woken { stop: ready[0], time: ready[1] && self.rang(), process, ..files };
            if ready.iter().skip(3 + self.processes.len()).any(|ready| *ready) {
                self.collect();
            }
        }
        self.collect();
        Ok(woken)
    }

    /// Waits until `until` or a word to stop, whatever the files tell meanwhile; true if it is to stop.
    ///
    /// # Errors
    /// If the kernel refuses the timer or the waiting.
    pub fn rest(&mut self, until: DateTime<Utc>, stop: BorrowedFd<'_>) -> Result<bool> {
        self.set(until)?;
        loop {
            let mut fds = [stop, self.timer.as_fd()].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
            match poll(&mut fds, None) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("resting"),
                Ok(_) if !fds[0].revents().is_empty() => return Ok(true),
                Ok(_) if self.rang() => return Ok(false),
                Ok(_) => {}
            }
        }
    }

    /// Collects children that have ended.
    pub fn collect(&mut self) {
        self.children.retain(|child| {
            let ended = process::waitid(WaitId::PidFd(child.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
            matches!(ended, Ok(None))
        });
    }

    fn poll(&self, stop: BorrowedFd<'_>) -> Result<Vec<bool>> {
        let fixed = [stop, self.timer.as_fd(), self.files.as_fd()].into_iter();
        let all = fixed.chain(self.processes.iter().map(AsFd::as_fd)).chain(self.children.iter().map(AsFd::as_fd));
        let mut fds: Vec<PollFd<'_>> = all.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        match poll(&mut fds, None) {
            Ok(_) => Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect()),
            Err(Errno::INTR) => Ok(vec![false; fds.len()]),
            Err(error) => Err(error).context("waiting for the next thing to do"),
        }
    }

    fn set(&self, until: DateTime<Utc>) -> Result<()> {
        // A time of zero would stop the timer.
        let tv_sec = until.timestamp().max(1);
        let it_value = Timespec { tv_sec, tv_nsec: i64::from(until.timestamp_subsec_nanos()) };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        match timerfd_settime(&self.timer, flags, &once) {
            // The clock was set since this was called last; the timer stands all the same.
            Ok(_) | Err(Errno::CANCELED) => Ok(()),
            Err(error) => Err(error).context("setting a timer"),
        }
    }

    /// Whether the time has come; an error says that the clock was set, which is as good.
    fn rang(&self) -> bool {
        let mut count = [0; 8];
        !matches!(rustix::io::read(&self.timer, &mut count), Err(Errno::AGAIN | Errno::INTR))
    }

    fn watch_again(&mut self) {
        let come_and_go = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM;
        for folder in &mut self.folders {
            let flags = come_and_go | WatchFlags::CLOSE_WRITE;
            folder.number = inotify::add_watch(&self.files, &folder.path, flags).unwrap_or(-1);
        }
        for watched in &mut self.watched {
            let flags = if watched.names.is_empty() { WatchFlags::MODIFY } else { come_and_go };
            // What is not there is looked at again before the next wait.
            watched.number = inotify::add_watch(&self.files, &watched.path, flags).unwrap_or(-1);
        }
    }

    /// Takes in what the files told.
    fn files_changed(&self) -> Woken {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.files, &mut buffer);
        let mut woken = Woken::default();
        while let Ok(event) = events.next() {
            let name = event.file_name().map(|name| OsString::from_vec(name.to_bytes().to_vec()));
            let all = self.watched.iter().chain(&self.folders);
            let watched = all.into_iter().find(|watched| watched.number == event.wd());
            woken.file |= watched.is_some_and(|watched| watched.names.is_empty());
            woken.name |= watched.is_some_and(|watched| watched.has(name));
        }
        woken
    }
}

impl Watched {
    /// Whether this name counts; an empty one stands for all.
    fn has(&self, name: Option<OsString>) -> bool {
        self.names.iter().any(|n| n.is_empty() || Some(n) == name.as_ref())
    }
}

/// Takes hold of the children that the calling thread started, and of none that another one waits for.
fn children() -> Vec<OwnedFd> {
    let list = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let pids = list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    pids.filter_map(|pid| process::pidfd_open(pid, PidfdFlags::empty()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn far() -> DateTime<Utc> {
        Utc::now() + chrono::Duration::seconds(20)
    }

    fn never() -> (OwnedFd, OwnedFd) {
        rustix::pipe::pipe().expect("a pipe")
    }

    /// What of the program's code is in memory, in kB.
    fn code_in_memory() -> usize {
        let (program, maps) = (std::env::current_exe().expect("a program"), fs::read_to_string("/proc/self/smaps"));
        let maps = maps.expect("what is mapped");
        let code = maps
            .split_inclusive("VmFlags:")
            .find(|part| part.contains(" r-xp ") && part.contains(&*program.to_string_lossy()));
        let rss = code.and_then(|part| part.lines().find_map(|line| line.strip_prefix("Rss:")));
        rss.and_then(|rss| rss.trim().trim_end_matches(" kB").parse().ok()).expect("how much of it")
    }

    #[test]
    fn a_folder_is_new_once_and_watched_from_then_on() {
        let (folder, (stop, _held)) = (tempfile::tempdir().expect("a folder"), never());
        let watched = || vec![folder.path().to_owned()];
        let mut wake = Wake::new().expect("a wake");
        assert!(wake.watch_contents(watched()), "whoever looked before may have missed something");
        // Before anybody waits.
        fs::write(folder.path().join("a"), "").expect("a file");
        assert!(!wake.watch_contents(watched()), "it is known by now");
        assert!(wake.wait(far(), stop.as_fd()).expect("a wait").name);
        assert!(!wake.watch_contents(Vec::new()) && wake.watch_contents(watched()), "one that came again is new");
    }

    #[test]
    fn the_program_goes_on_after_its_code_was_given_back() {
        let before = code_in_memory();
        give_memory_back();
        let after = code_in_memory();
        assert!(after < before, "{before} kB, then {after} kB");
    }

    #[test]
    fn only_code_that_nobody_can_write_to_is_given_back() {
        let program = Path::new("/usr/bin/loopwright");
        let line =
            |rights: &str, file: &str| format!("5600-5a00 {rights} 00001000 fe:00 4711                       {file}");
        assert_eq!(code_of(&line("r-xp", "/usr/bin/loopwright"), program), Some(0x5600..0x5a00));
        for (rights, file) in [
            ("rw-p", "/usr/bin/loopwright"),
            ("rwxp", "/usr/bin/loopwright"),
            ("r--p", "/usr/bin/loopwright"),
            ("r-xp", "/usr/lib/libc.so.6"),
            ("r-xp", "/usr/bin/loopwright2"),
            ("r-xp", ""),
        ] {
            assert_eq!(code_of(&line(rights, file), program), None, "{rights} {file}");
        }
    }

    #[test]
    fn a_time_a_word_and_a_file_wake() {
        let folder = tempfile::tempdir().expect("a folder");
        let (stop, say) = never();
        let mut wake = Wake::new().expect("it can wait");
        wake.watch_file(&folder.path().join("changed"));
        wake.watch_folder(folder.path(), &["HALT"]);
        let time = wake.wait(Utc::now(), stop.as_fd()).expect("waited");
        assert_eq!(time, Woken { time: true, ..Woken::default() });
        fs::write(folder.path().join("other"), "").expect("written");
        let soon = Utc::now() + chrono::Duration::milliseconds(50);
        let other = wake.wait(soon, stop.as_fd()).expect("waited");
        assert_eq!(other, Woken { time: true, ..Woken::default() }, "another file says nothing: the control");
        fs::write(folder.path().join("HALT"), "").expect("written");
        assert!(wake.wait(far(), stop.as_fd()).expect("waited").name);
        fs::write(folder.path().join("changed"), "1").expect("written");
        wake.wait(Utc::now(), stop.as_fd()).expect("it is watched from now on");
        fs::write(folder.path().join("changed"), "2").expect("written");
        assert!(wake.wait(far(), stop.as_fd()).expect("waited").file);
        rustix::io::write(&say, b"!").expect("said");
        assert!(wake.wait(far(), stop.as_fd()).expect("waited").stop);
    }

    #[test]
    fn the_end_of_a_watched_process_wakes() {
        let (stop, _say) = never();
        let mut wake = Wake::new().expect("it can wait");
        let mut child = Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
        let (pid, me) = (i32::try_from(child.id()), i32::try_from(std::process::id()));
        let held = Held::child_of(pid.expect("a number"), me.expect("a number")).expect("our child");
        wake.watch_processes(vec![held]);
        let soon = Utc::now() + chrono::Duration::milliseconds(50);
        assert!(wake.wait(soon, stop.as_fd()).expect("waited").time, "it lives: the control");
        child.kill().expect("killed");
        assert!(wake.wait(far(), stop.as_fd()).expect("waited").process);
        // It may be collected already.
        let _ = child.wait();
    }

    #[test]
    fn children_that_end_are_collected_and_wake_nobody() {
        let (stop, _say) = never();
        let mut wake = Wake::new().expect("it can wait");
        let mut child = Command::new("true").spawn().expect("a child");
        let pid = i32::try_from(child.id()).expect("a number");
        let soon = Utc::now() + chrono::Duration::milliseconds(500);
        let woken = wake.wait(soon, stop.as_fd()).expect("waited");
        assert_eq!(woken, Woken { time: true, ..Woken::default() });
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "it is a zombie");
        child.wait().expect_err("nobody is left to wait for");
    }
}
