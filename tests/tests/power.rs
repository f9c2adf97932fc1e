//! Power cuts: what a process was told is committed is there afterwards, whatever else the disk holds.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use loopwright_engine::home::Home;
use loopwright_engine::store::Store;
use loopwright_tests::dice::Dice;
use loopwright_tests::faults::{Faults, full};
use loopwright_tests::power::{Call, Disk, calls};
use loopwright_tests::{in_memory, tell};

/// Commits of the writer.
const COMMITS: usize = 60;

/// Everything that a writer did in `home`, in order.
fn written(home: &Path, synchronous: &str) -> Vec<Call> {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let mut writer = Command::new(env!("CARGO_BIN_EXE_power_writer"));
    writer.arg(home).arg(COMMITS.to_string()).arg(synchronous);
    Faults::below(home, folder.path()).record(&mut writer, &log);
    let ended = writer.output().expect("the writer");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    calls(&log).expect("the log")
}

/// How many commits the writer had said to be done.
fn told(calls: &[Call]) -> usize {
    let last = calls.iter().rev().find_map(|c| c.wrote("data/told")).map(|d| String::from_utf8_lossy(d).into_owned());
    last.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

/// Whether a store opens, is sound, and has the first `told` commits, and at most one more.
fn holds(root: &Path, told: usize) -> Result<()> {
    let home = Home::under(root);
    home.create(std::time::SystemTime::UNIX_EPOCH.into())?;
    let store = Store::open(&home)?;
    store.verify()?;
    let rows = |sql: &str| store.read().query_row(sql, [], |r| r.get::<_, u32>(0).map(|n| n as usize));
    let (results, last) =
        (rows("SELECT COUNT(*) FROM base_results")?, rows("SELECT COALESCE(MAX(seq), 0) FROM events")?);
    ensure!(results == last, "half of a commit: {results} and {last}");
    ensure!((told..=told + 1).contains(&results), "{results} commits are there, {told} were told");
    Ok(())
}

/// Cuts the power `images` times; returns what was wrong.
fn wrong(synchronous: &str, images: usize, dice: &mut Dice) -> Vec<String> {
    let root = tempfile::tempdir().expect("a folder");
    let calls = written(root.path(), synchronous);
    assert_eq!(told(&calls), COMMITS);
    let mut cuts: Vec<usize> = (0..images).map(|_| dice.below(calls.len() + 1)).collect();
    cuts.sort_unstable();
    let (mut disk, mut taken, mut found) = (Disk::default(), 0, Vec::new());
    for cut in cuts {
        calls[taken..cut].iter().for_each(|call| disk.take(call));
        taken = cut;
        let image = in_memory();
        disk.cut(dice, root.path(), image.path()).expect("an image");
        if let Err(error) = holds(image.path(), told(&calls[..cut])) {
            found.push(format!("after call {cut} of {}: {error:#}", calls.len()));
        }
    }
    found
}

#[test]
fn what_was_told_is_there_after_a_power_cut() {
    let images = if full() { 2000 } else { 300 };
    let mut dice = Dice::seeded("power");
    let found = wrong("FULL", images, &mut dice);
    assert!(found.is_empty(), "{} of {images}: {:#?}", found.len(), &found[..found.len().min(5)]);
    let control = wrong("NORMAL", images / 3, &mut dice);
    tell(&format!("{images} images: 0 wrong; with synchronous=NORMAL {} of {} wrong", control.len(), images / 3));
    assert!(!control.is_empty(), "the control: a sync too few must be seen");
}
