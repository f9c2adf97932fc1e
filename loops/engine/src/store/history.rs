//! The ledger of all loops with the runs that came of it, the newest first, a page at a time.
//!
//! Which rows a person looks for is decided by the caller: he is handed one row after the other.

use std::ops::ControlFlow;

use anyhow::{Context as _, Result};
use loopwright_core::history::{Facts, RunFacts};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::run::End;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

/// A due time or an event, with its run.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its id.
    pub id: OccurrenceId,
    /// The loop's name now.
    pub loop_name: String,
    /// The word of its trigger.
    pub trigger: String,
    /// When it was due, RFC 3339 UTC; the first of many.
    pub due_at: String,
    /// The last of many with one fate, RFC 3339 UTC.
    pub until_at: Option<String>,
    /// How many they are.
    pub times: u64,
    /// The zone of its times.
    pub zone: String,
    /// The word of the ledger.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// It goes on no earlier than this, RFC 3339 UTC.
    pub not_before: Option<String>,
    /// Its run, once that began.
    pub run: Option<RunPart>,
}

/// What a row tells of its run.
#[derive(Clone, Debug)]
pub struct RunPart {
    /// Its id.
    pub id: RunId,
    /// RFC 3339 UTC.
    pub started_at: String,
    /// RFC 3339 UTC.
    pub ended_at: Option<String>,
    /// How it ended.
    pub end: Option<End>,
    /// Charged.
    pub spent: Micros,
    /// The ceiling.
    pub budget: Micros,
    acted: u32,
    handed_over: u32,
    pull_requests: u32,
    code: Option<u8>,
    chores: u32,
    last_steps: Option<String>,
}

impl Record {
    /// What its words are made of; `parked`: what it waits for.
    pub fn facts<'a>(&'a self, parked: Option<&'a str>) -> Facts<'a> {
        let run = self.run.as_ref().map(|run| RunFacts {
            end: run.end.as_ref(),
            code: run.code,
            pull_requests: run.pull_requests,
            handed_over: run.handed_over,
            acted: run.acted,
            chores: run.chores,
            parked,
            last_steps: run.last_steps.as_deref(),
        });
        Facts { state: &self.state, reason: self.reason.as_deref(), times: self.times, run }
    }
}

/// Which rows are read.
#[derive(Clone, Debug, Default)]
pub struct Which<'a> {
    /// Only those of this loop.
    pub of_loop: Option<LoopId>,
    /// Only those in one of these states; empty = in any.
    pub states: &'a [&'a str],
    /// Only those before this one: its due time and id.
    pub before: Option<(String, OccurrenceId)>,
}

/// The states of which an index knows the rows, in the order of time.
const SELDOM: [&str; 4] = ["missed", "skipped", "failed", "halted"];
/// The states of rows without an end: there are few, and another index knows them.
const OPEN: [&str; 4] = ["due", "claimed", "running", "parked"];

const COLUMNS: &str = "SELECT o.id, l.name, o.trigger, o.due_at, o.until_at, o.times, o.zone, o.state, o.reason, o.not_before, \
                       r.id, r.started_at, r.ended_at, r.ended, r.spent, r.budget, r.acted, r.handed_over, r.pull_requests, \
                       r.code, r.chores, r.last_steps FROM occurrences o";

const JOINED: &str = "JOIN loops l ON l.id = o.loop LEFT JOIN runs r ON r.id = o.run";

/// Hands over one row after the other, the newest first, until `look` has seen enough or `most` were read; whether that was all.
///
/// # Errors
/// A row can't be read.
pub fn each(
    db: &Connection,
    which: &Which<'_>,
    most: u32,
    mut look: impl FnMut(Record) -> ControlFlow<()>,
) -> Result<bool> {
    let (sql, values) = statement(which, most);
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values)).context("reading the history")?;
    let mut read = 0;
    while let Some(row) = rows.next().context("reading the history")? {
        read += 1;
        if look(record(row).context("reading a row of the history")?).is_break() {
            return Ok(false);
        }
    }
    Ok(read < most)
}

