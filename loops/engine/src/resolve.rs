//! A registered loop brought together with its repository: file, base commit, checks, agents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use git2::Oid;
use loopwright_core::definition::settings::Settings;
use loopwright_core::definition::{Command, Definition, Source, read_bytes};
use loopwright_core::diagnostic::Diagnostic;
use loopwright_core::run::{AgentLine, Run};
use sha2::{Digest, Sha256};

use crate::agent::command::CommandAgent;
use crate::agent::fixer::Fixer;
use crate::agent::{Agent, AgentFacts};
use crate::checks::{self, DetectedCheck as Check, Look};
use crate::git::{Base, Repos, UserRepo, user_repository};
use crate::home::Home;
use crate::loop_folder::{self, Private};
use crate::os;
use crate::settings;
use crate::store::loops::LoopRow;

/// The gate that needs no command.
pub const DIFF_REASONABLE: &str = "diff_reasonable";

/// The origin of a check that the loop defines itself.
pub const LOOP_FILE: &str = "loop.yaml";

/// Some agent.
pub(crate) type AnyAgent = Arc<dyn Agent>;

/// A loop as it stands on its base commit.
pub struct Resolved {
    /// What it says.
    pub definition: Definition,
    /// SHA-256 of its file.
    pub hash: String,
    /// The code that it works on; none for one that has nothing but chores and lies in no repository.
    pub code: Option<Code>,
    /// What the person has set for all loops together.
    pub settings: Settings,
}

/// The code that a loop works on, as it stands on its base commit.
pub struct Code {
    /// The user's repository.
    pub user: UserRepo,
    /// The engine's repositories of it.
    pub repos: Repos,
    /// Where work starts.
    pub base: Base,
    /// The checks of its gates that need a command.
    pub checks: Vec<Check>,
    /// Its folder's path relative to the repository, if it lies inside.
    pub inside: Option<String>,
}

impl Resolved {
    /// The code that it works on.
    ///
    /// # Errors
    /// It has nothing but chores.
    pub fn code(&self) -> Result<&Code> {
        self.code.as_ref().context("this loop works on no repository: it has nothing but `run:` and `wait:` steps")
    }

    /// The root of the repository that it works on.
    pub fn root(&self) -> Option<&Path> {
        self.code.as_ref().map(|code| code.user.root.as_path())
    }
}

/// Why a loop can't be used now.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Its file is invalid.
    #[error("{path} is not a valid loop: {} ({}:{})", first.message, first.span.line, first.span.column)]
    Invalid {
        /// The file.
        path: String,
        /// The first fault.
        first: Box<Diagnostic>,
    },
    /// Its file is not the one that was confirmed.
    #[error("{path} changed since it was confirmed")]
    Changed {
        /// The file.
        path: String,
        /// Its hash now.
        now: String,
    },
    /// Its file is not on the base commit.
    #[error("{path} as it was confirmed is not committed on {branch}; a loop inside a repository is read from there")]
    NotCommitted {
        /// The file.
        path: String,
        /// The branch.
        branch: String,
    },
}

/// Reads a registered loop from where it counts: from the base commit if it lies inside its repository.
///
/// # Errors
/// [`ResolveError`], or the repository can't be read.
pub fn resolve(home: &Home, row: &LoopRow) -> Result<Resolved> {
    resolve_on(home, row, |repos, user| repos.fetch_base(user, None))
}

/// The same on a branch: the one that a pull request lands on.
///
/// # Errors
/// As [`resolve`], or there is no such branch.
pub fn resolve_branch(home: &Home, row: &LoopRow, branch: &str) -> Result<Resolved> {
    resolve_on(home, row, |repos, user| repos.fetch_base(user, Some(branch)))
}

/// The same on the base of a run that began before: its branch may have moved since.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_again(home: &Home, row: &LoopRow, run: &Run) -> Result<Resolved> {
    match &run.base {
        Some((branch, commit)) => resolve_on(home, row, |repos, _| repos.known_base(branch, Oid::from_str(commit)?)),
        None => resolve(home, row),
    }
}

