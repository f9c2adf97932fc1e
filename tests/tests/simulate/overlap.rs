//! A thousand ticks under runs that take longer than the time between two of them: never two live runs of one loop, and a row with
//! a reason for each tick that starts nothing (T5).

use chrono::{DateTime, Duration, Utc};
use loopwright_core::ids::RunId;
use loopwright_core::scenario::Scenario;
use loopwright_core::timing::{Overlap, Timing};
use loopwright_engine::api::{Played, Setting};
use loopwright_engine::store::schedules;
use loopwright_tests::tell;
use uuid::Uuid;

use crate::fires::overlaps;
use crate::support::{Row, every, full, looped, played, rows, setting, taking};

/// Each second minute; not whole in a run's time, so that ends fall anywhere.
const EVERY_S: u64 = 120;
const TICKS: usize = 1_000;
const MINUTES: i64 = 2_010;

fn under_long_runs(overlap: Overlap, takes_s: u64) -> (Played, Vec<Row>) {
    let looped = looped("long", Timing { overlap, ..every(EVERY_S) });
    let scenario = Scenario { runs: vec![taking(takes_s)], ..Scenario::default() };
    let setting = setting("2026-12-01 00:00", 0, chrono_tz::Tz::UTC, scenario);
    let setting = Setting { to: setting.from + Duration::minutes(MINUTES), ..setting };
    let played = played(&setting, &[looped]);
    let rows = rows(played.store());
    assert!(rows.len() > TICKS, "{} ticks", rows.len());
    let gaps = rows.windows(2).all(|pair| (pair[1].due_at - pair[0].due_at).num_seconds() == 120);
    assert!(gaps && rows.iter().all(|row| row.times == 1), "each tick has its row");
    (played, rows)
}

fn count(rows: &[Row], state: &str) -> usize {
    rows.iter().filter(|row| row.state == state).count()
}

#[test]
fn never_two_live_runs_and_each_skip_has_its_row() {
    let lengths: &[u64] = if full() { &[30, 119, 120, 121, 1_001, 40_000] } else { &[121, 1_001] };
    for takes_s in lengths.iter().copied() {
        for overlap in [Overlap::Skip, Overlap::Queue, Overlap::CancelPrevious] {
            let (_played, rows) = under_long_runs(overlap, takes_s);
            assert_eq!(overlaps(&rows), Vec::<String>::new(), "{overlap:?} {takes_s}");
            let skipped: Vec<&Row> = rows.iter().filter(|row| row.state == "skipped").collect();
            assert!(skipped.iter().all(|row| !row.reason.is_empty() && row.began.is_none()));
            let started = rows.iter().filter(|row| row.began.is_some()).count();
            let open = rows.iter().filter(|row| !row.is_terminal()).count();
            assert!(open <= 2, "only the last may still live or wait: {open}");
            let all = rows.len();
            match (overlap, takes_s) {
                (_, 30 | 119 | 120) => assert_eq!(started, all, "{overlap:?} {takes_s}"),
                (Overlap::Skip, _) => {
                    let usual = (takes_s.div_ceil(EVERY_S)) as usize;
                    assert_eq!(started, all.div_ceil(usual), "each {usual}th");
                    assert!(skipped.iter().all(|row| row.reason.contains("overlap: skip")), "{:?}", skipped.first());
                }
                (Overlap::Queue, _) => {
                    // One after the other without a pause.
                    let seconds = MINUTES.unsigned_abs() * 60 - EVERY_S;
                    assert_eq!(started as u64, seconds.div_ceil(takes_s), "{takes_s}");
                    assert_eq!(count(&rows, "missed"), 0);
                }
                (Overlap::CancelPrevious, _) => {
                    assert_eq!(started, all, "each has its run");
                    assert_eq!(count(&rows, "halted"), all - 1, "and each but the last was halted for the next");
                }
            }
        }
    }
    tell(&format!("3 policies x {} lengths x {TICKS} ticks and more: never 2 live runs", lengths.len()));
}

/// The control: without the index, the same claims are both taken; and a scheduler that starts at each tick is seen.
#[test]
fn control_without_the_index_and_the_policy_two_runs_live() {
    let claims = |unsafe_: bool| {
        let (played, _) = under_long_runs(Overlap::Skip, 30);
        let db = played.store().read();
        if unsafe_ {
            db.execute_batch("DROP INDEX one_live_occurrence").expect("dropped");
        }
        db.execute_batch("UPDATE occurrences SET state = 'due', run = NULL WHERE state = 'finished'")
            .expect("due again");
        let ids = schedules::waiting(db).expect("read").into_iter().map(|waiting| waiting.id).take(2);
        let claim = |id| {
            let tx = db.unchecked_transaction().expect("a transaction");
            let began = schedules::begin(&tx, id, RunId(Uuid::now_v7()), DateTime::<Utc>::UNIX_EPOCH).expect("asked");
            tx.commit().expect("written");
            began
        };
        ids.map(claim).collect::<Vec<bool>>()
    };
    assert_eq!(claims(false), [true, false]);
    assert_eq!(claims(true), [true, true]);
    let (_played, mut rows) = under_long_runs(Overlap::Skip, 1_001);
    for row in &mut rows {
        row.began = Some(row.due_at);
        row.ended = Some(row.due_at + Duration::seconds(1_001));
    }
    assert!(!overlaps(&rows).is_empty());
}
