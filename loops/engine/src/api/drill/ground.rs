//! Where a drill takes place: a home of its own with one loop, and the run of that loop.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::super::{AddRequest, ApiError, Confirm, Context, Level, add, halt};
use super::not_begun;
use crate::ending;
use crate::home::{Home, clear, private_dir};
use crate::os::Held;

/// The loop, and what it runs.
const LOOP: &str = include_str!("loop.yaml");
const TREE: &str = include_str!("tree.sh");
/// So many processes the tree has at least once it has grown: the box's first one, the script, and what that started.
const GROWN: usize = 8;
/// How long it may take to grow, and its run to be gone afterwards.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(10);

/// The home of a drill; whoever has it is the only one.
pub(super) struct Ground {
    context: Context,
    folder: PathBuf,
    run: Option<Child>,
    _only: File,
}

impl Ground {
    /// Makes the home and registers the loop there.
    pub(super) fn prepare(context: &Context) -> Result<Ground, ApiError> {
        let only = only(&context.home.data)?;
        let folder = context.home.data.join("drill");
        // What a drill left that was cut off.
        clear(&folder)?;
        private_dir(&folder)?;
        let own = Context { home: Home::under(&folder), chosen: true, cwd: folder.clone(), ..context.clone() };
        own.home.create(context.now)?;
        let place = own.home.config.join("loops/drill");
        private_dir(&place)?;
        for (name, text) in [("loop.yaml", LOOP), ("tree.sh", TREE)] {
            fs::write(place.join(name), text).with_context(|| format!("writing {name} of the drill"))?;
        }
        let target = place.join("loop.yaml").display().to_string();
        let added = add(&own, AddRequest { target, repo: None, name: None, ship: false, confirm: Confirm::Person })?;
        if added.registered.is_none() {
            return Err(not_begun("its loop was not taken"));
        }
        Ok(Ground { context: own, folder, run: None, _only: only })
    }

    /// What verbs on it work with.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Starts the run as a terminal does, with the home of the drill.
    pub(super) fn begin(&mut self, program: &Path) -> Result<(), ApiError> {
        let said = |name: &str| File::create(self.folder.join(name)).context("a file for what the run says");
        let mut command = Command::new(program);
        command.args(["run", "drill"]).env("LOOPWRIGHT_HOME", &self.folder).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(said("run.out")?).stderr(said("run.err")?);
        let run = command.spawn().map_err(|error| not_begun(format!("{}: {error}", program.display())))?;
        self.run = Some(run);
        Ok(())
    }

    /// Waits until the tree has grown, and takes hold of each of its processes.
    pub(super) fn grown(&mut self) -> Result<Vec<Held>, ApiError> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let tree: Vec<Held> = self.runs().iter().flat_map(|dir| ending::in_sandboxes(dir)).collect();
            if tree.len() >= GROWN {
                return Ok(tree);
            }
            if self.run.as_mut().is_some_and(|run| !matches!(run.try_wait(), Ok(None))) {
                return Err(not_begun(self.last_words()));
            }
            std::thread::park_timeout(LOOK);
        }
        Err(not_begun("the tree of processes did not grow"))
    }

    /// Whether everything that held the run is gone after a while, as it is after a HALT.
    pub(super) fn ends(&self) -> bool {
        let until = Instant::now() + PATIENCE;
        while self.runs().iter().any(|dir| ending::lives(dir)) {
            if Instant::now() >= until {
                return false;
            }
            std::thread::park_timeout(LOOK);
        }
        true
    }

    /// Ends whatever still lives, by the real switch and by force, and removes the home.
    pub(super) fn clear(mut self) -> Result<()> {
        let reason = Some("the drill is over".to_owned());
        // Whoever lives on is ended by force.
        let _ = halt(&self.context, Level::All, true, reason);
        self.runs().iter().for_each(|dir| ending::end_processes(dir, self.context.now));
        if let Some(run) = &mut self.run {
            let until = Instant::now() + PATIENCE;
            while matches!(run.try_wait(), Ok(None)) && Instant::now() < until {
                std::thread::park_timeout(LOOK);
            }
            let _ = run.kill();
            let _ = run.wait();
        }
        if !self.ends() {
            bail!("its run lives on, whatever was done to it");
        }
        clear(&self.folder)
    }

    fn runs(&self) -> Vec<PathBuf> {
        fs::read_dir(self.context.home.runs()).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }

    /// The first line of what the run said of itself before it ended.
    fn last_words(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let said = read("run.err") + &read("run.out");
        let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("its run ended without a word");
        first.trim().chars().take(300).collect()
    }
}

fn only(data: &Path) -> Result<File, ApiError> {
    let path = data.join("drill.lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("opening {}", path.display()))?;
    if file.try_lock().is_err() {
        return Err(not_begun("another one is under way"));
    }
    Ok(file)
}