fn resolve_on(home: &Home, row: &LoopRow, base: impl FnOnce(&Repos, &UserRepo) -> Result<Base>) -> Result<Resolved> {
    let settings = settings::read(home)?;
    if let Some((definition, hash)) = without_code(row)? {
        return Ok(Resolved { definition, hash, code: None, settings });
    }
    let user = user_repository(&row.repo_path)?;
    let repos = Repos::open(&home.data, row.repo)?;
    let base = base(&repos, &user)?;
    let (text, inside) = loop_text(row, &user, &repos, &base)?;
    let hash = loopwright_core::hex(&Sha256::digest(&text));
    let path = row.path.display().to_string();
    let reading = read_bytes(&text);
    let Some(definition) = reading.definition else {
        let first = reading.diagnostics.into_iter().next().context("an invalid loop without a fault")?;
        return Err(ResolveError::Invalid { path, first: Box::new(first) }.into());
    };
    if hash != row.hash {
        let confirmed = fs::read(&row.path).is_ok_and(|text| loopwright_core::hex(&Sha256::digest(text)) == row.hash);
        if let (true, Some(_)) = (confirmed, &inside) {
            return Err(ResolveError::NotCommitted { path, branch: base.branch }.into());
        }
        return Err(ResolveError::Changed { path, now: hash }.into());
    }
    let checks = checks_of(&definition, &|path| repos.look(base.commit, path));
    let code = Some(Code { user, repos, base, checks, inside });
    Ok(Resolved { definition, hash, code, settings })
}

/// A loop that has nothing but chores is registered with its own folder in place of a repository, and read from there.
fn without_code(row: &LoopRow) -> Result<Option<(Definition, String)>> {
    if row.path.parent() != Some(&row.repo_path) {
        return Ok(None);
    }
    let path = row.path.display().to_string();
    let text = fs::read(&row.path).with_context(|| format!("reading the loop file {path}"))?;
    let hash = loopwright_core::hex(&Sha256::digest(&text));
    let reading = read_bytes(&text);
    match reading.definition {
        Some(definition) if definition.discover.is_some() => Ok(None),
        Some(_) if hash != row.hash => Err(ResolveError::Changed { path, now: hash }.into()),
        Some(definition) => Ok(Some((definition, hash))),
        // Where there is a repository its base commit counts.
        None if user_repository(&row.repo_path).is_ok() => Ok(None),
        None => {
            let first = reading.diagnostics.into_iter().next().context("an invalid loop without a fault")?;
            Err(ResolveError::Invalid { path, first: Box::new(first) }.into())
        }
    }
}

fn loop_text(row: &LoopRow, user: &UserRepo, repos: &Repos, base: &Base) -> Result<(Vec<u8>, Option<String>)> {
    let Ok(inside) = row.path.strip_prefix(&user.root) else {
        let text = fs::read(&row.path).with_context(|| format!("reading the loop file {}", row.path.display()))?;
        return Ok((text, None));
    };
    let inside = inside.to_str().context("the loop file's path is not UTF-8")?;
    let Some(text) = repos.file(base.commit, inside)? else {
        return Err(ResolveError::NotCommitted { path: inside.to_owned(), branch: base.branch.clone() }.into());
    };
    let folder = Path::new(inside).parent().and_then(Path::to_str).unwrap_or_default();
    Ok((text, Some(folder.to_owned())))
}

/// The checks of the gates that need a command; those that the file doesn't define are detected in what `look` finds.
pub fn checks_of(definition: &Definition, look: &Look<'_>) -> Vec<Check> {
    let detected = checks::detect(look);
    let asked = match &definition.work {
        Some(work) => work.verify.check.gates(),
        None if scans(definition) => detected.checks.iter().map(|c| c.name.clone()).collect(),
        None => Vec::new(),
    };
    let gates = asked.into_iter().chain(definition.checks.keys().cloned());
    let mut found: Vec<Check> = Vec::new();
    for name in gates.filter(|g| g != DIFF_REASONABLE) {
        if found.iter().any(|c| c.name == name) {
            continue;
        }
        match definition.checks.get(&name) {
            // Written out as it was detected, it is asked for as carefully.
            Some(commands) => match detected.get(&name).filter(|c| c.commands == *commands) {
                Some(known) => found.push(Check { origin: LOOP_FILE.to_owned(), ..known.clone() }),
                None => found.push(written(name, commands)),
            },
            None => found.extend(detected.get(&name).cloned()),
        }
    }
    found
}

