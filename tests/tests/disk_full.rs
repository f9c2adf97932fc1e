//! A full disk: a run stops and says so, HALT works all the same, and when there is room again everything goes on.
//!
//! Each case has a small file system of its own, in a mount namespace that ends with it.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use loopwright_tests::faults::full;
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Answer, RAILS, Stage, wait_for};
use loopwright_tests::tell;

/// Set in the process that has the mount namespace.
const INSIDE: &str = "LOOPWRIGHT_TESTS_INSIDE";

/// HALT to nothing left.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Leaves its finding's key, after it waited or filled the disk if the test says so.
const MAKER: &str = "#!/bin/sh\n[ ! -e WAIT ] && [ ! -e /loop/WAIT ] || sleep 60\n[ ! -e FILL ] || cat /dev/zero > BIG\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n";

/// Runs the test of this name again in a mount namespace of its own; `true` in there.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    // Root needs no user namespace for it.
    let root = rustix::process::geteuid().is_root();
    let flags: &[&str] = if root { &["--mount"] } else { &["--map-root-user", "--mount"] };
    let mut command = Command::new("unshare");
    command.args(flags).arg(std::env::current_exe().expect("this test")).args(["--exact", test, "--nocapture"]);
    let output = command.env(INSIDE, "1").output().expect("unshare");
    tell(&String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

/// A small file system over one folder of a stage's home.
struct Small {
    stage: Stage,
    at: PathBuf,
}

impl Small {
    fn over(folder: &str, megabytes: u32) -> Small {
        let stage = Stage::shop();
        let at = stage.home.join(folder);
        fs::create_dir_all(&at).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=700"), "tmpfs"])
            .arg(&at)
            .status();
        assert!(mounted.expect("mount").success());
        stage.maker(RAILS, MAKER);
        Small { stage, at }
    }

    /// Fills it up but for about so many bytes.
    fn fill(&self, left: u64) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.at.join("filler")).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
        let length = file.metadata().expect("its size").len();
        file.set_len(length.saturating_sub(left)).expect("cut");
    }

    fn room(&self) {
        fs::remove_file(self.at.join("filler")).ok();
    }

    fn gone(&self) {
        wait_for("the run's processes to be gone", || self.stage.processes().is_empty().then_some(()));
    }

    /// There is room, and what waited for it goes on: the same run, to its end.
    fn takes_up(&self, told: &str) {
        let status = self.stage.verb(&["status"]).exits(0).json();
        let waits = status["lost"][0]["waits"].as_str().unwrap_or_default();
        assert!(waits.contains("the disk is full"), "{told}: {status}");
        let full = self.stage.verb(&["tick"]).json();
        assert_eq!(full["deeds"][0]["did"], "waits", "{told}: as long as there is none, it waits: {full}");
        self.room();
        let taken = self.stage.verb(&["tick"]).exits(0).json();
        assert_eq!(taken["deeds"][0]["did"], "took_up", "{told}: {taken}");
        let ended = self.stage.ended();
        assert_eq!(ended["end"]["state"], "finished", "{told}: {ended}");
        self.gone();
    }

    /// There is room: nothing is lost or damaged, a run completes, and each finding has one pull request at most.
    fn goes_on(&self, told: &str) {
        self.room();
        let answer = self.stage.run("work");
        assert!([20, 21].contains(&answer.code), "{told}: {answer:?}");
        self.gone();
        let sound = self.stage.verb(&["doctor", "--repair"]).exits(0).json();
        assert_eq!(sound["damaged"], false, "{told}");
        let titles: Vec<String> = self.stage.reviews().iter().map(|r| r["title"].to_string()).collect();
        let waiting = self.stage.triage().iter().filter(|line| line.contains("needs you")).count();
        assert_eq!(titles.len() + waiting, 2, "{told}: {titles:?} {:?}", self.stage.triage());
        assert!(titles.first() != titles.get(1) || titles.is_empty(), "{told}: {titles:?}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: the stage looks at its home once more.
        if std::thread::panicking() {
            Command::new("umount").arg("--lazy").arg(&self.at).status().ok();
        }
    }
}

