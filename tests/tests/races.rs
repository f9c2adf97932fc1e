//! An approval merges what was shown, or nothing: while branches, refs and rows change under approvals of two processes.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use git2::{Oid, Repository};
use loopwright_core::definition::Merge;
use loopwright_core::ids::PullRequestId;
use loopwright_core::review::Event;
use loopwright_engine::forge::{Guard, Landed, Landing, land, lock};
use loopwright_engine::git::{Repos, user_repository};
use loopwright_engine::home::Home;
use loopwright_engine::store::{Store, pull_requests};
use loopwright_tests::stage::{Answer, RAILS, Running, Stage, id};
use serde_json::Value;

/// Two issues, each solved by a file of its own.
const MAKER: &str = "#!/bin/sh\nmkdir -p docs; echo done > docs/$LOOPWRIGHT_FINDING_KEY.md\n";

/// What changes while the first pull request is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Somebody commits to the target branch.
    Target,
    /// The ref of the pull request names the other one's commit.
    Ref,
    /// Its row says what the other one's says.
    Row,
    /// Its attempt's row and ref are the other one's.
    Attempt,
    /// It shows the other one's change by right: a new attempt.
    Update,
    /// Nothing: two clicks at once.
    Nothing,
}

const CHANGES: [Change; 6] =
    [Change::Target, Change::Ref, Change::Row, Change::Attempt, Change::Update, Change::Nothing];

/// Two open pull requests, to which every race comes back.
struct Arena {
    stage: Stage,
    shown: Value,
    other: Value,
    base: String,
    /// A commit on the base that somebody else has made.
    theirs: String,
    /// The store's files as they were, with the loop busy: what is to be checked again waits.
    before: Vec<(PathBuf, Vec<u8>)>,
    results: PathBuf,
}

impl Arena {
    fn new() -> Arena {
        let stage = Stage::shop();
        stage.maker(RAILS, MAKER);
        stage.run("work").exits(21);
        let reviews: Vec<Value> =
            stage.reviews().iter().map(|row| stage.review(row["id"].as_str().expect("an id"))).collect();
        let [shown, other] = <[Value; 2]>::try_from(reviews).expect("two pull requests");
        let base = stage.git(&["rev-parse", "main"]);
        let theirs = stage.git(&["commit-tree", "-p", &base, "-m", "meanwhile", &format!("{base}^{{tree}}")]);
        stage.git(&["checkout", "--quiet", "--detach"]);
        let repo = fs::read_dir(stage.home.join("data/repos")).expect("repos").flatten().next().expect("a repo");
        let results = repo.path().join("results.git");
        let busy = "INSERT INTO occurrences (id, loop, trigger, key, due_at, claimed_at, zone, state)
             SELECT 'busy', id, 'manual', 'busy', '', '9999', 'UTC', 'claimed' FROM loops";
        stage.change_rows(busy, &[]);
        let before = store_files(&stage).into_iter().map(|path| (path.clone(), fs::read(path).expect("a file")));
        let before = before.collect();
        Arena { stage, shown, other, base, theirs, before, results }
    }

    /// Everything is as it was.
    fn restore(&self) {
        for path in store_files(&self.stage) {
            fs::remove_file(&path).expect("a file of the store");
        }
        for (path, bytes) in &self.before {
            fs::write(path, bytes).expect("a file of the store");
        }
        self.user().reference("refs/heads/main", oid(&self.base), true, "").expect("the branch");
        let results = Repository::open_bare(&self.results).expect("the results");
        for review in [&self.shown, &self.other] {
            results.reference(&pr_ref(review), oid(text(review, "commit")), true, "").expect("a ref");
        }
    }

    fn repos(&self) -> Repos {
        let folder = self.results.parent().expect("a folder").file_name().expect("an id").to_string_lossy();
        Repos::open(&self.stage.home.join("data"), folder.parse().expect("an id")).expect("the repositories")
    }

