//! `triage.md`: the list of a loop's findings that a person may edit, as text and back.
//!
//! A list line ends in its finding's short id; the last line is a comment with the revision that was written.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::finding::{FindingState, Fingerprint};
use crate::hidden::is_hidden;

/// One listed finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub finding: Fingerprint,
    /// Its title (untrusted).
    pub title: String,
    /// Where it stands.
    pub state: FindingState,
}

/// What a person did to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// `[x]`
    Done,
    /// `snooze 7d`
    Snooze {
        /// Days.
        days: u32,
    },
    /// The line is gone.
    Dismissed,
}

/// Why nothing was read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The comment with the revision is missing: the file may be cut off.
    #[error("its last line, the comment with the revision, is missing")]
    NoEnd,
    /// It is not what was written last.
    #[error("its revision {found} is not the one that was written last")]
    UnknownRevision {
        /// What stands there.
        found: String,
    },
    /// A line that is no line of the list.
    #[error("line {line} can't be read: {why}")]
    Line {
        /// From 1.
        line: usize,
        /// Why.
        why: String,
    },
}

const END: &str = "<!-- loopwright: end, revision ";

/// The text of the list and its revision.
pub fn render(loop_name: &str, lines: &[Line]) -> (String, String) {
    let list: String = lines.iter().map(|l| format!("{}\n", list_line(l))).collect();
    let revision = crate::hex(&Sha256::digest(list.as_bytes()))[..12].to_owned();
    let nothing = if lines.is_empty() { "Nothing to do.\n" } else { "" };
    let text = format!(
        "# Triage of {loop_name}\n\n\
         <!-- Yours to edit: [x] = done, `snooze 7d` at the end = later, a deleted line = dismissed. -->\n\n\
         {list}{nothing}\n{END}{revision} -->\n"
    );
    (text, revision)
}

/// What a person changed, by short id, in the text that was written as `lines` with `revision`.
///
/// # Errors
/// Why the text can't be trusted; nothing of it is used then.
pub fn read_back(text: &str, lines: &[Line], revision: &str) -> Result<BTreeMap<Fingerprint, Edit>, Rejected> {
    let end = text.trim_end().lines().last().unwrap_or_default();
    let found = end.strip_prefix(END).and_then(|r| r.strip_suffix(" -->")).ok_or(Rejected::NoEnd)?;
    if found != revision {
        return Err(Rejected::UnknownRevision { found: plain(found, 40) });
    }
    let mut edits: BTreeMap<Fingerprint, Edit> = lines.iter().map(|l| (l.finding.clone(), Edit::Dismissed)).collect();
    for (at, line) in text.lines().enumerate() {
        let rejected = |why: String| Rejected::Line { line: at + 1, why };
        let Some(line) = list_item(line) else {
            // Whatever that line is to say of the finding, it is not that it is gone.
            match lines.iter().find(|l| line.split_whitespace().any(|word| word == l.finding.short())) {
                Some(l) => return Err(rejected(format!("it names {} and is no line `- [ ] …`", l.finding.short()))),
                None => continue,
            }
        };
        let (finding, edit) = read_line(&line, lines).map_err(rejected)?;
        match edit {
            Some(edit) => edits.insert(finding, edit),
            None => edits.remove(&finding),
        };
    }
    Ok(edits)
}

/// A line of the list with the mark that is written here; editors have marks of their own.
fn list_item(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix(['-', '*', '+'])?.trim_start();
    rest.starts_with('[').then(|| format!("- {rest}"))
}

fn list_line(line: &Line) -> String {
    let tick = if matches!(line.state, FindingState::Done { .. }) { 'x' } else { ' ' };
    format!("- [{tick}] {} {}", described(line), line.finding.short())
}

fn described(line: &Line) -> String {
    let title = plain(&line.title, 120);
    match &line.state {
        FindingState::InReview => format!("{title} (in review)"),
        FindingState::NeedsYou { why } => format!("{title} (needs you: {})", plain(why, 80)),
        FindingState::Snoozed { until } => format!("{title} (later: {})", plain(until, 30)),
        _ => title,
    }
}

fn read_line(line: &str, lines: &[Line]) -> Result<(Fingerprint, Option<Edit>), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words
        .iter()
        .rposition(|w| lines.iter().any(|l| l.finding.short() == *w))
        .ok_or("it doesn't end in the id of a listed finding")?;
    let listed = lines.iter().find(|l| l.finding.short() == words[at]).ok_or("its id is not listed")?;
    let ticked = line.trim_start().get(..6).is_some_and(|mark| mark.eq_ignore_ascii_case("- [x] "));
    if ticked {
        return Ok((listed.finding.clone(), Some(Edit::Done)));
    }
    // A title may hold the word itself; only what a person added to the written line counts.
    let written = list_line(listed);
    let added = match line.trim_end().strip_prefix(&written) {
        Some(rest) => rest.to_owned(),
        None => {
            let before = if line.contains(&described(listed)) {
                line.replacen(&described(listed), "", 1)
            } else {
                String::new()
            };
            format!("{before} {}", words[at + 1..].join(" "))
        }
    };
    Ok((listed.finding.clone(), snooze(&added)?))
}

