//! The ledger under many hands: threads of several processes reserve and settle at random on one database.
//!
//! Every row is replayed in the order of its commit: no sum is ever above its ceiling, and nothing is lost or made.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::{env, thread};

use anyhow::Result;
use chrono::{DateTime, Days, NaiveDate};
use loopwright_core::ids::{LoopId, RunId};
use loopwright_core::ledger::{Bound, Ceiling, Ceilings, Period, Place, Scope};
use loopwright_core::money::Micros;
use loopwright_engine::home::Home;
use loopwright_engine::store::Store;
use loopwright_engine::store::ledger::{Booking, CeilingReached, reserve, settle, verify};
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use uuid::Uuid;

/// Tells a process of these tests that it is a worker, and which.
const WORK: &str = "LOOPWRIGHT_LEDGER_WORK";
const RESULT: &str = "worked: ";
const LOOPS: u64 = 4;
const RUNS_A_DAY: u64 = 3;
/// They lie in two months.
const DAYS: u64 = 6;

/// How much is done, and by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Plan {
    home: std::path::PathBuf,
    seed: u64,
    processes: u64,
    threads: u64,
    operations: u64,
    /// What decides whether an amount fits.
    policy: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Policy {
    /// The ledger's own.
    Ledger,
    /// The control: what settled steps were charged; nobody counts what is still reserved.
    Finished,
}

/// What one worker has done.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sums {
    reserved: u64,
    charged: u64,
    released: u64,
    /// Refusals by the kind of ceiling.
    refused: BTreeMap<String, u64>,
}

impl Plan {
    /// Each loop has another ceiling that is tight, so that every kind is the first to be full somewhere.
    fn ceilings(&self, loop_id: LoopId) -> Ceilings {
        let a_day = self.processes * self.threads * self.operations / DAYS;
        let ceiling = |thousandths: u64, per| Ceiling { amount: Micros(a_day * thousandths * 1000), per };
        let (run, day, month) = match loop_id.0.as_u128() {
            0 => (8, 100, 300),
            1 => (100, 10, 300),
            _ => (100, 100, 14),
        };
        Ceilings {
            loop_name: "deps".to_owned(),
            of_loop: vec![ceiling(day, Period::Day), ceiling(month, Period::Month)],
            of_fleet: vec![ceiling(30, Period::Day), ceiling(80, Period::Month)],
            ..Ceilings::of_run(ceiling(run, Period::Run).amount)
        }
    }
}

#[test]
fn no_sum_is_ever_above_its_ceiling_and_nothing_is_lost() {
    let full = env::var("LOOPWRIGHT_FULL").is_ok_and(|v| v == "1");
    let (processes, threads, operations) = if full { (8, 8, 10_000) } else { (2, 4, 500) };
    let (dir, plan) = stage(processes, threads, operations, Policy::Ledger);
    let sums = work(&plan);
    let db = Connection::open(Home::under(dir.path()).database()).expect("opens");
    assert_eq!(verify(&db).expect("compares"), [], "kept sums and rows differ; seed {}", plan.seed);
    let (breaches, rows) = replayed(&db, &plan);
    assert_eq!(breaches, [""; 0], "seed {}", plan.seed);
    assert_eq!(rows, [sums.reserved, sums.charged, sums.released], "seed {}", plan.seed);
    println!(
        "{} operations by {} threads of {processes} processes, seed {}; refusals: {:?}",
        processes * threads * operations,
        processes * threads,
        plan.seed,
        sums.refused
    );
    for kind in ["run", "loop day", "loop month", "fleet day", "fleet month"] {
        assert!(sums.refused.contains_key(kind), "no {kind} was ever full; seed {}: {:?}", plan.seed, sums.refused);
    }
}

#[test]
fn the_control_that_counts_only_what_is_finished_passes_its_ceilings() {
    let (dir, plan) = stage(2, 4, 150, Policy::Finished);
    work(&plan);
    let db = Connection::open(Home::under(dir.path()).database()).expect("opens");
    let (breaches, _) = replayed(&db, &plan);
    println!("{} breaches, seed {}", breaches.len(), plan.seed);
    assert!(!breaches.is_empty(), "seed {}", plan.seed);
}

#[test]
fn a_sum_that_was_tampered_with_is_found() {
    let (dir, plan) = stage(1, 1, 1000, Policy::Ledger);
    work(&plan);
    let db = Connection::open(Home::under(dir.path()).database()).expect("opens");
    assert_eq!(verify(&db).expect("compares"), []);
    db.execute("UPDATE ledger_totals SET committed = committed + 1 WHERE scope LIKE 'fleet/____-__-__'", [])
        .expect("tampered");
    assert!(!verify(&db).expect("compares").is_empty());
    db.execute("DELETE FROM ledger_totals", []).expect("tampered");
    assert!(!verify(&db).expect("compares").is_empty());
}

