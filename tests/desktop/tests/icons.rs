//! The rule of the tray's icons: the five states are told apart at 16 pixels by their ink alone, sharp and blurred.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The five states; numerals only stand inside one of them.
const STATES: [&str; 5] = ["idle", "running", "needs-3", "halted", "degraded"];

/// How much of all pixels any two differ by, and how much halted does from any other.
const APART: f64 = 0.08;
const HALTED_APART: f64 = 0.20;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../icons/tray").join(format!("{name}.png"))
}

/// The ink of an icon at 16 pixels, a byte each.
fn ink(name: &str, blurred: bool) -> Vec<u8> {
    let mut command = Command::new("convert");
    command.arg(file(name)).args(["-alpha", "extract", "-resize", "16x16!"]);
    if blurred {
        command.args(["-blur", "0x1"]);
    }
    let output = command.args(["-depth", "8", "gray:-"]).output().expect("convert: apt-get install imagemagick");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 16 * 16);
    output.stdout
}

/// By how much of all pixels two differ; half a pixel of ink is half a pixel.
fn apart(one: &[u8], other: &[u8]) -> f64 {
    let sum: u32 = one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / 255.0 / 256.0
}

/// The pairs that are not told apart.
fn alike(names: &[&str], blurred: bool) -> Vec<String> {
    let inks: Vec<Vec<u8>> = names.iter().map(|name| ink(&format!("{name}-dark-44"), blurred)).collect();
    let pairs = (0..names.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    let found = pairs.filter_map(|(a, b)| {
        let (wanted, found) = match names[a] == "halted" || names[b] == "halted" {
            true => (HALTED_APART, apart(&inks[a], &inks[b])),
            false => (APART, apart(&inks[a], &inks[b])),
        };
        (found < wanted).then(|| format!("{} and {}: {:.1} %", names[a], names[b], found * 100.0))
    });
    found.collect()
}

#[test]
fn any_two_states_are_told_apart_sharp_and_blurred() {
    for blurred in [false, true] {
        assert_eq!(alike(&STATES, blurred), Vec::<String>::new(), "blurred: {blurred}");
        assert!(
            !alike(&["idle", "needs-1", "needs-7"], blurred).is_empty(),
            "two numerals are too much alike: the control"
        );
    }
}

#[test]
fn every_state_is_there_in_every_ink_and_size() {
    let numerals = (1..=9).map(|n| format!("needs-{n}"));
    let names = ["idle", "running", "halted", "degraded", "needs-more"].map(str::to_owned).into_iter().chain(numerals);
    for name in names {
        for ink in ["dark", "light", "outlined"] {
            for size in [22_u32, 44] {
                let path = file(&format!("{name}-{ink}-{size}"));
                let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
                // Width, height, 8 bits of each of four channels.
                assert_eq!((number(16), number(20), bytes[24], bytes[25]), (size, size, 8, 6), "{}", path.display());
            }
        }
    }
}
