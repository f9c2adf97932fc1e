//! A stage for one test: a home of Loopwright, a real repository, the real programs, and an end that asserts hygiene.
//!
//! What a test asserts of its own is not here.
#![expect(clippy::expect_used, reason = "a stage fails by panicking, as its tests do")]

mod hygiene;
mod programs;
mod repository;
mod ritual;
mod running;
mod serving;
mod untouched;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use loopwright_engine::home::Home;
use loopwright_engine::store::Store;
use serde_json::Value;
use tempfile::TempDir;

pub use programs::{are_built, programs};
pub use ritual::{RAILS, events, id, outcomes, state, steps, tree, write_program};
pub use running::Running;
pub use serving::Serving;
pub use untouched::{Prints, Scope, prints};

/// The longest that any state is waited for.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A home, a repository, and what to compare the repository with.
pub struct Stage {
    root: TempDir,
    /// `LOOPWRIGHT_HOME`.
    pub home: PathBuf,
    /// The user's repository.
    pub repo: PathBuf,
    /// A word that every process of this stage has in command line or environment.
    pub mark: String,
    before: RefCell<Option<Prints>>,
    watched: RefCell<Vec<PathBuf>>,
}

/// What a verb answered.
#[derive(Debug)]
pub struct Answer {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Stage {
    /// An empty home beside an empty folder.
    pub fn empty() -> Stage {
        Stage::empty_in(&std::env::temp_dir())
    }

    /// The same in a place where a loop may be granted folders, which none is below `/dev`, whatever `TMPDIR` says.
    pub fn granting() -> Stage {
        Stage::empty_in(Path::new("/tmp"))
    }

    fn empty_in(place: &Path) -> Stage {
        let root = tempfile::Builder::new().prefix("lw-stage-").tempdir_in(place).expect("a temporary folder");
        let at = |name: &str| root.path().join(name);
        let mark = root.path().file_name().expect("a name").to_string_lossy().into_owned();
        let stage = Stage {
            home: at("home"),
            repo: at("shop"),
            mark,
            before: RefCell::new(None),
            watched: RefCell::default(),
            root,
        };
        for dir in [&stage.repo, &stage.person()] {
            fs::create_dir(dir).expect("a folder");
        }
        stage.remember();
        stage
    }

    /// The home folder of the person who works here.
    pub fn person(&self) -> PathBuf {
        self.root.path().join("person")
    }

    /// A folder of this stage that is neither home nor repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Asks a verb with `--json`.
    pub fn verb(&self, words: &[&str]) -> Answer {
        self.ask(self.command(words).arg("--json"))
    }

    /// Asks a verb as a person would, without a terminal.
    pub fn plain(&self, words: &[&str]) -> Answer {
        self.ask(&mut self.command(words))
    }

    /// The command line of a verb in this stage's environment, and nothing else of the environment.
    pub fn command(&self, words: &[&str]) -> Command {
        // Whoever runs the tests may ignore signals (nohup, a background job); a person's terminal does not.
        let mut command = Command::new("/usr/bin/env");
        command.args(["--default-signal=HUP,INT,TERM", "--"]).arg(&programs().loopwright);
        command.args(words).current_dir(&self.repo).env_clear().stdin(Stdio::null());
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.person()).env("LOOPWRIGHT_HOME", &self.home);
        // Where that file is not there, it is the computer's time.
        command.env(loopwright_engine::clock::SHIFT, self.clock());
        command
    }

    /// Runs a command to its end.
    pub fn ask(&self, command: &mut Command) -> Answer {
        let output = command.output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Answer { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Changes rows as the program does: what any other connection writes counts as damage.
    pub fn change_rows(&self, sql: &str, values: &[&str]) -> usize {
        let mut store = Store::open(&Home::under(&self.home)).expect("the store");
        let values = rusqlite::params_from_iter(values);
        store.write(|tx| Ok(tx.execute(sql, values)?)).expect("the rows")
    }

    /// Runs a line as a person pastes it, `loopwright` being ours.
    pub fn paste(&self, line: &str) -> Answer {
        let mut shell = Command::new("sh");
        let path = programs().loopwright.parent().expect("a folder").display().to_string();
        shell.args(["-c", line]).current_dir(&self.repo).env_clear().stdin(Stdio::null());
        shell.env("PATH", format!("{path}:/usr/bin:/bin")).env("HOME", self.person());
        self.ask(shell.env("LOOPWRIGHT_HOME", &self.home))
    }
}

impl Answer {
    /// The one JSON document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON document: {error}: {self:?}"))
    }

    /// The one JSON document on standard error: `{code, message, hint}`.
    pub fn error(&self) -> Value {
        serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("no JSON error: {error}: {self:?}"))
    }

    /// The message of the error.
    pub fn message(&self) -> String {
        self.error()["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The hint of the error.
    pub fn hint(&self) -> String {
        self.error()["hint"].as_str().unwrap_or_default().to_owned()
    }

    /// The same, after asserting the exit code.
    pub fn exits(self, code: i32) -> Answer {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

/// Waits until `look` finds something.
///
/// # Panics
/// It found nothing within [`LIMIT`].
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited too long for {what}");
        // Between two looks the others get the processor.
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A file or folder of `tests/samples`.
pub fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(path)
}

/// The text of a file of `tests/samples`.
pub fn sample_text(path: &str) -> String {
    let path = sample(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
