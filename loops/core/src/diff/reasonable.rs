//! The gate `diff_reasonable`: what no change may hold, and what a person must see.
//!
//! It judges the change alone; whether tests pass is asked elsewhere.

use std::collections::BTreeMap;

use super::signs::{self, Sign};
use super::{ChangeKind, DiffFacts, FileChange, existing, paths, secrets};
use crate::check::text;
use crate::gate::{GateResult, Level, capped};

/// Git's mode of a symbolic link.
const LINK: u32 = 0o120_000;
/// Git's mode of a submodule.
const SUBMODULE: u32 = 0o160_000;
/// Git's mode of an executable file.
const EXECUTABLE: u32 = 0o100_755;

/// How large a change may be before a person must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffLimits {
    /// Most files.
    pub files: u32,
    /// Most lines, new and removed together.
    pub lines: u32,
}

impl Default for DiffLimits {
    fn default() -> DiffLimits {
        DiffLimits { files: 15, lines: 400 }
    }
}

/// Judges a change by itself, with file names and numbers as reasons.
///
/// It fails on what is never right (secrets, links and names that leave the tree, new submodules, an empty change) and
/// needs a person for what may be right (protected paths, weakened tests and lints, binaries, size).
pub fn reasonable(facts: &DiffFacts, limits: &DiffLimits) -> GateResult {
    let mut failures: Vec<String> = facts.files.iter().flat_map(never).collect();
    failures.extend(collisions(facts));
    if facts.files.is_empty() {
        failures.push("nothing changed".to_owned());
    }
    let mut doubts: Vec<String> = size(facts, limits).into_iter().collect();
    doubts.extend(facts.files.iter().flat_map(maybe));
    doubts.extend(weakened(facts));
    doubts.extend(existing::tests(facts));
    let level = match (failures.is_empty(), doubts.is_empty()) {
        (false, _) => Level::Fail,
        (true, false) => Level::NeedsPerson,
        (true, true) => Level::Pass,
    };
    failures.append(&mut doubts);
    let reasons = capped(failures.iter().map(|r| text::line(r)).collect());
    GateResult { gate: "diff_reasonable".to_owned(), level, summary: facts.stat().to_string(), reasons, evidence: None }
}

/// What is never right in one file.
fn never(file: &FileChange) -> Vec<String> {
    let path = &file.path;
    let mut reasons = Vec::new();
    if !file.remains() {
        return reasons;
    }
    if let Some(why) = paths::forbidden(path) {
        reasons.push(format!("{path} must not exist: {why}"));
    }
    if file.new_mode == SUBMODULE && file.old_mode != SUBMODULE {
        reasons.push(format!("{path} is a new submodule"));
    }
    if file.new_mode == LINK {
        let target = file.added.first().map(|(_, target)| target.as_str());
        if target.is_none_or(|target| leaves(path, target)) && (target.is_some() || file.old_mode != LINK) {
            reasons.push(format!("{path} is a link that leaves the tree"));
        }
    }
    for (line, added) in &file.added {
        if let Some(what) = secrets::kind(added) {
            reasons.push(format!("{path}:{line} adds what looks like {what}"));
        }
    }
    reasons
}

/// Tells whether a link's target lies outside of the tree, or can't be told because it goes up behind a name.
fn leaves(path: &str, target: &str) -> bool {
    let target = target.trim_end_matches('\n');
    if target.is_empty() || target.starts_with(['/', '\\', '~']) || target.contains(['\\', ':']) {
        return true;
    }
    let ups = target.split('/').take_while(|part| *part == ".." || *part == ".").filter(|p| *p == "..").count();
    let depth = path.matches('/').count();
    let named = target.split('/').skip_while(|part| *part == ".." || *part == ".");
    ups > depth || named.clone().any(|part| part == ".." || part.eq_ignore_ascii_case(".git"))
}

