//! `init`: looks at a repository, drafts a loop for it from a template, and registers that once it is confirmed.
//!
//! Nothing of the repository is executed and nothing in it is written, but for the loop file that `--share` asks for.
//! A template of chores needs no repository, and looks at none.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use loopwright_core::definition::explain::plan;
use loopwright_core::definition::{Definition, read_bytes};
use loopwright_core::draft::{self, Check, Facts};
use loopwright_core::exit;
use loopwright_core::run::Mode;
use sha2::{Digest, Sha256};

use super::add::{self, New};
use super::{
    AddRequest, AddView, AgentView, ApiError, Confirm, Context, FoundCheck, InitView, Surveyed, check, status,
    templates,
};
use crate::checks::{self, DetectedCheck};
use crate::git::{UserRepo, user_repository};
use crate::home::replace;
use crate::store::Store;
use crate::store::loops::{self, LoopRow};

/// Files that tell what kind of project a repository holds, and the kind.
const PROJECTS: [(&str, &str); 13] = [
    ("Cargo.toml", "Rust"),
    ("package.json", "JavaScript or TypeScript"),
    ("pyproject.toml", "Python"),
    ("setup.py", "Python"),
    ("setup.cfg", "Python"),
    ("pytest.ini", "Python"),
    ("go.mod", "Go"),
    ("Makefile", "Make"),
    ("GNUmakefile", "Make"),
    ("CMakeLists.txt", "CMake"),
    ("pom.xml", "Java"),
    ("build.gradle", "Java"),
    ("Gemfile", "Ruby"),
];

/// Coding agents that people have, and whose they are.
const AGENTS: [(&str, &str); 7] = [
    ("claude", "Anthropic"),
    ("codex", "OpenAI"),
    ("gemini", "Google"),
    ("copilot", "GitHub"),
    ("cursor-agent", "Cursor"),
    ("opencode", "any"),
    ("aider", "any"),
];

/// Why a template was taken that nobody looked for.
const AS_ASKED: &str = "as you asked";

/// What is wanted.
#[derive(Clone, Debug)]
pub struct InitRequest {
    /// The repository; none = the one around the current folder.
    pub repo: Option<PathBuf>,
    /// The template; none = the one that fits what was found.
    pub template: Option<String>,
    /// The new loop's name; none = the template's, or one that is free.
    pub name: Option<String>,
    /// The loop's folder lies in the repository.
    pub share: bool,
    /// Who says so.
    pub confirm: Confirm,
}

/// Looks at a repository and drafts a loop for it; writes and registers it if that is confirmed.
/// A loop that is there already is left as it is.
///
/// # Errors
/// The repository can't be worked with, there is no such template, or the name or its folder is taken.
pub fn init(context: &Context, request: &InitRequest) -> Result<InitView, ApiError> {
    let template = chosen(request)?;
    if let Some((template, text)) = template.filter(|(_, text)| !templates::works_on_code(text)) {
        return of_chores(context, request, template, text);
    }
    let wanted = request.repo.as_ref().map_or_else(|| context.cwd.clone(), |repo| context.cwd.join(repo));
    let user = user_repository(&wanted).map_err(anyhow::Error::from)?;
    let (survey, found) = survey(context, &user);
    let (template, why) = template.map_or_else(|| fitting(&found), |(asked, _)| (asked, AS_ASKED));
    let text = templates::text(template).context("a template without a text")?;
    let store = context.store()?;
    let name = name(&store, request, template, &user.root)?;
    let draft = Draft { survey: Some(survey), template, why, root: &user.root, checks: &found };
    if let Some(row) = loops::by_name(store.read(), &name)? {
        return existing(context, &store, draft, row);
    }
    drop(store);
    templates::refuse_unfit(template, &user)?;
    let path = match request.share {
        true => shared(&user.root, &name)?,
        false => add::personal(context, &name),
    };
    let repo = user.root.to_str().filter(|_| !request.share);
    let drafted = draft::draft(text, &Facts { name: &name, repo, checks: &found });
    draft.registered(context, request, &path, drafted)
}

