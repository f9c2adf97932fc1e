//! The change of a pull request as a window reads it: opened once, then page by page, whatever its length.

use anyhow::Context as _;
use git2::Oid;
use loopwright_core::diff::{ChangeKind, DiffStat};
use loopwright_core::exit;
use loopwright_core::ids::PullRequestId;
use loopwright_core::patch::{Class, FilePatch, Patch, Row, Sign, Sorted, minutes_to_read, sort};
use loopwright_core::review::Event;
use serde::{Deserialize, Serialize};

use super::{ApiError, Context, reviews};
use crate::git::Repos;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::{Store, desk, loops};

/// Most lines of a page.
const PAGE: usize = 1000;

/// Most places of a search that are named; all of them are counted.
const PLACES: usize = 10_000;

/// What a change is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The commit that it was made on.
    Base,
    /// What the pull request showed before.
    Since,
}

/// The files of a change and what is left to do before it can be approved.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DiffView {
    /// What it is compared with.
    pub against: Against,
    /// The commit that is shown.
    pub commit: String,
    /// Its tree: what an approval names.
    pub tree: String,
    /// In the order of reading.
    pub files: Vec<DiffFile>,
    /// Lines of all files.
    pub lines: u32,
    /// How much differs.
    pub stat: DiffStat,
    /// How long reading it takes, in minutes.
    pub minutes: u32,
    /// Whether an earlier version was shown.
    pub has_since: bool,
    /// Protected files that must be viewed before it can be approved.
    pub must_view: Vec<String>,
}

/// A file of a change.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DiffFile {
    /// Its path (untrusted).
    pub path: String,
    /// Its path before, if it was renamed.
    pub old_path: Option<String>,
    /// `added`, `deleted`, `modified`, `renamed`.
    pub kind: String,
    /// What it is to a reader.
    pub class: Class,
    /// What it is for, or why it is folded.
    pub why: Option<String>,
    /// Whether it is folded until asked for.
    pub folded: bool,
    /// New lines.
    pub added: u32,
    /// Removed lines.
    pub removed: u32,
    /// Bytes before and after, where git sees bytes instead of lines.
    pub binary: Option<(u64, u64)>,
    /// What a viewed mark is bound to.
    pub content: String,
    /// Whether a person viewed it as it is now.
    pub viewed: bool,
    /// A person viewed it, and it changed since.
    pub changed_since: bool,
    /// The number of its first line among all lines.
    pub first: u32,
    /// How many lines it has.
    pub lines: u32,
    /// Which of its own lines begin a hunk.
    pub hunks: Vec<u32>,
}

/// A page of lines.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LinePage {
    /// The commit that they belong to.
    pub commit: String,
    /// The number of the first.
    pub from: u32,
    /// The lines.
    pub rows: Vec<Row>,
}

/// Where a text was found.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Found {
    /// How many lines hold it.
    pub total: u32,
    /// The first 10,000 of them.
    pub at: Vec<u32>,
}

/// A change that was read once; what a page of it costs does not grow with its length.
#[derive(Debug)]
pub struct OpenedDiff {
    id: PullRequestId,
    against: Against,
    commit: String,
    tree: String,
    has_since: bool,
    patch: Patch,
    places: Vec<Sorted>,
}

impl OpenedDiff {
    /// Reads the change of a pull request.
    ///
    /// # Errors
    /// There is no such pull request, or its objects can't be read.
    pub fn open(context: &Context, typed: &str, against: Against) -> Result<OpenedDiff, ApiError> {
        let store = context.store()?;
        let record = reviews::find(&store, typed)?;
        let before = shown_before(&store, &record)?;
        let repos = repos(context, &store, &record)?;
        let (base, commit) = (Oid::from_str(&record.base), Oid::from_str(&record.commit));
        let (base, commit) = (base.context("the base")?, commit.context("the commit")?);
        let read = match (against, &before) {
            (Against::Since, Some(before)) => {
                repos.patch_since(base, Oid::from_str(before).context("the commit before")?, commit)
            }
            _ => repos.patch(base, commit),
        };
        let mut patch = read.map_err(|error| unreadable(&error))?;
        let places = sort(&mut patch);
        let against = if before.is_some() { against } else { Against::Base };
        let (id, has_since) = (record.id, before.is_some());
        Ok(OpenedDiff { id, against, commit: record.commit, tree: record.tree, has_since, patch, places })
    }

    /// Whether this is what is asked for, and still what the pull request shows.
    pub fn is(&self, id: &str, against: Against, commit: &str) -> bool {
        let same = self.against == against || (against == Against::Since && !self.has_since);
        self.id.to_string() == id && same && self.commit == commit
    }

