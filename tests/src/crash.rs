//! Killing a small run at a fail point, bringing everything in order again, and comparing what is left with what was acknowledged.
//!
//! Which kills are tried, and what each must come to, is the tests'.
#![expect(clippy::expect_used, reason = "a crash that can't be made fails its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use loopwright_core::lease::{INITS, InitRecord, ProcStat, parse_inits};
use loopwright_engine::fail;
use rusqlite::Connection;
use serde_json::Value;

use crate::nasty::{eventually, is_gone, leaving};
use crate::stage::{Stage, wait_for};

const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n";
const CHECKER: &str = "#!/bin/sh\necho '{\"loopwright\": {\"cost\": \"$0.10\", \"verdict\": {\"accepted\": true}}}'\n";

/// Where a process is killed, and which.
#[derive(Clone, Debug)]
pub struct Kill {
    /// The fail point with its pass: `step-intent#3`.
    pub at: String,
    /// `self`, `runner`, `watchdog` or `agent`.
    pub whom: &'static str,
}

impl Kill {
    /// The process that comes by, at this pass.
    pub fn own(point: &str, pass: u32) -> Kill {
        Kill { at: format!("{point}#{pass}"), whom: "self" }
    }
}

/// A stage with one wish, and a loop `work` that grants it in less than a second: maker $1, checker $0.10 of $0.50.
pub fn small() -> Stage {
    made_by(MAKER)
}

/// The same with a maker that takes its time: at any moment of the second in which the run is asked for, it is going on.
pub fn unhurried() -> Stage {
    made_by(&MAKER.replace("echo", "sleep 1\necho"))
}

