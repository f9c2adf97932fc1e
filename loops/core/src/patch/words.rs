//! Which words of two lines differ.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Lines of more words than this are not compared: nobody sees by that what changed.
const WORDS_LIMIT: usize = 240;

/// Bytes of a line that differ, in order.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Range<usize>>);

impl Marks {
    pub(super) fn holds(&self, at: usize) -> bool {
        let after = self.0.partition_point(|range| range.end <= at);
        self.0.get(after).is_some_and(|range| range.contains(&at))
    }

    fn add(&mut self, words: &[&str], taken: Range<usize>, line: &str) {
        let place = |word: &str| word.as_ptr() as usize - line.as_ptr() as usize;
        if let (Some(first), Some(last)) = (words.get(taken.start), taken.end.checked_sub(1).and_then(|n| words.get(n)))
        {
            self.0.push(place(first)..place(last) + last.len());
        }
    }
}

/// What differs on either side; none where the lines have too little in common for it to say anything.
pub(super) fn differ(old: &str, new: &str) -> Option<(Marks, Marks)> {
    let (before, after) = (split(old)?, split(new)?);
    let (mut gone, mut came) = (Marks::default(), Marks::default());
    let mut common = 0;
    for op in capture_diff_slices(Algorithm::Myers, &before, &after) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                let words = &before[old_index..old_index + len];
                common += words.iter().filter(|word| !word.trim().is_empty()).map(|word| word.len()).sum::<usize>();
            }
            op => {
                gone.add(&before, op.old_range(), old);
                came.add(&after, op.new_range(), new);
            }
        }
    }
    let bytes = |line: &str| line.chars().filter(|c| !c.is_whitespace()).map(char::len_utf8).sum::<usize>();
    (common * 3 >= bytes(old).max(bytes(new))).then_some((gone, came))
}

/// Words, runs of blanks, and signs one by one; none where there are too many.
fn split(line: &str) -> Option<Vec<&str>> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    };
    let mut words = Vec::new();
    let mut start = 0;
    let mut last = 0;
    for (at, c) in line.char_indices() {
        let now = kind(c);
        if at > start && (now != last || now == 3) {
            words.push(&line[start..at]);
            start = at;
        }
        if words.len() > WORDS_LIMIT {
            return None;
        }
        last = now;
    }
    if start < line.len() {
        words.push(&line[start..]);
    }
    Some(words)
}