/// Names of the change that are one on a file system without case.
fn collisions(facts: &DiffFacts) -> Vec<String> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut reasons = Vec::new();
    for file in facts.files.iter().filter(|f| f.remains()) {
        let ends = file.path.match_indices('/').map(|(at, _)| at).chain([file.path.len()]);
        for name in ends.map(|end| &file.path[..end]) {
            let first = seen.entry(name.to_lowercase()).or_insert(name);
            if *first != name {
                reasons.push(format!("{first} and {name} are one name where case does not count"));
            }
        }
    }
    reasons.dedup();
    reasons
}

fn size(facts: &DiffFacts, limits: &DiffLimits) -> Option<String> {
    let stat = facts.stat();
    let large = stat.files > limits.files || stat.added.saturating_add(stat.removed) > limits.lines;
    large.then(|| format!("large: {stat}, more than {} files or {} lines", limits.files, limits.lines))
}

/// What may be right in one file and a person must see.
fn maybe(file: &FileChange) -> Vec<String> {
    let path = &file.path;
    let mut reasons = Vec::new();
    let old = file.old_path.as_deref().unwrap_or(path);
    if let Some(purpose) = paths::protected(path).or_else(|| paths::protected(old)) {
        reasons.push(format!("changes {path} ({purpose})"));
    }
    if file.kind == ChangeKind::Deleted && paths::is_test(path) {
        reasons.push(format!("deletes the test file {path}"));
    }
    if file.kind == ChangeKind::Renamed && paths::is_test(old) && !paths::is_test(path) {
        reasons.push(format!("moves the test file {old} to {path}"));
    }
    if file.binary && file.remains() {
        reasons.push(format!("{path} is binary ({} bytes)", file.size));
    }
    if file.new_mode == EXECUTABLE && file.old_mode != EXECUTABLE {
        reasons.push(format!("{path} becomes executable"));
    }
    if file.new_mode == LINK {
        reasons.push(format!("{path} is a link"));
    }
    if file.old_mode == SUBMODULE {
        reasons.push(format!("{path} is a submodule"));
    }
    reasons
}

/// Signs, over the whole change, that checks say less than before; what only moves counts as neither.
fn weakened(facts: &DiffFacts) -> Vec<String> {
    let net = |sign: Sign, more_added: bool| {
        let (mut added, mut removed, mut files) = (0, 0, Vec::new());
        for file in &facts.files {
            let (plus, minus) = signs::count(file, sign);
            (added, removed) = (added + plus, removed + minus);
            if (more_added && plus > minus) || (!more_added && minus > plus) {
                files.push(file.path.as_str());
            }
        }
        let surplus: usize = if more_added { added } else { removed };
        let rest = if more_added { removed } else { added };
        (surplus.saturating_sub(rest), files.join(", "))
    };
    let mut reasons = Vec::new();
    let mut tell = |(count, files): (usize, String), what: &str| {
        if count > 0 {
            reasons.push(format!("{what} ({count}): {files}"));
        }
    };
    tell(net(Sign::Test, false), "removes tests");
    tell(net(Sign::Skip, true), "skips tests");
    tell(net(Sign::Tolerance, true), "lets a command's failure pass");
    tell(net(Sign::Silence, true), "silences lints");
    tell(net(Sign::Apart, true), "makes code differ under checks");
    tell(net(Sign::Exit, true), "ends the process that reports");
    let (panics, files) = net(Sign::Panic, true);
    tell((panics.saturating_sub(net(Sign::Test, true).0), files), "makes existing tests expect a panic");
    tell(asserted(facts), "changes or removes assertions");
    reasons
}

/// Assertions that are no longer there as they were: a test can be made to pass by changing what it asks.
fn asserted(facts: &DiffFacts) -> (usize, String) {
    let changed = |file: &&FileChange| file.kind != ChangeKind::Deleted && !signs::only_layout(file);
    let mut files = Vec::new();
    let mut count = 0;
    for file in facts.files.iter().filter(changed) {
        let kept = |line: &str| file.added.iter().any(|(_, l)| l.trim() == line.trim());
        let gone = file.removed.iter().filter(|(_, l)| signs::of(&file.path, l).contains(&Sign::Assertion));
        let gone = gone.filter(|(_, l)| !kept(l)).count();
        if gone > 0 {
            count += gone;
            files.push(file.path.as_str());
        }
    }
    (count, files.join(", "))
}
