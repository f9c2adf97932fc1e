//! Discover: what is there to do on the base commit, compared with what is known. No model takes part.

use anyhow::Result;
use loopwright_core::check::{CaseStatus, CheckReport};
use loopwright_core::definition::{Definition, Source};
use loopwright_core::finding::{Finding, FindingSource, FindingState, Fingerprint};
use loopwright_core::known::{self, Known, Look};
use loopwright_core::review::Event;
use loopwright_core::run::{Discovered, Outcome, Queued};
use loopwright_core::scan as core_scan;

use super::{Work, scan, sources, triage};
use crate::forge::Forge as _;
use crate::forge::issues::{Issue, Note};
use crate::forge::local::LocalForge;
use crate::git::CommitFacts;
use crate::store::pull_requests;
use crate::store::{due, findings};

/// How many commits back a suspect may lie.
const RECENT: usize = 30;
/// Most suspects of one finding.
const SUSPECTS: usize = 3;

/// What a reader of the run should know: topic and text.
type Notes = Vec<(String, String)>;

/// What was done, and what a reader of the run should know of it.
pub type Noted = (Outcome, Notes);

/// Looks for work and writes the triage list.
///
/// # Errors
/// A check can't be run, the forge can't be read, or nothing can be stored.
pub fn discover(work: &mut Work, only: Option<&Fingerprint>) -> Result<Noted> {
    work.base_reports = match needs_reports(&work.resolved.definition) {
        true => scan::base_reports(work)?.into(),
        false => Vec::new().into(),
    };
    let (mut seen, mut notes) = seen(work)?;
    let said = sources::ask(work)?;
    seen.extend(said.findings.iter().cloned());
    let mut before = findings::of_loop(work.store.read(), work.row.id)?;
    sources::keep_unsure(&said, &before, &mut seen);
    notes.extend(said.notes);
    add_suspects(work, &mut seen)?;
    notes.extend(triage::apply_edits(work, &mut before)?);
    let mut look = known::look(before, &seen, (work.now)());
    let revises = due::revised_by(work.store.read(), work.run)?.is_some();
    if let Some(asked) = only.filter(|_| !revises) {
        notes.extend(ask_again(work, &mut look, asked)?);
    }
    store(work, &look)?;
    let lines: Vec<String> = work.base_reports.iter().map(counted).collect();
    let said = progress_note(work, &look, &lines)?;
    let revision = triage::write(work, &look.known, &said)?;
    let mut found = discovered(work, &look, seen.len(), (lines, revision), only);
    if revises {
        // Its pull request stands for it: it is worked on wherever it stands, and nothing else is.
        found.queue =
            look.known.iter().filter(|k| Some(&k.finding.fingerprint) == only).map(|k| queued(work, k)).collect();
    }
    Ok((Outcome::Discovered(found), notes))
}

/// A loop that only lists what checks have no part in needs none of them.
fn needs_reports(definition: &Definition) -> bool {
    let scans = definition.sources().iter().any(|s| matches!(s, Source::ScanCiFailures(_)));
    scans || definition.work.is_some()
}

fn seen(work: &Work) -> Result<(Vec<Finding>, Notes)> {
    let sources = work.resolved.definition.sources();
    let reports: Vec<CheckReport> = scan::looked_at(sources, &work.base_reports).into_iter().cloned().collect();
    let mut seen = core_scan::findings(&reports);
    let mut notes = Vec::new();
    if sources.contains(&Source::OpenIssues) {
        let issues = LocalForge { repos: &work.code()?.repos }.open_issues(work.code()?.base.commit)?;
        seen.extend(issues.open.iter().map(of_issue));
        let note = |n: &Note| ("issue-unreadable".to_owned(), format!("{}: {}", n.path, n.reason));
        notes.extend(issues.notes.iter().map(note));
    }
    Ok((seen, notes))
}

/// An issue as a finding; only its number is its identity.
fn of_issue(issue: &Issue) -> Finding {
    let key = issue.number.to_string();
    let author = issue.author.as_deref().unwrap_or("nobody named");
    Finding {
        fingerprint: Fingerprint::of(FindingSource::Issue, &key),
        source: FindingSource::Issue,
        title: format!("Issue #{}: {}", issue.number, issue.title),
        detail: format!("Written by {author}, labels: {}.\n\n{}", issue.labels.join(", "), issue.body),
        should: format!("What issue #{} asks for is there", issue.number),
        gate: None,
        failing: std::collections::BTreeSet::new(),
        places: Vec::new(),
        suspects: Vec::new(),
        fault: issue.labels.iter().any(|l| l.eq_ignore_ascii_case("bug")),
        key,
    }
}

/// Names the recent commits that touched a finding's places.
fn add_suspects(work: &Work, seen: &mut [Finding]) -> Result<()> {
    if !work.resolved.definition.sources().contains(&Source::RecentCommits) {
        return Ok(());
    }
    let commits = work.code()?.repos.recent_commits(work.code()?.base.commit, RECENT)?;
    for finding in seen {
        let touches = |c: &&CommitFacts| c.paths.iter().any(|p| finding.places.iter().any(|at| at.path == *p));
        let named = |c: &CommitFacts| {
            let id = c.id.to_string();
            format!("{} {}", &id[..7], loopwright_core::triage::plain(&c.subject, 80))
        };
        finding.suspects = commits.iter().filter(touches).take(SUSPECTS).map(named).collect();
    }
    Ok(())
}

