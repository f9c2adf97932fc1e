//! What must hold when a test is over: nobody lives, nothing lies about, the journal and the ledger are whole.

use std::fs;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::Stage;
use crate::nasty::signal;

/// How long processes may take to be gone after a verb said so.
const GOODBYE: Duration = Duration::from_secs(20);

impl Drop for Stage {
    fn drop(&mut self) {
        let left = self.wait_until_nobody_lives();
        for pid in &left {
            signal(*pid, "KILL");
        }
        // A test that failed has said why; what it left behind would only bury that.
        if !std::thread::panicking() {
            assert!(left.is_empty(), "processes outlived the test: {left:?}");
            self.assert_untouched();
            if self.home.join("data/loopwright.db").exists() {
                // One pass of what every acting verb does first; after it nothing of an earlier run may be left.
                self.verb(&["status"]).exits(0);
            }
            self.assert_no_workspace();
            self.assert_journals();
            self.assert_ledger();
        }
    }
}

impl Stage {
    fn wait_until_nobody_lives(&self) -> Vec<i32> {
        let until = Instant::now() + GOODBYE;
        loop {
            let left = self.processes();
            if left.is_empty() || Instant::now() > until || std::thread::panicking() {
                return left;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn assert_no_workspace(&self) {
        let entries = fs::read_dir(self.home.join("data/ws")).into_iter().flatten().flatten();
        let left: Vec<_> = entries.map(|e| e.file_name()).collect();
        assert!(left.is_empty(), "workspaces were left: {left:?}");
    }

    fn assert_journals(&self) {
        if !self.home.join("data/loopwright.db").exists() {
            return;
        }
        let runs = self.verb(&["runs", "-n", "1000"]).exits(0).json();
        for run in runs.as_array().into_iter().flatten() {
            let id = run["id"].as_str().expect("an id");
            let shown = self.verb(&["show", id]).exits(0).json();
            assert_eq!(shown["intact"], true, "the journal of run {id} is broken");
            assert!(!shown["row"]["end"].is_null(), "run {id} never ended: {}", shown["row"]);
        }
    }

    /// What was reserved was released, what was charged had been reserved, and every occurrence has its end.
    fn assert_ledger(&self) {
        let path = self.home.join("data/loopwright.db");
        if !path.exists() {
            return;
        }
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
        let intact: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
        assert_eq!(intact, "ok");
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
        let sum = |kind: &str| count(&format!("SELECT COALESCE(SUM(micros), 0) FROM ledger WHERE kind = '{kind}'"));
        assert_eq!(sum("reserve"), sum("release"), "reservations and releases differ");
        let endless = "SELECT COUNT(*) FROM occurrences \
                       WHERE state NOT IN ('finished', 'halted', 'failed', 'missed', 'skipped')";
        assert_eq!(count(endless), 0, "an occurrence has no end");
        let orphans = "SELECT COUNT(*) FROM ledger c WHERE c.kind <> 'reserve' AND NOT EXISTS \
                       (SELECT 1 FROM ledger r WHERE r.step = c.step AND r.kind = 'reserve')";
        assert_eq!(count(orphans), 0, "charges without a reservation");
        assert_eq!(sum("charge"), count("SELECT COALESCE(SUM(spent), 0) FROM runs"), "runs and ledger differ");
        // What a repair booked belongs to attempts that nobody knows any more.
        let known = "cause <> 'repair' AND COALESCE(ended, '') NOT LIKE '%its books were lost%'";
        let attempts = "SELECT COALESCE(SUM(charged + verify_charged), 0) FROM attempts WHERE run IN";
        let attempts = count(&format!("{attempts} (SELECT id FROM runs WHERE {known})"));
        let told = count(&format!("SELECT COALESCE(SUM(spent), 0) FROM runs WHERE {known}"));
        assert_eq!(told, attempts, "runs and their attempts differ");
        // A sum per run, day and month is kept beside the rows: each adds up to all of them.
        for kept in ["run/%", "loop/%/____-__-__", "loop/%/____-__", "fleet/____-__-__", "fleet/____-__"] {
            let all =
                count(&format!("SELECT COALESCE(SUM(committed), 0) FROM ledger_totals WHERE scope LIKE '{kept}'"));
            assert_eq!(all, sum("charge"), "the sums of {kept} differ from the rows");
        }
    }
}
