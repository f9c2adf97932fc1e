//! Occurrences: every due time and every event of a loop, each with exactly one end.

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// One occurrence that is claimed for a run.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// Its id.
    pub id: OccurrenceId,
    /// Its loop.
    pub loop_id: LoopId,
    /// `manual`, `cron`.
    pub trigger: String,
    /// What makes it the same again: the due time, or the event's id.
    pub key: String,
    /// RFC 3339 UTC.
    pub due_at: String,
    /// When it was claimed, RFC 3339 UTC; the run must begin soon after.
    pub claimed_at: String,
    /// IANA zone.
    pub zone: String,
    /// The run it is claimed for.
    pub run: RunId,
}

/// Stores an occurrence as claimed; `false` if it was there before, or if another one of its loop is claimed or running:
/// a loop never has two live runs, which an index of the table holds.
///
/// # Errors
/// The row can't be written.
pub fn claim(tx: &Transaction<'_>, o: &Occurrence) -> Result<bool> {
    let stored = tx.execute(
        "INSERT OR IGNORE INTO occurrences (id, loop, trigger, key, due_at, claimed_at, zone, state, run) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'claimed', ?8)",
        params![
            o.id.to_string(),
            o.loop_id.to_string(),
            o.trigger,
            o.key,
            o.due_at,
            o.claimed_at,
            o.zone,
            o.run.to_string()
        ],
    );
    Ok(stored.context("storing an occurrence")? == 1)
}

/// Moves an occurrence on at a time: to `running` from `claimed` alone, to an end (`reason` says why) from
/// `running` or `parked`. One that has its end keeps it.
///
/// # Errors
/// Its run would begin though it was given up, or the row can't be written.
pub fn set(tx: &Transaction<'_>, id: OccurrenceId, state: &str, reason: Option<&str>, at: &str) -> Result<()> {
    let (from, ended_at) = match state {
        "running" => (["claimed", "claimed"], None),
        _ => (["running", "parked"], Some(at)),
    };
    let sql = "UPDATE occurrences SET state = ?4, reason = ?5, ended_at = ?6 WHERE id = ?1 AND state IN (?2, ?3)";
    let rows = tx
        .execute(sql, params![id.to_string(), from[0], from[1], state, reason, ended_at])
        .context("moving an occurrence on")?;
    if rows == 0 && state == "running" {
        bail!("this start took too long and was given up: nothing was done; start it again");
    }
    Ok(())
}

/// Parks a running occurrence: it lives, without a process, and its run goes on no earlier than `until`.
///
/// # Errors
/// The row can't be written.
pub fn park(tx: &Transaction<'_>, id: OccurrenceId, until: Option<DateTime<Utc>>, why: &str) -> Result<()> {
    let sql =
        "UPDATE occurrences SET state = 'parked', reason = ?2, not_before = ?3 WHERE id = ?1 AND state = 'running'";
    let until = until.map(crate::steps::stamp);
    tx.execute(sql, params![id.to_string(), why, until]).context("parking an occurrence")?;
    Ok(())
}

/// Lets a parked occurrence run again.
///
/// # Errors
/// The row can't be written.
pub fn unpark(tx: &Transaction<'_>, id: OccurrenceId) -> Result<()> {
    let sql =
        "UPDATE occurrences SET state = 'running', reason = NULL, not_before = NULL WHERE id = ?1 AND state = 'parked'";
    tx.execute(sql, [id.to_string()]).context("letting a parked occurrence run")?;
    Ok(())
}

/// Ends an occurrence whose run `run` did not begin; `false` if it began meanwhile, or another run was claimed for it.
///
/// # Errors
/// The row can't be written.
pub fn give_up(tx: &Transaction<'_>, id: OccurrenceId, run: RunId, why: &str) -> Result<bool> {
    let sql = "UPDATE occurrences SET state = 'failed', reason = ?3 WHERE id = ?1 AND run = ?2 AND state = 'claimed'";
    let rows = tx.execute(sql, params![id.to_string(), run.to_string(), why]).context("giving an occurrence up")?;
    if rows == 0 {
        return Ok(false);
    }
    let about = "SELECT l.name, o.claimed_at FROM occurrences o JOIN loops l ON l.id = o.loop WHERE o.id = ?1";
    let (name, at): (String, String) = tx.query_row(about, [id.to_string()], |r| Ok((r.get(0)?, r.get(1)?)))?;
    super::schedules::follow_failed(tx, &name, run, &at)?;
    Ok(true)
}

/// The occurrence that a run was started for.
///
/// # Errors
/// The row can't be read.
pub fn of_run(db: &Connection, run: RunId) -> Result<Option<Occurrence>> {
    db.query_row(
        "SELECT id, loop, trigger, key, due_at, zone, claimed_at FROM occurrences WHERE run = ?1",
        [run.to_string()],
        |r| {
            Ok(Occurrence {
                id: super::parsed(r, 0)?,
                loop_id: super::parsed(r, 1)?,
                trigger: r.get(2)?,
                key: r.get(3)?,
                due_at: r.get(4)?,
                zone: r.get(5)?,
                claimed_at: r.get(6)?,
                run,
            })
        },
    )
    .optional()
    .context("reading an occurrence")
}

