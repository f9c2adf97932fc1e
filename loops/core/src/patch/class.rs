//! In which order files are read: what can do harm first; what was not written by anybody last, folded with its reason.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{FilePatch, Patch, Sign};
use crate::diff::{ChangeKind, LOCKED, is_expected, is_test, protected};

/// How many lines of new logic are read in how many minutes: reviewers who are faster than 450 lines an hour find fewer
/// defects than average.
const PACE: (u32, u32) = (60, 8);

/// Fewest lines that are called moved: a brace and a blank line are everywhere.
const MOVED: usize = 5;

/// What a file is to a reader, in the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It decides over more than its own content, and must be viewed.
    Protected,
    /// It changes what the program does.
    Behaviour,
    /// It changes what is checked.
    Tests,
    /// Nobody wrote it, or nothing follows from it.
    Mechanical,
}

/// A file's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted {
    /// What it is.
    pub class: Class,
    /// What it is for, or why it is folded: `lock file`, `only white space`.
    pub why: Option<String>,
    /// Whether its lines are folded until asked for.
    pub folded: bool,
}

/// Puts the files of a change into the order of reading, with the place of each.
pub fn sort(patch: &mut Patch) -> Vec<Sorted> {
    let gone = lines_of(patch, Sign::Removed);
    let mut files: Vec<(Sorted, FilePatch)> = patch.files.drain(..).map(|file| (place(&file, &gone), file)).collect();
    files.sort_by(|(a, one), (b, other)| (a.class, a.folded, &one.path).cmp(&(b.class, b.folded, &other.path)));
    let (places, files) = files.into_iter().unzip();
    patch.files = files;
    places
}

/// How long a change takes to be read, in minutes: new logic at the pace of careful readers, tests in half of that.
pub fn minutes_to_read(patch: &Patch, places: &[Sorted]) -> u32 {
    let halves = patch.files.iter().zip(places).map(|(file, place)| {
        let (added, removed) = file.stat();
        match place.class {
            _ if place.folded => 0,
            Class::Protected | Class::Behaviour => added.max(removed / 4).saturating_mul(2),
            Class::Tests => added,
            Class::Mechanical => 0,
        }
    });
    let halves = halves.fold(0_u32, u32::saturating_add);
    halves.saturating_mul(PACE.1).div_ceil(PACE.0 * 2).max(1)
}

fn place(file: &FilePatch, gone: &BTreeMap<String, usize>) -> Sorted {
    let to = |class, why: Option<&str>, folded| Sorted { class, why: why.map(str::to_owned), folded };
    let old = file.old_path.as_deref().unwrap_or(&file.path);
    match protected(&file.path).or_else(|| protected(old)) {
        Some(LOCKED) => return to(Class::Mechanical, Some("lock file"), true),
        Some(purpose) => return to(Class::Protected, Some(purpose), false),
        None => {}
    }
    // Whoever can run it now could not before.
    if file.old_mode != file.new_mode && file.kind != ChangeKind::Added && file.kind != ChangeKind::Deleted {
        return to(Class::Protected, Some("its mode changes"), false);
    }
    if let Some(why) = mechanical(file, gone) {
        return Sorted { class: Class::Mechanical, why: Some(why), folded: true };
    }
    match () {
        () if is_test(&file.path) || is_expected(&file.path) => to(Class::Tests, None, false),
        () if is_prose(&file.path) => to(Class::Mechanical, Some("text"), false),
        () if file.binary.is_some() => to(Class::Behaviour, Some("binary"), false),
        () => to(Class::Behaviour, None, false),
    }
}

/// Why nobody has to read a file line by line.
fn mechanical(file: &FilePatch, gone: &BTreeMap<String, usize>) -> Option<String> {
    let (added, removed) = file.stat();
    match (file.kind, &file.old_path) {
        (ChangeKind::Renamed, Some(old)) if added + removed == 0 && file.binary.is_none() => {
            return Some(format!("renamed from {old}"));
        }
        (ChangeKind::Modified | ChangeKind::Renamed, _) if added + removed > 0 && only_blanks(file) => {
            return Some("only white space".to_owned());
        }
        _ => {}
    }
    // A new file of such a name is a maker's work all the same.
    if file.kind == ChangeKind::Modified && is_generated(file) {
        return Some("generated".to_owned());
    }
    moved(file, gone).then(|| "moved: each line was there before".to_owned())
}

/// Whether all that is new in a file was removed elsewhere in the change.
fn moved(file: &FilePatch, gone: &BTreeMap<String, usize>) -> bool {
    let (added, removed) = (lines(file, Sign::Added), lines(file, Sign::Removed));
    let more = |(line, count): (&String, &usize)| {
        gone.get(line).copied().unwrap_or(0).saturating_sub(removed.get(line).copied().unwrap_or(0)) >= *count
    };
    added.values().sum::<usize>() >= MOVED && removed.is_empty() && added.iter().all(more)
}

fn lines_of(patch: &Patch, sign: Sign) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for (line, count) in patch.files.iter().flat_map(|file| lines(file, sign)) {
        *all.entry(line).or_insert(0) += count;
    }
    all
}

/// The lines of a kind, blank ones left out, and how often each is there. Indentation counts: in some languages it means something.
fn lines(file: &FilePatch, sign: Sign) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for line in file.lines.iter().filter(|line| line.sign == sign && !line.text.trim().is_empty()) {
        *found.entry(line.text.trim_end().to_owned()).or_insert(0) += 1;
    }
    found
}

/// Blanks mean something where they structure the text, so there they are read.
fn only_blanks(file: &FilePatch) -> bool {
    let means = [".py", ".pyi", ".yaml", ".yml", ".mk", ".haml", ".pug", ".coffee", ".nim", "Makefile"];
    let squeezed = |sign| -> Vec<String> {
        let lines = file.lines.iter().filter(|line| line.sign == sign);
        let words = lines.map(|line| line.text.split_whitespace().collect::<Vec<_>>().join(" "));
        words.filter(|line| !line.is_empty()).collect()
    };
    !means.iter().any(|end| file.path.ends_with(end)) && squeezed(Sign::Added) == squeezed(Sign::Removed)
}

/// What a program wrote, by its name: a comment that says so would be a maker's to write.
fn is_generated(file: &FilePatch) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    [".min.js", ".min.css", ".pb.go", "_pb2.py", ".map"].iter().any(|end| name.ends_with(end))
}

fn is_prose(path: &str) -> bool {
    [".md", ".txt", ".rst", ".adoc"].iter().any(|end| path.to_ascii_lowercase().ends_with(end))
}