/// Not a test of its own: what the others start as processes.
#[test]
fn worker() {
    let Ok(text) = env::var(WORK) else { return };
    let plan: Plan = serde_json::from_str(&text).expect("a plan");
    let mut sums = Sums::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.threads)
            .map(|thread| {
                scope.spawn({
                    let plan = &plan;
                    move || hands(plan, plan.seed.wrapping_mul(1_000_003) + thread)
                })
            })
            .collect();
        for thread in threads {
            sums.add(thread.join().expect("a thread"));
        }
    });
    println!("\n{RESULT}{}", serde_json::to_string(&sums).expect("JSON"));
}

impl Sums {
    fn add(&mut self, other: Sums) {
        self.reserved += other.reserved;
        self.charged += other.charged;
        self.released += other.released;
        for (kind, count) in other.refused {
            *self.refused.entry(kind).or_default() += count;
        }
    }
}

/// Durability is not asked here, so the database lies in memory where that is possible.
fn stage(processes: u64, threads: u64, operations: u64, policy: Policy) -> (TempDir, Plan) {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
    let home = Home::under(dir.path());
    home.create(DateTime::UNIX_EPOCH).expect("a home");
    drop(Store::open(&home).expect("opens"));
    let seed =
        env::var("LOOPWRIGHT_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| fastrand::u64(..1 << 40));
    let plan = Plan { home: dir.path().to_owned(), seed, processes, threads, operations, policy };
    (dir, plan)
}

/// Starts the workers, compares the sums as long as they work, and adds up what they say.
fn work(plan: &Plan) -> Sums {
    let me = env::current_exe().expect("this program");
    let start = |process: u64| -> Child {
        let plan = serde_json::to_string(&Plan { seed: plan.seed + process * 7919, ..plan.clone() }).expect("JSON");
        let mut command = Command::new(&me);
        command.args(["worker", "--exact", "--nocapture"]).env(WORK, plan).stdout(Stdio::piped());
        command.spawn().expect("starts")
    };
    let mut workers: Vec<Child> = (0..plan.processes).map(start).collect();
    let db = Connection::open(Home::under(&plan.home).database()).expect("opens");
    while workers.iter_mut().any(|w| w.try_wait().expect("asks").is_none()) {
        if plan.policy == Policy::Ledger {
            assert_eq!(verify(&db).expect("compares"), [], "while they work; seed {}", plan.seed);
        }
        // Whoever compares reads from one moment, and the log can't be folded in behind a reader: not all the time.
        thread::park_timeout(std::time::Duration::from_millis(200 * plan.processes * plan.processes));
    }
    let mut sums = Sums::default();
    for worker in workers {
        let output = worker.wait_with_output().expect("its output");
        assert!(output.status.success(), "a worker failed; seed {}", plan.seed);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|l| l.strip_prefix(RESULT)).expect("a result");
        sums.add(serde_json::from_str(line).expect("JSON"));
    }
    sums
}

/// One thread's work: reserve, settle, forget (a crash), close and open again.
fn hands(plan: &Plan, seed: u64) -> Sums {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut store = opened(plan);
    let (mut open, mut sums): (Vec<(Uuid, u64)>, Sums) = (Vec::new(), Sums::default());
    for operation in 0..plan.operations {
        match random.u16(..1000) {
            0..550 => {
                let (step, amount) = (Uuid::from_u128(random.u128(..)), random.u64(1..1_000_000));
                let place = place(&mut random, operation * DAYS / plan.operations);
                match try_reserve(plan, &mut store, &place, step, Micros(amount)) {
                    None => {
                        sums.reserved += amount;
                        open.push((step, amount));
                    }
                    Some(full) => *sums.refused.entry(kind(full.bound.scope).to_owned()).or_default() += 1,
                }
            }
            550..950 if !open.is_empty() => {
                let (step, amount) = open.swap_remove(random.usize(..open.len()));
                let charge = random.u64(..=amount);
                store.write(|tx| settled(plan, tx, step, amount, charge)).expect("settles");
                sums.charged += charge;
                sums.released += amount;
            }
            // It crashed: nobody settles what it has reserved.
            950..998 => open.truncate(open.len() / 2),
            998.. => store = opened(plan),
            _ => {}
        }
    }
    sums
}

fn opened(plan: &Plan) -> Store {
    let store = Store::open(&Home::under(&plan.home)).expect("opens");
    // Runs and loops are rows of other tables; here only the ledger is written, by more hands than ever in life.
    store.read().pragma_update(None, "foreign_keys", "OFF").expect("off");
    store.read().busy_timeout(std::time::Duration::from_secs(600)).expect("patient");
    store
}

fn place(random: &mut fastrand::Rng, day: u64) -> Place {
    let date = NaiveDate::from_ymd_opt(2026, 11, 28).expect("a day") + Days::new(day);
    // Some loops and runs are busier than others.
    let loop_number = random.u64(..LOOPS).min(random.u64(..LOOPS));
    let run = 1000 + (day * LOOPS + loop_number) * RUNS_A_DAY + random.u64(..RUNS_A_DAY).min(random.u64(..RUNS_A_DAY));
    Place {
        run: RunId(Uuid::from_u128(run.into())),
        loop_id: LoopId(Uuid::from_u128(loop_number.into())),
        day: date,
        // Another zone: there it is the next day already.
        fleet_day: if random.u8(..4) == 0 { date + Days::new(1) } else { date },
    }
}

