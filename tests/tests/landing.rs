//! Approving: exactly what was shown lands, once, or the answer says why not and nothing is written.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use loopwright_tests::stage::{RAILS, Running, Stage, id, prints, state, tree};
use serde_json::Value;

/// Two issues, each solved by a file of its own.
const MAKER: &str = "#!/bin/sh\nmkdir -p docs; echo done > docs/$LOOPWRIGHT_FINDING_KEY.md\n";

/// A shop with two open pull requests.
fn shipped() -> (Stage, Vec<Value>) {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let rows = stage.reviews();
    assert_eq!(rows.len(), 2);
    let reviews = rows.iter().map(|row| stage.review(row["id"].as_str().expect("an id"))).collect();
    (stage, reviews)
}

/// A verb that acts and begins nothing of its own.
fn act(stage: &Stage) {
    stage.verb(&["resume", "--reason", "acting"]).exits(0);
}

#[test]
fn the_list_ends_with_the_first_that_still_waits() {
    let (stage, reviews) = shipped();
    let short = |review: &Value| review["row"]["short"].as_str().expect("an id").to_owned();
    stage.approve(&reviews[0]).exits(0);
    let last = |stage: &Stage| stage.plain(&["reviews", "--all"]).exits(0).out.lines().last().map(str::to_owned);
    assert_eq!(last(&stage), Some(format!("loopwright review {}", short(&reviews[1]))));
    stage.approve(&reviews[1]).exits(0);
    assert_eq!(last(&stage).as_deref(), Some("Nothing waits for you."));
    assert!(stage.plain(&["reviews", "--all"]).out.contains(&short(&reviews[0])), "all the same it is listed");
}

#[test]
fn a_branch_that_is_gone_comes_back_with_the_command_that_is_printed() {
    let (stage, reviews) = shipped();
    stage.git(&["switch", "--quiet", "--detach"]);
    stage.git(&["branch", "-D", "main"]);
    let approve = ["approve", id(&reviews[0]), "--tree", tree(&reviews[0])];
    let said = stage.plain(&approve).out;
    assert_eq!(said.matches("nothing is lost").count(), 1, "{said}");
    let (_, command) = said.split_once("have it again: ").expect("a command");
    let command = command.lines().next().expect("a line").trim_end_matches('.').to_owned();
    stage.edit(|| drop(stage.paste(&command).exits(0)));
    stage.edit(|| drop(stage.verb(&approve).exits(0)));
}

#[test]
fn another_tree_or_none_is_refused() {
    let (stage, reviews) = shipped();
    let other = tree(&reviews[1])[..12].to_owned();
    let refused = stage.verb(&["approve", id(&reviews[0]), "--tree", &other]).exits(2);
    assert!(refused.hint().contains("loopwright review"), "{refused:?}");
    stage.verb(&["approve", id(&reviews[0]), "--tree", &tree(&reviews[0])[..11]]).exits(2);
    let unseen = stage.plain(&["approve", id(&reviews[0])]).exits(2);
    assert!(unseen.err.contains("--tree"), "{unseen:?}");
    stage.verb(&["approve", "ffffffff", "--tree", &other]).exits(2);
    assert_eq!(state(&stage, &reviews[0]), "open");
    stage.assert_untouched();
}

