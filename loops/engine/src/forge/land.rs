//! Landing an approval: the one writing to the user's repository, of the target branch alone.
//!
//! First everything is looked at and nothing written; then objects are added, and the branch is moved by compare-and-swap:
//! that swap is the moment at which a landing happens. A working tree that has the branch checked out follows it.
//! Hooks, filters and the network are never used: libgit2 does all of it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use git2::{ErrorCode, Oid, Repository, Signature, Time};
use loopwright_core::definition::Merge;
use loopwright_core::ids::PullRequestId;

use super::checked_out::{Place, places};
use super::worktree::{self, Checkout};
use crate::fail;
use crate::git::{AUTHOR, Repos, UserRepo, heads, quoted};

/// An approved change that is to land.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The pull request.
    pub id: PullRequestId,
    /// Where it lands.
    pub user: UserRepo,
    /// The branch.
    pub branch: String,
    /// What the branch must point to: what the approved diff was made against.
    pub base: Oid,
    /// The approved commit, a descendant of `base`.
    pub commit: Oid,
    /// How.
    pub merge: Merge,
    /// The message of the squashed or merge commit, with its trailers.
    pub message: String,
    /// When it was approved.
    pub at: DateTime<Utc>,
}

/// What a landing asks of whoever keeps the journal and watches the kill switch.
pub trait Guard {
    /// The landing commit that an earlier try wrote down. Asked while no other landing goes on.
    ///
    /// # Errors
    /// The journal can't be read, or what was approved is not what is to land.
    fn begun(&self) -> Result<Option<Oid>>;

    /// Writes down the landing commit and its committer, before anybody can see it.
    ///
    /// # Errors
    /// It can't be written; nothing lands then.
    fn begin(&mut self, commit: Oid, committer: &str) -> Result<()>;

    /// Why nothing may land now; asked last of all before the branch moves.
    fn halted(&self) -> Option<String>;

    /// Writes down that it landed, while nothing else can be decided on it.
    ///
    /// # Errors
    /// It can't be written; the next try finds it landed.
    fn landed(&mut self, commit: Oid) -> Result<()>;
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landed {
    /// It is on the branch (now, or since an earlier try).
    Merged {
        /// The commit that the branch got.
        commit: Oid,
    },
    /// Nothing was written; it lands once the person cleared the way, or ran the command.
    Waiting {
        /// What is in the way.
        why: String,
        /// What lands it by hand.
        command: String,
    },
    /// HALT came meanwhile: the branch has not moved.
    Halted {
        /// What halts.
        why: String,
    },
    /// Nothing was written: the branch is no longer what the diff was made against.
    Moved {
        /// Where the branch is; none if it is gone.
        now: Option<Oid>,
    },
}

/// Lands an approved change on the user's branch, or says why not yet. Trying again is safe at any point.
///
/// # Errors
/// A repository can't be read or written, or the commit does not descend from the base.
pub fn land(repos: &Repos, landing: &Landing, guard: &mut dyn Guard) -> Result<Landed> {
    let _one_at_a_time = lock(repos)?;
    let landed = land_alone(repos, landing, guard)?;
    if let Landed::Merged { commit } = landed {
        guard.landed(commit)?;
    }
    Ok(landed)
}

fn land_alone(repos: &Repos, landing: &Landing, guard: &mut dyn Guard) -> Result<Landed> {
    let user = landing.user.open()?;
    let begun = guard.begun()?;
    let commit = match begun {
        Some(commit) => commit,
        None => final_commit(repos, landing, &user)?,
    };
    let name = full_name(&user, &landing.branch)?;
    let tip = target(&user, &name)?;
    let places = places(&user, &name)?;
    for checkout in places.iter().filter_map(|place| place.opened.as_ref().ok()) {
        // What a landing that died left behind is finished or taken away first.
        checkout.recover(landing.base, commit, tip)?;
    }
    match tip {
        Some(tip) if has(&user, tip, commit)? => return Ok(Landed::Merged { commit }),
        Some(tip) if tip == landing.base => {}
        now => return Ok(Landed::Moved { now }),
    }
    if begun.is_none() {
        guard.begin(commit, &committer_of(repos, commit)?)?;
        fail::point("landing-begun");
    }
    // What the command of a waiting landing fetches.
    repos.point(&format!("refs/loopwright/landing/{}", landing.id), commit)?;
    let step = Step { repos, landing, name: &name, commit };
    match places.as_slice() {
        [] => step.advance(&user, guard),
        [Place { opened: Ok(checkout), .. }] => step.follow(checkout, guard),
        [Place { opened: Err(why), root }] => Ok(step.waiting(root, why.clone())),
        [first, .., last] => Ok(Landed::Waiting {
            why: format!(
                "{} is checked out in {} and in {}, and only one of them can follow",
                landing.branch,
                first.root.display(),
                last.root.display()
            ),
            command: format!("git -C {} switch --detach", quoted(&last.root)),
        }),
    }
}

/// The ref that a landing on `branch` moves: of a branch that is another name, what it names.
fn full_name(user: &Repository, branch: &str) -> Result<String> {
    let name = format!("refs/heads/{branch}");
    ensure!(git2::Reference::is_valid_name(&name), "`{branch}` is no branch name");
    let name = heads::finally(user.path(), user.commondir(), &name)?;
    ensure!(name.starts_with("refs/heads/"), "`{branch}` is another name of {name}, which is no branch; nothing moved");
    Ok(name)
}

/// Whether `tip` is a commit or stands on it.
fn has(user: &Repository, tip: Oid, commit: Oid) -> Result<bool> {
    if tip == commit {
        return Ok(true);
    }
    match user.find_commit(commit) {
        Err(e) if e.code() == ErrorCode::NotFound => return Ok(false),
        found => found.with_context(|| format!("read {commit}"))?,
    };
    user.graph_descendant_of(tip, commit).with_context(|| format!("look for {commit} below {tip}"))
}

/// Whether a landing commit is on its branch, landed by us or by hand. To be asked while landings are locked.
///
/// # Errors
/// The repository can't be read.
pub fn is_on(user: &UserRepo, branch: &str, commit: Oid) -> Result<bool> {
    let user = user.open()?;
    let name = heads::finally(user.path(), user.commondir(), &format!("refs/heads/{branch}"))?;
    target(&user, &name)?.map_or(Ok(false), |tip| has(&user, tip, commit))
}

/// A landing that may begin.
struct Step<'a> {
    repos: &'a Repos,
    landing: &'a Landing,
    name: &'a str,
    commit: Oid,
}

