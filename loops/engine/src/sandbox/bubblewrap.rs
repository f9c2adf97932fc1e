//! The sandbox by bubblewrap: own namespaces, no capability, our own system call filters, a view by allow-list.
//!
//! What is visible inside is `view`'s and `toolchain`'s; how bytes move is `pump`'s; which calls are refused is `seccomp`'s.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use loopwright_core::check::Ended;
use loopwright_core::gateway::HostPort;
use rustix::fs::{MemfdFlags, SeekFrom};
use rustix::pipe::{PipeFlags, pipe_with};

use super::kernel::Covers;
use super::pins::Pins;
use super::pump::Pump;
use super::stop::{Ending, Stopper};
use super::toolchain::{HostEnvironment, Toolchains};
use super::view::{self, Contents, MADE_FILES, MountRow};
use super::{Access, BoxOutput, BoxSpec, Limits, Mount, Sandbox, probe, seccomp};
use crate::fail;
use crate::gateway::{Gateway, Traffic, by_the_system};
use crate::launch::beside_us;
use crate::lease::Supervision;
use crate::os::{self, Held};
use crate::workspace::Identity;

/// How long bubblewrap may take to make a box, and a killed box to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a box may take though the time of its run is over: enough to bring in what an agent left, and less than the watchdog
/// grants.
const TO_FINISH: Duration = Duration::from_secs(5);

/// The last stage of a box that was granted hosts: what it is called, and where it lies inside.
const STAGE: &str = "loopwright-box";
const STAGE_INSIDE: &str = "/loopwright-box";

/// Makes boxes with bubblewrap.
#[derive(Clone, Debug)]
pub struct Bubblewrap {
    program: PathBuf,
    toolchains: Toolchains,
    filters: Arc<Vec<Vec<u8>>>,
    disable_userns: bool,
    /// Without it there is a moment between our look at a folder and bubblewrap's.
    binds_open: bool,
    pins: Arc<Pins>,
    supervision: Option<Arc<Supervision>>,
    deadline: Option<Instant>,
    stopper: Option<Arc<Stopper>>,
    /// The only hosts that its boxes reach; none = no network at all.
    network: Arc<Vec<HostPort>>,
    /// What is bound as it was opened, by its place inside.
    bound: Arc<Vec<(String, Arc<OwnedFd>)>>,
    /// The last stage of a box that was granted hosts; none = the one beside this program.
    stage: Option<PathBuf>,
}

/// What a box that was granted hosts has beside what every box has.
struct WayOut {
    /// What it runs, by way of the last stage.
    spec: BoxSpec,
    /// Its end of the socket through which the last stage passes the listener out.
    door: OwnedFd,
    gateway: Gateway,
}

impl Bubblewrap {
    /// Finds bubblewrap and the machine's toolchains.
    ///
    /// # Errors
    /// If bubblewrap is absent or too old, with the command that repairs it.
    pub fn find(host: &HostEnvironment) -> anyhow::Result<Bubblewrap> {
        let fixed = Path::new("/usr/bin/bwrap");
        let program = if fixed.is_file() { Some(fixed.to_owned()) } else { host.find("bwrap") };
        let Some(program) = program else {
            bail!("bubblewrap is not installed, and nothing runs without a sandbox; install it: {}", probe::install());
        };
        let help = Command::new(&program).arg("--help").env_clear().output();
        let help = help.with_context(|| format!("asking {} what it can", program.display()))?;
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        let has = |option: &str| help.lines().any(|line| line.trim_start().starts_with(option));
        for option in ["--add-seccomp-fd", "--json-status-fd", "--block-fd", "--perms", "--ro-bind-data"] {
            ensure!(
                has(option),
                "{} is too old: it lacks {option}; update it: {}",
                program.display(),
                probe::install()
            );
        }
        Ok(Bubblewrap {
            program,
            toolchains: Toolchains::detect(host),
            filters: Arc::new(seccomp::filters()?),
            disable_userns: has("--disable-userns"),
            binds_open: has("--bind-fd"),
            pins: Arc::default(),
            supervision: None,
            deadline: None,
            stopper: None,
            network: Arc::default(),
            bound: Arc::default(),
            stage: None,
        })
    }

    /// The same, for boxes of a run: each is written down in its run directory, and HALT ends it.
    pub fn supervised(mut self, supervision: Arc<Supervision>) -> Bubblewrap {
        self.supervision = Some(supervision);
        self
    }

    /// The same, for boxes that end with the time of their run, whatever their own limits say.
    pub fn until(mut self, deadline: Instant) -> Bubblewrap {
        self.deadline = Some(deadline);
        self
    }

    /// The same, for boxes that are asked to end when the time of their run is over, and have so long for that.
    pub fn with_patience(mut self, by: Duration) -> Bubblewrap {
        self.deadline = self.deadline.map(|at| at + by);
        self
    }

