//! What a person wrote beside lines of a change, as one note that its maker understands without the window.

use std::fmt::Write;

/// Most lines of code that are quoted for one comment.
const QUOTED: usize = 12;

/// A comment on lines of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The file.
    pub path: String,
    /// Whether the lines are those of the old file.
    pub old: bool,
    /// First line.
    pub from: u32,
    /// Last line.
    pub to: u32,
    /// The lines as they were shown (untrusted).
    pub code: String,
    /// What the person wrote.
    pub text: String,
}

/// One note of what is said of the whole and of lines; empty where nothing is said.
pub fn compose(whole: &str, comments: &[Comment]) -> String {
    let mut note = whole.trim().to_owned();
    for comment in comments.iter().filter(|comment| !comment.text.trim().is_empty()) {
        if !note.is_empty() {
            note.push_str("\n\n");
        }
        // Writing to a String can't fail.
        let _ = writeln!(note, "{}, {}:", comment.path, place(comment));
        let lines = comment.code.lines().count();
        for line in comment.code.lines().take(QUOTED) {
            let _ = writeln!(note, "    > {line}");
        }
        if lines > QUOTED {
            let _ = writeln!(note, "    > … {} more lines", lines - QUOTED);
        }
        note.push_str(comment.text.trim());
    }
    note
}

fn place(comment: &Comment) -> String {
    let removed = if comment.old { " before the change" } else { "" };
    match (comment.from.min(comment.to), comment.from.max(comment.to)) {
        (from, to) if from == to => format!("line {from}{removed}"),
        (from, to) => format!("lines {from}–{to}{removed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(from: u32, to: u32, code: &str, text: &str) -> Comment {
        Comment { path: "src/a.rs".to_owned(), old: false, from, to, code: code.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_note_quotes_path_lines_and_code() {
        let removed = Comment { old: true, ..comment(9, 7, "b\nc", "Why is this gone?") };
        let note = compose(" Almost. \n", &[comment(85, 85, "let now = clock.today();", "Use the caller's."), removed]);
        insta::assert_snapshot!(note, @r"
        Almost.

        src/a.rs, line 85:
            > let now = clock.today();
        Use the caller's.

        src/a.rs, lines 7–9 before the change:
            > b
            > c
        Why is this gone?
        ");
    }

    #[test]
    fn nothing_said_is_no_note_and_long_code_is_not_quoted_whole() {
        assert_eq!(compose("  ", &[comment(1, 1, "x", " ")]), "");
        let note = compose("", &[comment(1, 20, &"x\n".repeat(20), "All of it.")]);
        assert_eq!(note.lines().count(), 1 + 12 + 1 + 1);
        assert!(note.contains("… 8 more lines"));
    }
}
