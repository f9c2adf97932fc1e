//! A desktop session for one test: a person's home, a display and a bus that nobody else has.
//!
//! The home of Loopwright and its repository are a [`Stage`]'s, which asserts at the end that nobody lives.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use loopwright_tests::nasty::signal;
use loopwright_tests::stage::Stage;
use zbus::Connection;

use crate::bus::{Bus, RunningBus};
use crate::display::Display;
use crate::{LIMIT, Manner, Notifications, Tray, Watcher, end, tray_program};

/// What a session has.
#[derive(Clone, Copy, Debug)]
pub struct With {
    /// A display.
    pub display: bool,
    /// A session bus.
    pub bus: Bus,
    /// What the desktop calls itself (`XDG_CURRENT_DESKTOP`).
    pub desktop: &'static str,
}

impl Default for With {
    fn default() -> With {
        With { display: true, bus: Bus::Sealed, desktop: "XFCE" }
    }
}

/// A session; everything that was started in it ends with it.
pub struct Session {
    // In the order in which they are to end: programs, bus, display, and then the stage looks who lives.
    started: Vec<Child>,
    bus: Option<RunningBus>,
    display: Option<Display>,
    environment: Vec<(String, String)>,
    runtime: PathBuf,
    tokio: tokio::runtime::Runtime,
    /// The home of Loopwright, and a repository.
    pub stage: Stage,
}

impl Session {
    /// A session with a display and a sealed bus, around an empty stage.
    pub fn new() -> Session {
        Session::around(Stage::empty(), With::default())
    }

