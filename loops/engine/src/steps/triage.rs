//! `state/triage.md` and `state/progress.md`: read back first, then written anew; links are not followed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use loopwright_core::finding::Fingerprint;
use loopwright_core::known::{self, Known};
use loopwright_core::triage::{self, Edit, Line};

use super::Work;
use crate::fail;
use crate::home::{private_dir, replace};
use crate::os;
use crate::store::loops;

/// No person writes more than this by hand.
const LARGEST: u64 = 4 << 20;

/// What the person did to the list, or why nothing was read back.
pub enum ReadBack {
    /// The edits; empty when there are none.
    Edits(BTreeMap<Fingerprint, Edit>),
    /// The file is kept beside under this name.
    Rejected {
        /// Why, and where it is.
        note: String,
    },
}

/// The list's file.
pub fn path(work: &Work) -> PathBuf {
    let list = work.resolved.definition.discover.as_ref().map_or("triage.md", |discover| &discover.write_to);
    work.home.loop_state(work.row.id).join(list)
}

/// Reads the person's edits since the list was written last.
///
/// # Errors
/// The file can't be read.
pub fn read_back(work: &Work, known: &[Known]) -> Result<ReadBack> {
    let (row, path) = (loops::by_id(work.store.read(), work.row.id)?, path(work));
    let Some(revision) = row.triage_revision else { return Ok(ReadBack::Edits(BTreeMap::new())) };
    refuse_links(&work.state(), &path)?;
    let text = match read_plain(&path)? {
        Plain::Text(text) => text,
        Plain::Absent => return Ok(ReadBack::Edits(BTreeMap::new())),
        Plain::Other => {
            let kept = set_aside(&path)?;
            let note = format!("the triage list was no plain file; what stood there is now {}", kept.display());
            return Ok(ReadBack::Rejected { note });
        }
    };
    let lines: Vec<Line> = row
        .triage_listed
        .iter()
        .filter_map(|f| known.iter().find(|k| k.finding.fingerprint == *f))
        .map(listed)
        .collect();
    match triage::read_back(&text, &lines, &revision) {
        Ok(edits) => Ok(ReadBack::Edits(edits)),
        Err(why) => {
            let kept = set_aside(&path)?;
            let note = format!("nothing was read back from the triage list: {why}; it is kept as {}", kept.display());
            Ok(ReadBack::Rejected { note })
        }
    }
}

/// Writes the list and the progress note; returns the revision.
///
/// # Errors
/// A file can't be written.
pub fn write(work: &mut Work, known: &[Known], said: &str) -> Result<String> {
    let lines: Vec<Line> = known::in_order(known).into_iter().filter_map(Known::line).collect();
    let (text, revision) = triage::render(&work.row.name, &lines);
    let path = path(work);
    refuse_links(&work.state(), &path)?;
    private_dir(path.parent().context("the triage list has no folder")?)?;
    replace(&path, text.as_bytes())?;
    let listed: Vec<Fingerprint> = lines.into_iter().map(|l| l.finding).collect();
    let id = work.row.id;
    fail::point("triage-written");
    work.store.write(|tx| loops::set_triage(tx, id, &revision, &listed))?;
    let progress = work.home.loop_state(work.row.id).join("progress.md");
    replace(&progress, said.as_bytes())?;
    Ok(revision)
}

/// Applies the person's edits to what is known; returns what to note.
///
/// # Errors
/// The file can't be read.
pub fn apply_edits(work: &Work, known: &mut [Known]) -> Result<Vec<(String, String)>> {
    Ok(match read_back(work, known)? {
        ReadBack::Rejected { note } => vec![("triage-rejected".to_owned(), note)],
        ReadBack::Edits(edits) => match known::edited(known, &edits, (work.now)()) {
            0 => Vec::new(),
            moved => vec![("triage-read".to_owned(), format!("{moved} decided in the triage list"))],
        },
    })
}

fn listed(known: &Known) -> Line {
    Line { finding: known.finding.fingerprint.clone(), title: known.finding.title.clone(), state: known.state.clone() }
}

/// Refuses a list whose folder, below the state folder, is a link: steps of the loop write there, and what they run has ended.
fn refuse_links(state: &Path, path: &Path) -> Result<()> {
    let between = path.ancestors().skip(1).take_while(|folder| *folder != state);
    for folder in between {
        if folder.symlink_metadata().is_ok_and(|seen| !seen.is_dir()) {
            bail!("{} is no folder but a link or a file; remove it", folder.display());
        }
    }
    Ok(())
}

/// Moves what can't be read out of the way, under a name that nothing has; never through a link.
fn set_aside(path: &Path) -> Result<PathBuf> {
    let free = (1..).map(|n| path.with_extension(format!("rejected-{n}.md")));
    let kept = free.into_iter().find(|p| p.symlink_metadata().is_err()).context("no name is free")?;
    fs::rename(path, &kept).with_context(|| format!("keeping {}", kept.display()))?;
    Ok(kept)
}

/// What stands at a place.
enum Plain {
    Text(String),
    Absent,
    /// A link, a folder, or anything else that is not read.
    Other,
}

/// A plain file's text; links are not followed.
fn read_plain(path: &Path) -> Result<Plain> {
    let file = match os::open_unlinked(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Plain::Absent),
        Err(error) if os::is_link(&error) => return Ok(Plain::Other),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    if !file.metadata().with_context(|| format!("looking at {}", path.display()))?.is_file() {
        return Ok(Plain::Other);
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).with_context(|| format!("reading {}", path.display()))?;
    Ok(Plain::Text(String::from_utf8_lossy(&bytes).into_owned()))
}