#[test]
fn a_change_lands_once_and_only_where_it_belongs() {
    let (stage, reviews) = shipped();
    assert_eq!(stage.approve(&reviews[0]).exits(0).json()["result"], "merged");
    let head = stage.git(&["rev-parse", "HEAD"]);
    let again = stage.verb(&["approve", id(&reviews[0]), "--tree", tree(&reviews[0])]).exits(1);
    assert!(again.message().contains("merged already"), "{again:?}");
    assert_eq!(stage.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(stage.git(&["status", "--porcelain"]), "");
    assert_eq!(stage.git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
}

#[test]
fn the_printed_command_approves_as_pasted() {
    let (stage, reviews) = shipped();
    let printed = stage.plain(&["review", id(&reviews[0])]).exits(0).out;
    let line = printed.lines().find(|l| l.trim_start().starts_with("loopwright approve")).expect("the command");
    let before = stage.git(&["rev-parse", "HEAD"]);
    stage.paste(line).exits(0);
    stage.remember();
    assert_eq!(stage.git(&["rev-parse", "HEAD^"]), before);
}

#[test]
fn a_dirty_checkout_waits_and_lands_when_it_is_clean() {
    let (stage, reviews) = shipped();
    stage.write("README.md", "being written\n");
    let before = prints(&stage.repo);
    let waiting = stage.verb(&["approve", id(&reviews[0]), "--tree", tree(&reviews[0])]).exits(21).json();
    assert_eq!(waiting["result"], "waiting");
    assert_eq!(prints(&stage.repo), before, "nothing is written while it waits");
    // Acting tries again and still waits.
    act(&stage);
    assert_eq!(state(&stage, &reviews[0]), "approved");
    stage.git(&["checkout", "--quiet", "README.md"]);
    // Looking lands nothing.
    for look in [vec!["reviews"], vec!["status"], vec!["next"], vec!["runs"], vec!["review", id(&reviews[0])]] {
        stage.verb(&look).exits(0);
    }
    stage.assert_untouched();
    act(&stage);
    stage.remember();
    assert_eq!(state(&stage, &reviews[0]), "merged");
    let message = stage.git(&["log", "-1", "--format=%B"]);
    let rest = message.replacen("Closes: #", "", 1);
    assert!(rest != message && !rest.contains(['#', '\u{200b}']), "{message:?}");
    assert_ne!(stage.git(&["log", "--oneline", "--grep", "^Issue [12]: "]), "", "{message:?}");
    assert_eq!(stage.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_branch_that_is_not_checked_out_moves_alone() {
    let (stage, reviews) = shipped();
    stage.git(&["checkout", "--quiet", "-b", "elsewhere"]);
    let before: Vec<String> = prints(&stage.repo).into_keys().filter(|p| !p.starts_with(".git/")).collect();
    stage.approve(&reviews[0]).exits(0);
    let after: Vec<String> = prints(&stage.repo).into_keys().filter(|p| !p.starts_with(".git/")).collect();
    assert_eq!(before, after, "the checkout is another branch's");
    let named = stage.git(&["log", "-1", "--format=%s", "main"]);
    assert_ne!(named, stage.git(&["log", "-1", "--format=%s", "HEAD"]));
}

#[test]
fn two_approvals_at_once_merge_once() {
    let (stage, reviews) = shipped();
    let head = stage.git(&["rev-parse", "HEAD"]);
    let ask = || stage.start(&["approve", id(&reviews[0]), "--tree", tree(&reviews[0])]);
    let racing: Vec<_> = (0..4).map(|_| ask()).collect();
    let answers: Vec<_> = racing.into_iter().map(Running::end).collect();
    let codes: Vec<i32> = answers.iter().map(|a| a.code).collect();
    stage.remember();
    assert!(codes.contains(&0), "{answers:?}");
    assert!(codes.iter().all(|c| [0, 1].contains(c)), "{codes:?}");
    assert_eq!(stage.git(&["rev-parse", "HEAD^"]), head, "one commit more");
    assert_eq!(state(&stage, &reviews[0]), "merged");
}

/// Both were made on one base: the first to land moves it for the other, which is checked again there and follows.
#[test]
fn two_pull_requests_at_once_land_one_after_the_other() {
    let (stage, reviews) = shipped();
    let head = stage.git(&["rev-parse", "HEAD"]);
    let ask = |review: &Value| stage.start(&["approve", id(review), "--tree", tree(review)]);
    let racing = [ask(&reviews[0]), ask(&reviews[1])];
    let answers = racing.map(Running::end);
    stage.remember();
    assert!(answers.iter().all(|a| a.code == 0), "{answers:?}");
    assert_eq!(stage.git(&["rev-list", "--count", &format!("{head}..HEAD")]), "2");
    assert!(reviews.iter().all(|r| state(&stage, r) == "merged"));
    assert_eq!(stage.git(&["status", "--porcelain"]), "");
}

#[test]
fn under_halt_nothing_is_approved() {
    let (stage, reviews) = shipped();
    stage.verb(&["halt"]).exits(0);
    stage.verb(&["approve", id(&reviews[0]), "--tree", tree(&reviews[0])]).exits(10);
    stage.verb(&["review", id(&reviews[0])]).exits(0);
    assert_eq!(state(&stage, &reviews[0]), "open");
    stage.verb(&["resume", "--reason", "looked"]).exits(0);
    stage.approve(&reviews[0]).exits(0);
}

/// A change that waits must not land under HALT either: neither by HALT itself nor by any verb after it.
#[test]
fn under_halt_nothing_lands_later() {
    for level in [vec![], vec!["--loop", "work"]] {
        let (stage, reviews) = shipped();
        let verb = |first: &[&str]| stage.verb(&[first, &level].concat());
        stage.write("README.md", "being written\n");
        stage.verb(&["approve", id(&reviews[0]), "--tree", tree(&reviews[0])]).exits(21);
        stage.git(&["checkout", "--quiet", "README.md"]);
        verb(&["halt"]).exits(0);
        stage.assert_untouched();
        stage.verb(&["status"]).exits(0);
        stage.verb(&["run", "work"]).exits(10);
        stage.verb(&["approve", id(&reviews[0]), "--tree", tree(&reviews[0])]).exits(10);
        let path = stage.beside("loops/work/loop.yaml").display().to_string();
        stage.add(&path, true);
        verb(&["halt"]).exits(0);
        stage.assert_untouched();
        assert_eq!(state(&stage, &reviews[0]), "approved");
        verb(&["resume", "--reason", "looked"]).exits(0);
        stage.remember();
        assert_eq!(state(&stage, &reviews[0]), "merged");
    }
}

/// It died between the swap of the branch and its record, and by then the user has another address.
#[test]
fn what_landed_unrecorded_is_merged_once() {
    let (stage, reviews) = shipped();
    let base = stage.git(&["rev-parse", "HEAD"]);
    stage.approve(&reviews[0]).exits(0);
    let head = stage.git(&["rev-parse", "HEAD"]);
    forget_the_merge(&stage);
    assert_eq!(state(&stage, &reviews[0]), "approved");
    stage.git(&["config", "user.name", "Ada"]);
    stage.git(&["config", "user.email", "ada@elsewhere.example"]);
    act(&stage);
    assert_eq!(state(&stage, &reviews[0]), "merged");
    assert_eq!(stage.review(id(&reviews[0]))["merged"], head);
    assert_eq!(stage.git(&["rev-list", "--count", &format!("{base}..HEAD")]), "1");
}

/// Takes the last event of the pull request that was merged, and what follows from it, out of the store.
fn forget_the_merge(stage: &Stage) {
    let events = "DELETE FROM events WHERE stream LIKE 'pr/%' AND body LIKE '%\"type\":\"merged\"%'";
    let rows = "UPDATE pull_requests SET state = 'approved', merged = NULL WHERE state = 'merged'";
    assert_eq!((stage.change_rows(events, &[]), stage.change_rows(rows, &[])), (1, 1));
}

/// The command that is printed while it waits lands what later counts as landed.
#[test]
fn what_the_person_landed_by_hand_is_merged() {
    let (stage, reviews) = shipped();
    stage.git(&["config", "user.name", "Ada"]);
    stage.git(&["config", "user.email", "ada@example.com"]);
    stage.write("README.md", "being written\n");
    let waiting = stage.verb(&["approve", id(&reviews[0]), "--tree", tree(&reviews[0])]).exits(21).json();
    stage.git(&["config", "user.email", "ada@elsewhere.example"]);
    stage.git(&["checkout", "--quiet", "README.md"]);
    let command = waiting["command"].as_str().expect("a command").to_owned();
    assert_eq!(stage.paste(&command).code, 0, "{command}");
    stage.remember();
    act(&stage);
    assert_eq!(state(&stage, &reviews[0]), "merged");
    assert_eq!(stage.git(&["status", "--porcelain"]), "");
}

/// The cost of a pull request is what the run paid for it, its checker included.
#[test]
fn the_cost_of_a_pull_request_counts_its_checker() {
    let stage = Stage::shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $0.50/attempt}\n  \
                  reviewer: {command: [./reviewer.sh], price: $0.20/attempt}\n";
    let reviewer = loopwright_tests::stage::sample_text("agents/reviewer.sh");
    let path = stage.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", MAKER), ("reviewer.sh", &reviewer)]);
    let text = fs::read_to_string(&path).expect("the loop");
    fs::write(&path, text.replace("verify: {", "verify: {agent: reviewer, ")).expect("written");
    stage.add(&path.display().to_string(), true);
    let run = stage.run("work").exits(21).json();
    let costs: Vec<u64> = stage.reviews().iter().map(|r| r["cost"].as_u64().expect("micro-dollars")).collect();
    assert_eq!(costs.len(), 2);
    assert!(costs.iter().all(|c| *c > 500_000), "more than the makers alone: {costs:?}");
    assert_eq!(run["row"]["spent"], costs.iter().sum::<u64>());
}

/// A pull request has the id of its attempt: shipping it again finds the same one.
#[test]
fn a_pull_request_is_opened_once_per_attempt() {
    let (stage, reviews) = shipped();
    let run = stage.last();
    let mut built: Vec<&str> = loopwright_tests::stage::events(&run, "step_started")
        .into_iter()
        .filter(|e| e["step"]["step"] == "build")
        .map(|e| e["id"].as_str().expect("an id"))
        .collect();
    let mut opened: Vec<&str> = reviews.iter().map(id).collect();
    built.sort_unstable();
    opened.sort_unstable();
    assert_eq!(opened, built);
    // What tells of it names it so, too.
    let told: Vec<&str> = loopwright_tests::stage::outcomes(&run, "shipped")
        .into_iter()
        .map(|o| o["pull_request"].as_str().expect("its id"))
        .collect();
    assert!(told.iter().all(|id| opened.contains(id)) && told.len() == 2, "{told:?}");
}

/// What is shown is what is done: as the loop said when it ran, whatever its file says by now.
#[test]
fn review_shows_the_way_it_lands() {
    let (stage, reviews) = shipped();
    assert_eq!(reviews[0]["merge"], "squash");
    let path = stage.beside("loops/work/loop.yaml");
    let text = fs::read_to_string(&path).expect("the loop");
    fs::write(&path, format!("{text}review: {{merge: merge}}\n")).expect("written");
    let check = stage.verb(&["check", &path.display().to_string()]).exits(0);
    assert_eq!(stage.review(id(&reviews[0]))["merge"], "squash", "{check:?}");
    stage.approve(&reviews[0]).exits(0);
    assert_eq!(stage.git(&["log", "-1", "--format=%p"]).split(' ').count(), 1);
}

/// The user's own hooks are not run by a merge; a file that would go through a filter waits for the user's own git.
#[test]
fn the_users_hooks_and_filters_do_not_run() {
    let (stage, reviews) = shipped();
    let trap = stage.beside("trap");
    stage.edit(|| {
        for hook in ["post-commit", "post-merge", "post-checkout", "reference-transaction", "pre-commit"] {
            let text = format!("#!/bin/sh\ntouch {}\n", trap.display());
            loopwright_tests::stage::write_program(&stage.repo.join(".git/hooks").join(hook), &text);
        }
    });
    // The control: git itself would run them.
    stage.git(&["commit", "--quiet", "--allow-empty", "-m", "trap"]);
    assert!(trap.exists(), "the trap works");
    stage.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    stage.git(&["config", "filter.trap.smudge", &format!("touch {}; cat", trap.display())]);
    let attributes = stage.repo.join(".git/info/attributes");
    stage.edit(|| fs::write(&attributes, "*.md filter=trap\n").expect("attributes"));
    let control = stage.git(&["reset", "--quiet", "--hard"]);
    assert_eq!(control, "");
    fs::remove_file(&trap).expect("the traps work");

    let waiting = stage.approve(&reviews[0]).exits(21).json();
    assert!(waiting["why"].as_str().expect("why").contains("filter"), "{waiting}");
    assert!(!trap.exists(), "a filter ran");
    stage.edit(|| fs::remove_file(&attributes).expect("removed"));
    act(&stage);
    stage.remember();
    assert_eq!(state(&stage, &reviews[0]), "merged");
    assert!(!trap.exists(), "a hook ran");
}
