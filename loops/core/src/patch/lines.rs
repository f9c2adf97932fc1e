//! One line as it is shown: pieces of text, with what can't be seen made visible.

use serde::Serialize;

use super::PatchLine;
use super::words::Marks;
use crate::hidden::is_hidden;

/// Longer lines are cut after so many characters until a person asks for the rest.
pub const LINE_LIMIT: usize = 400;

/// The longest line that is shown whole, in characters.
pub const WHOLE_LIMIT: usize = 65_536;

/// What a line of a patch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[cfg_attr(feature = "types", ts(rename = "LineSign"))]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Where a hunk begins.
    Hunk,
    /// On both sides.
    Same,
    /// New.
    Added,
    /// Gone.
    Removed,
    /// The file has no line end at its end.
    NoEnd,
}

/// What a piece of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PieceKind {
    /// Text as on the other side.
    Plain,
    /// Words that differ from the other side.
    Differs,
    /// The name of a character that is not seen, or reorders what stands beside it.
    Hidden,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Its text (untrusted).
    pub text: String,
}

/// A line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[cfg_attr(feature = "types", ts(rename = "LineRow"))]
pub struct Row {
    /// What it is.
    pub sign: Sign,
    /// Its number in the old file; 0 = it isn't there.
    pub old: u32,
    /// Its number in the new file; 0 = it isn't there.
    pub new: u32,
    /// Its text.
    pub pieces: Vec<Piece>,
    /// How many characters were left out at its end.
    pub cut: u32,
}

pub(super) fn row(line: &PatchLine, marks: &Marks, limit: usize) -> Row {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = line.text.char_indices();
    for (at, c) in rest.by_ref().take(limit) {
        let kind = match () {
            () if c != '\t' && is_hidden(c) => PieceKind::Hidden,
            () if marks.holds(at) => PieceKind::Differs,
            () => PieceKind::Plain,
        };
        match pieces.last_mut() {
            Some(last) if last.kind == kind && kind != PieceKind::Hidden => last.text.push(c),
            _ if kind == PieceKind::Hidden => pieces.push(Piece { kind, text: format!("U+{:04X}", u32::from(c)) }),
            _ => pieces.push(Piece { kind, text: c.to_string() }),
        }
    }
    let cut = u32::try_from(rest.count()).unwrap_or(u32::MAX);
    Row { sign: line.sign, old: line.old, new: line.new, pieces, cut }
}