impl Step<'_> {
    fn waiting(&self, root: &Path, why: String) -> Landed {
        Landed::Waiting { why, command: command(self.repos, self.landing, root) }
    }

    /// The branch is checked out nowhere: objects, then the swap.
    fn advance(&self, user: &Repository, guard: &dyn Guard) -> Result<Landed> {
        copy_objects(self.repos, user, self.landing.base, self.commit)?;
        self.swap_unless_halted(user, None, guard)
    }

    /// The branch is checked out: nothing of the user's may be in the way, and the working tree follows.
    fn follow(&self, checkout: &Checkout, guard: &dyn Guard) -> Result<Landed> {
        let (base, commit) = (self.landing.base, self.commit);
        let waiting = |why: String| self.waiting(&checkout.root, why);
        let touched = worktree::touched(&self.repos.open_results()?, base, commit)?;
        let hold = match checkout.hold(base, commit, &touched)? {
            Ok(hold) => hold,
            Err(why) => return Ok(waiting(why)),
        };
        copy_objects(self.repos, &checkout.repo, base, commit)?;
        if let Some(why) = hold.obstacle()? {
            return Ok(waiting(why));
        }
        let landed = self.swap_unless_halted(&checkout.repo, Some(&checkout.root), guard)?;
        if let Landed::Merged { .. } = landed
            && let Err(why) = hold.perform()
        {
            let undone = hold.undo().and_then(|()| swap(&checkout.repo, self.name, commit, base));
            if !matches!(undone, Ok(Landed::Merged { .. })) {
                // The branch has it, and the working tree does not yet: its lock stays, and the next try goes on from it.
                hold.leave();
                undone.with_context(|| format!("undo after: {why:#}"))?;
                return Err(why.context("the branch moved on meanwhile, and the working tree could not follow"));
            }
            return Ok(waiting(format!("{why:#}")));
        }
        fail::point("checkout-written");
        Ok(landed)
    }

    /// `at` is the working tree that follows: whoever checks the branch out, or leaves it, meanwhile has to be looked at anew.
    fn swap_unless_halted(&self, user: &Repository, at: Option<&Path>, guard: &dyn Guard) -> Result<Landed> {
        if !places(user, self.name)?.iter().map(|place| place.root.as_path()).eq(at) {
            let why = format!("another branch was checked out while {} was to move", self.landing.branch);
            return Ok(Landed::Waiting { why, command: "loopwright tick".to_owned() });
        }
        match guard.halted() {
            Some(why) => Ok(Landed::Halted { why }),
            None => swap(user, self.name, self.landing.base, self.commit),
        }
    }
}

/// How long another decision or landing of ours may take.
const DECIDES_WITHIN: Duration = Duration::from_secs(15);

/// How long another git may hold the lock of a branch; git itself waits as long (`core.filesRefLockTimeout`).
const LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// Moves a branch if it is where it is expected to be.
fn swap(user: &Repository, name: &str, from: Oid, to: Oid) -> Result<Landed> {
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        match user.reference_matching(name, to, true, from, "loopwright: land an approved change") {
            Ok(_) => {
                fail::point("branch-moved");
                return Ok(Landed::Merged { commit: to });
            }
            Err(e) if matches!(e.code(), ErrorCode::Modified | ErrorCode::NotFound) => {
                return Ok(Landed::Moved { now: target(user, name)? });
            }
            Err(e) if e.code() == ErrorCode::Locked && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(e) => return Err(e).with_context(|| format!("move {name} to {to}")),
        }
    }
}

