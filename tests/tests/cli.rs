//! The command line: one JSON document per verb, published exit codes, plain text where no terminal is.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_tests::stage::{RAILS, Stage, sample};

const MAKER: &str = "#!/bin/sh\nmkdir -p docs; echo done > docs/$LOOPWRIGHT_FINDING_KEY.md\n";

/// Every user verb with words that it accepts, and its exit code on a stage with one run behind it.
fn verbs(pull_request: &str) -> Vec<(Vec<&str>, i32)> {
    vec![
        (vec!["templates"], 0),
        (vec!["templates", "daily-triage"], 0),
        (vec!["check", "work"], 0),
        (vec!["check", "tidy"], 0),
        (vec!["schema"], 0),
        (vec!["next"], 0),
        (vec!["next", "work"], 0),
        (vec!["next", "-n", "3"], 0),
        (vec!["why", "work"], 0),
        (vec!["why", "work", "yesterday", "09:00"], 0),
        (vec!["disable", "work"], 0),
        (vec!["enable", "work"], 0),
        (vec!["add", "tidy"], 2),
        (vec!["status"], 0),
        (vec!["runs"], 0),
        (vec!["runs", "work", "-n", "1"], 0),
        (vec!["show"], 0),
        (vec!["show", "last"], 0),
        (vec!["logs"], 0),
        (vec!["reviews"], 0),
        (vec!["reviews", "--all"], 0),
        (vec!["review", pull_request], 0),
        (vec!["doctor"], 0),
        (vec!["halt", "--loop", "work"], 0),
        (vec!["resume", "--loop", "work", "--reason", "a test"], 0),
    ]
}

fn shipped() -> (Stage, String) {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let id = stage.reviews()[0]["short"].as_str().expect("an id").to_owned();
    (stage, id)
}

#[test]
fn every_verb_answers_with_one_json_document() {
    let (stage, id) = shipped();
    for (words, code) in verbs(&id) {
        let answer = stage.verb(&words);
        assert_eq!(answer.code, code, "{words:?}: {answer:?}");
        assert!(answer.json().is_object() || answer.json().is_array(), "{words:?}");
        assert_eq!(answer.err, "", "{words:?}");
    }
}

#[test]
fn without_a_terminal_there_are_no_escape_codes() {
    let (stage, id) = shipped();
    for (words, code) in verbs(&id) {
        let answer = stage.plain(&words);
        assert_eq!(answer.code, code, "{words:?}: {answer:?}");
        assert!(!answer.out.contains('\u{1b}') && !answer.err.contains('\u{1b}'), "{words:?}");
        assert!(!answer.out.trim().is_empty(), "{words:?} says nothing");
        assert!(!answer.out.contains('\r'), "{words:?}");
    }
}

/// `script` gives the program a terminal: then there are colours, unless `NO_COLOR` is set.
#[test]
fn no_color_is_obeyed_on_a_terminal() {
    let (stage, _) = shipped();
    let program = loopwright_tests::stage::programs().loopwright.display().to_string();
    let on_terminal = |color: Option<&str>| {
        let mut command = stage.command(&[]);
        let line = format!("{program} status");
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).stdin(std::process::Stdio::null()).env_clear();
        script.envs(command.env("TERM", "xterm").get_envs().filter_map(|(k, v)| Some((k, v?))));
        script.envs(color.map(|c| ("NO_COLOR", c)));
        stage.ask(&mut script).out
    };
    assert!(on_terminal(None).contains('\u{1b}'), "the control: a terminal gets colours");
    assert!(!on_terminal(Some("1")).contains('\u{1b}'));
}

#[test]
fn every_verb_explains_itself() {
    let stage = Stage::empty();
    let help = stage.plain(&["--help"]).exits(0).out;
    assert!(help.contains("Exit codes:"), "{help}");
    for verb in ["templates", "add", "check", "schema", "next", "run", "status", "runs", "show", "logs"] {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb} is not in the help");
        assert!(stage.plain(&[verb, "--help"]).exits(0).out.contains("Example: loopwright"), "{verb}");
    }
    for verb in ["reviews", "review", "approve", "halt", "resume", "doctor", "serve", "why", "enable", "disable"] {
        assert!(stage.plain(&[verb, "--help"]).exits(0).out.contains("Example: loopwright"), "{verb}");
    }
    assert!(!help.contains("__run"));
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let stage = Stage::shop_without_issues();
    stage.verb(&[]).exits(2);
    stage.verb(&["rnu"]).exits(2);
    stage.verb(&["run", "nobody"]).exits(2);
    stage.verb(&["show", "last"]).exits(2);
    stage.verb(&["review", "12345678"]).exits(2);
    stage.write("bad.yaml", "name: x\n");
    assert!(stage.verb(&["check", "bad.yaml"]).exits(3).json()["diagnostics"].is_array());
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(20);
    stage.verb(&["halt"]).exits(0);
    stage.run("work").exits(10);
    stage.verb(&["resume", "--reason", "a test"]).exits(0);
    stage.run("work").exits(20);
}