/// The same with a template that works on no repository: the loop is registered with its own folder.
fn of_chores(context: &Context, request: &InitRequest, template: &str, text: &str) -> Result<InitView, ApiError> {
    if request.share || request.repo.is_some() {
        let message = format!("{template} does not work on a repository");
        return Err(ApiError::new(exit::USAGE, message).hint(format!("loopwright init --template {template}")));
    }
    let file = |name: &str| add::personal(context, name);
    let store = context.store()?;
    let wish = file(request.name.as_deref().unwrap_or(template));
    let name = name(&store, request, template, wish.parent().unwrap_or(&wish))?;
    let path = file(&name);
    let root = path.parent().context("the loop file has no folder")?;
    let draft = Draft { survey: None, template, why: AS_ASKED, root, checks: &[] };
    if let Some(row) = loops::by_name(store.read(), &name)? {
        return existing(context, &store, draft, row);
    }
    drop(store);
    let drafted = draft::draft(text, &Facts { name: &name, repo: None, checks: &[] });
    draft.registered(context, request, &path, drafted)
}

/// What was found and chosen.
struct Draft<'a> {
    /// None where the template works on no repository.
    survey: Option<Surveyed>,
    template: &'a str,
    why: &'a str,
    /// The repository, or the loop's own folder.
    root: &'a Path,
    checks: &'a [Check],
}

impl Draft<'_> {
    fn registered(
        self,
        context: &Context,
        request: &InitRequest,
        path: &Path,
        text: String,
    ) -> Result<InitView, ApiError> {
        let bytes = text.as_bytes();
        let hash = loopwright_core::hex(&Sha256::digest(bytes));
        let reading = read_bytes(bytes);
        let definition = reading.definition.clone().context("the draft is no valid loop")?;
        let order = AddRequest {
            target: self.template.to_owned(),
            repo: None,
            name: Some(definition.name.clone()),
            ship: false,
            confirm: request.confirm.clone(),
        };
        let new = New { request: &order, definition: &definition, path, repo: self.root, bytes, hash: &hash };
        refuse_file(path)?;
        new.before(&context.store()?)?;
        let view = check::view(context, &path.display().to_string(), bytes.to_vec(), reading, self.works_on());
        let mut registered = None;
        if confirmed(&request.confirm, &hash)? {
            if request.share {
                write_shared(path, bytes, self.template)?;
            }
            let row = new.register(context)?;
            registered = Some(status::loop_view(context, &context.store()?, &row)?);
        }
        let add = AddView { check: view, hash: hash.clone(), renames: None, registered, deeds: Vec::new() };
        Ok(self.view(&definition, add, request.share, false))
    }

    /// The repository, where it has one.
    fn works_on(&self) -> Option<&Path> {
        self.survey.as_ref().map(|_| self.root)
    }

    fn view(self, definition: &Definition, add: AddView, shared: bool, existing: bool) -> InitView {
        let text = templates::text(self.template).unwrap_or_default();
        let missing = draft::missing(text, self.checks).into_iter().map(str::to_owned).collect();
        InitView {
            survey: self.survey,
            template: self.template.to_owned(),
            why: self.why.to_owned(),
            missing,
            plan: plan(definition, Mode::Report),
            text: add.check.text.clone(),
            shared,
            existing,
            add,
        }
    }
}

/// Whether this very draft may be written.
fn confirmed(confirm: &Confirm, hash: &str) -> Result<bool, ApiError> {
    match confirm {
        Confirm::None => Ok(false),
        Confirm::Person => Ok(true),
        Confirm::Hash(asked) if asked == hash => Ok(true),
        Confirm::Hash(_) => {
            let message = "the repository changed while you looked, and so did the loop that fits it";
            Err(ApiError::new(exit::FAILED, message).hint("loopwright init"))
        }
    }
}

/// What is there: kinds of project, checks, agents. Files are read, and nothing is run.
fn survey(context: &Context, user: &UserRepo) -> (Surveyed, Vec<Check>) {
    let is_file = |file: &str| user.root.join(file).is_file();
    let look = |path: &str| check::text_of(&user.root.join(path));
    let found: Vec<Check> = checks::detect(&look).checks.into_iter().map(check_of).collect();
    let shown = |check: &Check| FoundCheck {
        gate: check.gate.clone(),
        commands: check.commands.iter().map(ToString::to_string).collect(),
        origin: check.origin.clone(),
    };
    let kinds = PROJECTS.iter().filter(|(file, _)| is_file(file));
    let survey = Surveyed {
        repo: user.root.display().to_string(),
        branch: user.branch.clone(),
        kinds: kinds.map(|(file, kind)| format!("{kind} ({file})")).collect(),
        checks: found.iter().map(shown).collect(),
        agents: agents(context),
    };
    (survey, found)
}