    /// Its files, with the marks as they are now.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn view(&self, context: &Context) -> Result<DiffView, ApiError> {
        let store = context.store()?;
        let marks = desk::viewed(store.read(), self.id)?;
        let mut files = Vec::new();
        let mut first = 0;
        for (file, place) in self.patch.files.iter().zip(&self.places) {
            let mark = marks.get(&file.path);
            files.push(file_view(file, place, mark, first));
            first += u32::try_from(file.lines.len()).unwrap_or(u32::MAX);
        }
        let all = |of: fn(&DiffFile) -> u32| files.iter().map(of).fold(0, u32::saturating_add);
        let stat = DiffStat {
            files: u32::try_from(files.len()).unwrap_or(u32::MAX),
            added: all(|file| file.added),
            removed: all(|file| file.removed),
        };
        let record = stored::by_id(store.read(), self.id)?.context("the pull request is gone")?;
        Ok(DiffView {
            against: self.against,
            commit: self.commit.clone(),
            tree: self.tree.clone(),
            lines: first,
            stat,
            minutes: minutes_to_read(&self.patch, &self.places),
            has_since: self.has_since,
            must_view: unread(context, &store, &record)?.protected,
            files,
        })
    }

    /// At most 1000 lines from a number on.
    pub fn page(&self, from: u32, count: u32) -> LinePage {
        let rows = self.patch.page(from as usize, (count as usize).min(PAGE));
        LinePage { commit: self.commit.clone(), from, rows }
    }

    /// One line, whole.
    ///
    /// # Errors
    /// There is no such line.
    pub fn whole(&self, at: u32) -> Result<Row, ApiError> {
        self.patch.whole(at as usize).ok_or_else(|| ApiError::new(exit::USAGE, format!("there is no line {at}")))
    }

    /// The lines that hold a text, whatever its case; all of them are looked at.
    pub fn find(&self, text: &str) -> Found {
        let found = self.patch.find(text);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Found { total: number(found.len()), at: found.into_iter().take(PLACES).map(number).collect() }
    }
}

fn file_view(file: &FilePatch, place: &Sorted, mark: Option<&String>, first: u32) -> DiffFile {
    let (added, removed) = file.stat();
    let kind = match file.kind {
        ChangeKind::Added => "added",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Modified => "modified",
        ChangeKind::Renamed => "renamed",
    };
    DiffFile {
        path: file.path.clone(),
        old_path: file.old_path.clone(),
        kind: kind.to_owned(),
        class: place.class,
        why: place.why.clone(),
        folded: place.folded,
        added,
        removed,
        binary: file.binary,
        content: file.content.clone(),
        viewed: mark == Some(&file.content),
        changed_since: mark.is_some_and(|mark| *mark != file.content),
        first,
        lines: u32::try_from(file.lines.len()).unwrap_or(u32::MAX),
        hunks: (0..).zip(&file.lines).filter(|(_, line)| line.sign == Sign::Hunk).map(|(at, _)| at).collect(),
    }
}

/// The commit that was shown before this one, if there was one.
fn shown_before(store: &Store, record: &PullRequestRecord) -> Result<Option<String>, ApiError> {
    let events = stored::events(store.read(), record.id)?;
    let shown = events.into_iter().rev().filter_map(|(_, event)| match event {
        Event::Opened { shown } | Event::Updated { shown, .. } => Some(shown.commit),
        _ => None,
    });
    Ok(shown.skip(1).find(|commit| *commit != record.commit))
}

fn repos(context: &Context, store: &Store, record: &PullRequestRecord) -> Result<Repos, ApiError> {
    Ok(Repos::open(&context.home.data, loops::by_id(store.read(), record.loop_id)?.repo)?)
}

fn unreadable(error: &anyhow::Error) -> ApiError {
    ApiError::new(exit::FAILED, format!("{error:#}")).hint("`loopwright doctor` looks at what is kept")
}

/// What nobody marked as viewed.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Protected files: they keep it from being approved.
    pub(super) protected: Vec<String>,
    /// Other files that are not folded: how many is recorded.
    pub(super) rest: u32,
}

/// The files of the whole change that nobody marked as viewed with the content that they have now.
pub(super) fn unread(context: &Context, store: &Store, record: &PullRequestRecord) -> Result<Unread, ApiError> {
    let repos = repos(context, store, record)?;
    let (base, commit) = (Oid::from_str(&record.base), Oid::from_str(&record.commit));
    let (base, commit) = (base.context("the base")?, commit.context("the commit")?);
    let mut patch = repos.patch(base, commit).map_err(|error| unreadable(&error))?;
    let places = sort(&mut patch);
    let marks = desk::viewed(store.read(), record.id)?;
    let mut unread = Unread::default();
    for (file, place) in patch.files.iter().zip(&places) {
        match place.class {
            _ if marks.get(&file.path) == Some(&file.content) => {}
            Class::Protected => unread.protected.push(file.path.clone()),
            _ if place.folded => {}
            _ => unread.rest += 1,
        }
    }
    Ok(unread)
}
