//! What nearly every test does: write a loop, add it, run it, look at the run, approve.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{Answer, Stage};

/// The gates and rails of a loop with scripted agents, in the words of the seed.
const HEAD: &str = "\
name: NAME
repo: REPO
trigger: manual
steps:
  - discover: {run: scan_ci_failures + open_issues, write_to: state/triage.md}
  - act: {for_each: finding in state/triage.md, spawn: maker(finding)}
  - verify: {check: tests_pass AND lint_clean AND diff_reasonable}
  - ship: {if: verified, run: open_pr + link_issue}
checks:
  tests_pass: [sh, checks/tests.sh]
  lint_clean: [sh, checks/lint.sh]
env: {STAGE: MARK}
";

/// The rails of the seed.
pub const RAILS: &str = "guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}\n";

impl Stage {
    /// Writes a personal loop of this stage with `rest` (agents, rails) behind the usual head, and its scripts beside it.
    pub fn personal(&self, name: &str, rest: &str, scripts: &[(&str, &str)]) -> PathBuf {
        let repo = serde_json::to_string(&self.repo).expect("a path");
        let head = HEAD.replace("NAME", name).replace("REPO", &repo).replace("MARK", &self.mark);
        self.personal_text(name, &format!("{head}{rest}"), scripts)
    }

    /// Writes a personal loop with exactly this text.
    pub fn personal_text(&self, name: &str, text: &str, scripts: &[(&str, &str)]) -> PathBuf {
        let folder = self.beside("loops").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        for (file, script) in scripts {
            write_program(&folder.join(file), script);
        }
        let path = folder.join("loop.yaml");
        fs::write(&path, text).expect("a loop file");
        path
    }

    /// Writes a shipped template as a personal loop of this stage, with some of its text changed; returns its file.
    ///
    /// # Panics
    /// The template has no such text.
    pub fn template(&self, name: &str, changes: &[(&str, &str)]) -> PathBuf {
        let folder = self.beside("loops").join(name);
        let place = folder.to_str().expect("a path");
        self.plain(&["templates", name, "--out", place]).exits(0);
        let path = folder.join("loop.yaml");
        let mut text = fs::read_to_string(&path).expect("a loop file");
        for (from, to) in changes {
            assert!(text.contains(from), "{name} has no `{from}`");
            text = text.replace(from, to);
        }
        // Its processes are known by it, those in boxes too.
        let text = text.replacen("\nenv:\n", &format!("\nenv:\n  STAGE: {}\n", self.mark), 1);
        fs::write(&path, text).expect("a loop file");
        path
    }

    /// The state folder of the only loop.
    pub fn state(&self) -> PathBuf {
        let loops = self.home.join("data/loops");
        fs::read_dir(&loops).expect("loops").flatten().next().expect("a loop").path().join("state")
    }

    /// Adds a loop as a person without a terminal does: look, then confirm the hash that was shown.
    pub fn add(&self, target: &str, ship: bool) -> Answer {
        let mut words = vec!["add", target];
        words.extend(ship.then_some("--ship"));
        let shown = self.verb(&words).exits(2);
        let hash = shown.json()["hash"].as_str().expect("a hash").to_owned();
        words.extend(["--confirm", &hash]);
        self.verb(&words).exits(0)
    }

    /// Writes and adds a shipping loop `work` whose only agent is the script `maker.sh`, free of charge.
    pub fn maker(&self, rails: &str, script: &str) {
        let agents = "agents:\n  maker: {command: [./maker.sh], price: $0, idle: 20s, max: 40s}\n";
        let path = self.personal("work", &format!("{agents}{rails}"), &[("maker.sh", script)]);
        self.add(&path.display().to_string(), true);
    }

    /// Runs a loop to its end; returns the answer of `run --json`.
    pub fn run(&self, name: &str) -> Answer {
        self.verb(&["run", name])
    }

    /// The newest run with its journal.
    pub fn last(&self) -> Value {
        self.verb(&["show", "last"]).exits(0).json()
    }

    /// The open pull requests.
    pub fn reviews(&self) -> Vec<Value> {
        self.verb(&["reviews"]).exits(0).json().as_array().cloned().unwrap_or_default()
    }

    /// One pull request with everything a person decides by.
    pub fn review(&self, id: &str) -> Value {
        self.verb(&["review", id]).exits(0).json()
    }

    /// Approves a pull request by its tree; only what that names may change by it.
    pub fn approve(&self, review: &Value) -> Answer {
        let scope = self.scope(review);
        let (id, tree) = (review["row"]["id"].as_str().expect("an id"), review["tree"].as_str().expect("a tree"));
        let answer = self.verb(&["approve", id, "--tree", tree]);
        let beyond = self.beyond(&scope);
        assert!(beyond.is_empty(), "an approval changed {beyond:?}");
        self.remember();
        answer
    }

    /// The triage list of the only loop, without its last line.
    pub fn triage(&self) -> Vec<String> {
        let text = fs::read_to_string(self.state().join("triage.md")).expect("the triage list");
        text.lines().filter(|l| l.starts_with("- ")).map(str::to_owned).collect()
    }
}

/// The id of a pull request as it was shown.
pub fn id(review: &Value) -> &str {
    review["row"]["id"].as_str().expect("an id")
}

/// The tree that it showed.
pub fn tree(review: &Value) -> &str {
    review["tree"].as_str().expect("a tree")
}

/// Where it stands now.
pub fn state(stage: &Stage, review: &Value) -> String {
    stage.review(id(review))["row"]["state"].as_str().expect("a state").to_owned()
}

/// The events of a run with this type.
pub fn events<'a>(run: &'a Value, kind: &str) -> Vec<&'a Value> {
    run["journal"].as_array().into_iter().flatten().filter(|e| e["type"] == kind).collect()
}

/// The steps of a run with this name, as they were started.
pub fn steps<'a>(run: &'a Value, name: &str) -> Vec<&'a Value> {
    events(run, "step_started").into_iter().map(|e| &e["step"]).filter(|s| s["step"] == name).collect()
}

/// The outcomes of the steps of a run with this word.
pub fn outcomes<'a>(run: &'a Value, word: &str) -> Vec<&'a Value> {
    events(run, "step_finished").into_iter().map(|e| &e["outcome"]).filter(|o| o["outcome"] == word).collect()
}

/// Writes a file that may be run.
pub fn write_program(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}