    /// The same, for a box that ends when it is asked to.
    pub fn stopped_by(mut self, stopper: Arc<Stopper>) -> Bubblewrap {
        self.stopper = Some(stopper);
        self
    }

    /// The same, for boxes that reach these hosts, by way of a proxy of ours, and no others; none = no network at all.
    pub fn reaching(mut self, hosts: Vec<HostPort>) -> Bubblewrap {
        self.network = Arc::new(hosts);
        self
    }

    /// The same, for boxes that see at these places what is open, whatever stands there by then.
    pub fn binding(mut self, open: Vec<(String, Arc<OwnedFd>)>) -> Bubblewrap {
        self.bound = Arc::new(open);
        self
    }

    /// The same with another program as the last stage of boxes that were granted hosts.
    pub fn opened_by(mut self, stage: PathBuf) -> Bubblewrap {
        self.stage = Some(stage);
        self
    }

    /// Opens the way to the hosts that were granted; none if none were.
    fn way_out(&self, spec: &BoxSpec) -> anyhow::Result<Option<WayOut>> {
        if self.network.is_empty() {
            return Ok(None);
        }
        let stage = self.stage.clone().map_or_else(|| beside_us(STAGE), Ok)?;
        let (door, ours) = UnixStream::pair().context("making a pair of sockets")?;
        let gateway = Gateway::open(ours.into(), Arc::clone(&self.network), by_the_system)?;
        let door = OwnedFd::from(door);
        let mut spec = spec.clone();
        spec.argv.splice(..0, [STAGE_INSIDE.to_owned(), door.as_raw_fd().to_string()]);
        spec.mounts.push(Mount { source: stage, target: STAGE_INSIDE.to_owned(), access: Access::ReadOnly });
        if !self.network.iter().any(HostPort::is_local) {
            // What programs of the box offer each other is not asked of the proxy.
            let own = ["no_proxy", "NO_PROXY"].map(|name| (name.to_owned(), "localhost,127.0.0.1,::1".to_owned()));
            spec.env.extend(own);
        }
        Ok(Some(WayOut { spec, door, gateway }))
    }

    fn within(&self, limits: Limits) -> Limits {
        let left = self.deadline.map(|at| at.saturating_duration_since(Instant::now()).max(TO_FINISH));
        Limits { wall: left.map_or(limits.wall, |left| left.min(limits.wall)), ..limits }
    }

    /// The same, for a project whose own file says which Rust it wants: rustup inside obeys it, and installs nothing.
    pub fn with_the_projects_rust(mut self) -> Bubblewrap {
        self.toolchains.env.remove("RUSTUP_TOOLCHAIN");
        self
    }

    /// What every box sees of the host, besides the mounts of its own spec.
    pub fn mounts_table(&self) -> Vec<MountRow> {
        view::rows(&self.toolchains)
    }

    fn halted(&self) -> bool {
        self.supervision.as_ref().is_some_and(|run| run.halted().is_some())
    }

    /// Starts bubblewrap from the calling thread and waits until the box stands; its program waits for [`Running::go`].
    fn start(&self, spec: &BoxSpec, door: Option<&OwnedFd>) -> anyhow::Result<Running<'_>> {
        // Looked at anew for each box: a module of the kernel may have come since.
        let covers = Covers::of(Path::new("/proc"))?;
        let made = MADE_FILES.iter().map(|(_, text)| text.as_bytes()).chain(covers.empty.iter().map(|_| &b""[..]));
        let files = made.map(in_memory).collect::<anyhow::Result<Vec<_>>>()?;
        let pinned = self.pins.open(&spec.mounts)?;
        let filters = self.filters.iter().map(|filter| in_memory(filter)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut numbers: Vec<i32> = files.iter().map(AsRawFd::as_raw_fd).collect();
        let empty = numbers.split_off(MADE_FILES.len());
        let bound = self.bound.iter().map(|(target, fd)| (target.as_str(), &**fd));
        let held: Vec<(&str, &OwnedFd)> = pinned.iter().map(|(target, fd)| (*target, fd)).chain(bound).collect();
        let pairs = held.iter().filter(|_| self.binds_open);
        let open = pairs.map(|(target, fd)| ((*target).to_owned(), fd.as_raw_fd())).collect();
        let contents = Contents { made: numbers, empty, open };
        // By descriptor, so that neither the host's paths nor the variables stand in the command line of the box's process 1.
        let toolchains = if door.is_some() { self.toolchains.clone().online() } else { self.toolchains.clone() };
        let view = in_memory(&view::arguments(spec, &toolchains, &covers, &contents)?)?;
        let (status, status_end) = pipe_with(PipeFlags::CLOEXEC).context("making a pipe")?;
        let (wait_end, gate) = pipe_with(PipeFlags::CLOEXEC).context("making a pipe")?;

        if let Some(run) = &self.supervision {
            run.record_gate(rustix::fs::fstat(&gate).context("looking at a pipe")?.st_ino)?;
        }
        let mut command = Command::new(&self.program);
        // Empty for bubblewrap itself too: its environment can be read inside as /proc/1/environ.
        command.env_clear().args(self.fixed_arguments());
        for filter in &filters {
            command.args(["--add-seccomp-fd", &filter.as_raw_fd().to_string()]);
        }
        let fds =
            [("--args", &view), ("--json-status-fd", &status_end), ("--block-fd", &wait_end), ("--sync-fd", &gate)];
        for (option, fd) in fds {
            command.args([option, &fd.as_raw_fd().to_string()]);
        }
        command.arg("--").args(&spec.argv);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // bubblewrap holds the gate's other end as well: if we die before it is opened, the program reads no end of file and never starts.
        let passed = fds.map(|(_, fd)| fd).into_iter().chain(&files).chain(&filters);
        let passed: Vec<&OwnedFd> = passed.chain(held.iter().map(|(_, fd)| *fd)).chain(door).collect();
        os::pass_only(&mut command, &passed);
        // The kernel ties this to the thread that spawns, not to the process: callers are the runner's one long-lived thread.
        os::bind_and_limit(&mut command);
        let child = command.spawn().with_context(|| format!("starting {}", self.program.display()))?;
        drop((status_end, wait_end));
        let running = Running { child, held: None, status: File::from(status), gate, run: self.supervision.as_deref() };
        running.standing()
    }

