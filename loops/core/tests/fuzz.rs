//! Loop files and settings that nobody wrote: mutated bytes, tokens and lines, and pieces of one file in another.
//! No panic, no hang, every diagnostic has its place inside the file, and what is accepted reads the same when it is printed.
//! Three seconds, or sixty with `LOOPWRIGHT_FULL=1`.
#![expect(clippy::disallowed_methods, reason = "the samples are files, and a fuzzer has a clock; the core has neither")]
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test says what it expected, and how much ran")]
#![expect(clippy::disallowed_types, reason = "a fuzzer runs for so long; the core that it drives has no clock")]

mod printed;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use loopwright_core::definition::{Definition, read_bytes, settings};
use loopwright_core::diagnostic::Diagnostic;
use printed::printed;

/// The longest that one input may take; a debug build on a busy machine is slow.
const A_HANG: Duration = Duration::from_secs(5);
/// Longer inputs are cut: the reader refuses them anyway.
const LONGEST: usize = 20_000;

/// What loop files are made of.
const TOKENS: [&str; 96] = [
    "name:",
    "trigger:",
    "cron(\"",
    "0 9 * * MON-FRI",
    "\")",
    "manual",
    "every(5m)",
    "steps:",
    "- discover:",
    "- act:",
    "- verify:",
    "- ship:",
    "run:",
    "write_to:",
    "state/triage.md",
    "for_each:",
    "finding in ",
    "spawn:",
    "(finding)",
    "parallel:",
    "agent:",
    "check:",
    " AND ",
    " OR ",
    "NOT ",
    "(",
    ")",
    "tests_pass",
    "diff_reasonable",
    "if:",
    "verified",
    "open_pr",
    " + ",
    "guardrails:",
    "max_iterations:",
    "budget:",
    "$5/run",
    "[$5/run, $20/day]",
    "halt_on:",
    "no_progress(2)",
    "max_duration:",
    "45m",
    "agents:",
    "{command: [./a.sh], price: $0}",
    "checks:",
    "setup:",
    "env:",
    "retry: {times: 3, every: 30s}",
    "review: {max_open: 3}",
    "independence: vendor",
    "timezone: Europe/Berlin",
    "zone: Europe/Paris",
    "trigger: [every(15m), manual]",
    "cron(\"@daily\")",
    "cron('0 9 L,15W * MON#1')",
    "at(\"2026-12-01 08:25\")",
    "after(other, failed)",
    "file(\"in/**/*.csv\")",
    "wake: true",
    "catch_up: {how: all(5), within: 6h}",
    "catch_up: skip",
    "overlap: queue(1)",
    "cancel_previous",
    "jitter: 5m",
    "quiet_hours: \"22:00-07:00\"",
    "battery: wait",
    "- run:",
    "- run: ./x.sh",
    "- run: {name: b, command: [./b.sh], service: true, until: exit(a)}",
    "- wait: {until: \"15:30\"}",
    "- finally:",
    "command: [./x]",
    "service: true",
    "until:",
    "file(\"state/stop\")",
    "exit(engine)",
    "max: 10m",
    "network: [a.example, localhost:80]",
    "read: [~/in]",
    "write: [/srv/out]",
    "idempotent: true",
    "2d",
    "15:30",
    "\t",
    "\n",
    "  ",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "|\n",
    ">-\n",
    "\u{feff}",
    "\u{202e}",
    "\"",
    "'",
];

/// A loop of chores, to be mutated too.
const CHORES: &str = "name: day\ntrigger:\n  - cron(\"25 8 * * MON-FRI\")\n  - after(prices)\ntimezone: Europe/Berlin\nsteps:\n\
    \x20 - run: {name: login, command: [./login.sh], retry: {times: 2, every: 30s}, network: [broker.example]}\n\
    \x20 - run:\n      name: engine\n      command: ./engine.sh --paper\n      service: true\n      until: 15:30\n\
    \x20 - run: {name: monitor, command: [./m.sh], service: true, until: exit(engine), read: [~/in], write: [/srv/out]}\n\
    \x20 - wait: {until: file(\"state/stop\")}\n  - finally:\n      max: 2m\n      steps:\n        - run: ./report.sh\n";

/// The samples that are wrong, and what ships.
fn corpus() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![root.join("tests/samples/seed/loop.yaml")];
    for folder in ["tests/samples/bad", "loops/templates"] {
        for entry in fs::read_dir(root.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            files.push(if path.is_dir() { path.join("loop.yaml") } else { path });
        }
    }
    files.sort();
    let read = files.iter().filter_map(|path| fs::read(path).ok());
    read.chain([CHORES.as_bytes().to_vec()]).filter(|text| text.len() <= LONGEST).collect()
}

fn mutated(random: &mut Rng, corpus: &[Vec<u8>], good: &[Vec<u8>]) -> Vec<u8> {
    let from = if random.bool() { good } else { corpus };
    let mut text = random.choice(from).expect("a sample").clone();
    for _ in 0..random.usize(1..6) {
        mutate(random, corpus, &mut text);
    }
    text.truncate(LONGEST);
    text
}