    /// A session around a stage.
    ///
    /// # Panics
    /// Xvfb or dbus-daemon is missing; the message names the package.
    pub fn around(stage: Stage, with: With) -> Session {
        let runtime = stage.beside("runtime");
        fs::create_dir_all(&runtime).expect("a folder");
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("only ours");
        let display = with.display.then(|| Display::start(&stage.person()));
        let mut environment = environment(&stage, &runtime, with.desktop);
        environment.extend(display.as_ref().map(|display| ("DISPLAY".to_owned(), display.name.clone())));
        let bus = RunningBus::start(with.bus, &runtime, &environment);
        environment.extend(bus.as_ref().map(|bus| ("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus.address.clone())));
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let tokio = tokio.expect("a runtime");
        Session { started: Vec::new(), bus, display, environment, runtime, tokio, stage }
    }

    /// Sets a variable for whatever is started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A command in this session's environment, and nothing else of the environment.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.stage.person()).env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::null());
        command
    }

    /// Starts a program of the desktop (a panel, a server of notifications); it ends with the session.
    ///
    /// # Panics
    /// It is missing.
    pub fn start(&mut self, command: &mut Command) -> u32 {
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
        let pid = child.id();
        self.started.push(child);
        pid
    }

    /// The tray with these arguments, not started yet, for a person who was welcomed before.
    ///
    /// # Panics
    /// That can't be written.
    pub fn tray_command(&self, words: &[&str]) -> Command {
        let state = self.stage.home.join("state");
        fs::create_dir_all(&state).expect("a folder");
        fs::write(state.join("welcomed"), "").expect("a file");
        self.new_tray_command(words)
    }

    /// The same for a person who never saw it.
    pub fn new_tray_command(&self, words: &[&str]) -> Command {
        let mut command = self.command(tray_program());
        command.args(words);
        command
    }

    /// Starts the tray; it ends with what this returns.
    pub fn tray(&self) -> Tray {
        Tray::start(self.tray_command(&[]), &self.stage)
    }

    /// Becomes the StatusNotifierWatcher of this session.
    ///
    /// # Panics
    /// The session has no bus, or somebody is already.
    pub fn watcher(&self) -> Watcher {
        Watcher::begin(self.connection(), self.tokio.handle().clone())
    }

    /// Becomes the server of notifications of this session.
    ///
    /// # Panics
    /// The session has no bus, or somebody is already.
    pub fn notifications(&self, manner: Manner) -> Notifications {
        Notifications::begin(self.connection(), self.tokio.handle().clone(), manner)
    }

    /// A connection of the test's own to the bus, with which it may own names.
    ///
    /// # Panics
    /// The session has no bus.
    pub fn connection(&self) -> Connection {
        let address = self.bus_address().expect("a session with a bus").to_owned();
        let built = async move { zbus::connection::Builder::address(address.as_str())?.build().await };
        self.tokio.block_on(built).expect("the bus answers")
    }

    /// What drives the test's own connections.
    pub fn tokio(&self) -> &tokio::runtime::Handle {
        self.tokio.handle()
    }

    /// The address of the bus.
    pub fn bus_address(&self) -> Option<&str> {
        self.bus.as_ref().map(|bus| bus.address.as_str())
    }

    /// The name of the display.
    pub fn display(&self) -> Option<&str> {
        self.display.as_ref().map(|display| display.name.as_str())
    }

    /// `XDG_RUNTIME_DIR`.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// A picture of the display as it is, for looking at; it is kept under `target/screens`.
    ///
    /// # Panics
    /// ImageMagick is missing.
    pub fn picture(&self, name: &str) -> PathBuf {
        let folder = tray_program().parent().and_then(Path::parent).expect("target").join("screens");
        fs::create_dir_all(&folder).expect("a folder for pictures");
        let path = folder.join(name).with_extension("png");
        let made = self.command("import").args(["-window", "root"]).arg(&path).status();
        assert!(made.is_ok_and(|made| made.success()), "no picture: apt-get install imagemagick");
        path
    }

    /// The processes of this session whose program is one of ours, by its file name.
    pub fn ours(&self, name: &str) -> Vec<i32> {
        let is = |pid: &i32| program_of(*pid).is_some_and(|program| program == name);
        self.stage.processes().into_iter().filter(is).collect()
    }

    /// Ends what the tray began and left to itself: windows, and a scheduler in the background.
    fn end_ours(&self) {
        for pid in self.ours("loopwright-tray") {
            signal(pid, "TERM");
        }
        let serves = |pid: &i32| command_line(*pid).split('\0').any(|word| word == "serve");
        for pid in self.ours("loopwright").into_iter().filter(serves) {
            signal(pid, "TERM");
        }
        self.until_gone(|| self.ours("loopwright-tray").is_empty() && !self.ours("loopwright").iter().any(serves));
    }

    /// Ends what the bus started: those never end by themselves.
    fn end_foreign(&self) {
        let foreign = |pid: &i32| !program_of(*pid).is_some_and(|name| name.starts_with("loopwright"));
        for pid in self.stage.processes().into_iter().filter(foreign) {
            signal(pid, "KILL");
        }
    }

    fn until_gone(&self, gone: impl Fn() -> bool) {
        let until = Instant::now() + LIMIT;
        while !gone() && Instant::now() < until {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }
}

impl Default for Session {
    fn default() -> Session {
        Session::new()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end_ours();
        self.started.iter_mut().for_each(end);
        let had_bus = self.bus.take().is_some();
        self.display = None;
        if had_bus {
            self.end_foreign();
        }
    }
}

/// What every program of the session sees of its environment.
fn environment(stage: &Stage, runtime: &Path, desktop: &str) -> Vec<(String, String)> {
    let text = |path: &Path| path.display().to_string();
    let own = [
        ("PATH", "/usr/bin:/bin:/usr/sbin:/sbin".to_owned()),
        ("HOME", text(&stage.person())),
        ("LOOPWRIGHT_HOME", text(&stage.home)),
        (loopwright_engine::clock::SHIFT, text(&stage.beside("clock"))),
        ("XDG_RUNTIME_DIR", text(runtime)),
        ("XDG_CURRENT_DESKTOP", desktop.to_owned()),
        ("XDG_SESSION_TYPE", "x11".to_owned()),
        ("GDK_BACKEND", "x11".to_owned()),
        // Nothing but the processor draws here, and nobody reads the screen aloud.
        ("LIBGL_ALWAYS_SOFTWARE", "1".to_owned()),
        ("NO_AT_BRIDGE", "1".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
    ];
    own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn command_line(pid: i32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
}

fn program_of(pid: i32) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    // A program that was built anew meanwhile is called "… (deleted)".
    let name = path.file_name()?.to_str()?.split(' ').next()?.to_owned();
    Some(name)
}