    fn user(&self) -> Repository {
        Repository::open(&self.stage.repo).expect("the user's repository")
    }

    /// Makes one change; it may come too late for anything.
    fn change(&self, change: Change) {
        let (mine, theirs) = (id(&self.shown), id(&self.other));
        match change {
            Change::Target => {
                let user = self.user();
                // A landing may have been faster.
                let _ = user.reference_matching("refs/heads/main", oid(&self.theirs), true, oid(&self.base), "");
            }
            Change::Ref => self.point(&pr_ref(&self.shown)),
            Change::Row => {
                let sql =
                    "UPDATE pull_requests SET (attempt, commit_id, tree, patch_id, diff_sha256) = (SELECT attempt,
                    commit_id, tree, patch_id, diff_sha256 FROM pull_requests WHERE id = ?1) WHERE id = ?2";
                self.stage.change_rows(sql, &[theirs, mine]);
            }
            Change::Attempt => {
                self.point(&format!("refs/loopwright/attempts/attempt-{}", mine.replace('-', "")));
                let sql = "UPDATE attempts SET (result, verdict) = (SELECT result, verdict FROM attempts WHERE id = ?1)
                    WHERE id = ?2";
                self.stage.change_rows(sql, &[theirs, mine]);
            }
            Change::Update => self.update(),
            Change::Nothing => {}
        }
    }

    fn point(&self, name: &str) {
        let results = Repository::open_bare(&self.results).expect("the results");
        results.reference(name, oid(text(&self.other, "commit")), true, "").expect("a ref");
    }

    /// What the ship step of a run does that works on a pull request again: while nothing lands.
    fn update(&self) {
        let _no_landing = lock(&self.repos()).expect("a lock");
        let mut store = Store::open(&Home::under(&self.stage.home)).expect("the store");
        let [mine, theirs] = [&self.shown, &self.other].map(|review| {
            let id: PullRequestId = id(review).parse().expect("an id");
            pull_requests::by_id(store.read(), id).expect("read").expect("a row")
        });
        let event = Event::Updated { shown: theirs.shown(), look_again: false };
        let row = pull_requests::PullRequestRecord { id: mine.id, ..theirs };
        // It may be merged by now.
        let _ = pull_requests::advance(&mut store, mine.id, &event, "2026-11-22T09:00:00.000Z", |tx| {
            pull_requests::set_shown(tx, &row)
        });
    }

    /// What is on the branch now: nothing but what was there, what somebody else did, and the change that was shown, once.
    fn judge(&self) -> Result<bool, String> {
        let user = self.user();
        let tip = user.refname_to_id("refs/heads/main").expect("the branch");
        let mut walk = user.revwalk().expect("a walk");
        walk.push(tip).expect("a tip");
        walk.hide(oid(&self.base)).expect("a base");
        let landed: Vec<Oid> = walk.map(|c| c.expect("a commit")).filter(|c| *c != oid(&self.theirs)).collect();
        let [commit] = landed.as_slice() else {
            return if landed.is_empty() { Ok(false) } else { Err(format!("{} commits landed", landed.len())) };
        };
        let tree = user.find_commit(*commit).expect("a commit").tree_id().to_string();
        if tree == text(&self.shown, "tree") { Ok(true) } else { Err(format!("tree {tree} landed")) }
    }
}

/// The files of the store: the database, and what is kept beside it to tell that nothing of it is lost.
fn store_files(stage: &Stage) -> Vec<PathBuf> {
    let data = stage.home.join("data");
    let folders = [data.clone(), data.join("backups")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder").flatten());
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

fn oid(hex: &str) -> Oid {
    hex.parse().expect("an object's id")
}

fn text<'v>(review: &'v Value, field: &str) -> &'v str {
    review[field].as_str().expect("a text")
}

fn pr_ref(review: &Value) -> String {
    format!("refs/loopwright/pr/{}", id(review))
}