fn mutate(random: &mut Rng, corpus: &[Vec<u8>], text: &mut Vec<u8>) {
    let at = random.usize(..=text.len());
    let end = (at + random.usize(..40)).min(text.len());
    match random.u8(..10) {
        0 if at < text.len() => text[at] = random.u8(..),
        1 => drop(text.drain(at..end)),
        2 => text.insert(at, *random.choice(b"\0\t\n\r:,-[]{}\"'&*!|>%@`#$\x7f\xff\xc3").expect("a byte")),
        3 => drop(text.splice(at..at, random.choice(TOKENS).expect("a token").bytes())),
        4 => drop(text.splice(at..end, random.choice(TOKENS).expect("a token").bytes())),
        5 => text.truncate(at),
        6 => {
            let piece = text[at..end].repeat(random.usize(1..60));
            drop(text.splice(at..at, piece));
        }
        7 => lines(random, text),
        8 => {
            let other = random.choice(corpus).expect("a sample");
            let from = random.usize(..=other.len());
            let to = (from + random.usize(..200)).min(other.len());
            drop(text.splice(at..end, other[from..to].iter().copied()));
        }
        _ => number(random, text),
    }
}

/// Swaps, repeats, drops or indents a whole line.
fn lines(random: &mut Rng, text: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (random.usize(..lines.len()), random.usize(..lines.len()));
    match random.u8(..4) {
        0 => lines.swap(one, other),
        1 => lines.insert(other, lines[one].clone()),
        2 => drop(lines.remove(one)),
        _ => drop(lines[one].splice(0..0, b" ".repeat(random.usize(1..6)))),
    }
    *text = lines.join(&b'\n');
}

/// Puts another number where a digit stands.
fn number(random: &mut Rng, text: &mut Vec<u8>) {
    let digits: Vec<usize> = (0..text.len()).filter(|at| text[*at].is_ascii_digit()).collect();
    if let Some(at) = random.choice(&digits) {
        let numbers = ["0", "-1", "1e9", "4294967296", "18446744073709551616", "0x10", "٣", "1.5", ""];
        drop(text.splice(*at..=*at, random.choice(numbers).expect("a number").bytes()));
    }
}

/// What is wrong with the diagnostics of an input; none = nothing.
fn misplaced(text: &[u8], found: &[Diagnostic]) -> Option<String> {
    let lines = text.split(|b| *b == b'\n').count();
    let wrong = |d: &&Diagnostic| {
        let span = d.span;
        let outside = span.start > span.end || span.end > text.len() || span.line == 0 || span.line > lines;
        let width =
            String::from_utf8_lossy(text.split(|b| *b == b'\n').nth(span.line - 1).unwrap_or_default()).chars().count();
        outside || span.column == 0 || span.column > width + 1 || d.help.as_ref().is_none_or(String::is_empty)
    };
    found.iter().find(wrong).map(|d| format!("{d:?}"))
}

/// What an accepted file says otherwise when it is printed and read again; none = nothing.
fn unlike(read: &Definition) -> Option<String> {
    let text = printed(read);
    let again = read_bytes(text.as_bytes()).definition;
    let same = again.is_some_and(|again| {
        again.timing == read.timing && again.chores == read.chores && again.finally == read.finally
    });
    (!same).then(|| format!("printed it is another loop:\n{text}"))
}

/// Reads one input as what it may be; how long it took.
fn execute(text: &[u8]) -> (Duration, Option<String>) {
    let began = Instant::now();
    let reading = read_bytes(text);
    let of_settings = settings::read(text).err().unwrap_or_default();
    let neither = reading.definition.is_none() && reading.diagnostics.is_empty();
    let wrong = neither.then(|| "refused without a word".to_owned());
    let took = began.elapsed();
    let wrong = wrong.or_else(|| reading.definition.as_ref().and_then(unlike));
    (took, wrong.or_else(|| misplaced(text, &reading.diagnostics)).or_else(|| misplaced(text, &of_settings)))
}

#[test]
fn no_input_panics_hangs_or_points_outside_of_itself() {
    let full = std::env::var("LOOPWRIGHT_FULL").is_ok_and(|v| v == "1");
    let seed =
        std::env::var("LOOPWRIGHT_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| fastrand::u64(..1 << 40));
    let corpus = corpus();
    assert!(corpus.len() > 300, "{} samples", corpus.len());
    let good: Vec<Vec<u8>> = corpus.iter().filter(|text| read_bytes(text).definition.is_some()).cloned().collect();
    let until = Instant::now() + Duration::from_secs(if full { 60 } else { 3 });
    let (mut executions, mut accepted, mut slowest): (u64, u64, Duration) = Default::default();
    while Instant::now() < until {
        let text = mutated(&mut Rng::with_seed(seed + executions), &corpus, &good);
        let said =
            || format!("LOOPWRIGHT_SEED={} (first input)\n{}", seed + executions, String::from_utf8_lossy(&text));
        let answered = std::panic::catch_unwind(|| execute(&text));
        let Ok((took, wrong)) = answered else { panic!("a panic: {}", said()) };
        assert!(took < A_HANG, "{took:?}: {}", said());
        if let Some(wrong) = wrong {
            panic!("{wrong}: {}", said());
        }
        (executions, slowest) = (executions + 1, slowest.max(took));
        accepted += u64::from(read_bytes(&text).definition.is_some());
    }
    println!("{executions} executions ({accepted} accepted), seed {seed}, slowest {slowest:?}");
    // The control: what is generated is neither all refused at the first byte nor hardly changed.
    assert!(accepted > 0 && accepted < executions / 2, "{accepted} of {executions}; seed {seed}");
}

/// The control: a reader that points outside of its input fails the same look.
#[test]
fn a_place_outside_of_the_input_is_seen() {
    let text = b"name: a\n";
    let mut found = read_bytes(text).diagnostics;
    assert_eq!(misplaced(text, &found), None);
    found[0].span.line = 3;
    assert!(misplaced(text, &found).is_some());
}
