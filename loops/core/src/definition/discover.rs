//! `- discover:`: where a loop looks for work, and where it lists what it found.

use super::faults::Faults;
use super::fields::Fields;
use super::nearest::suggestion;
use super::phrase::{self, Call, Word};
use super::steps::{Names, Step, plain, retry, twice};
use super::values::{inside, phrase as read_phrase, text};
use super::yaml::Node;
use super::{Command, Discover, Source};

const WRITE_TO: &str = "write_to: state/triage.md";

/// Longest line of `command("…")`, in bytes.
const LONGEST: usize = 4000;

/// The note on a run's progress, which lies beside the list.
const PROGRESS: &str = "progress.md";

/// The step as far as it could be read: its list is known even where something else in it is wrong.
pub(super) struct Seen {
    /// The list that act must name too.
    pub(super) write_to: Option<String>,
    /// The whole step; none if anything is wrong with it.
    pub(super) whole: Option<Discover>,
}

/// The step's sources and its list.
pub(super) fn read(step: &Step<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Seen {
    let keys = ["run", "write_to", "retry"];
    let fields = Fields::over(step.entries, "discover", step.at.clone(), &keys, faults);
    let sources = sources(&fields, names, faults);
    let write_to = write_to(&fields, faults);
    let retry = retry(&fields, faults);
    let whole = match (sources, write_to.clone(), retry) {
        (Some(sources), Some(write_to), Some(retry)) => Some(Discover { sources, write_to, retry }),
        _ => None,
    };
    Seen { write_to, whole }
}

fn sources(fields: &Fields<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Vec<Source>> {
    let example = "run: scan_ci_failures + open_issues + recent_commits";
    let node = fields.required("run", &format!("add `{example}`"), faults)?;
    let calls = read_phrase(node, example, faults, phrase::sum)?;
    let before = faults.errors();
    let known = ["scan_ci_failures", "open_issues", "recent_commits", "todo_comments", "command"];
    let once: Vec<Call> = calls.iter().filter(|call| call.name.text != "command").cloned().collect();
    twice(node, &once, faults);
    let sources: Vec<Source> = calls
        .iter()
        .filter_map(|call| match call.name.text.as_str() {
            "scan_ci_failures" => Some(Source::ScanCiFailures(scanned(node, call, names, faults))),
            "open_issues" => plain(node, call, faults).then_some(Source::OpenIssues),
            "recent_commits" => plain(node, call, faults).then_some(Source::RecentCommits),
            "todo_comments" => plain(node, call, faults).then_some(Source::TodoComments),
            "command" => command(node, call, faults).map(Source::Command),
            other => {
                let at = inside(node, &call.name.at, faults);
                faults.error(
                    "unknown-word",
                    at,
                    format!("`{other}` is no source of findings"),
                    suggestion(other, &known),
                );
                None
            }
        })
        .collect();
    for (at, source) in sources.iter().enumerate() {
        if let Source::Command(line) = source
            && sources[..at].contains(source)
        {
            faults.error(
                "wrong-value",
                node.at.clone(),
                format!("`command({})` is given twice", phrase::quote(&line.to_string())),
                "keep one of the two",
            );
        }
    }
    if sources == [Source::RecentCommits] && calls.len() == 1 {
        let message = "`recent_commits` alone finds nothing: it only tells the others where to look";
        faults.error("wrong-value", node.at.clone(), message, "write `run: scan_ci_failures + recent_commits`");
    }
    (faults.errors() == before).then_some(sources)
}

/// The checks in `scan_ci_failures(…)`.
fn scanned(node: &Node, call: &Call, names: &mut Names, faults: &Faults<'_>) -> Vec<String> {
    let words = call.arguments.as_deref().unwrap_or_default();
    for Word { text, at } in words {
        names.checks.push((text.clone(), inside(node, at, faults)));
    }
    words.iter().map(|w| w.text.clone()).collect()
}

/// The one text in `command("…")`.
fn command(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<Command> {
    let words = call.arguments.as_deref().unwrap_or_default();
    match words {
        [Word { text, .. }] if !text.trim().is_empty() && text.len() <= LONGEST => Some(Command::Shell(text.clone())),
        _ => {
            let at = inside(node, &call.name.at, faults);
            let message = "`command` takes one text in quotes: what is run";
            faults.error("phrase", at, message, "write it as in `command(\"./find-work.sh --json\")`");
            None
        }
    }
}

/// The list's path without its `state/`.
fn write_to(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let node = fields.required("write_to", &format!("add `{WRITE_TO}`"), faults)?;
    let path = text(node, WRITE_TO, faults)?;
    if let Some(inner) = state_path(path) {
        if !inner.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(PROGRESS)) {
            return Some(inner.to_owned());
        }
        let message = "`state/progress.md` is the note that each run writes anew; the list would be lost";
        faults.error("wrong-value", node.at.clone(), message, format!("write `{WRITE_TO}`"));
        return None;
    }
    let message = "findings are written below the loop's own `state/` folder";
    faults.error("wrong-value", node.at.clone(), message, format!("write `{WRITE_TO}`"));
    None
}

/// What stands behind `state/`, if it is an ordinary relative path without white space.
pub(super) fn state_path(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("state/")?;
    let ordinary = |part: &str| !matches!(part, "" | "." | "..");
    let signs = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\' && c != ':';
    (inner.split('/').all(ordinary) && inner.chars().all(signs) && inner.len() <= 200).then_some(inner)
}