fn made_by(maker: &str) -> Stage {
    let stage = Stage::empty();
    stage.write("README.md", "A small project.\n");
    stage.write(".loopwright/issues/1-wish.md", "---\ntitle: A wish\nstate: open\n---\nA file.\n");
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    stage.commit("one");
    let text = format!(
        "name: work
repo: {:?}
trigger: manual
steps:
  - discover: {{run: open_issues, write_to: state/triage.md}}
  - act: {{for_each: finding in state/triage.md, spawn: maker(finding)}}
  - verify: {{agent: checker, check: tests_pass AND diff_reasonable}}
  - ship: {{if: verified, run: open_pr}}
agents:
  maker: {{command: [./maker.sh], price: $1/attempt}}
  checker: {{command: [./checker.sh], price: $0.50/attempt}}
checks: {{tests_pass: [\"true\"]}}
guardrails: {{max_iterations: 3, budget: $50/run, halt_on: no_progress(2)}}
env: {{STAGE: {}}}
",
        stage.repo, stage.mark
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", maker), ("checker.sh", CHECKER)]);
    stage.add(&path.display().to_string(), true);
    stage
}

impl Stage {
    /// A verb during which `kill` strikes once; `once` names the strike.
    pub fn killing(&self, words: &[&str], kill: &Kill, once: &str) -> Command {
        let mut command = self.command(words);
        command.arg("--json").env(fail::AT, &kill.at).env(fail::KILLS, kill.whom);
        command.env(fail::ONCE, self.beside(once));
        command
    }

    /// Whether the strike with this name has come.
    pub fn struck(&self, once: &str) -> bool {
        self.beside(once).exists()
    }

    /// Who was struck there: the kind and the number of each process, by [`fail::ONCE`].
    pub fn victims(&self, once: &str) -> Vec<(String, i32)> {
        let text = fs::read_to_string(self.beside(once)).unwrap_or_default();
        let parts = text.lines().skip(1).filter_map(|line| line.split_once(' '));
        parts.map(|(kind, pid)| (kind.to_owned(), pid.parse().expect("a process number"))).collect()
    }

    /// The first processes of the boxes that are written down and live. Their command lines and variables are empty, so that
    /// nothing else tells whose they are.
    pub fn boxes(&self) -> Vec<i32> {
        let runs = fs::read_dir(self.home.join("data/runs")).into_iter().flatten().flatten();
        let records = runs.flat_map(|run| parse_inits(&fs::read(run.path().join(INITS)).unwrap_or_default()));
        let live = |record: &InitRecord| {
            let stat = fs::read(format!("/proc/{}/stat", record.pid)).ok().and_then(|stat| ProcStat::parse(&stat));
            stat.is_some_and(|stat| stat.start == record.start) && !is_gone(record.pid)
        };
        records.filter(live).map(|record| record.pid).collect()
    }

    /// Waits until nothing of this stage lives, and says how long that took.
    pub fn until_nobody_lives(&self) -> Duration {
        let began = Instant::now();
        wait_for("everybody to be gone", || self.processes().is_empty().then_some(()));
        // Whoever is on the way out may hold a lock yet.
        let leaving = leaving();
        wait_for("the last to let go", || leaving.iter().all(|pid| is_gone(*pid)).then_some(()));
        began.elapsed()
    }

    /// Makes passes until nothing is left to do but what waits for a person; each lets what goes on come to its end.
    pub fn tick_until_quiet(&self) {
        for _ in 0..12 {
            self.until_nobody_lives();
            if [10, 20, 21].contains(&self.verb(&["tick"]).code) {
                return;
            }
        }
        panic!("twelve passes did not bring it in order: {:?}", self.verb(&["tick"]));
    }

    /// The store, read beside the programs.
    pub fn database(&self) -> Connection {
        let db = Connection::open(self.home.join("data/loopwright.db")).expect("the database");
        db.busy_timeout(Duration::from_secs(10)).expect("patience");
        db
    }

    fn results(&self) -> Option<PathBuf> {
        let repo = fs::read_dir(self.home.join("data/repos")).ok()?.flatten().next()?;
        Some(repo.path().join("results.git")).filter(|path| path.is_dir())
    }

    /// The refs of the engine's repository below `refs/loopwright/`, with their commits.
    pub fn refs(&self, kind: &str) -> BTreeMap<String, String> {
        let Some(results) = self.results() else { return BTreeMap::new() };
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(results).args(["for-each-ref", "--format=%(refname) %(objectname)"]);
        let said = git.arg(format!("refs/loopwright/{kind}")).output().expect("git");
        let text = String::from_utf8(said.stdout).expect("names");
        let parts = text.lines().filter_map(|line| line.split_once(' '));
        parts.map(|(name, commit)| (name.rsplit('/').next().unwrap_or(name).to_owned(), commit.to_owned())).collect()
    }
}

impl Stage {
    /// Gives a ref of the engine's repository another name, or makes it anew.
    pub fn rename_ref(&self, from: &str, to: &str, commit: &str) {
        let results = self.results().expect("the engine's repository");
        for words in [
            ["update-ref", "-d", &format!("refs/loopwright/{from}")],
            ["update-ref", &format!("refs/loopwright/{to}"), commit],
        ] {
            let said = Command::new("git").arg("--git-dir").arg(&results).args(words).output().expect("git");
            assert!(said.status.success(), "{words:?}: {}", String::from_utf8_lossy(&said.stderr));
        }
    }
}

/// Everything that was acknowledged: events, bookings and pull requests that a reader has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged(BTreeSet<String>);

/// Reads all that is stored now.
pub fn acknowledged(stage: &Stage) -> Acknowledged {
    let db = stage.database();
    let mut seen = BTreeSet::new();
    for sql in [
        "SELECT stream || ' ' || seq || ' ' || body FROM events",
        "SELECT step || ' ' || kind || ' ' || micros FROM ledger",
        // What it shows may change; that it did is an event.
        "SELECT id FROM pull_requests",
        "SELECT id || ' ' || decision FROM reviews",
    ] {
        let mut rows = db.prepare(sql).expect("a statement");
        seen.extend(rows.query_map([], |row| row.get::<_, String>(0)).expect("rows").map(|row| row.expect("a row")));
    }
    Acknowledged(seen)
}

/// What is lost, doubled, charged twice or left behind; empty when all is well.
pub fn audit(stage: &Stage, before: &Acknowledged) -> Vec<String> {
    let now = acknowledged(stage);
    let mut faults: Vec<String> = before.0.difference(&now.0).map(|gone| format!("lost: {gone}")).collect();
    faults.extend(doubled_pull_requests(stage));
    faults.extend(landings(stage));
    let runs = stage.verb(&["runs", "-n", "1000"]).exits(0).json();
    for run in runs.as_array().into_iter().flatten() {
        let shown = stage.verb(&["show", run["id"].as_str().expect("an id")]).exits(0).json();
        faults.extend(repeated_steps(&shown));
        faults.extend(wrong_charges(stage, &shown));
        faults.extend(lost_streams(stage, &shown));
    }
    faults.extend(left_behind(stage));
    let live = || [stage.processes(), stage.boxes()].concat();
    // Whoever has done all has yet to go.
    eventually(Duration::from_secs(5), || live().is_empty());
    faults.extend(live().into_iter().map(|pid| format!("lives: {pid}")));
    faults
}

fn strings(stage: &Stage, sql: &str) -> BTreeSet<String> {
    let db = stage.database();
    let mut rows = db.prepare(sql).expect("a statement");
    let found = rows.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    found.map(|row| row.expect("a row")).collect()
}

/// Each open pull request is one ref and one row, and each finding has one at most.
fn doubled_pull_requests(stage: &Stage) -> Vec<String> {
    let refs: BTreeSet<String> = stage.refs("pr").into_iter().map(|(id, commit)| format!("{id} {commit}")).collect();
    let rows = strings(stage, "SELECT id || ' ' || commit_id FROM pull_requests");
    let open = strings(stage, "SELECT id || ' ' || commit_id FROM pull_requests WHERE state = 'open'");
    let twice = "SELECT fingerprint FROM pull_request_findings GROUP BY fingerprint HAVING COUNT(*) > 1";
    let mut faults: Vec<String> = refs.difference(&rows).map(|id| format!("opened without a row: {id}")).collect();
    faults.extend(open.difference(&refs).map(|id| format!("a row without its ref: {id}")));
    faults.extend(strings(stage, twice).iter().map(|finding| format!("two pull requests for {finding}")));
    faults
}

/// The branch has one commit more for each merged row.
fn landings(stage: &Stage) -> Option<String> {
    let merged = strings(stage, "SELECT id FROM pull_requests WHERE state = 'merged'").len();
    let mut git = Command::new("git");
    let said = git.arg("-C").arg(&stage.repo).args(["rev-list", "--count", "main"]).output().expect("git");
    let count: usize = String::from_utf8_lossy(&said.stdout).trim().parse().expect("a count");
    (count != merged + 1).then(|| format!("{merged} merged, and {count} commits on main"))
}

/// A step that has ended is not done again.
fn repeated_steps(shown: &Value) -> Vec<String> {
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    let (mut finished, mut faults, mut builds) = (BTreeSet::new(), Vec::new(), 0);
    for event in shown["journal"].as_array().into_iter().flatten() {
        let id = event["id"].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str() {
            Some("step_started") => {
                let step = &event["step"];
                // A verdict is on the last attempt; everything else says itself what it is about.
                let about = if step["step"] == "build" { String::new() } else { builds.to_string() };
                open.insert(id, format!("{step} {about}"));
            }
            Some("step_finished") => {
                builds += usize::from(event["outcome"]["outcome"] == "built");
                let step = open.remove(&id).unwrap_or_else(|| format!("{id} that never began"));
                if !finished.insert(step.clone()) {
                    faults.push(format!("done twice: {step}"));
                }
            }
            _ => {}
        }
    }
    faults
}

/// What ended is charged what it cost, once; what was cut off is charged what it had reserved.
fn wrong_charges(stage: &Stage, shown: &Value) -> Vec<String> {
    let mut due: BTreeMap<String, u64> = BTreeMap::new();
    for event in shown["journal"].as_array().into_iter().flatten() {
        let id = event["id"].as_str().unwrap_or_default().to_owned();
        let (reserved, outcome) = (event["step"]["reserve"].as_u64(), event["outcome"]["charged"].as_u64());
        match event["type"].as_str() {
            Some("step_started") => drop(reserved.map(|micros| due.insert(id, micros))),
            Some("step_finished") => drop(outcome.map(|micros| due.insert(id, micros))),
            _ => {}
        }
    }
    let run = shown["row"]["id"].as_str().expect("an id");
    let sql = format!("SELECT step || ' ' || micros FROM ledger WHERE kind = 'charge' AND run = '{run}'");
    let charged = strings(stage, &sql);
    let wanted: BTreeSet<String> = due.iter().map(|(id, micros)| format!("{id} {micros}")).collect();
    let total: u64 = due.values().sum();
    let mut faults: Vec<String> =
        charged.symmetric_difference(&wanted).map(|line| format!("charged wrongly: {line}")).collect();
    if shown["row"]["spent"].as_u64() != Some(total) {
        faults.push(format!("{} spent, and {total} due", shown["row"]["spent"]));
    }
    faults
}

/// What a maker said is kept for each attempt that came to its end, and no maker worked that was not written down before.
fn lost_streams(stage: &Stage, shown: &Value) -> Vec<String> {
    let run = shown["row"]["id"].as_str().expect("an id");
    let raw = stage.home.join("data/runs").join(run).join("raw");
    let names = fs::read_dir(raw).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let makers: BTreeSet<String> =
        names.filter_map(|name| Some(name.to_str()?.strip_prefix("maker-")?.to_owned())).collect();
    let events = || shown["journal"].as_array().into_iter().flatten();
    let id = |event: &Value| event["id"].as_str().unwrap_or_default().to_owned();
    let begun: BTreeSet<String> = events().filter(|e| e["step"]["step"] == "build").map(id).collect();
    let built: BTreeSet<String> = events().filter(|e| e["outcome"]["outcome"] == "built").map(id).collect();
    let mut faults: Vec<String> = built.difference(&makers).map(|id| format!("no stream of attempt {id}")).collect();
    faults.extend(makers.difference(&begun).map(|id| format!("a maker worked on {id} unwritten")));
    faults
}

/// Nothing is left of what was cut off.
fn left_behind(stage: &Stage) -> Vec<String> {
    let mut faults = Vec::new();
    for folder in ["ws", "trash"] {
        let left = fs::read_dir(stage.home.join("data").join(folder)).into_iter().flatten().flatten();
        faults.extend(left.map(|entry| format!("left in {folder}: {}", entry.file_name().display())));
    }
    let prepared = fs::read_dir(stage.home.join("cache/prepared")).into_iter().flatten().flatten();
    let half = prepared.map(|e| e.file_name().display().to_string()).filter(|name| name.starts_with("making-"));
    faults.extend(half.map(|name| format!("half made: {name}")));
    let known = strings(stage, "SELECT 'attempt-' || REPLACE(id, '-', '') FROM attempts");
    faults.extend(stage.refs("attempts").into_keys().filter(|name| !known.contains(name)).map(|n| format!("ref {n}")));
    let states = "SELECT state FROM occurrences WHERE state IN ('claimed', 'running') \
                  UNION SELECT fingerprint FROM findings WHERE state LIKE '%acting%'";
    faults.extend(strings(stage, states).into_iter().map(|what| format!("unended: {what}")));
    faults
}