fn snooze(added: &str) -> Result<Option<Edit>, String> {
    let mut words = added.split_whitespace().skip_while(|w| *w != "snooze").skip(1);
    if !added.split_whitespace().any(|w| w == "snooze") {
        return Ok(None);
    }
    let days = words.next().and_then(|w| w.strip_suffix('d')).and_then(|d| d.parse().ok());
    match days {
        Some(days @ 1..=365) => Ok(Some(Edit::Snooze { days })),
        _ => Err("after `snooze` stands a number of days from 1d to 365d".to_owned()),
    }
}

/// Untrusted text as one plain line: no control, bidi or invisible characters, no HTML comment, at most `max` characters.
pub fn plain(text: &str, max: usize) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    let joined = spaced.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ").replace("<!--", "<! --");
    if joined.chars().count() <= max {
        return joined;
    }
    joined.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FindingSource;

    fn line(key: &str, title: &str) -> Line {
        let finding = Fingerprint::of(FindingSource::Issue, key);
        Line { finding, title: title.to_owned(), state: FindingState::Open }
    }

    fn three() -> Vec<Line> {
        vec![line("1", "Fix the parser"), line("2", "Please snooze 7d this"), line("3", "Add a flag")]
    }

    #[test]
    fn an_untouched_list_says_nothing() {
        let (text, revision) = render("daily-triage", &three());
        assert_eq!(text.lines().filter(|l| l.starts_with("- [ ] ")).count(), 3);
        assert_eq!(read_back(&text, &three(), &revision), Ok(BTreeMap::new()));
    }

    #[test]
    fn ticks_snoozes_and_deletions_are_read() {
        let lines = three();
        let (text, revision) = render("daily-triage", &lines);
        let edited: String = text
            .lines()
            .filter(|l| !l.contains("Add a flag"))
            .map(|l| if l.contains("parser") { l.replace("[ ]", "[X]") } else { l.to_owned() })
            .map(|l| if l.contains("Please") { format!("{l} snooze 14d\n") } else { format!("{l}\n") })
            .collect();
        let edits = read_back(&edited, &lines, &revision).expect("readable");
        assert_eq!(edits.get(&lines[0].finding), Some(&Edit::Done));
        assert_eq!(edits.get(&lines[1].finding), Some(&Edit::Snooze { days: 14 }));
        assert_eq!(edits.get(&lines[2].finding), Some(&Edit::Dismissed));
    }

    #[test]
    fn a_snooze_before_the_id_counts_too() {
        let lines = three();
        let (text, revision) = render("x", &lines);
        let id = lines[0].finding.short();
        let edited = text.replace(&format!("Fix the parser {id}"), &format!("Fix the parser snooze 2d {id}"));
        let edits = read_back(&edited, &lines, &revision).expect("readable");
        assert_eq!(edits, BTreeMap::from([(lines[0].finding.clone(), Edit::Snooze { days: 2 })]));
    }

    #[test]
    fn other_marks_of_a_list_and_other_line_ends_are_read() {
        let lines = three();
        let (text, revision) = render("x", &lines);
        for mark in ["* [x]", "+ [x]", "  - [X]", "-  [x]"] {
            let edited = text.replacen("- [ ]", mark, 1).replace('\n', "\r\n");
            let edits = read_back(&edited, &lines, &revision).expect(mark);
            assert_eq!(edits, BTreeMap::from([(lines[0].finding.clone(), Edit::Done)]), "{mark}");
        }
    }

    #[test]
    fn a_line_that_still_names_its_finding_is_not_deleted() {
        let lines = three();
        let (text, revision) = render("x", &lines);
        for mark in ["1. [x]", "done:", ""] {
            let edited = text.replacen("- [ ]", mark, 1);
            let answer = read_back(&edited, &lines, &revision);
            assert!(matches!(answer, Err(Rejected::Line { .. })), "{mark}: {answer:?}");
        }
    }

    #[test]
    fn a_cut_or_foreign_file_is_rejected_whole() {
        let (text, revision) = render("x", &three());
        for cut in 0..text.len() - 5 {
            assert_eq!(read_back(&text[..cut], &three(), &revision), Err(Rejected::NoEnd), "cut at {cut}");
        }
        let (_, other) = render("x", &three()[..1]);
        assert!(matches!(read_back(&text, &three(), &other), Err(Rejected::UnknownRevision { .. })));
        let odd = text.replace("- [ ] Add", "- [ ] no id here\n- [ ] Add");
        assert!(matches!(read_back(&odd, &three(), &revision), Err(Rejected::Line { .. })));
    }

    #[test]
    fn titles_stay_on_their_line() {
        let evil = line("1", "a\n- [x] b\u{202e} <!-- loopwright: end");
        let (text, revision) = render("x", std::slice::from_ref(&evil));
        assert_eq!(text.lines().filter(|l| l.starts_with("- [")).count(), 1);
        assert_eq!(read_back(&text, &[evil], &revision), Ok(BTreeMap::new()));
    }
}