/// One row.
///
/// # Errors
/// It can't be read.
pub fn one(db: &Connection, id: OccurrenceId) -> Result<Option<Record>> {
    let mut row = db.prepare_cached(&format!("{COLUMNS} {JOINED} WHERE o.id = ?1"))?;
    row.query_row([id.to_string()], record).optional().context("reading a row of the history")
}

/// The row of a run.
///
/// # Errors
/// It can't be read.
pub fn of_run(db: &Connection, run: RunId) -> Result<Option<Record>> {
    let mut row = db.prepare_cached(&format!("{COLUMNS} {JOINED} WHERE o.run = ?1"))?;
    row.query_row([run.to_string()], record).optional().context("reading the row of a run")
}

/// The statement in which an index leads to the rows, whatever is asked for.
fn statement(which: &Which<'_>, most: u32) -> (String, Vec<Value>) {
    let (mut wanted, mut hint): (Vec<String>, &str) = (Vec::new(), "");
    let mut values: Vec<Value> = Vec::new();
    let mut value = |text: String| {
        values.push(Value::Text(text));
        format!("?{}", values.len())
    };
    if let Some(id) = which.of_loop {
        wanted.push(format!("o.loop = {}", value(id.to_string())));
    }
    match which.states {
        [] => {}
        [one] if SELDOM.contains(one) && which.of_loop.is_none() => {
            // In the words of the index on them.
            wanted.push("o.state IN ('missed', 'skipped', 'failed', 'halted')".to_owned());
            wanted.push(format!("o.state = {}", value((*one).to_owned())));
        }
        several => {
            if several.iter().all(|state| OPEN.contains(state)) {
                hint = " INDEXED BY open_occurrences";
                wanted.push("o.state IN ('due', 'claimed', 'running', 'parked')".to_owned());
            }
            let listed: Vec<String> = several.iter().map(|state| value((*state).to_owned())).collect();
            // The order by time leads, not the states.
            wanted.push(format!("+o.state IN ({})", listed.join(", ")));
        }
    }
    if let Some((due_at, id)) = &which.before {
        let (due_at, id) = (value(due_at.clone()), value(id.to_string()));
        wanted.push(format!("(o.due_at, o.id) < ({due_at}, {id})"));
    }
    let wanted = if wanted.is_empty() { String::new() } else { format!(" WHERE {}", wanted.join(" AND ")) };
    (format!("{COLUMNS}{hint} {JOINED}{wanted} ORDER BY o.due_at DESC, o.id DESC LIMIT {most}"), values)
}

fn record(r: &Row<'_>) -> rusqlite::Result<Record> {
    let run = match r.get::<_, Option<String>>(10)? {
        Some(_) => Some(run(r)?),
        None => None,
    };
    Ok(Record {
        id: super::parsed(r, 0)?,
        loop_name: r.get(1)?,
        trigger: r.get(2)?,
        due_at: r.get(3)?,
        until_at: r.get(4)?,
        times: r.get::<_, i64>(5)?.unsigned_abs(),
        zone: r.get(6)?,
        state: r.get(7)?,
        reason: r.get(8)?,
        not_before: r.get(9)?,
        run,
    })
}

fn run(r: &Row<'_>) -> rusqlite::Result<RunPart> {
    Ok(RunPart {
        id: super::parsed(r, 10)?,
        started_at: r.get(11)?,
        ended_at: r.get(12)?,
        end: super::json_or_none(r, 13)?,
        spent: super::micros(r, 14)?,
        budget: super::micros(r, 15)?,
        acted: r.get(16)?,
        handed_over: r.get(17)?,
        pull_requests: r.get(18)?,
        code: r.get(19)?,
        chores: r.get(20)?,
        last_steps: r.get(21)?,
    })
}
