//! `cargo fmt --check` and `rustfmt --check`: the files that are not formatted, or can't be parsed.

use super::read::{Streams, at_file, ran};
use super::{Case, CaseKind, Ended, Place, rustc, text};

/// Reads `Diff in PATH:LINE:` (older: `Diff in PATH at line LINE:`) and syntax errors.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let lines = streams.out.lines().chain(streams.err.lines());
    let mut cases = rustc::build_faults(lines.clone());
    let built = cases.is_empty();
    // The first place of a file is the one to look at; `settle` keeps the first of equal ids.
    cases.extend(
        lines.filter_map(place).map(|p| at_file(CaseKind::Format, "format", p, Some("is not formatted".to_owned()))),
    );
    if built && matches!(streams.ended, Ended::Exited(code) if code == 0 || !cases.is_empty()) {
        cases.push(ran("rustfmt"));
    }
    cases
}

fn place(line: &str) -> Option<Place> {
    let rest = line.strip_prefix("Diff in ")?.trim_end_matches(':');
    let (path, number) = rest.rsplit_once(" at line ").or_else(|| rest.rsplit_once(':'))?;
    Some(Place { path: text::path(path)?, line: number.parse().ok() })
}