fn try_reserve(plan: &Plan, store: &mut Store, place: &Place, step: Uuid, amount: Micros) -> Option<CeilingReached> {
    let ceilings = plan.ceilings(place.loop_id);
    let on = Booking { place: *place, step, at: "2026-11-28T00:00:00Z" };
    let done = store.write(|tx| match plan.policy {
        Policy::Ledger => reserve(tx, &on, amount, &ceilings),
        Policy::Finished => {
            ceilings.hold(place, amount, |scope| finished(tx, scope))?;
            row(tx, &on, "reserve", amount.0)
        }
    });
    done.err().map(|error| error.downcast().expect("nothing but a full ceiling"))
}

fn settled(plan: &Plan, tx: &Transaction<'_>, step: Uuid, amount: u64, charge: u64) -> Result<()> {
    if plan.policy == Policy::Ledger {
        return settle(tx, step, Micros(charge), "2026-11-28T00:00:00Z");
    }
    let again = "INSERT INTO ledger (run, loop, day, fleet_day, step, kind, micros, at) \
                 SELECT run, loop, day, fleet_day, step, ?2, ?3, at FROM ledger WHERE step = ?1 AND kind = 'reserve'";
    tx.execute(again, params![step.to_string(), "charge", i64::try_from(charge)?])?;
    tx.execute(again, params![step.to_string(), "release", i64::try_from(amount)?])?;
    Ok(())
}

/// What settled steps were charged in a scope.
fn finished(tx: &Transaction<'_>, scope: Scope) -> Result<Micros> {
    let text = scope.to_string();
    let of = "SELECT COALESCE(SUM(micros), 0) FROM ledger WHERE kind = 'charge' AND ?1 = ";
    let key = match scope {
        Scope::Run(_) => "'run/' || run",
        Scope::LoopDay(..) => "'loop/' || loop || '/' || day",
        Scope::LoopMonth(..) => "'loop/' || loop || '/' || substr(day, 1, 7)",
        Scope::FleetDay(_) => "'fleet/' || fleet_day",
        Scope::FleetMonth(_) => "'fleet/' || substr(fleet_day, 1, 7)",
    };
    let sum: i64 = tx.query_row(&format!("{of}{key}"), [text], |r| r.get(0))?;
    Ok(Micros(sum.unsigned_abs()))
}

fn row(tx: &Transaction<'_>, on: &Booking<'_>, kind: &str, micros: u64) -> Result<()> {
    let (place, step, micros) = (on.place, on.step.to_string(), i64::try_from(micros)?);
    tx.execute(
        "INSERT INTO ledger (run, loop, day, fleet_day, step, kind, micros, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![place.run.to_string(), place.loop_id.to_string(), place.day.to_string(), place.fleet_day.to_string(), step, kind, micros, on.at],
    )?;
    Ok(())
}

/// Every breach in the order of the commits, and the sums of reservations, charges and releases.
fn replayed(db: &Connection, plan: &Plan) -> (Vec<String>, [u64; 3]) {
    let mut rows =
        db.prepare("SELECT run, loop, day, fleet_day, kind, micros, step FROM ledger ORDER BY id").expect("rows");
    let mut rows = rows.query([]).expect("rows");
    let (mut sums, mut kinds): (BTreeMap<Scope, i64>, [u64; 3]) = Default::default();
    let mut breaches = Vec::new();
    while let Some(r) = rows.next().expect("a row") {
        let text = |at: usize| r.get::<_, String>(at).expect("text");
        let (kind, micros): (String, i64) = (text(4), r.get(5).expect("an amount"));
        let place = Place {
            run: text(0).parse().expect("an id"),
            loop_id: text(1).parse().expect("an id"),
            day: text(2).parse().expect("a day"),
            fleet_day: text(3).parse().expect("a day"),
        };
        let (at, signed) = match kind.as_str() {
            "reserve" => (0, micros),
            "charge" => (1, micros),
            _ => (2, -micros),
        };
        kinds[at] += micros.unsigned_abs();
        for scope in place.scopes() {
            *sums.entry(scope).or_default() += signed;
        }
        // A charge and its release are one transaction: what lies between was never there for others.
        if at != 1 {
            let above = |b: &Bound| sums[&b.scope] > i64::try_from(b.ceiling.amount.0).expect("fits");
            let bounds = plan.ceilings(place.loop_id).bounds(&place).into_iter().filter(above);
            breaches.extend(bounds.map(|b| format!("{} at {b}", sums[&b.scope])));
        }
    }
    (breaches, kinds)
}

fn kind(scope: Scope) -> &'static str {
    match scope {
        Scope::Run(_) => "run",
        Scope::LoopDay(..) => "loop day",
        Scope::LoopMonth(..) => "loop month",
        Scope::FleetDay(_) => "fleet day",
        Scope::FleetMonth(_) => "fleet month",
    }
}