/// Whether a run may still begin.
///
/// # Errors
/// The row can't be read.
pub fn is_claimed(db: &Connection, run: RunId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM occurrences WHERE run = ?1 AND state = 'claimed')";
    db.query_row(sql, [run.to_string()], |r| r.get(0)).context("reading an occurrence")
}

/// Occurrences that are claimed, with the runs that have not begun yet.
///
/// # Errors
/// The rows can't be read.
pub fn not_begun(db: &Connection) -> Result<Vec<(OccurrenceId, RunId)>> {
    let mut rows =
        db.prepare_cached("SELECT id, run FROM occurrences WHERE state = 'claimed' AND run IS NOT NULL ORDER BY id")?;
    let found = rows.query_map([], |r| Ok((super::parsed(r, 0)?, super::parsed(r, 1)?)))?;
    found.collect::<Result<_, _>>().context("reading claimed occurrences")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::store::Store;
    use uuid::Uuid;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::under(folder.path());
        home.create(DateTime::UNIX_EPOCH).expect("home");
        let store = Store::open(&home).expect("opens");
        let rows = "INSERT INTO repos VALUES ('r', '/r');
            INSERT INTO loops (id, name, path, repo, mode, hash, added_at) VALUES (?1, 'n', '/l', 'r', 'ship', 'h', '');";
        store.read().execute_batch(&rows.replace("?1", &format!("'{}'", loop_id()))).expect("a loop");
        (folder, store)
    }

    fn loop_id() -> LoopId {
        LoopId(Uuid::from_u128(7))
    }

    fn occurrence(n: u128, claimed_at: &str) -> Occurrence {
        Occurrence {
            id: OccurrenceId(Uuid::from_u128(n)),
            loop_id: loop_id(),
            trigger: "manual".to_owned(),
            key: n.to_string(),
            due_at: "2026-01-01T00:00:00Z".to_owned(),
            claimed_at: claimed_at.to_owned(),
            zone: "UTC".to_owned(),
            run: RunId(Uuid::from_u128(n)),
        }
    }

    fn state(store: &Store, o: &Occurrence) -> String {
        let sql = "SELECT state FROM occurrences WHERE id = ?1";
        store.read().query_row(sql, [o.id.to_string()], |r| r.get(0)).expect("a state")
    }

    #[test]
    fn one_live_occurrence_of_a_loop_and_the_table_holds_it() {
        let (_folder, mut store) = store();
        let (first, second) = (occurrence(1, "a"), occurrence(2, "a"));
        assert!(store.write(|tx| claim(tx, &first)).expect("claimed"));
        assert!(!store.write(|tx| claim(tx, &second)).expect("asked"));
        let raw = "INSERT INTO occurrences (id, loop, trigger, key, due_at, zone, state) VALUES ('x', ?1, 'm', 'x', '', '', ?2)";
        let insert = |state: &str| store.read().execute(raw, [loop_id().to_string(), state.to_owned()]);
        assert!(insert("running").is_err());
        assert!(insert("missed").is_ok(), "the control: one that does not live");
        store.write(|tx| give_up(tx, first.id, first.run, "gone")).expect("given up");
        assert!(store.write(|tx| claim(tx, &second)).expect("claimed"));
    }

    #[test]
    fn a_run_that_comes_too_late_does_not_begin() {
        let (_folder, mut store) = store();
        let o = occurrence(1, "a");
        store.write(|tx| claim(tx, &o)).expect("claimed");
        let stranger = RunId(Uuid::from_u128(99));
        assert!(!store.write(|tx| give_up(tx, o.id, stranger, "slow")).expect("nothing"), "another run is not meant");
        store.write(|tx| give_up(tx, o.id, o.run, "late")).expect("given up");
        let error = store.write(|tx| set(tx, o.id, "running", None, "t")).expect_err("too late");
        assert!(error.to_string().contains("given up"), "{error}");
        assert_eq!(state(&store, &o), "failed");
    }

    #[test]
    fn what_began_is_not_given_up_and_an_end_is_never_left() {
        let (_folder, mut store) = store();
        let o = occurrence(1, "a");
        store.write(|tx| claim(tx, &o)).expect("claimed");
        store.write(|tx| set(tx, o.id, "running", None, "t")).expect("begun: the control");
        store.write(|tx| give_up(tx, o.id, o.run, "late")).expect("nothing");
        assert_eq!(state(&store, &o), "running");
        for (to, is) in [("finished", "finished"), ("halted", "finished")] {
            store.write(|tx| set(tx, o.id, to, None, "t")).expect("ended");
            assert_eq!(state(&store, &o), is);
        }
    }

    #[test]
    fn what_is_claimed_and_has_not_begun_is_listed() {
        let (_folder, mut store) = store();
        let o = occurrence(1, "2026-01-01T00:05:00Z");
        store.write(|tx| claim(tx, &o)).expect("claimed");
        assert_eq!(not_begun(store.read()).expect("read"), [(o.id, o.run)]);
        store.write(|tx| set(tx, o.id, "running", None, "t")).expect("begun");
        assert_eq!(not_begun(store.read()).expect("read"), []);
    }
}