    fn fixed_arguments(&self) -> Vec<&'static str> {
        let mut args = vec!["--unshare-user", "--unshare-pid", "--unshare-net"];
        args.extend(["--unshare-ipc", "--unshare-uts", "--unshare-cgroup"]);
        args.extend(["--uid", "1000", "--gid", "1000", "--hostname", "box", "--cap-drop", "ALL"]);
        args.extend(["--die-with-parent", "--new-session"]);
        if self.disable_userns {
            args.push("--disable-userns");
        }
        args
    }
}

impl Sandbox for Bubblewrap {
    fn run(&self, spec: &BoxSpec) -> anyhow::Result<BoxOutput> {
        let began = Instant::now();
        if self.halted() {
            return Ok(BoxOutput {
                ended: Ended::Halted,
                stdout: Vec::new(),
                stderr: Vec::new(),
                took: began.elapsed(),
                traffic: Traffic::default(),
            });
        }
        let out = self.way_out(spec)?;
        let (spec, door) = out.as_ref().map_or((spec, None), |out| (&out.spec, Some(&out.door)));
        let mut running = self.start(spec, door).with_context(|| format!("making the box of {}", spec.label))?;
        let mut pump = Pump::new(&mut running.child, spec, self.within(spec.limits))?;
        let monitor = os::child_pidfd(running.child.id())?;
        running.go();
        fail::point("box-running");
        let mut ending = Ending::default();
        let stopped = pump.until_end(&monitor, || match self.stopper.as_ref().is_some_and(|s| s.asked()) {
            _ if self.halted() => Some(Ended::Halted),
            true => ending.go_on(running.held.as_ref()),
            false => None,
        })?;
        let said = running.end()?;
        fail::point("box-ended");
        let flooded = pump.drain()?;
        let (stdout, stderr) = pump.into_outputs();
        let ended = match stopped {
            Some(ended) => ended,
            None if flooded => Ended::Flooded,
            None => self.how(said, &stderr).with_context(|| format!("making the box of {}", spec.label))?,
        };
        let traffic = out.map_or_else(Traffic::default, |out| out.gateway.traffic());
        Ok(BoxOutput { ended, stdout, stderr, took: began.elapsed(), traffic })
    }

    fn pin(&self, folder: &Path, identity: &Identity) {
        self.pins.pin(folder, identity.clone());
    }

    fn unpin(&self, folder: &Path) {
        self.pins.unpin(folder);
    }
}

impl Bubblewrap {
    /// How the program ended, from the exit code that bubblewrap reports once the program was started.
    fn how(&self, exit_code: Option<i32>, stderr: &[u8]) -> anyhow::Result<Ended> {
        match exit_code {
            // The watchdog was faster than our own look at the halt files.
            Some(137) if self.halted() => Ok(Ended::Halted),
            // bubblewrap, like a shell, says 128 + n for signal n.
            Some(code @ 129..=192) => Ok(Ended::Signalled(code - 128)),
            Some(code) => Ok(Ended::Exited(code)),
            None if self.halted() => Ok(Ended::Halted),
            None => not_started(stderr),
        }
    }
}

