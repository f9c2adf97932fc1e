//! Why a test failed, from what it printed: in Rust the panic's message and its place, elsewhere the assertion's first lines.

use super::{Place, text};

/// The first line that says why, and where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cause {
    /// The panic's message, or the first line that names an error.
    pub(crate) line: Option<String>,
    /// The panic's location, if it lies in the repository.
    pub(crate) place: Option<Place>,
}

/// Reads the output of one failed test.
pub(crate) fn of(lines: &[&str]) -> Cause {
    let panic =
        lines.iter().enumerate().find_map(|(at, line)| line.split_once("panicked at ").map(|(_, rest)| (at, rest)));
    let (message, place) = match panic {
        Some((at, rest)) => panic_at(rest, &lines[at + 1..]),
        None => (None, None),
    };
    // What a `should_panic` test says of the panic it expected is the cause, not the panic itself.
    let expected = lines.iter().map(|l| l.trim()).find_map(|l| {
        let note = l.strip_prefix("note: ")?;
        (note.starts_with("panic did not") || note.starts_with("test did not panic")).then_some(note)
    });
    let line = expected.map(text::line).or(message).or_else(|| first_error(lines));
    Cause { line, place }
}

/// Reads what stands behind `panicked at `: `src/a.rs:3:5:` and the message below, or the older `'message', src/a.rs:3:5`.
fn panic_at(rest: &str, below: &[&str]) -> (Option<String>, Option<Place>) {
    if let Some((message, location)) = rest.strip_prefix('\'').and_then(|r| r.rsplit_once("', ")) {
        return (Some(text::line(message)), location_of(location));
    }
    let message = below.iter().map(|l| l.trim()).find(|l| !l.is_empty());
    (message.map(text::line), location_of(rest.trim_end_matches(':')))
}

fn first_error(lines: &[&str]) -> Option<String> {
    let told = |l: &&str| !l.is_empty() && !l.starts_with("note: run with");
    let mut shown = lines.iter().map(|l| l.trim()).filter(told);
    let error = shown.clone().find(|l| l.to_ascii_lowercase().starts_with("error"));
    error.or_else(|| shown.next()).map(text::line)
}

/// The first line of a message; with it what was wanted and what came, where that line is the same for every assertion.
pub(crate) fn assertion<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut shown = lines.map(str::trim).filter(|l| !l.is_empty());
    let first = shown.next()?;
    let general = first.ends_with(':') || first.contains("expect(");
    let more = shown.take_while(|l| !l.starts_with("at ")).take(if general { 2 } else { 0 });
    let whole: Vec<&str> = [first].into_iter().chain(more).collect();
    Some(text::line(&whole.join(" ")))
}

/// Reads `path:line:column` or `path:line`.
pub(crate) fn location_of(location: &str) -> Option<Place> {
    let mut parts = location.trim().rsplitn(3, ':');
    let (last, middle, path) = (parts.next()?, parts.next(), parts.next());
    let (path, line) = match (path, middle) {
        (Some(path), Some(line)) => (path, line.parse().ok()),
        (None, Some(path)) => (path, last.parse().ok()),
        _ => (last, None),
    };
    Some(Place { path: text::path(path)?, line })
}
