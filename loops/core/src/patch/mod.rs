//! A change as a person reads it: files in the order of their risk, and pages of lines with the words that differ.
//!
//! The facts that gates judge are in [`diff`](crate::diff); making a patch from two commits is the engine's.

mod class;
mod lines;
mod words;

use crate::diff::ChangeKind;

pub use class::{Class, Sorted, minutes_to_read, sort};
pub use lines::{LINE_LIMIT, Piece, PieceKind, Row, Sign, WHOLE_LIMIT};

use words::Marks;

/// A change, file by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// In the order in which they are shown.
    pub files: Vec<FilePatch>,
}

/// What changed in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePatch {
    /// Path in the new tree (in the old one for deleted files).
    pub path: String,
    /// Path in the old tree, if it was renamed.
    pub old_path: Option<String>,
    /// What happened.
    pub kind: ChangeKind,
    /// Git mode before (0 if it did not exist).
    pub old_mode: u32,
    /// Git mode after (0 if it is gone).
    pub new_mode: u32,
    /// Bytes before and after, if git sees bytes instead of lines.
    pub binary: Option<(u64, u64)>,
    /// What a viewed mark is bound to: another one as soon as the content before or after is another.
    pub content: String,
    /// Hunk headers and lines.
    pub lines: Vec<PatchLine>,
}

/// A line of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchLine {
    /// What it is.
    pub sign: Sign,
    /// Its number in the old file; 0 = it isn't there.
    pub old: u32,
    /// Its number in the new file; 0 = it isn't there.
    pub new: u32,
    /// Without its line end (untrusted).
    pub text: String,
    /// The line of the same file that it replaces, or that replaces it, by index.
    pub pair: Option<u32>,
}

impl FilePatch {
    /// How many lines are new, and how many are gone.
    pub fn stat(&self) -> (u32, u32) {
        let count = |sign| u32::try_from(self.lines.iter().filter(|l| l.sign == sign).count()).unwrap_or(u32::MAX);
        (count(Sign::Added), count(Sign::Removed))
    }

    /// Ties each removed line to the added one that stands in its place; once, so that no page has to look around.
    pub fn pair(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            let run = |from: usize, sign| self.lines[from..].iter().take_while(|l| l.sign == sign).count();
            let removed = run(at, Sign::Removed);
            let added = run(at + removed, Sign::Added);
            for n in 0..removed.min(added) {
                let (old, new) = (at + n, at + removed + n);
                self.lines[old].pair = u32::try_from(new).ok();
                self.lines[new].pair = u32::try_from(old).ok();
            }
            at += (removed + added).max(1);
        }
    }

    /// A line as it is shown, at most `limit` characters of it.
    fn row(&self, at: usize, limit: usize) -> Row {
        let line = &self.lines[at];
        let pair = line.pair.and_then(|pair| self.lines.get(pair as usize));
        let marks = match (line.sign, pair) {
            (Sign::Removed, Some(new)) => words::differ(&line.text, &new.text).map(|(old, _)| old),
            (Sign::Added, Some(old)) => words::differ(&old.text, &line.text).map(|(_, new)| new),
            _ => None,
        };
        lines::row(line, &marks.unwrap_or_else(Marks::default), limit)
    }
}

impl Patch {
    /// How many lines there are in all files.
    pub fn len(&self) -> usize {
        self.files.iter().map(|file| file.lines.len()).sum()
    }

    /// Whether no file has a line.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `count` lines from `from` on, counted through all files; what that costs does not grow with what stands around them.
    pub fn page(&self, from: usize, count: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut first = 0;
        for file in &self.files {
            let end = first + file.lines.len();
            let (start, stop) = (from.max(first), from.saturating_add(count).min(end));
            rows.extend((start..stop.max(start)).map(|at| file.row(at - first, LINE_LIMIT)));
            first = end;
        }
        rows
    }

    /// One line, whole (up to [`WHOLE_LIMIT`] characters).
    pub fn whole(&self, at: usize) -> Option<Row> {
        let (file, within) = self.place(at)?;
        Some(self.files[file].row(within, WHOLE_LIMIT))
    }

    /// The lines that hold a text, whatever its case, counted through all files; hunk headers hold nothing.
    pub fn find(&self, text: &str) -> Vec<usize> {
        let text = text.to_lowercase();
        if text.is_empty() {
            return Vec::new();
        }
        let lines = self.files.iter().flat_map(|file| &file.lines).enumerate();
        let holds = |line: &PatchLine| line.sign != Sign::Hunk && line.text.to_lowercase().contains(&text);
        lines.filter(|(_, line)| holds(line)).map(|(at, _)| at).collect()
    }

    fn place(&self, at: usize) -> Option<(usize, usize)> {
        let mut first = 0;
        for (index, file) in self.files.iter().enumerate() {
            if at < first + file.lines.len() {
                return Some((index, at - first));
            }
            first += file.lines.len();
        }
        None
    }
}

#[cfg(test)]
mod tests;
