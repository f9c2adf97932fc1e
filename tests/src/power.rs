//! Power cuts: what a disk may hold after one, from a log of everything that was written and synced.
//!
//! What was synced is there. Of the rest any part may be, in pieces of 512 bytes; names (creation, renaming, removal) reach the
//! disk in their order, at the latest with a sync of their folder or of the file itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::dice::Dice;

/// The smallest piece that a disk writes whole.
const SECTOR: u64 = 512;

/// One call that changed something.
#[derive(Clone, Debug)]
pub struct Call {
    kind: u8,
    path: PathBuf,
    at: u64,
    data: Vec<u8>,
}

/// Reads the log that `faults/shim.c` wrote.
///
/// # Errors
/// It can't be read.
pub fn calls(log: &Path) -> Result<Vec<Call>> {
    let bytes = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
    while let Some((head, tail)) = rest.split_at_checked(17) {
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
        let (name, size) = (word(1), word(13));
        let mut at = [0; 8];
        at.copy_from_slice(&head[5..13]);
        let path = PathBuf::from(String::from_utf8_lossy(tail.get(..name).context("a path")?).into_owned());
        let data = tail.get(name..name + size).context("data")?.to_vec();
        found.push(Call { kind: head[0], path, at: u64::from_le_bytes(at), data });
        rest = &tail[name + size..];
    }
    Ok(found)
}

impl Call {
    /// What was written to the file with this name; none for every other call.
    pub fn wrote(&self, name: &str) -> Option<&[u8]> {
        (self.kind == b'w' && self.path.ends_with(name)).then_some(self.data.as_slice())
    }
}

/// A change of names that the disk may not know yet.
#[derive(Clone, Debug)]
enum Naming {
    Create(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// A change of a file's bytes that the disk may not know yet.
#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

#[derive(Clone, Debug, Default)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Change>,
}

/// A disk while calls come in.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: Vec<File>,
    now: BTreeMap<PathBuf, usize>,
    synced: BTreeMap<PathBuf, usize>,
    pending: Vec<Naming>,
}

impl Disk {
    /// Takes in one call.
    pub fn take(&mut self, call: &Call) {
        match call.kind {
            b'r' => self.rename(&call.path, PathBuf::from(String::from_utf8_lossy(&call.data).into_owned())),
            b'u' => {
                self.now.remove(&call.path);
                self.pending.push(Naming::Remove(call.path.clone()));
            }
            b's' if !self.now.contains_key(&call.path) => self.sync_names(self.pending.len()),
            b's' => self.sync(&call.path),
            b'w' => self.change(&call.path, Change::Write(call.at, call.data.clone())),
            b't' => self.change(&call.path, Change::Truncate(call.at)),
            _ => drop(self.file(&call.path)),
        }
    }

    fn file(&mut self, path: &Path) -> usize {
        if let Some(id) = self.now.get(path) {
            return *id;
        }
        let id = self.files.len();
        self.files.push(File::default());
        self.now.insert(path.to_owned(), id);
        self.pending.push(Naming::Create(path.to_owned(), id));
        id
    }

    fn change(&mut self, path: &Path, change: Change) {
        let id = self.file(path);
        self.files[id].pending.push(change);
    }

    fn rename(&mut self, from: &Path, to: PathBuf) {
        if let Some(id) = self.now.remove(from) {
            self.now.insert(to.clone(), id);
            self.pending.push(Naming::Rename(from.to_owned(), to));
        }
    }

    fn sync(&mut self, path: &Path) {
        let id = self.file(path);
        let file = &mut self.files[id];
        for change in std::mem::take(&mut file.pending) {
            apply(&mut file.synced, &change, &mut |_| true);
        }
        let created = self.pending.iter().position(|n| matches!(n, Naming::Create(_, of) if *of == id));
        self.sync_names(created.map_or(0, |at| at + 1));
    }

    fn sync_names(&mut self, first: usize) {
        for naming in self.pending.drain(..first) {
            name(&mut self.synced, naming);
        }
    }

    /// Writes below `to` what the disk may hold if the power goes now; `from` is where its files are.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn cut(&self, dice: &mut Dice, from: &Path, to: &Path) -> Result<()> {
        let mut names = self.synced.clone();
        let known = dice.below(self.pending.len() + 1);
        for naming in self.pending.iter().take(known) {
            name(&mut names, naming.clone());
        }
        // Of a hundred pieces so many reach the disk.
        let share = [0, 20, 50, 80, 100][dice.below(5)];
        for (path, id) in names {
            let mut bytes = self.files[id].synced.clone();
            for change in &self.files[id].pending {
                apply(&mut bytes, change, &mut |_| dice.below(100) < share);
            }
            let path = to.join(path.strip_prefix(from).context("a file from elsewhere")?);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}

fn name(names: &mut BTreeMap<PathBuf, usize>, naming: Naming) {
    match naming {
        Naming::Create(path, id) => {
            names.insert(path, id);
        }
        Naming::Rename(from, to) => {
            if let Some(id) = names.remove(&from) {
                names.insert(to, id);
            }
        }
        Naming::Remove(path) => {
            names.remove(&path);
        }
    }
}

/// Applies a change, or those sectors of it that `reaches` lets through.
fn apply(bytes: &mut Vec<u8>, change: &Change, reaches: &mut dyn FnMut(u64) -> bool) {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    match change {
        Change::Truncate(length) => {
            if reaches(0) {
                bytes.resize(index(*length), 0);
            }
        }
        Change::Write(at, data) => {
            let mut from = *at;
            let end = at + data.len() as u64;
            while from < end {
                let to = end.min((from / SECTOR + 1) * SECTOR);
                if reaches(from) {
                    if bytes.len() < index(to) {
                        bytes.resize(index(to), 0);
                    }
                    bytes[index(from)..index(to)].copy_from_slice(&data[index(from - at)..index(to - at)]);
                }
                from = to;
            }
        }
    }
}
