//! Writes to a store and says after each commit that it is done, as a process whose power is cut: `power_writer HOME COUNT FULL`.
//! The last word is SQLite's `synchronous`; anything but `FULL` is the unsafe variant.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use loopwright_engine::home::Home;
use loopwright_engine::store::{Store, journal};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().collect();
    let [_, root, count, synchronous] = words.as_slice() else { anyhow::bail!("power_writer HOME COUNT FULL") };
    let home = Home::under(Path::new(root));
    home.create(std::time::SystemTime::UNIX_EPOCH.into())?;
    let mut told = OpenOptions::new().create(true).append(true).open(home.data.join("told"))?;
    let count: usize = count.parse().context("how many")?;
    let mut store = open(&home, synchronous)?;
    for n in 1..=count {
        store.write(|tx| {
            let said = "INSERT INTO base_results (repo, commit_id, key, report, at) VALUES (?1, ?1, '', ?2, '')";
            tx.execute(said, [n.to_string(), format!("it said {n}; ").repeat(n * 37 % 900)])?;
            journal::append(tx, "run/one", &format!("{{\"n\":{n}}}"))
        })?;
        // One write, so that it is one call.
        told.write_all(format!("{n}\n").as_bytes())?;
        if n % 25 == 0 {
            store.back_up_now(&home)?;
        }
        if n % 17 == 0 {
            drop(store);
            store = open(&home, synchronous)?;
        }
    }
    Ok(())
}

fn open(home: &Home, synchronous: &str) -> Result<Store> {
    let store = Store::open(home)?;
    // Often, so that many a cut falls into a checkpoint.
    store.read().pragma_update(None, "wal_autocheckpoint", 30)?;
    if synchronous != "FULL" {
        store.read().pragma_update(None, "synchronous", synchronous)?;
    }
    Ok(store)
}