/// The last reason and the command that tries again stand with what was handed over.
#[test]
fn what_was_handed_over_says_why_and_what_next() {
    let stage = Stage::shop();
    let once = "guardrails: {max_iterations: 1, budget: $5/run, halt_on: no_progress(2)}\n";
    stage.maker(once, "#!/bin/sh\nsed -i s/adds=ok/adds=missing/ src/cart.conf\n");
    let run = stage.plain(&["run", "work"]).exits(21).out;
    let rows = stage.verb(&["status"]).exits(0).json()["needs_you"].clone();
    let first = &rows.as_array().expect("rows")[0];
    let (why, again) = (first["why"].as_str().expect("why"), first["again"].as_str().expect("again"));
    assert!(why.starts_with("not verified after 1 iteration; last: "), "{why}");
    assert_eq!(again, format!("loopwright run work --finding {}", first["short"].as_str().expect("an id")));
    let status = stage.plain(&["status"]).exits(0).out;
    for said in [&run, &status] {
        assert!(said.contains(why) && said.contains(again), "{said}");
    }
    assert!(status.contains(&format!("{}  work  ", first["short"].as_str().expect("an id"))), "{status}");
    let again = stage.paste(again);
    assert_eq!(again.code, 13, "it tries again: {again:?}");
}

#[test]
fn a_run_that_only_reports_says_so_everywhere() {
    let stage = Stage::shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $0}\n";
    let path = stage.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", MAKER)]);
    stage.add(&path.display().to_string(), false);
    let run = stage.plain(&["run", "work"]).exits(0);
    let show = stage.plain(&["show"]).exits(0);
    let runs = stage.plain(&["runs"]).exits(0);
    for said in [&run, &show, &runs] {
        assert!(said.out.contains("reported only"), "{said:?}");
        assert!(!said.out.contains("nothing"), "{said:?}");
    }
    for said in [&run, &show] {
        assert!(said.out.contains("loopwright run work --ship"), "{said:?}");
    }
    // The control: with nothing to report, nothing was to do.
    let quiet = Stage::shop_without_issues();
    let path = quiet.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", MAKER)]);
    quiet.add(&path.display().to_string(), false);
    assert!(quiet.plain(&["run", "work"]).exits(20).out.contains("nothing to do"));
}

/// A second repository beside the shop of a stage.
fn other_shop(stage: &Stage) -> String {
    let other = stage.beside("Other shop");
    std::fs::create_dir(&other).expect("a folder");
    let path = other.display().to_string();
    let git = "git -c user.name=Ada -c user.email=ada@example.com";
    let made = stage.paste(&format!("cd '{path}' && git init -q -b main && {git} commit -q --allow-empty -m begun"));
    assert_eq!(made.code, 0, "{made:?}");
    path
}

#[test]
fn a_template_for_a_second_repository_gets_another_name() {
    let stage = Stage::shop();
    stage.add("daily-triage", false);
    let other = other_shop(&stage);
    // Told before anything is to be confirmed, with a command that works.
    let refused = stage.verb(&["add", "daily-triage", "--repo", &other]).exits(1);
    assert!(refused.message().contains("registered already"), "{refused:?}");
    assert_eq!(refused.hint(), format!("loopwright add daily-triage --repo '{other}' --name daily-triage-other-shop"));
    let shown = stage.paste(&refused.hint()).exits(2).out;
    let confirm = shown.lines().last().expect("a command").trim().to_owned();
    assert!(confirm.contains(" --name daily-triage-other-shop --confirm "), "{confirm}");
    stage.paste(&confirm).exits(0);
    let loops = stage.verb(&["status"]).exits(0).json()["loops"].clone();
    let of = |at: usize, key: &str| loops[at][key].as_str().expect("a text").to_owned();
    assert_eq!((of(0, "name"), of(1, "name")), ("daily-triage".to_owned(), "daily-triage-other-shop".to_owned()));
    assert_eq!(of(1, "repo"), other);
    assert!(of(1, "path").ends_with("loops/daily-triage-other-shop/loop.yaml"), "{loops}");
    // Only templates have a name to choose, and it is a name.
    for words in [["add", "daily-triage", "--name", "../evil"], ["add", "loops", "--name", "fine"]] {
        stage.verb(&words).exits(2);
    }
}

