//! Findings that no check reports: comments in the sources, and what a program of the project names.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_tests::stage::{RAILS, Stage, events, outcomes};
use serde_json::Value;

/// Adds a loop `work` that only lists what `run` finds.
fn lists(stage: &Stage, run: &str) {
    let repo = serde_json::to_string(&stage.repo).expect("a path");
    let text = format!(
        "name: work\nrepo: {repo}\ntrigger: manual\nsteps:\n  - discover:\n      run: {run}\n      write_to: state/triage.md\n\
         env: {{STAGE: {}}}\n{RAILS}",
        stage.mark
    );
    let path = stage.personal_text("work", &text, &[]);
    stage.add(&path.display().to_string(), false);
}

fn notes(run: &Value, topic: &str) -> Vec<String> {
    let of = events(run, "noted").into_iter().filter(|n| n["topic"] == topic);
    of.map(|n| n["text"].as_str().expect("a text").to_owned()).collect()
}

/// A list's titles, without what stands around them.
fn titles(stage: &Stage) -> Vec<String> {
    let bare = |l: &String| l.trim_start_matches("- [ ] ").rsplit_once(' ').map_or(l.clone(), |(t, _)| t.to_owned());
    stage.triage().iter().map(bare).collect()
}

#[test]
fn the_template_lists_comments_where_there_is_no_check_at_all() {
    let stage = Stage::project("none");
    stage.write(
        "src/ferry.js",
        "// TODO(ada): ask when\n// the last one leaves\nexport const at = [9, 17]; // FIXME: in winter\n",
    );
    stage.write("vendor/x.js", "// TODO: theirs\n");
    stage.commit("a ferry");
    stage.write("src/later.js", "// TODO: not committed\n");
    let template = stage.plain(&["templates", "todo-sweep"]).exits(0).out;
    let repo = serde_json::to_string(&stage.repo).expect("a path");
    let text = format!("{template}repo: {repo}\nenv: {{STAGE: {}}}\n", stage.mark);
    let path = stage.personal_text("todo-sweep", &text, &[]);
    stage.add(&path.display().to_string(), false);
    stage.run("todo-sweep").exits(0);
    assert_eq!(titles(&stage), ["TODO in src/ferry.js: ask when", "FIXME in src/ferry.js: in winter"]);

    // Moved, it is the same one; done, it is gone.
    stage.write("src/ferry.js", "export const at = [9, 17];\n\n// TODO: ask when\n");
    stage.commit("winter");
    stage.run("todo-sweep").exits(0);
    assert_eq!(titles(&stage), ["TODO in src/ferry.js: ask when", "TODO in src/later.js: not committed"]);
    let run = stage.last();
    let found = outcomes(&run, "discovered")[0];
    assert_eq!((&found["new"], &found["gone"]), (&1.into(), &1.into()), "{found}");
}

#[test]
fn a_program_names_what_is_to_be_done() {
    let stage = Stage::project("none");
    // It sees the base commit alone, has no network, and what it writes is gone.
    stage.write(
        "find.sh",
        "test ! -e later.txt && echo x > left.txt\n\
         if (exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null; then exit 9; fi\n\
         echo '{\"key\": \"licence\", \"title\": \"No licence\", \"places\": [\"README.md:1\"]}'\n\
         cat more.txt 2>/dev/null || true\n",
    );
    stage.commit("what to look for");
    stage.write("later.txt", "");
    lists(&stage, "command(\"bash find.sh\")");
    stage.run("work").exits(0);
    assert_eq!(titles(&stage), ["No licence"]);
    assert!(!stage.repo.join("left.txt").exists());

    // A line that can't be used is named, and what it may have said is not gone.
    stage.write("find.sh", "echo '{\"key\": \"licence\"}'; echo '{\"key\": \"b\", \"title\": \"Another\"}'\n");
    stage.commit("worse");
    let run = stage.run("work").exits(0).json();
    let said = notes(&run, "source-line");
    assert!(said.len() == 1 && said[0].contains("line 1") && said[0].contains("`title`"), "{said:?}");
    assert_eq!(titles(&stage).len(), 2, "{:?}", titles(&stage));

    // The control: without the bad line it is gone.
    stage.write("find.sh", "echo '{\"key\": \"b\", \"title\": \"Another\"}'\n");
    stage.commit("better");
    stage.run("work").exits(0);
    assert_eq!(titles(&stage), ["Another"]);
}

#[test]
fn a_program_that_fails_says_nothing_of_its_findings() {
    let stage = Stage::project("none");
    stage.write("find.sh", "echo '{\"key\": \"a\", \"title\": \"A\"}'\n");
    stage.commit("what to look for");
    lists(&stage, "command('sh find.sh')");
    stage.run("work").exits(0);
    stage.write("find.sh", "echo no such table >&2; exit 3\n");
    stage.commit("broken");
    let run = stage.run("work").exits(1).json();
    let why = run["row"]["end"]["why"].as_str().expect("a reason");
    assert!(why.contains("`sh find.sh`") && why.contains("no such table") && why.contains("repair"), "{why}");
    assert_eq!(titles(&stage), ["A"], "nothing is gone that nobody looked for");
}
