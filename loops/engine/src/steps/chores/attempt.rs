//! One try of a `run:` or `finally:` step: its box, from what it is granted to how it ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use loopwright_core::check::Ended;
use loopwright_core::definition::{Chore, Definition, RunStep};
use loopwright_core::ids::RunId;
use loopwright_core::lease::RAW;
use loopwright_core::run::{Ran, RanHow};

use crate::agent::command::argv;
use crate::checks::WORKSPACE;
use crate::loop_folder::INSIDE;
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::sandbox::grants::{Keeper, granted};
use crate::sandbox::log::last_line;
use crate::sandbox::stop::{Stopper, TO_END};
use crate::sandbox::{Access, BoxSpec, Limits, Mount, Output, Sandbox};
use crate::workspace::Workspace;

/// Where the loop's state folder lies inside.
const STATE: &str = "/state";
/// As long as anything may take; the time of its run is shorter.
const NO_LIMIT: Duration = Duration::from_secs(400 * 86_400);

/// What the steps of one run share.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The run.
    pub run: RunId,
    /// Its directory.
    pub run_dir: &'a Path,
    /// The folder of the loop.
    pub folder: &'a Path,
    /// The state folder of the loop.
    pub state: &'a Path,
    /// The variables that the loop names.
    pub env: &'a BTreeMap<String, String>,
    /// Whose places no grant opens.
    pub keeper: Keeper<'a>,
}

/// A try that was made.
#[derive(Debug)]
pub struct Tried {
    /// How it ended.
    pub ran: Ran,
    /// What a reader of the run should know, as topic and text.
    pub notes: Vec<(String, String)>,
}

/// One try, ready to be made from any thread.
#[derive(Debug)]
pub struct Attempt {
    sandbox: Bubblewrap,
    spec: BoxSpec,
    max: Option<Duration>,
    name: String,
    log: PathBuf,
    stopper: Arc<Stopper>,
}

impl Attempt {
    /// A try of `step` in boxes of `sandbox`.
    ///
    /// # Errors
    /// What it is granted can't be granted.
    pub fn new(step: &RunStep, site: &Site<'_>, sandbox: &Bubblewrap) -> Result<Attempt> {
        let granted = granted(&step.grants, &site.keeper).with_context(|| format!("what {} may reach", step.name))?;
        let stopper = Arc::new(Stopper::default());
        let sandbox = sandbox.clone().with_patience(TO_END + Duration::from_secs(1));
        let sandbox = sandbox.reaching(granted.network).binding(granted.open).stopped_by(Arc::clone(&stopper));
        let log = fresh_log(site.run_dir, &step.name);
        let max = step.max_s.map(Duration::from_secs);
        let spec = BoxSpec {
            label: format!("step {}", step.name),
            argv: argv(&step.command),
            env: environment(step, site, &granted.mounts),
            cwd: STATE.to_owned(),
            mounts: [mounts(site), granted.mounts].concat(),
            stdin: Vec::new(),
            limits: Limits { wall: max.unwrap_or(NO_LIMIT), idle: None, output: u64::MAX },
            stdout: Output::Log(log.clone()),
        };
        Ok(Attempt { sandbox, spec, max, name: step.name.clone(), log, stopper })
    }

    /// The same with a checkout of the project as `/workspace`, which is the try's own.
    pub fn with_checkout(mut self, checkout: &Workspace) -> Attempt {
        self.spec.mounts.push(checkout.mount(Access::Writable));
        self.spec.env.insert("LOOPWRIGHT_WORKSPACE".to_owned(), WORKSPACE.to_owned());
        self
    }

    /// What ends it from another thread.
    pub fn stopper(&self) -> Arc<Stopper> {
        Arc::clone(&self.stopper)
    }

    /// Makes it, to its end; none if it was halted.
    ///
    /// # Errors
    /// The box could not be made.
    pub fn make(&self) -> Result<Option<Tried>> {
        let output = self.sandbox.run(&self.spec)?;
        let (how, code) = match output.ended {
            Ended::Halted => return Ok(None),
            Ended::Exited(code) => (RanHow::Itself, Some(code)),
            Ended::Signalled(signal) => (RanHow::Itself, Some(128 + signal)),
            _ if self.max.is_some_and(|max| output.took >= max) => (RanHow::Time, None),
            // The time of the run was over.
            Ended::TimedOut | Ended::Silent | Ended::Flooded => (RanHow::CutOff, None),
        };
        let name = self.log.file_name().unwrap_or_default().to_string_lossy();
        let log = format!("{RAW}/{name}");
        let ran = Ran { how, code, seconds: output.took.as_secs(), last: last_line(&self.log), log };
        Ok(Some(Tried { ran, notes: output.traffic.notes(&self.name) }))
    }
}

/// What the run steps of a loop share with its other steps, which come after them: their state folder, read-only.
pub fn shared(definition: &Definition, state: &Path) -> Vec<Mount> {
    let any = definition.chores.iter().any(|chore| matches!(chore, Chore::Run(_)));
    let mount = Mount { source: state.to_owned(), target: STATE.to_owned(), access: Access::ReadOnly };
    if any && definition.discover.is_some() { vec![mount] } else { Vec::new() }
}

fn mounts(site: &Site<'_>) -> Vec<Mount> {
    let mount =
        |source: &Path, target: &str, access| Mount { source: source.to_owned(), target: target.to_owned(), access };
    vec![mount(site.folder, INSIDE, Access::ReadOnly), mount(site.state, STATE, Access::Writable)]
}

/// The loop's variables, and what the step has no other way to know: granted paths are written as `~/…` in the file.
fn environment(step: &RunStep, site: &Site<'_>, granted: &[Mount]) -> BTreeMap<String, String> {
    let paths = |access| {
        let paths = granted.iter().filter(|mount| mount.access == access).map(|mount| mount.target.as_str());
        paths.collect::<Vec<&str>>().join("\n")
    };
    let own = [
        ("LOOPWRIGHT_READ", paths(Access::ReadOnly)),
        ("LOOPWRIGHT_WRITE", paths(Access::Writable)),
        ("LOOPWRIGHT_RUN", site.run.to_string()),
        ("LOOPWRIGHT_STEP", step.name.clone()),
        ("LOOPWRIGHT_STATE", STATE.to_owned()),
    ];
    let mut env = site.env.clone();
    env.extend(own.map(|(name, value)| (name.to_owned(), value)));
    env
}

/// Where the output of the next try goes: `login-2.log` after `login-1.log`.
fn fresh_log(run_dir: &Path, step: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = step.chars().map(plain).collect();
    let raw = run_dir.join(RAW);
    let mut number = 1;
    loop {
        let path = raw.join(format!("{name}-{number}.log"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}