/// A person asks for one finding by name: it is acted on whatever was decided before. An open pull request stands for it
/// as long as it can land; one whose branch moved is made anew.
fn ask_again(work: &mut Work, look: &mut Look, asked: &Fingerprint) -> Result<Notes> {
    let Some(known) = look.known.iter_mut().find(|k| k.finding.fingerprint == *asked) else { return Ok(Vec::new()) };
    if known.state != FindingState::InReview {
        known.asked_for();
        return Ok(Vec::new());
    }
    let Some(open) = pull_requests::undecided_for(work.store.read(), work.row.id, asked)? else {
        return Ok(Vec::new());
    };
    let base = &work.code()?.base;
    if open.state != "open" || (open.base == base.commit.to_string() && open.branch == base.branch) {
        let text = format!("pull request {} for it waits for you", open.id.short());
        return Ok(vec![("in-review".to_owned(), text)]);
    }
    let at = work.stamp();
    let event = Event::Rejected { reason: "made anew: its branch had moved".to_owned() };
    pull_requests::advance(&mut work.store, open.id, &event, &at, |_| Ok(()))?;
    known.reopen();
    Ok(vec![("made-anew".to_owned(), format!("pull request {} is closed: its branch had moved", open.id.short()))])
}

fn store(work: &mut Work, look: &Look) -> Result<()> {
    let (loop_id, at) = (work.row.id, work.stamp());
    work.store.write(|tx| look.known.iter().try_for_each(|k| findings::put(tx, loop_id, k, &at)))
}

fn discovered(
    work: &Work,
    look: &Look,
    seen: usize,
    (checks, triage): (Vec<String>, String),
    only: Option<&Fingerprint>,
) -> Discovered {
    let wanted = |k: &&Known| only.is_none_or(|only| k.finding.fingerprint == *only);
    let put_off = |k: &&Known| {
        matches!(k.state, FindingState::NeedsYou { .. } | FindingState::InReview | FindingState::Snoozed { .. })
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Discovered {
        queue: known::queue(&look.known).into_iter().filter(|k| wanted(k)).map(|k| queued(work, k)).collect(),
        seen: count(seen),
        new: look.new,
        gone: look.gone,
        waiting: count(look.known.iter().filter(put_off).count()),
        triage,
        checks,
    }
}

fn queued(work: &Work, known: &Known) -> Queued {
    Queued {
        finding: known.finding.fingerprint.clone(),
        title: known.finding.title.clone(),
        failing: known.finding.failing.clone(),
        base_failing: work.base_reports.iter().flat_map(CheckReport::failing).collect(),
        rounds: known.rounds.clone(),
    }
}

/// `tests_pass: 212 passed, 1 failed`
fn counted(report: &CheckReport) -> String {
    let count = |s| report.with_status(s).len();
    let (passed, failed) = (count(CaseStatus::Passed), count(CaseStatus::Failed));
    let passed = if passed > 0 { format!("{passed} passed, ") } else { String::new() };
    format!("{}: {passed}{failed} failed", report.check)
}

/// `state/progress.md`: where the next run starts.
fn progress_note(work: &Work, look: &Look, checks: &[String]) -> Result<String> {
    let plain = |t: &str| loopwright_core::triage::plain(t, 120);
    let base = &work.code()?.base;
    let mut text = format!(
        "# Progress of {}\n\nLast look: {}, base {} on {}.\n\n",
        work.row.name,
        work.stamp(),
        &base.commit.to_string()[..12],
        plain(&base.branch)
    );
    for line in checks {
        text.push_str(&format!("- {}\n", plain(line)));
    }
    for known in known::in_order(&look.known) {
        let why = match &known.state {
            FindingState::NeedsYou { why } => format!("needs you: {}", plain(why)),
            other => other.word().replace('_', " "),
        };
        text.push_str(&format!("- {}: {} ({why})\n", known.finding.fingerprint, plain(&known.finding.title)));
    }
    Ok(text)
}

/// Writes the list again after the run moved findings; what a person edited meanwhile is applied first.
///
/// # Errors
/// A file or a row can't be written.
pub fn refresh(work: &mut Work) -> Result<Notes> {
    let mut known = findings::of_loop(work.store.read(), work.row.id)?;
    let notes = triage::apply_edits(work, &mut known)?;
    // The run is at its end: nobody works on these any more.
    for entry in known.iter_mut().filter(|k| k.state == FindingState::Acting) {
        entry.state = FindingState::Open;
    }
    let look = Look { known, ..Look::default() };
    store(work, &look)?;
    let lines: Vec<String> = work.base_reports.iter().map(counted).collect();
    let said = progress_note(work, &look, &lines)?;
    triage::write(work, &look.known, &said)?;
    Ok(notes)
}
