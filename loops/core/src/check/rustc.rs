//! Human diagnostics of rustc and cargo: what could not be built, and which lints spoke.

use super::read::{at_file, fault};
use super::{Case, CaseKind, Place, cause, text};

/// One diagnostic as printed.
#[derive(Debug)]
pub(crate) struct Printed {
    /// `error`, `error[E0308]` or `warning`.
    pub(crate) level: String,
    /// The rest of the first line.
    pub(crate) message: String,
    /// Where its arrow points.
    pub(crate) place: Option<Place>,
    /// The lint that it names, if it names one.
    pub(crate) rule: Option<String>,
}

/// Reads all diagnostics of a text.
pub(crate) fn diagnostics<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Printed> {
    let mut found: Vec<Printed> = Vec::new();
    for line in lines {
        if let Some(printed) = head(line) {
            found.push(printed);
            continue;
        }
        let Some(last) = found.last_mut() else {
            continue;
        };
        if let Some(location) = line.trim_start().strip_prefix("--> ") {
            last.place = last.place.take().or_else(|| cause::location_of(location));
        }
        last.rule = last.rule.take().or_else(|| rule_of(line));
    }
    found
}

fn head(line: &str) -> Option<Printed> {
    let (level, message) = line.split_once(": ")?;
    let known = level == "error" || level == "warning" || level.starts_with("error[E");
    known.then(|| Printed { level: level.to_owned(), message: text::line(message), place: None, rule: None })
}

/// Finds the lint's name in `#[warn(clippy::x)]` or in the address of its documentation.
fn rule_of(line: &str) -> Option<String> {
    let note = line.trim_start().strip_prefix("= ")?;
    if let Some((_, name)) = note.split_once("rust-clippy/").and_then(|(_, r)| r.split_once('#')) {
        return Some(format!("clippy::{}", text::line(name)));
    }
    let (_, inside) = note.split_once("#[warn(").or_else(|| note.split_once("#[deny("))?;
    let (name, _) = inside.split_once(')')?;
    Some(text::line(name))
}

/// The files that could not be built, one case each with its first error.
pub(crate) fn build_faults<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Vec<Case> {
    let located: Vec<Case> = diagnostics(lines.clone())
        .into_iter()
        .filter(|d| d.level.starts_with("error") && d.rule.is_none())
        .filter_map(|d| {
            let place = d.place?;
            Some(at_file(CaseKind::Build, "build", place, Some(d.message)))
        })
        .collect();
    if !located.is_empty() {
        return located;
    }
    lines.filter_map(unplaced).collect()
}

/// What cargo says when a unit failed for a reason that names no file.
fn unplaced(line: &str) -> Option<Case> {
    let what = line.strip_prefix("error: ")?;
    let name = what
        .strip_prefix("could not compile `")
        .or_else(|| what.strip_prefix("failed to run custom build command for `"))?;
    let (name, _) = name.split_once('`')?;
    // The version behind the name changes with every release.
    let name = name.split_whitespace().next().unwrap_or(name);
    Some(fault(CaseKind::Build, &format!("build @ {name}"), "build", Some(text::line(what))))
}
