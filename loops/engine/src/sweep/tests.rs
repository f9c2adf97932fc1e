//! Random homes: what nobody owns goes once it is old, and nothing else ever.

use std::collections::BTreeSet;
use std::fs::File;

use git2::{Oid, Repository, Signature};
use loopwright_core::ids::RepoId;
use loopwright_core::lease;
use uuid::{ContextV7, Timestamp};

use super::*;

const LOOP: &str = "01936f2e-0000-7000-8000-000000000002";

/// Numbers that look random and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// A home with a loop, a repository, and a model of what must stay.
struct World {
    _folder: tempfile::TempDir,
    home: Home,
    store: Store,
    results: Repository,
    commit: Oid,
    held: Vec<File>,
    claimed: bool,
    /// Names of everything, and whether it may go once it is old.
    things: Vec<(String, bool)>,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::under(folder.path());
        home.create(DateTime::UNIX_EPOCH).expect("a home");
        let store = Store::open(&home).expect("a store");
        let repo = RepoId(Uuid::from_u128(1));
        let rows = format!(
            "INSERT INTO repos VALUES ('{repo}', '/r');
             INSERT INTO loops (id, name, path, repo, mode, hash, added_at) VALUES ('{LOOP}', 'n', '/l', '{repo}', 'ship', '', '');"
        );
        store.read().execute_batch(&rows).expect("rows");
        let repos = Repos::open(&home.data, repo).expect("repositories");
        let results = Repository::open_bare(repos.results_path()).expect("results");
        let who = Signature::now("a", "a@b").expect("somebody");
        let tree = results.treebuilder(None).expect("a tree").write().expect("a tree");
        let commit = {
            let tree = results.find_tree(tree).expect("a tree");
            results.commit(None, &who, &who, "m", &tree, &[]).expect("a commit")
        };
        World { _folder: folder, home, store, results, commit, held: Vec::new(), claimed: false, things: Vec::new() }
    }

    fn sql(&self, text: &str) {
        self.store.read().execute_batch(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// A run with an occurrence in this state and, if it began, a row.
    fn run_rows(&self, id: Uuid, state: &str, began: bool) {
        self.sql(&format!(
            "INSERT INTO occurrences (id, loop, trigger, key, due_at, zone, state, run) VALUES ('{id}', '{LOOP}', 'm', '{id}', '', '', '{state}', '{id}')"
        ));
        if began {
            self.sql(&format!(
                "INSERT INTO runs (id, loop, occurrence, cause, started_at, epoch, spent, budget, acted, handed_over, pull_requests) \
                 VALUES ('{id}', '{LOOP}', '{id}', 'm', '', 1, 0, 0, 0, 0, 0)"
            ));
        }
    }

    /// The directory of a run that is known, to begin, held, or nobody's.
    fn run_dir(&mut self, random: &mut Random) {
        let id = Uuid::now_v7();
        let dir = self.home.run(RunId(id));
        fs::create_dir_all(&dir).expect("a directory");
        // Only one occurrence of a loop can be claimed.
        let kind = if self.claimed { 1 + random.below(4) } else { random.below(5) };
        match kind {
            0 => {
                self.claimed = true;
                self.run_rows(id, "claimed", false);
            }
            1 => self.run_rows(id, "failed", true),
            2 | 3 => {
                let file = File::create(dir.join([lease::LOCK, lease::CLAIM][usize::from(kind == 3)])).expect("a file");
                file.lock().expect("held");
                self.held.push(file);
            }
            // Its start was given up.
            _ => self.run_rows(id, "failed", false),
        }
        self.things.push((dir.display().to_string(), kind == 4));
    }

    /// A ref made at `at` whose owner has a row or has not.
    fn reference(&mut self, random: &mut Random, at: DateTime<Utc>) {
        let seconds = u64::try_from(at.timestamp()).expect("after 1970");
        let id = Uuid::new_v7(Timestamp::from_unix(ContextV7::new(), seconds, 0));
        let known = random.yes();
        if known {
            let run = Uuid::now_v7();
            self.run_rows(run, "failed", true);
            self.sql(&format!(
                "INSERT INTO attempts (id, run, finding, iteration, charged) VALUES ('{id}', '{run}', '', 1, 0)"
            ));
        }
        let simple = id.simple();
        let (name, goes) = match random.below(5) {
            0 => (format!("refs/loopwright/attempts/attempt-{simple}"), !known),
            1 => (format!("refs/loopwright/pr/{id}"), !known),
            2 => (format!("refs/loopwright/export/{simple}"), true),
            3 => (format!("refs/loopwright/rescue/{id}/attempt-{simple}"), false),
            _ => (format!("refs/loopwright/somebody/{id}"), false),
        };
        self.results.reference(&name, self.commit, true, "").expect("a ref");
        self.things.push((name, goes));
    }

    fn folder(&mut self, below: &str, name: &str, goes: bool) {
        let path = self.home.data.parent().expect("a root").join(below).join(name);
        fs::create_dir_all(path.join("inside")).expect("a folder");
        self.things.push((path.display().to_string(), goes));
    }

    fn there(&self) -> BTreeSet<String> {
        let stands = |name: &str| match name.starts_with("refs/") {
            true => self.results.find_reference(name).is_ok(),
            false => Path::new(name).exists(),
        };
        self.things.iter().filter(|(name, _)| stands(name)).map(|(name, _)| name.clone()).collect()
    }

    fn must_stay(&self, gone: impl Fn(&str) -> bool) -> BTreeSet<String> {
        self.things.iter().filter(|(name, goes)| !(*goes && gone(name))).map(|(name, _)| name.clone()).collect()
    }
}

fn random_world(random: &mut Random, now: DateTime<Utc>) -> World {
    let mut world = World::new();
    for _ in 0..10 {
        world.run_dir(random);
        world.reference(random, now);
    }
    for n in 0..3 {
        let (trash, half) = (format!("w-{n}"), format!("making-{n}"));
        world.folder("data/trash", &trash, true);
        world.folder("cache/prepared", &half, true);
        world.folder("cache/prepared", &format!("whole-{n}"), false);
        world.folder("data/runs", &format!("not-a-run-{n}"), false);
    }
    let repo = format!("data/repos/{}", RepoId(Uuid::from_u128(1)));
    world.folder(&repo, "base.new-1", true);
    world
}

#[test]
fn what_is_young_or_owned_stays_and_the_rest_goes() {
    let seed = u64::from(Utc::now().timestamp_subsec_nanos()).max(1);
    let homes = if std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1") { 100 } else { 6 };
    println!("{homes} homes, seed {seed}");
    let mut random = Random(seed);
    for _ in 0..homes {
        let now = Utc::now();
        let world = random_world(&mut random, now);
        let all = world.there();
        sweep(&world.home, &world.store, now).expect("swept");
        assert_eq!(world.there(), all, "seed {seed}: all of it is young");
        sweep(&world.home, &world.store, now + Duration::hours(2)).expect("swept");
        let soon = |name: &str| name.contains("/trash/") || name.contains("/export/");
        assert_eq!(world.there(), world.must_stay(soon), "seed {seed}: after two hours");
        let swept = sweep(&world.home, &world.store, now + Duration::days(2)).expect("swept");
        assert_eq!(world.there(), world.must_stay(|_| true), "seed {seed}: after two days");
        let gone = world.things.iter().filter(|(name, goes)| *goes && !soon(name)).count();
        assert_eq!(swept.runs + swept.half_made + swept.refs, gone, "seed {seed}");
        let again = sweep(&world.home, &world.store, now + Duration::days(2)).expect("swept");
        assert_eq!(again, Swept::default(), "seed {seed}: twice does nothing more");
        assert_ne!(world.must_stay(|_| true), BTreeSet::new(), "the control: there is something to spare");
    }
}

/// The control: by age alone a run that is held would go.
#[test]
fn age_alone_would_take_what_is_held() {
    let mut world = World::new();
    let dir = world.home.run(RunId(Uuid::now_v7()));
    fs::create_dir_all(&dir).expect("a directory");
    let lock = File::create(dir.join(lease::LOCK)).expect("a file");
    lock.lock().expect("held");
    world.held.push(lock);
    let later = Utc::now() + Duration::days(2);
    sweep(&world.home, &world.store, later).expect("swept");
    assert!(dir.exists());
    assert_eq!(remove(&world.home.runs(), later, |_| Ok(true)).expect("removed"), 1);
    assert!(!dir.exists());
}

/// A database that is older than the work beside it loses none of it.
#[test]
fn what_holds_work_is_kept_though_no_row_knows_it() {
    let world = World::new();
    let [with, without] = [(); 2].map(|()| world.home.run(RunId(Uuid::now_v7())));
    fs::create_dir_all(with.join(lease::RAW).join("maker-1")).expect("work");
    fs::create_dir_all(without.join(lease::RAW)).expect("no work: the control");
    let id = Uuid::now_v7();
    let name = format!("refs/loopwright/attempts/attempt-{}", id.simple());
    world.results.reference(&name, world.commit, true, "").expect("a ref");
    sweep(&world.home, &world.store, Utc::now() + Duration::days(2)).expect("swept");
    assert_eq!((with.exists(), without.exists()), (true, false));
    let kept = format!("refs/loopwright/rescue/of-{}/*", id.simple());
    let mut kept = world.results.references_glob(&kept).expect("refs");
    assert_eq!(kept.next().expect("rescued").expect("a ref").target(), Some(world.commit));
    assert!(world.results.find_reference(&name).is_err());
}

#[test]
fn what_was_rescued_is_kept_for_thirty_days() {
    let world = World::new();
    let id = Uuid::now_v7();
    let name = format!("refs/loopwright/rescue/{id}/attempt-{}", id.simple());
    world.results.reference(&name, world.commit, true, "").expect("a ref");
    for (days, stays) in [(29, true), (31, false)] {
        sweep(&world.home, &world.store, Utc::now() + Duration::days(days)).expect("swept");
        assert_eq!(world.results.find_reference(&name).is_ok(), stays, "after {days} days");
    }
}

#[test]
fn a_link_in_the_trash_is_taken_away_and_not_followed() {
    let world = World::new();
    let kept = world.home.data.join("kept");
    fs::create_dir(&kept).expect("a folder");
    fs::write(kept.join("file"), "").expect("a file");
    std::os::unix::fs::symlink(&kept, world.home.trash().join("link")).expect("a link");
    let swept = sweep(&world.home, &world.store, Utc::now() + Duration::hours(2)).expect("swept");
    assert_eq!((swept.trash, kept.join("file").exists()), (1, true));
}