/// A sequence of numbers that its seed repeats.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn dice() -> Dice {
    let seed = std::env::var("LOOPWRIGHT_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_122);
    loopwright_tests::tell(&format!("seed {seed} (LOOPWRIGHT_SEED)"));
    Dice(seed)
}

/// How many races are run.
fn races() -> u64 {
    if std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1") { 300 } else { 100 }
}

/// Both processes name the tree that was shown; somewhere on their way something changes.
fn race(arena: &Arena, change: Change, after: Duration) -> Vec<Answer> {
    let words = ["approve", id(&arena.shown), "--tree", text(&arena.shown, "tree"), "--detach"];
    let racing = [0, 1].map(|_| arena.stage.start(&words));
    // The moment of the race, which is what is varied.
    thread::park_timeout(after);
    arena.change(change);
    racing.map(Running::end).into()
}

#[test]
fn an_approval_merges_what_was_shown_or_nothing() {
    let (arena, mut dice) = (Arena::new(), dice());
    let (mut merged, mut refused) = (0, 0);
    for number in 0..races() {
        let change = CHANGES[usize::try_from(dice.roll(6)).expect("small")];
        let after = Duration::from_micros(dice.roll(120_000));
        arena.restore();
        let answers = race(&arena, change, after);
        let landed = arena.judge().unwrap_or_else(|why| panic!("race {number}, {change:?} after {after:?}: {why}"));
        let said = answers.iter().filter(|a| a.code == 0).count();
        assert_eq!(landed, said > 0, "race {number}, {change:?} after {after:?}: {answers:?}");
        assert!(landed || change != Change::Nothing, "two clicks land it: {answers:?}");
        if landed { merged += 1 } else { refused += 1 }
    }
    println!("{} races: {merged} merged what was shown, {refused} merged nothing", merged + refused);
    assert!(merged > 0 && refused > 0, "the races were none");
    leave(&arena);
}

/// The control: a landing that goes by the name of the pull request instead of what was shown fails the same judge.
#[test]
fn a_landing_by_name_merges_something_else() {
    let (arena, mut dice) = (Arena::new(), dice());
    let mut wrong = 0;
    for _ in 0..20 {
        arena.restore();
        let before = dice.roll(2) == 0;
        if before {
            arena.change(Change::Ref);
        }
        land_by_name(&arena);
        if !before {
            arena.change(Change::Ref);
        }
        wrong += u32::from(arena.judge().is_err());
    }
    println!("20 races by name: {wrong} merged something else");
    assert!(wrong > 0);
    leave(&arena);
}

fn land_by_name(arena: &Arena) {
    let results = Repository::open_bare(&arena.results).expect("the results");
    let landing = Landing {
        id: id(&arena.shown).parse().expect("an id"),
        user: user_repository(&arena.stage.repo).expect("the user's repository"),
        branch: "main".to_owned(),
        base: oid(&arena.base),
        commit: results.refname_to_id(&pr_ref(&arena.shown)).expect("a ref"),
        merge: Merge::Squash,
        message: "by name\n".to_owned(),
        at: chrono::DateTime::UNIX_EPOCH,
    };
    let landed = land(&arena.repos(), &landing, &mut NoJournal).expect("an answer");
    assert!(matches!(landed, Landed::Merged { .. }), "{landed:?}");
}

/// A journal that knows nothing and keeps nothing.
struct NoJournal;

impl Guard for NoJournal {
    fn begun(&self) -> anyhow::Result<Option<Oid>> {
        Ok(None)
    }

    fn begin(&mut self, _: Oid, _: &str) -> anyhow::Result<()> {
        Ok(())
    }

    fn halted(&self) -> Option<String> {
        None
    }

    fn landed(&mut self, _: Oid) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Leaves a stage that is whole: nothing is claimed, and what changed here was changed by the test.
fn leave(arena: &Arena) {
    arena.restore();
    arena.stage.change_rows("DELETE FROM occurrences WHERE id = 'busy'", &[]);
    arena.stage.remember();
}
