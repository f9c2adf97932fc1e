//! Loops whose agents lack a key, and the question to the keychain that finds it out.

use std::fs;

use anyhow::Result;
use loopwright_core::definition::read_bytes;
use loopwright_core::keys::{self, Lack, Lacking};

use super::credentials::asked;
use super::{ApiError, Context};
use crate::secrets::{Keychain, SecretStore, known, lacking};
use crate::store::loops::{self, LoopRow};
use crate::store::{Store, schedules};

/// A key that a loop lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LackedBy {
    /// The loop.
    pub(super) loop_name: String,
    /// For whom the key is.
    pub(super) provider: String,
    /// Why it can't be read, and since when.
    pub(super) lack: Lack,
}

/// Asks the keychain for the keys that loops need, and keeps what it said where everybody reads it. Where no loop needs one
/// it is not asked. This may take seconds; the keychain asks no person by it.
///
/// # Errors
/// The store or the list of keys can't be read, or what it said can't be written.
pub fn look_at_keys(context: &Context) -> Result<(), ApiError> {
    look(context, &Keychain::default())
}

fn look(context: &Context, keychain: &dyn SecretStore) -> Result<(), ApiError> {
    let known = known::read(&context.home)?;
    let nothing = known.is_empty() || {
        let store = context.store()?;
        let rows = enabled(&store)?;
        !rows.iter().any(|row| needed(row).iter().any(|name| known.contains_key(name)))
    };
    match nothing {
        true => lacking::write(&context.home, &Lacking::new())?,
        false => drop(asked(context, keychain, &known)?),
    }
    Ok(())
}

/// What loops lack that are not paused: what a paused one lacks is no fault until it is enabled.
pub(super) fn lacked(context: &Context, store: &Store) -> Result<Vec<LackedBy>> {
    let lacking = lacking::read(&context.home);
    if lacking.is_empty() {
        return Ok(Vec::new());
    }
    Ok(enabled(store)?.iter().flat_map(|row| of(row, &lacking)).collect())
}

/// What one loop lacks, paused or not.
pub(super) fn lacked_by(context: &Context, row: &LoopRow) -> Vec<LackedBy> {
    let lacking = lacking::read(&context.home);
    if lacking.is_empty() { Vec::new() } else { of(row, &lacking) }
}

fn of(row: &LoopRow, lacking: &Lacking) -> Vec<LackedBy> {
    let needed = needed(row).into_iter();
    let lack = |name: String| Some((*lacking.get(&name).filter(|lack| lack.sure)?, name));
    let lacks = needed.filter_map(lack);
    lacks.map(|(lack, provider)| LackedBy { loop_name: row.name.clone(), provider, lack }).collect()
}

fn enabled(store: &Store) -> Result<Vec<LoopRow>> {
    let mut rows = Vec::new();
    for row in loops::all(store.read())? {
        if schedules::paused_at(store.read(), row.id)?.is_none() {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// The keys that the file of a loop needs; one that can't be read has a fault of its own.
fn needed(row: &LoopRow) -> std::collections::BTreeSet<String> {
    let definition = fs::read(&row.path).ok().and_then(|bytes| read_bytes(&bytes).definition);
    definition.as_ref().map(keys::needed).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, Utc};

    use super::*;
    use crate::api::credentials::login_to;
    use crate::api::{AddRequest, Confirm, add, disable};
    use crate::home::Home;
    use crate::sandbox::toolchain::HostEnvironment;
    use crate::secrets::memory::Memory;
    use crate::secrets::{Closed, Secret};

    const LOOP: &str = "name: work
trigger: manual
steps:
  - discover: {run: open_issues, write_to: state/triage.md}
  - act: {for_each: finding in state/triage.md, spawn: maker(finding)}
  - verify: {check: diff_reasonable}
  - ship: {if: verified, run: open_pr}
agents:
  maker: {command: [\"true\"], price: $0, vendor: openai}
guardrails: {max_iterations: 1, budget: $5/run, halt_on: no_progress(2)}
";

    /// A repository with one empty commit.
    fn committed(path: &std::path::Path) -> Result<(), git2::Error> {
        let repository = git2::Repository::init(path)?;
        let by = git2::Signature::now("a person", "person@example.com")?;
        let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
        repository.commit(Some("HEAD"), &by, &by, "first", &tree, &[]).map(drop)
    }

    /// A home with one loop that needs a key for openai.
    fn stage(folder: &std::path::Path) -> Context {
        let home = Home::under(&folder.join("home"));
        let now = Utc::now();
        home.create(now).expect("a home");
        committed(&folder.join("repo")).expect("a repository");
        let (zone, cwd) = (chrono_tz::Tz::UTC, folder.to_owned());
        let context = Context { home, chosen: true, host: HostEnvironment::read(), cwd, zone, now, by: "terminal" };
        // A folder of its own: its agents see all of it.
        let place = folder.join("work/loop.yaml");
        fs::create_dir(folder.join("work")).expect("a folder");
        fs::write(&place, LOOP).expect("a loop");
        let (target, repo) = (place.display().to_string(), Some(folder.join("repo")));
        let request = AddRequest { target, repo, name: None, ship: true, confirm: Confirm::Person };
        let added = add(&context, request).expect("read");
        assert!(added.registered.is_some(), "{:?}", added.check.diagnostics);
        context
    }

    fn lacks(context: &Context) -> Vec<String> {
        let store = context.store().expect("the store");
        let lacked = lacked(context, &store).expect("read");
        lacked.iter().map(|one| format!("{} {} {:?}", one.loop_name, one.provider, one.lack.why)).collect()
    }

    #[test]
    fn a_loop_lacks_the_key_that_was_stored_for_its_agent_and_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (context, keychain) = (stage(folder.path()), Memory::default());
        look(&context, &keychain).expect("looked");
        assert_eq!(lacks(&context), [""; 0], "nobody ever stored one: its agent may sign in by itself");
        login_to(&context, &keychain, "openai", &Secret::new(b"sk-1".to_vec())).expect("stored");
        look(&context, &keychain).expect("looked");
        assert_eq!(lacks(&context), [""; 0]);
        keychain.remove("openai").expect("another program");
        look(&context, &keychain).expect("looked");
        assert_eq!(lacks(&context), ["work openai Gone"]);
        disable(&context, "work").expect("paused");
        assert_eq!(lacks(&context), [""; 0], "what is paused lacks nothing yet");
    }

    #[test]
    fn a_keychain_that_stays_closed_is_told_and_one_that_opens_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let context = stage(folder.path());
        login_to(&context, &Memory::default(), "openai", &Secret::new(b"sk-1".to_vec())).expect("stored");
        let locked = Memory::closed(Closed::Locked);
        look(&context, &locked).expect("looked");
        assert_eq!(lacks(&context), [""; 0], "it may be opened in a moment");
        let later = Context { now: context.now + Duration::seconds(60), ..context.clone() };
        look(&later, &locked).expect("looked");
        assert_eq!(lacks(&context), ["work openai Locked"]);
        let opened = Memory::default();
        opened.put("openai", &Secret::new(b"sk-1".to_vec())).expect("there");
        look(&later, &opened).expect("looked");
        assert_eq!(lacks(&context), [""; 0]);
        assert!(!lacking::path(&context.home).exists());
    }
}
