//! The story of a run with its columns: time, mark, sentence.

use loopwright_core::story::StoryLine;

use super::mark;
use crate::page::{Page, Tint};

/// Adds lines of a story.
pub(crate) fn lines(page: &mut Page, lines: &[StoryLine]) {
    for line in lines {
        let indent = " ".repeat(2 + 2 * usize::from(line.depth));
        page.add(Tint::Muted, &line.at).say(&indent);
        mark(page, line.mark).line(&line.text);
    }
}
