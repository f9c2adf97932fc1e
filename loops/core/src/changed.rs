//! What changed between two texts, line by line: the small diff that a person sees before a file is saved.

use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Lines that changed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Changed {
    /// The first of these lines in the text before, from 1.
    pub line: usize,
    /// Lines of the text before, without their ends.
    pub removed: Vec<String>,
    /// Lines in their place.
    pub added: Vec<String>,
}

/// The lines in which `after` differs from `before`, in their order.
pub fn changed(before: &str, after: &str) -> Vec<Changed> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    let shown = |lines: &[&str]| lines.iter().map(|line| line.trim_end_matches('\r').to_owned()).collect();
    let changed = capture_diff_slices(Algorithm::Myers, &old, &new).into_iter().filter_map(|op| {
        if matches!(op, DiffOp::Equal { .. }) {
            return None;
        }
        let (removed, added) = (op.old_range(), op.new_range());
        Some(Changed { line: removed.start + 1, removed: shown(&old[removed]), added: shown(&new[added]) })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_differ_are_shown() {
        let of = |line, removed: &[&str], added: &[&str]| Changed {
            line,
            removed: removed.iter().map(ToString::to_string).collect(),
            added: added.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(changed("a\nb\nc\n", "a\nB\nc\n"), [of(2, &["b"], &["B"])]);
        assert_eq!(changed("a\r\nb\r\n", "a\r\nx\r\nb\r\n"), [of(2, &[], &["x"])]);
        assert_eq!(changed("a\nb\nc\nd\n", "b\nc\nD\n"), [of(1, &["a"], &[]), of(4, &["d"], &["D"])]);
        assert_eq!(changed("a\n", "a\n"), []);
    }
}
