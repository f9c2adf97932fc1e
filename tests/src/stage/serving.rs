//! A scheduler that runs beside the test, and the clocks that the programs of a stage go by.

use std::fs;
use std::process::{Child, Command, Output, Stdio};

use chrono::{DateTime, Utc};
use loopwright_core::fleet::{Entry, FleetEvent};
use loopwright_core::scheduler::SchedulerBeat;
use loopwright_engine::home::Home;
use loopwright_engine::store::{Store, fleet};

use super::{Stage, wait_for};
use crate::nasty::signal;

/// A scheduler; it is ended with this.
pub struct Serving {
    child: Option<Child>,
}

impl Serving {
    /// Its process.
    pub fn pid(&self) -> i32 {
        self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok()).expect("a process")
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Its output, once it has ended by itself.
    pub fn ended(mut self) -> Output {
        let child = self.child.take().expect("a process");
        child.wait_with_output().expect("its output")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(i32::try_from(child.id()).unwrap_or_default(), "CONT");
            signal(i32::try_from(child.id()).unwrap_or_default(), "TERM");
            let _ = child.wait();
        }
    }
}

impl Stage {
    /// Starts a scheduler and waits for its first pass.
    pub fn serve(&self) -> Serving {
        let serving = self.serve_by(&mut self.command(&["serve", "--json"]));
        wait_for("a first pass", || self.beat().filter(|beat| beat.pid == serving.pid()));
        serving
    }

    /// Starts a scheduler by a command and does not wait for it. The command's own process becomes it.
    pub fn serve_by(&self, command: &mut Command) -> Serving {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        Serving { child: Some(child) }
    }

    /// The last beat of a scheduler.
    pub fn beat(&self) -> Option<SchedulerBeat> {
        SchedulerBeat::parse(&fs::read(self.home.join("state/scheduler")).ok()?)
    }

    /// Waits until a scheduler has made a pass after this moment.
    pub fn after_a_pass(&self) {
        let before = self.beat().map(|beat| beat.reading);
        wait_for("a pass", || (self.beat().map(|beat| beat.reading) != before).then_some(()));
    }

    /// Puts the clocks of all programs of this stage: seconds by which the wall clock is set, seconds that the computer has
    /// slept.
    pub fn put_clock(&self, set: i64, slept: u32) {
        let (next, file) = (self.beside("clock.next"), self.clock());
        fs::write(&next, format!("{set} {slept}")).expect("a clock");
        fs::rename(next, file).expect("a clock");
    }

    /// Puts the clocks, and waits until the scheduler has made a pass by them.
    pub fn put_clock_and_pass(&self, set: i64, slept: u32) {
        self.put_clock(set, slept);
        let ahead = chrono::Duration::seconds(set + i64::from(slept));
        wait_for("a pass by the new clock", || {
            let at = self.beat()?.reading.at;
            ((Utc::now() + ahead - at).abs() < chrono::Duration::seconds(20)).then_some(())
        });
    }

    /// The file that puts the clocks of this stage.
    pub(super) fn clock(&self) -> std::path::PathBuf {
        self.beside("clock")
    }

    /// What happened to all loops together.
    pub fn fleet(&self) -> Vec<FleetEvent> {
        let store = Store::open(&Home::under(&self.home)).expect("the store");
        fleet::all(store.read()).expect("events").into_iter().map(|Entry { event, .. }| event).collect()
    }

    /// `due_at state reason` of each occurrence, the oldest first.
    pub fn ledger(&self) -> Vec<(DateTime<Utc>, String, String)> {
        let db = self.database();
        let sql = "SELECT due_at, state, COALESCE(reason, '') FROM occurrences ORDER BY due_at, id";
        let mut rows = db.prepare(sql).expect("a statement");
        let read = rows.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?))).expect("rows");
        read.map(|row| row.expect("a row")).map(|(at, state, why)| (at.parse().expect("a time"), state, why)).collect()
    }

    /// How many occurrences are in a state.
    pub fn in_state(&self, state: &str) -> usize {
        self.ledger().iter().filter(|(_, s, _)| s == state).count()
    }

    /// A stage with a small repository, and a loop `work` that reports, with these lines for when it starts.
    pub fn scheduled(timing: &str) -> Stage {
        let stage = Stage::empty();
        stage.write("README.md", "A small project.\n");
        stage.git(&["init", "--quiet", "--initial-branch=main"]);
        stage.commit("one");
        stage.add_scheduled("work", timing);
        stage
    }

    /// Adds such a loop.
    pub fn add_scheduled(&self, name: &str, timing: &str) {
        let text = format!(
            "name: {name}\nrepo: {:?}\n{timing}\nsteps:\n  - discover: {{run: open_issues, write_to: state/triage.md}}\n\
             guardrails: {{max_iterations: 3, budget: $1/run, halt_on: no_progress(2)}}\nenv: {{STAGE: {}}}\n",
            self.repo, self.mark
        );
        let path = self.personal_text(name, &text, &[]);
        self.add(&path.display().to_string(), false);
    }
}