/// What a full disk may come to: the run did not begin or ended by it, and says so, or there was room enough.
fn assert_told(answer: &Answer, told: &str) {
    assert!([0, 1, 20, 21, 22].contains(&answer.code), "{told}: {answer:?}");
    assert!(!answer.err.contains("panicked"), "{told}: {answer:?}");
    if [1, 22].contains(&answer.code) {
        let said = format!("{}{}", answer.out, answer.err);
        let full = said.contains("disk is full")
            || said.contains("No space left")
            || said.contains("database or disk is full");
        assert!(full, "{told}: {answer:?}");
    }
}

#[test]
fn a_run_on_a_full_disk_says_so_and_the_next_one_completes() {
    if !inside("a_run_on_a_full_disk_says_so_and_the_next_one_completes") {
        return;
    }
    let lefts: &[u64] = if full() {
        &[0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512, 768]
    } else {
        &[0, 64]
    };
    for folder in ["data", "data/runs"] {
        for left in lefts {
            let small = Small::over(folder, 32);
            small.fill(left * 1024);
            let answer = small.stage.run("work");
            let told = format!("{left} KiB left for {folder}");
            tell(&format!("{told}: exits {}: {}", answer.code, answer.err.lines().nth(2).unwrap_or_default()));
            assert_told(&answer, &told);
            small.gone();
            if answer.code == 22 {
                small.takes_up(&told);
            }
            small.goes_on(&told);
        }
    }
}

#[test]
fn a_run_whose_disk_fills_up_waits_and_goes_on() {
    if !inside("a_run_whose_disk_fills_up_waits_and_goes_on") {
        return;
    }
    let small = Small::over("data", 48);
    let wait = small.stage.beside("loops/work/WAIT");
    fs::write(&wait, "").expect("a file");
    let run = small.stage.start(&["run", "work"]);
    small.stage.wait_for_process("sleep");
    fs::remove_file(&wait).expect("removed");
    small.fill(0);
    for pid in small.stage.with("sleep") {
        signal(pid, "KILL");
    }
    let answer = run.end().exits(22);
    tell(&format!("filled up in mid-run: {}", answer.message()));
    assert_told(&answer, "filled up in mid-run");
    assert!(answer.hint().contains("loopwright tick"), "{answer:?}");
    small.gone();
    small.takes_up("filled up in mid-run");
    let runs = small.stage.verb(&["runs"]).exits(0).json();
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "the same run, before and after: {runs}");
    small.goes_on("filled up in mid-run");
}

#[test]
fn an_agent_that_fills_the_disk_ends_its_run_and_the_next_one_completes() {
    if !inside("an_agent_that_fills_the_disk_ends_its_run_and_the_next_one_completes") {
        return;
    }
    let small = Small::over("data", 24);
    small.stage.write("FILL", "");
    small.stage.commit("fill: the maker writes for ever");
    let answer = small.stage.run("work");
    tell(&format!("filled by the maker: exits {}: {}", answer.code, answer.err.lines().nth(2).unwrap_or_default()));
    assert_told(&answer, "filled by the maker");
    small.gone();
    small.stage.edit(|| fs::remove_file(small.stage.repo.join("FILL")).expect("removed"));
    small.stage.commit("fill: no more");
    small.goes_on("filled by the maker");
}

#[test]
fn halt_works_on_a_full_disk() {
    if !inside("halt_works_on_a_full_disk") {
        return;
    }
    for folder in ["state", "data", "data/runs"] {
        let small = Small::over(folder, 32);
        small.stage.write("WAIT", "");
        small.stage.commit("wait: the maker sleeps");
        let run = small.stage.start(&["run", "work"]);
        small.stage.wait_for_process("sleep");
        small.fill(0);
        let began = Instant::now();
        small.stage.verb(&["halt", "--reason", "a test"]);
        wait_for("the agent to be gone", || small.stage.with("sleep").is_empty().then_some(()));
        let took = began.elapsed();
        tell(&format!("{folder} is full: nothing of the agent lives after {took:?}"));
        assert!(took < AT_ONCE * if full() { 1 } else { 3 }, "{folder}: {took:?}");
        let answer = run.end();
        assert!([1, 10].contains(&answer.code), "{folder}: {answer:?}");
        small.gone();
        small.room();
        assert_eq!(small.stage.run("work").code, 10, "{folder}: it stays halted");
        small.stage.verb(&["resume", "--reason", "room again"]).exits(0);
        small.stage.edit(|| fs::remove_file(small.stage.repo.join("WAIT")).expect("removed"));
        small.stage.commit("wait: no more");
        small.goes_on(folder);
    }
}