#[test]
fn a_loop_that_is_renamed_stays_the_same_loop() {
    let stage = Stage::shop_without_issues();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(20);
    let before = stage.verb(&["status"]).exits(0).json()["loops"][0].clone();
    let path = stage.beside("loops/work/loop.yaml");
    let text = std::fs::read_to_string(&path).expect("the loop");
    std::fs::write(&path, text.replace("name: work", "name: renamed")).expect("written");
    let path = path.display().to_string();
    assert!(stage.plain(&["add", &path]).exits(2).out.contains("registered as work"));
    stage.add(&path, false);
    let loops = stage.verb(&["status"]).exits(0).json()["loops"].clone();
    assert_eq!(loops.as_array().map(Vec::len), Some(1), "no ghost: {loops}");
    assert_eq!((&loops[0]["name"], &loops[0]["id"]), (&"renamed".into(), &before["id"]));
    assert_eq!(loops[0]["mode"], "ship", "it may do what it might before");
    stage.run("renamed").exits(20);
    assert_eq!(stage.verb(&["runs", "renamed"]).exits(0).json().as_array().map(Vec::len), Some(2));
    stage.run("work").exits(2);
    // The control: another file is another loop.
    let other = stage.personal("other", RAILS, &[]);
    stage.add(&other.display().to_string(), false);
    assert_eq!(stage.verb(&["status"]).exits(0).json()["loops"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_error_is_one_json_document_too() {
    let stage = Stage::empty();
    let error = stage.verb(&["run", "nobody"]).exits(2);
    assert_eq!(error.out, "");
    assert_eq!(error.error()["code"], 2);
    assert!(error.message().contains("nobody"));
    assert!(!error.hint().is_empty());
}

#[test]
fn the_seed_is_accepted_outside_of_any_repository() {
    let stage = Stage::empty();
    let seed = sample("seed/loop.yaml").display().to_string();
    std::fs::copy(&seed, stage.beside("loop.yaml")).expect("a copy");
    let path = stage.beside("loop.yaml").display().to_string();
    let checked = stage.verb(&["check", &path]).exits(0).json();
    assert!(checked["explanation"].is_object(), "{checked}");
    let plain = stage.plain(&["check", &path]).exits(0).out;
    assert!(plain.contains("$5") && plain.contains("$25"), "what it can cost: {plain}");
    for note in ["repository: none here", "the fixer", "gates alone", "notify_slack: skipped (not configured)"] {
        assert!(plain.contains(note), "{note} is not told: {plain}");
    }
}

#[test]
fn a_closed_pipe_is_no_defect() {
    let (stage, _) = shipped();
    let program = loopwright_tests::stage::programs().loopwright.display().to_string();
    let answer = stage.paste(&format!("{program} schema | head -n 1; {program} show | true"));
    assert!(!answer.err.contains("panicked"), "{answer:?}");
}

#[test]
fn sigterm_halts_the_run_that_is_followed() {
    let stage = Stage::shop();
    stage.maker(RAILS, "#!/bin/sh\nwhile :; do echo still here; sleep 1; done\n");
    let run = stage.start(&["run", "work"]);
    stage.wait_for_process("maker.sh");
    run.signal("TERM");
    let answer = run.end().exits(10).json();
    assert_eq!(answer["row"]["end"]["state"], "halted", "{answer}");
    assert!(answer["row"]["end"]["detail"].as_str().is_some_and(|d| d.contains("SIGTERM")), "{answer}");
    assert!(stage.with("maker.sh").is_empty(), "the agent is gone");
    // What ended is ended; the loop itself is not halted.
    stage.verb(&["status"]).exits(0);
}

/// A terminal that is closed: nobody follows any more, and the run goes on.
#[test]
fn sighup_ends_only_the_following() {
    let stage = Stage::shop();
    stage.maker(RAILS, &MAKER.replace("mkdir", "sleep 3; mkdir"));
    let run = stage.start(&["run", "work"]);
    stage.wait_for_process("maker.sh");
    run.signal("HUP");
    assert_eq!(run.end().code, -1, "ended by the signal");
    assert_eq!(stage.ended()["code"], 21);
}

#[test]
fn a_detached_run_is_named_and_goes_on() {
    let stage = Stage::shop_without_issues();
    stage.maker(RAILS, MAKER);
    let id = stage.verb(&["run", "work", "--detach"]).exits(0).json()["run"].clone();
    let row = stage.ended();
    assert_eq!(row["id"], id);
    assert_eq!(row["code"], 20);
}
