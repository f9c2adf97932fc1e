//! What a shell completes and what the manual says: in a real bash, and read by a real man.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests say what they expected, and what was skipped"
)]

use std::fs;
use std::process::Command;

use loopwright_tests::stage::{RAILS, Stage, programs};

/// Has bash complete the last of `words`; one suggestion a line.
fn completed(stage: &Stage, words: &[&str]) -> Vec<String> {
    let script = "source <(loopwright completions bash)
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(( $# - 1 )); COMP_LINE=\"$*\"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
        _clap_complete_loopwright loopwright \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", script, "bash"]).args(words).current_dir(&stage.repo).env_clear();
    let path = programs().loopwright.parent().expect("a folder").display().to_string();
    bash.env("PATH", format!("{path}:/usr/bin:/bin")).env("HOME", stage.person()).env("LOOPWRIGHT_HOME", &stage.home);
    let answer = stage.ask(&mut bash).exits(0);
    assert_eq!(answer.err, "", "the shell complains");
    answer.out.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn bash_completes_verbs_options_and_what_the_store_knows() {
    let stage = Stage::shop();
    assert_eq!(sorted(completed(&stage, &["loopwright", "run", ""])), [""; 0], "nothing is known yet");
    assert!(!stage.home.exists(), "asking makes nothing");
    stage.maker(RAILS, "#!/bin/sh\necho more >> README.md\n");
    stage.verb(&["run", "work"]).exits(21);
    for (words, wanted) in [
        (&["loopwright", "sta"][..], "status"),
        (&["loopwright", "run", "--sh"], "--ship"),
        (&["loopwright", "run", "w"], "work"),
        (&["loopwright", "halt", "--loop", ""], "work"),
        (&["loopwright", "show", "la"], "last"),
        (&["loopwright", "init", "--template", "dai"], "daily-triage"),
        (&["loopwright", "completions", "po"], "powershell"),
        (&["loopwright", "simulate", "--story", ""], "runaway"),
    ] {
        assert_eq!(completed(&stage, words).join(" "), wanted, "{words:?}");
    }
    let verbs = completed(&stage, &["loopwright", ""]);
    assert!(verbs.contains(&"init".to_owned()) && !verbs.iter().any(|verb| verb.starts_with("__")), "{verbs:?}");
    let reviews: Vec<String> = stage.reviews().iter().map(|r| r["short"].as_str().expect("an id").to_owned()).collect();
    assert!(!reviews.is_empty());
    for verb in ["approve", "later"] {
        assert_eq!(sorted(completed(&stage, &["loopwright", verb, ""])), sorted(reviews.clone()), "{verb}");
    }
    let run = stage.last()["row"]["short"].as_str().expect("an id").to_owned();
    assert!(completed(&stage, &["loopwright", "logs", ""]).contains(&run));
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.retain(|word| !word.starts_with("--"));
    words.sort();
    words
}

#[test]
fn every_shell_gets_a_script() {
    let stage = Stage::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stage.plain(&["completions", shell]).exits(0).out;
        assert!(script.contains("LOOPWRIGHT_COMPLETE") && script.contains("loopwright"), "{shell}: {script}");
    }
    let file = stage.beside("bash.sh");
    fs::write(&file, stage.plain(&["completions", "bash"]).exits(0).out).expect("written");
    let checked = stage.ask(Command::new("bash").arg("-n").arg(&file));
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    stage.plain(&["completions", "tcsh"]).exits(2);
}

#[test]
fn the_manual_is_read_without_a_warning() {
    let stage = Stage::empty();
    let folder = stage.beside("man1");
    let written = stage.verb(&["man", "--out", &folder.display().to_string()]).exits(0).json();
    let files: Vec<&str> = written.as_array().expect("files").iter().filter_map(|file| file.as_str()).collect();
    assert!(files.len() > 15, "{files:?}");
    let shown = stage.plain(&["man", "run"]).exits(0).out;
    assert_eq!(shown, fs::read_to_string(folder.join("loopwright-run.1")).expect("the same page"));
    stage.plain(&["man", "rum"]).exits(2);
    if !warns(&stage, "man", ".TH X 1\n.SH A\n.undefined \\(xx\n") {
        return println!("skipped: no `man --warnings` that finds a fault on this machine");
    }
    for file in files {
        let text = fs::read_to_string(file).expect("a page");
        assert!(!warns(&stage, "page", &text), "{file}");
    }
}

/// Whether man has something to say against a page.
fn warns(stage: &Stage, name: &str, text: &str) -> bool {
    let page = stage.beside(&format!("{name}.1"));
    fs::write(&page, text).expect("a page");
    let mut man = Command::new("man");
    man.args(["--warnings=w", "--encoding=utf8", "--local-file"])
        .arg(&page)
        .env("MANWIDTH", "200")
        .env("LC_ALL", "C.UTF-8");
    let said = stage.ask(&mut man);
    if !said.err.trim().is_empty() {
        println!("{name}: {}", said.err);
    }
    !said.err.trim().is_empty()
}