/// A program that is absent or can't be run is data, as in a shell; anything else is a box that could not be made.
fn not_started(stderr: &[u8]) -> anyhow::Result<Ended> {
    let text = String::from_utf8_lossy(stderr);
    let text = text.trim();
    if text.contains("bwrap: execvp ") {
        return Ok(Ended::Exited(if text.ends_with("No such file or directory") { 127 } else { 126 }));
    }
    bail!("bubblewrap failed: {text}{}", probe::hint(text))
}

/// A box that lives; dropping it ends it.
struct Running<'a> {
    child: Child,
    held: Option<Held>,
    status: File,
    gate: OwnedFd,
    run: Option<&'a Supervision>,
}

impl<'a> Running<'a> {
    /// Waits until bubblewrap names the box's first process, takes hold of it and writes it down.
    fn standing(mut self) -> anyhow::Result<Running<'a>> {
        let Some(pid) = self.first_process()? else {
            let complaint = self.complaint();
            bail!("bubblewrap failed: {complaint}{}", probe::hint(&complaint));
        };
        let monitor = i32::try_from(self.child.id()).context("bubblewrap's process number")?;
        let held = self.held.insert(Held::child_of(pid, monitor)?);
        if let Some(run) = self.run {
            run.record_init(&held.record)?;
        }
        Ok(self)
    }

    /// The number that bubblewrap reports; none if it ended before.
    fn first_process(&mut self) -> anyhow::Result<Option<i32>> {
        let mut said = Vec::new();
        let mut part = [0; 1024];
        // It comes in several pieces.
        while number(&said, "child-pid").is_none() {
            ensure!(os::readable_within(&self.status, PATIENCE), "bubblewrap made no box in {} s", PATIENCE.as_secs());
            match self.status.read(&mut part).context("reading bubblewrap's status")? {
                0 => break,
                count => said.extend_from_slice(&part[..count]),
            }
        }
        Ok(number(&said, "child-pid"))
    }

    /// What bubblewrap, which has closed its status and so is ending, said last.
    fn complaint(&mut self) -> String {
        let mut text = [0; 4096];
        let pipe = self.child.stderr.as_mut().filter(|pipe| os::readable_within(pipe, PATIENCE));
        let count = pipe.and_then(|pipe| pipe.read(&mut text).ok()).unwrap_or(0);
        String::from_utf8_lossy(&text[..count]).trim().to_owned()
    }

    /// Lets the program start. That the box is gone already shows later, by its status.
    fn go(&mut self) {
        let _ = rustix::io::write(&self.gate, b"g");
    }

    /// Ends whatever still lives, waits until all of it is gone, and returns the exit code that bubblewrap reported.
    fn end(&mut self) -> anyhow::Result<Option<i32>> {
        if let Some(held) = self.held.take() {
            held.kill();
            // The first process of a PID namespace ends after all others in it.
            ensure!(held.gone_within(PATIENCE), "process {} does not end", held.record.pid);
            if let Some(run) = self.run {
                run.forget_init(&held.record)?;
            }
        }
        if !os::readable_within(&os::child_pidfd(self.child.id())?, PATIENCE) {
            self.child.kill().context("ending bubblewrap")?;
        }
        self.child.wait().context("waiting for bubblewrap")?;
        let mut rest = Vec::new();
        self.status.read_to_end(&mut rest).context("reading bubblewrap's status")?;
        Ok(number(&rest, "exit-code"))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            held.kill();
            held.gone_within(PATIENCE);
        } else {
            // A box that still waits at the gate does not yet die with bubblewrap.
            os::kill_children(self.child.id());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number under `key` in bubblewrap's status: JSON objects, one after the other.
fn number(status: &[u8], key: &str) -> Option<i32> {
    let objects = serde_json::Deserializer::from_slice(status).into_iter::<serde_json::Value>();
    let found = objects.map_while(Result::ok).find_map(|object| object.get(key)?.as_i64());
    found.and_then(|number| i32::try_from(number).ok())
}

/// A file without a name that holds `content`, to be read from its start.
fn in_memory(content: &[u8]) -> anyhow::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("box", MemfdFlags::CLOEXEC).context("making a file in memory")?;
    let mut file = File::from(fd);
    file.write_all(content).context("filling a file in memory")?;
    rustix::fs::seek(&file, SeekFrom::Start(0)).context("rewinding a file in memory")?;
    Ok(file.into())
}

#[cfg(test)]
impl Bubblewrap {
    /// Whether this bubblewrap can.
    pub(super) fn binds_what_is_open(&self) -> bool {
        self.binds_open
    }
}

/// The sandbox of this machine.
#[cfg(test)]
pub(crate) fn for_tests() -> Bubblewrap {
    Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap")
}