/// Whether what the project's checks say is looked at for findings.
fn scans(definition: &Definition) -> bool {
    definition.sources().iter().any(|source| matches!(source, Source::ScanCiFailures(_)))
}

/// A check as the loop file has it; asked is only whether its programs exist.
fn written(name: String, commands: &[Command]) -> Check {
    let exists = |c: &Command| match c {
        Command::Argv(words) => words.first().map(|program| {
            let words = ["sh", "-c", "command -v -- \"$1\"", "sh", program.as_str()];
            Command::Argv(words.map(str::to_owned).into())
        }),
        // What a line for the shell needs can't be told from outside.
        Command::Shell(_) => None,
    };
    let probes = commands.iter().filter_map(exists).collect();
    Check { name, commands: commands.to_vec(), origin: LOOP_FILE.to_owned(), probes }
}

/// The agents of a loop: who makes, and who checks (none = gates alone); `folder` is what they see of the loop.
pub fn agents(resolved: &Resolved, folder: &Path) -> (AnyAgent, Option<AnyAgent>) {
    let definition = &resolved.definition;
    let defined = |name: &String| {
        let spec = definition.agents.get(name)?;
        Some(Arc::new(CommandAgent::new(name, spec.clone(), folder)) as AnyAgent)
    };
    let work = definition.work.as_ref();
    let maker = work.and_then(|w| defined(&w.act.maker)).unwrap_or_else(|| Arc::new(Fixer));
    (maker, work.and_then(|w| w.verify.checker.as_ref()).and_then(defined))
}

/// The folder of a loop with its scripts and prompts: its own for a personal loop, a copy of the base commit's otherwise.
///
/// # Errors
/// The copy can't be made.
pub fn loop_folder(resolved: &Resolved, row: &LoopRow, run_dir: &Path) -> Result<PathBuf> {
    let shared = resolved.code.as_ref().and_then(|code| Some((code, code.inside.as_ref()?)));
    let Some((code, inside)) = shared else {
        return Ok(row.path.parent().context("the loop file has no folder")?.to_owned());
    };
    let copy = run_dir.join("loop");
    for path in code.repos.files_under(code.base.commit, inside)? {
        let Some(bytes) = code.repos.file(code.base.commit, &path)? else { continue };
        let below = Path::new(&path).strip_prefix(inside).context("a file outside of its folder")?;
        write_executable(&copy.join(below), &bytes)?;
    }
    Ok(copy)
}

fn write_executable(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    os::set_program(path, true).with_context(|| format!("making {} a program", path.display()))
}

/// An agent as the journal names it.
pub fn line(facts: &AgentFacts) -> AgentLine {
    AgentLine {
        name: facts.name.clone(),
        kind: facts.kind.clone(),
        model: facts.model.clone(),
        vendor: facts.vendor.clone(),
        price: facts.price,
    }
}

/// The environment of setup, makers and gates.
pub fn environment(definition: &Definition) -> BTreeMap<String, String> {
    definition.env.clone()
}

/// Refuses a loop whose agents would see more than its own folder; `person` is the home folder of whoever runs it.
///
/// # Errors
/// They would, with what to do.
pub fn refuse_exposing(home: &Home, row: &LoopRow, resolved: &Resolved, person: Option<&Path>) -> Result<()> {
    let root = resolved.root();
    let private = Private { home, person, repo: root };
    let shown = loop_folder::shown(&row.path, &resolved.definition, root);
    match shown.and_then(|folder| loop_folder::refusal(folder, private)) {
        Some(why) => bail!("{} can't run: {why}", row.name),
        None => Ok(()),
    }
}

/// Refuses what would make a run senseless before anything is started: a loop that finds work by checks alone, without any.
///
/// # Errors
/// What is missing, with what to do.
pub fn refuse_unusable(resolved: &Resolved) -> Result<()> {
    let Some(code) = &resolved.code else { return Ok(()) };
    if resolved.definition.discover.is_none() {
        return Ok(());
    }
    let only_checks = |s: &Source| matches!(s, Source::ScanCiFailures(_) | Source::RecentCommits);
    if code.checks.is_empty() && resolved.definition.sources().iter().all(only_checks) {
        bail!(
            "no checks were detected in {} and the loop defines none; name them under `checks:`, \
             as in `checks: {{tests_pass: [make, test]}}`",
            code.user.root.display()
        );
    }
    Ok(())
}
