//! The book of the template trading-day, read and added up by somebody else than its own scripts.
#![expect(clippy::expect_used, reason = "a helper of tests says what it expected")]

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A whole row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Its name: the run's id, a slash, and a tick or `square-off`.
    pub name: String,
    /// The run.
    pub run: String,
    /// How many were bought; negative where they were sold.
    pub bought: i64,
    /// What one cost, in cents.
    pub price: i64,
}

/// The whole rows of `trades.csv` in a state folder.
pub fn trades(state: &Path) -> Vec<Trade> {
    let text = fs::read_to_string(state.join("trades.csv")).unwrap_or_default();
    let rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>()).filter(|r| r.len() == 7 && r[6] == ".");
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let trade = |r: Vec<&str>| Trade {
        name: r[0].to_owned(),
        run: r[1].to_owned(),
        bought: if r[3] == "BUY" { number(r[4]) } else { -number(r[4]) },
        price: number(r[5]),
    };
    rows.map(trade).collect()
}

/// What is held after all of them.
pub fn held(state: &Path) -> i64 {
    trades(state).iter().map(|trade| trade.bought).sum()
}

/// The reports in a state folder.
pub fn reports(state: &Path) -> Vec<Value> {
    let files = fs::read_dir(state).expect("a state folder").flatten().map(|entry| entry.path());
    let reports = files.filter(|path| path.extension() == Some("json".as_ref()));
    reports.map(|path| serde_json::from_slice(&fs::read(path).expect("a report")).expect("JSON")).collect()
}

/// What is wrong with the end of a run's day: it is flat, was squared off and reported once, and the report adds up.
///
/// # Errors
/// The first fault.
pub fn flat_and_reported(state: &Path, run: &str) -> Result<Value, String> {
    let trades = trades(state);
    let held = held(state);
    if held != 0 {
        return Err(format!("{held} are still held"));
    }
    let ends = trades.iter().filter(|trade| trade.name == format!("{run}/square-off")).count();
    if ends != 1 {
        return Err(format!("squared off {ends} times"));
    }
    let mut reports = reports(state);
    reports.retain(|report| report["run"] == run);
    let [report] = &reports[..] else { return Err(format!("{} reports", reports.len())) };
    let own = || trades.iter().filter(|trade| trade.run == run && trade.bought != 0);
    let sum = |sign: i64| own().filter(|t| t.bought.signum() == sign).map(|t| t.bought.abs() * t.price).sum::<i64>();
    let count = |sign: i64| i64::try_from(own().filter(|t| t.bought.signum() == sign).count()).expect("not so many");
    let sums = [
        ("bought", sum(1)),
        ("sold", sum(-1)),
        ("result", sum(-1) - sum(1)),
        ("purchases", count(1)),
        ("sales", count(-1)),
        ("held", 0),
    ];
    for (field, wanted) in sums {
        if report[field].as_i64() != Some(wanted) {
            return Err(format!("{field} is {wanted}, the report has {report}"));
        }
    }
    let told = fs::read_to_string(state.join("notices.log")).unwrap_or_default().matches(run).count();
    if told == 1 { Ok(report.clone()) } else { Err(format!("told {told} times")) }
}
