//! Issues of the local forge: `.loopwright/issues/<n>-<slug>.md` on the base commit, front matter and a body.
//!
//! Their text is untrusted: it is data for a maker and never an instruction to the engine.

use anyhow::{Context, Result};
use git2::Oid;

use crate::git::Repos;

/// Where they are.
const FOLDER: &str = ".loopwright/issues";

/// Longest title, in characters.
const TITLE_LIMIT: usize = 200;

/// What was found at a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issues {
    /// The open ones, by number.
    pub open: Vec<Issue>,
    /// Files that are no issue: path and reason.
    pub notes: Vec<Note>,
}

/// One issue (untrusted text).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u32,
    /// One line.
    pub title: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// What it says.
    pub body: String,
    /// Its file.
    pub path: String,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its path.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Reads all issues of a commit and keeps the open ones.
pub(super) fn open_at(repos: &Repos, base: Oid) -> Result<Issues> {
    let mut issues = Issues::default();
    for path in repos.files_under(base, FOLDER).context("list the issues")? {
        match read(repos, base, &path, &issues.open) {
            Ok(Some(issue)) => issues.open.push(issue),
            Ok(None) => {}
            Err(reason) => issues.notes.push(Note { path, reason }),
        }
    }
    issues.open.sort_by_key(|i| i.number);
    Ok(issues)
}

fn read(repos: &Repos, base: Oid, path: &str, known: &[Issue]) -> Result<Option<Issue>, String> {
    let number = number(path)?;
    let bytes = repos.file(base, path).map_err(|e| e.to_string())?.ok_or("it is no file")?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let issue = parse(number, path, &text)?;
    match (&issue, known.iter().find(|k| k.number == number)) {
        (Some(_), Some(other)) => Err(format!("number {number} is taken by {}", other.path)),
        _ => Ok(issue),
    }
}

/// The number in `<n>-<slug>.md`.
fn number(path: &str) -> Result<u32, String> {
    let shape = || "its name is not `<number>-<words>.md`".to_owned();
    let name = path.strip_prefix(FOLDER).and_then(|p| p.strip_prefix('/')).ok_or_else(shape)?;
    let (number, slug) = name.strip_suffix(".md").and_then(|n| n.split_once('-')).ok_or_else(shape)?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if !digits || slug.is_empty() || name.contains('/') {
        return Err(shape());
    }
    number.parse().ok().filter(|n| *n > 0).ok_or_else(shape)
}

/// Parses one issue; none if it is closed.
fn parse(number: u32, path: &str, text: &str) -> Result<Option<Issue>, String> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let rest = text.strip_prefix("---\n").ok_or("its first line is not `---`")?;
    let (front, body) = rest
        .split_once("\n---\n")
        .or_else(|| rest.strip_suffix("\n---").map(|front| (front, "")))
        .ok_or("its front matter has no closing `---`")?;
    let (mut title, mut state, mut labels, mut author) = (None, None, Vec::new(), None);
    for line in front.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        let (key, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is not `key: value`"))?;
        let value = value.trim();
        match key.trim() {
            "title" => set(&mut title, "title", unquoted(value).to_owned())?,
            "state" => set(&mut state, "state", unquoted(value).to_owned())?,
            "author" => set(&mut author, "author", unquoted(value).to_owned())?,
            "labels" => labels = list(value),
            // Other keys belong to other tools.
            _ => {}
        }
    }
    let title = title.filter(|t| !t.is_empty()).ok_or("it has no title")?;
    if title.chars().count() > TITLE_LIMIT {
        return Err(format!("its title is longer than {TITLE_LIMIT} characters"));
    }
    match state.as_deref() {
        None | Some("open") => {}
        Some("closed") => return Ok(None),
        Some(other) => return Err(format!("its state is `{other}`, not `open` or `closed`")),
    }
    let (path, body) = (path.to_owned(), body.trim().to_owned());
    Ok(Some(Issue { number, title, labels, author: author.filter(|a| !a.is_empty()), body, path }))
}

fn set(place: &mut Option<String>, key: &str, value: String) -> Result<(), String> {
    match place.replace(value) {
        Some(_) => Err(format!("`{key}` stands twice")),
        None => Ok(()),
    }
}

fn unquoted(value: &str) -> &str {
    ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q)).unwrap_or(value)
}

/// `[a, b]`, or `a, b`.
fn list(value: &str) -> Vec<String> {
    let inner = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
    inner.split(',').map(|l| unquoted(l.trim()).to_owned()).filter(|l| !l.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_read_kindly() {
        let text = "---\r\ntitle: \"It breaks: often\"\r\nstate: open\r\nlabels: [bug, 'ui']\r\nseverity: 3\r\nauthor: una\r\n---\r\n\r\nSteps.\r\n";
        let issue = parse(3, "p", text).expect("an issue").expect("open");
        assert_eq!((issue.title.as_str(), issue.body.as_str()), ("It breaks: often", "Steps."));
        assert_eq!((issue.labels, issue.author.as_deref()), (vec!["bug".to_owned(), "ui".to_owned()], Some("una")));
        assert!(parse(3, "p", "---\ntitle: x\nlabels: []\n---").expect("an issue").is_some());
        assert_eq!(parse(3, "p", "---\ntitle: x\nstate: closed\n---\n").expect("an issue"), None);
    }

    #[test]
    fn what_is_no_issue_says_why() {
        for (text, reason) in [
            ("title: x", "its first line is not `---`"),
            ("---\ntitle: x\n", "its front matter has no closing `---`"),
            ("---\nstate: open\n---\n", "it has no title"),
            ("---\ntitle: x\ntitle: y\n---\n", "`title` stands twice"),
            ("---\ntitle: x\nstate: done\n---\n", "its state is `done`, not `open` or `closed`"),
            ("---\ntitle x\n---\n", "`title x` is not `key: value`"),
        ] {
            assert_eq!(parse(1, "p", text), Err(reason.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn numbers_come_from_names() {
        assert_eq!(number(".loopwright/issues/12-a-b.md"), Ok(12));
        for name in
            ["12.md", "-a.md", "x-a.md", "0-a.md", "1-a.txt", "1-.md", "sub/1-a.md", "+1-a.md", "99999999999-a.md"]
        {
            assert!(number(&format!(".loopwright/issues/{name}")).is_err(), "{name}");
        }
    }
}