fn target(user: &Repository, name: &str) -> Result<Option<Oid>> {
    match user.refname_to_id(name) {
        Ok(id) => Ok(Some(id)),
        Err(e) if e.code() == ErrorCode::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("read {name}")),
    }
}

/// Makes, in `results.git`, the commit that the branch gets. Its committer is the user of this moment: what was made once
/// is written down and used again, never made anew.
fn final_commit(repos: &Repos, landing: &Landing, user: &Repository) -> Result<Oid> {
    let repo = repos.open_results()?;
    let descends = landing.commit != landing.base && repo.graph_descendant_of(landing.commit, landing.base)?;
    ensure!(descends, "{} does not stand on {}", landing.commit, landing.base);
    let approved = repo.find_commit(landing.commit)?;
    let base = repo.find_commit(landing.base)?;
    let parents = match landing.merge {
        Merge::FastForward => return Ok(landing.commit),
        Merge::Squash => vec![&base],
        Merge::Merge => vec![&base, &approved],
    };
    let time = Time::new(landing.at.timestamp(), 0);
    let author = Signature::new(AUTHOR.0, AUTHOR.1, &time)?;
    let committer = committer(user, &time).unwrap_or_else(|| author.clone());
    repo.commit(None, &author, &committer, &landing.message, &approved.tree()?, &parents)
        .context("write the landing commit")
}

/// The user, as their git knows them.
fn committer(user: &Repository, time: &Time) -> Option<Signature<'static>> {
    let config = user.config().ok()?.snapshot().ok()?;
    Signature::new(config.get_str("user.name").ok()?, config.get_str("user.email").ok()?, time).ok()
}

fn committer_of(repos: &Repos, commit: Oid) -> Result<String> {
    let repo = repos.open_results()?;
    let commit = repo.find_commit(commit).with_context(|| format!("read commit {commit}"))?;
    Ok(commit.committer().to_string())
}

/// Adds what `commit` needs beyond `base` to the user's objects, as one pack; objects that are there already do no harm.
fn copy_objects(repos: &Repos, user: &Repository, base: Oid, commit: Oid) -> Result<()> {
    let from = repos.open_results()?;
    let mut walk = from.revwalk()?;
    walk.push(commit)?;
    walk.hide(base)?;
    let mut builder = from.packbuilder()?;
    builder.insert_walk(&mut walk).context("gather the objects")?;
    let odb = user.odb()?;
    let mut writer = odb.packwriter().context("write a pack")?;
    let mut failed = None;
    builder.foreach(|bytes| {
        failed = std::io::Write::write_all(&mut writer, bytes).err();
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error).with_context(|| format!("add objects to {}", user.path().display()));
    }
    writer.commit().with_context(|| format!("add objects to {}", user.path().display()))?;
    sync_packs(user)?;
    odb.refresh()?;
    Ok(())
}

/// Makes the packs durable before the branch names what they hold; those that are so already cost nothing.
fn sync_packs(user: &Repository) -> Result<()> {
    let folder = user.commondir().join("objects/pack");
    let context = || format!("sync {}", folder.display());
    for entry in fs::read_dir(&folder).with_context(context)? {
        File::open(entry.with_context(context)?.path()).and_then(|f| f.sync_all()).with_context(context)?;
    }
    File::open(&folder).and_then(|f| f.sync_all()).with_context(context)
}

/// What lands it by hand, for a shell.
fn command(repos: &Repos, landing: &Landing, root: &Path) -> String {
    let (from, to) = (quoted(repos.results_path()), quoted(root));
    format!("git -C {to} pull --ff-only {from} refs/loopwright/landing/{}", landing.id)
}

/// One landing at a time per repository; the lock dies with its process. Whoever takes a decision on an approved change back,
/// or shows something else under it, holds this too, and before the store's.
///
/// # Errors
/// The lock can't be had within 15 s: whoever has it hangs, or was stopped.
pub fn lock(repos: &Repos) -> Result<File> {
    let path: PathBuf = repos.results_path().join("landing.lock");
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("open {}", path.display()))?;
    let until = Instant::now() + DECIDES_WITHIN;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOCK_TIMEOUT / 20),
            Err(TryLockError::WouldBlock) => bail!(
                "another process has been deciding on this repository for more than {} s; if it was stopped (Ctrl-Z), let it \
                 go on or end it: `fuser {}` names it",
                DECIDES_WITHIN.as_secs(),
                path.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("lock {}", path.display())),
        }
    }
}