/// Coding agents, present or not.
pub(super) fn agents(context: &Context) -> Vec<AgentView> {
    let agent = |(program, vendor): &(&str, &str)| AgentView {
        program: (*program).to_owned(),
        vendor: (*vendor).to_owned(),
        path: context.host.find(program).map(|path| path.display().to_string()),
    };
    AGENTS.iter().map(agent).collect()
}

fn check_of(found: DetectedCheck) -> Check {
    let origin = found.origin.trim_start_matches("detected: ").to_owned();
    Check { gate: found.name, commands: found.commands, origin }
}

/// The template that is asked for, and its text.
fn chosen(request: &InitRequest) -> Result<Option<(&str, &'static str)>, ApiError> {
    let Some(asked) = request.template.as_deref() else { return Ok(None) };
    let text = templates::text(asked).ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("there is no template {asked}")).hint("`loopwright templates` lists them")
    })?;
    Ok(Some((asked, text)))
}

/// The template that fits, and why.
fn fitting(checks: &[Check]) -> (&'static str, &'static str) {
    match checks.is_empty() {
        true => ("report", "there is no check that could judge a change"),
        false => ("daily-triage", "the repository has checks that can judge a change"),
    }
}

/// The name that is asked for; else the template's own, unless another repository's loop has it.
fn name(store: &Store, request: &InitRequest, template: &str, root: &Path) -> Result<String, ApiError> {
    let wish = request.name.as_deref().unwrap_or(template);
    add::refuse_name(wish)?;
    match loops::by_name(store.read(), wish)? {
        Some(other) if other.repo_path != root && request.name.is_some() => {
            let free = add::free_name(store, template, root)?;
            let message = format!("a loop named {wish} works on {} already", other.repo_path.display());
            let asked = request.template.as_ref().map_or_else(String::new, |asked| format!(" --template {asked}"));
            Err(ApiError::new(exit::FAILED, message).hint(format!("loopwright init --name {free}{asked}")))
        }
        Some(other) if other.repo_path != root => add::free_name(store, template, root),
        _ => Ok(wish.to_owned()),
    }
}

/// The answer for a loop that is there already: nothing is written.
fn existing(context: &Context, store: &Store, draft: Draft<'_>, row: LoopRow) -> Result<InitView, ApiError> {
    let bytes = fs::read(&row.path).with_context(|| format!("reading {}", row.path.display()))?;
    let reading = read_bytes(&bytes);
    let invalid = || {
        ApiError::new(exit::INVALID_LOOP, format!("{} is here already, and its file is not valid", row.name))
            .hint(format!("loopwright check {}", row.name))
    };
    let definition = reading.definition.clone().ok_or_else(invalid)?;
    let hash = loopwright_core::hex(&Sha256::digest(&bytes));
    let view = check::view(context, &row.path.display().to_string(), bytes, reading, draft.works_on());
    let registered = Some(status::loop_view(context, store, &row)?);
    let shared = draft.works_on().is_some() && row.path.starts_with(&row.repo_path);
    let add = AddView { check: view, hash, renames: None, registered, deeds: Vec::new() };
    Ok(draft.view(&definition, add, shared, true))
}

/// A file that nobody registered is somebody's work: it is neither replaced nor taken over.
fn refuse_file(path: &Path) -> Result<(), ApiError> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let message = format!("{} is there already and is not registered; it is left as it is", path.display());
    let hint = format!("loopwright add {}, or another --name", path.display());
    Err(ApiError::new(exit::FAILED, message).hint(hint))
}

/// The file of a shared loop; no folder on the way may be a link or a file.
fn shared(root: &Path, name: &str) -> Result<PathBuf, ApiError> {
    let folder = root.join(".loopwright").join(name);
    for place in [folder.parent().unwrap_or(root), &folder] {
        let odd = place.symlink_metadata().is_ok_and(|found| !found.is_dir());
        if odd {
            return Err(ApiError::new(exit::FAILED, format!("{} is no folder", place.display()))
                .hint("without --share the loop lies in your own configuration"));
        }
    }
    Ok(folder.join("loop.yaml"))
}

fn write_shared(path: &Path, bytes: &[u8], template: &str) -> anyhow::Result<()> {
    let Some(folder) = path.parent() else { bail!("{} has no folder", path.display()) };
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    templates::write_beside(template, folder)?;
    replace(path, bytes)
}
