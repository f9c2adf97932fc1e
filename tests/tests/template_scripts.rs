//! The scripts of the shipped loops by themselves, without a sandbox: what they must do whatever calls them, and how often.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loopwright_tests::book;
use loopwright_tests::dice::Dice;
use loopwright_tests::stage::{prints, wait_for, write_program};
use loopwright_tests::tell;
use tempfile::TempDir;

/// A state folder, and the variables of one run of a template.
struct Desk {
    root: TempDir,
    template: &'static str,
    env: Vec<(String, String)>,
}

impl Desk {
    fn new(template: &'static str, env: &[(&str, &str)]) -> Desk {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("state")).expect("a state folder");
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Desk { root, template, env }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn state(&self, name: &str) -> String {
        fs::read_to_string(self.at("state").join(name)).unwrap_or_default()
    }

    fn script(&self, name: &str, run: &str) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loops/templates").join(self.template);
        let mut command = Command::new("sh");
        command.arg(folder.join(name)).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command.env("LOOPWRIGHT_STATE", self.at("state")).env("LOOPWRIGHT_RUN", run);
        command.envs(self.env.iter().cloned());
        command
    }

    /// Runs a script; its exit code and the last line of what it said.
    fn says(&self, name: &str, run: &str) -> (i32, String) {
        let output = self.script(name, run).output().expect("sh starts");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = out.lines().last().unwrap_or_else(|| err.lines().last().unwrap_or_default()).to_owned();
        (output.status.code().unwrap_or(-1), last)
    }

    fn does(&self, name: &str, run: &str) -> String {
        let (code, said) = self.says(name, run);
        assert_eq!(code, 0, "{name}: {said}");
        said
    }
}

const MARKET: [(&str, &str); 10] = [
    ("TZ", "UTC"),
    ("CAPITAL", "1000000"),
    ("LOT", "10"),
    ("MAX_HELD", "50"),
    ("MAX_DRAWDOWN", "900000"),
    ("MAX_SILENCE", "500"),
    ("TICK", "0.001"),
    ("START_PRICE", "10000"),
    ("SEED", "7"),
    ("LOGIN_FAILS", "0"),
];

fn market(changed: &[(&str, &str)]) -> Desk {
    let mut env = MARKET.to_vec();
    env.extend(changed);
    Desk::new("trading-day", &env)
}

/// Lets the engine trade until the book satisfies something, and kills it.
fn trade_until(desk: &Desk, run: &str, what: &str, enough: impl Fn(&Desk) -> bool) {
    let mut engine = desk.script("engine.sh", run).spawn().expect("sh starts");
    wait_for(what, || enough(desk).then_some(()));
    engine.kill().expect("it lives");
    engine.wait().expect("a child");
}

fn trades(desk: &Desk) -> usize {
    book::trades(&desk.at("state")).len()
}

fn held(desk: &Desk) -> i64 {
    book::held(&desk.at("state"))
}

fn hold(desk: &Desk, run: &str) {
    trade_until(desk, run, "a purchase", |desk| held(desk) > 0);
    // Between the look and the kill it may have sold.
    while held(desk) == 0 {
        trade_until(desk, run, "a purchase", |desk| held(desk) > 0);
    }
}

#[test]
fn a_day_is_flat_at_its_end_and_its_report_adds_up() {
    let desk = market(&[]);
    desk.does("open-day.sh", "one");
    desk.does("login.sh", "one");
    trade_until(&desk, "one", "some trades", |desk| trades(desk) > 20);
    for _ in 0..3 {
        desk.does("square-off.sh", "one");
        desk.does("report.sh", "one");
        desk.does("notify.sh", "one");
    }
    book::flat_and_reported(&desk.at("state"), "one").expect("a day that adds up");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect()
}

#[test]
fn an_engine_that_is_killed_again_and_again_makes_no_trade_twice() {
    let (mut dice, desk) = (Dice::seeded("killed engine"), market(&[]));
    desk.does("open-day.sh", "one");
    let kills = 25;
    for _ in 0..kills {
        let more = trades(&desk) + dice.below(4);
        trade_until(&desk, "one", "a trade", |desk| trades(desk) >= more);
    }
    let rows = book::trades(&desk.at("state"));
    let names: BTreeSet<&String> = rows.iter().map(|trade| &trade.name).collect();
    assert_eq!(names.len(), rows.len(), "a trade has two rows");
    let mut held = 0;
    for trade in &rows {
        held += trade.bought;
        assert!((0..=50).contains(&held), "{held} held after {}", trade.name);
    }
    desk.does("square-off.sh", "one");
    assert_eq!(self::held(&desk), 0);
    tell(&format!("engine killed {kills} times, {} trades", rows.len()));
}

#[test]
fn a_row_that_a_power_cut_tore_counts_for_nothing() {
    let desk = market(&[]);
    desk.does("open-day.sh", "one");
    hold(&desk, "one");
    let before = (desk.state("trades.csv"), held(&desk));
    for torn in ["one/999,one,999,BUY,10", "one/999,one,999,BUY,10,100", "o"] {
        fs::write(desk.at("state/trades.csv"), format!("{}{torn}", before.0)).expect("a torn book");
        desk.does("square-off.sh", "one");
        assert_eq!(held(&desk), 0, "{torn}: {}", desk.state("trades.csv"));
    }
}

#[test]
fn control_a_square_off_that_does_not_read_the_book_fails_the_same_test() {
    let desk = market(&[]);
    desk.does("open-day.sh", "one");
    hold(&desk, "one");
    let naive = format!("one/x,one,1,SELL,{},10000,.\n", held(&desk));
    for _ in 0..2 {
        let rows = desk.state("trades.csv");
        fs::write(desk.at("state/trades.csv"), format!("{rows}{naive}")).expect("a row");
    }
    assert_ne!(held(&desk), 0);
}

#[test]
fn a_day_does_not_begin_with_what_another_left() {
    let desk = market(&[]);
    desk.does("open-day.sh", "one");
    hold(&desk, "one");
    let (code, said) = desk.says("open-day.sh", "two");
    assert!(code == 1 && said.contains("still held from another day"), "{said}");
    desk.does("square-off.sh", "two");
    assert_eq!(held(&desk), 0);
    desk.does("open-day.sh", "three");
}

#[test]
fn the_monitor_ends_the_day_at_its_limit_and_badly_where_the_engine_is_silent() {
    let desk = market(&[("MAX_DRAWDOWN", "100")]);
    desk.does("open-day.sh", "one");
    let mut engine = desk.script("engine.sh", "one").spawn().expect("sh starts");
    let (code, said) = desk.says("monitor.sh", "one");
    assert!(code == 0 && said.contains("below the best mark, the limit is 100"), "{said}");
    assert!(engine.wait().expect("a child").success(), "the engine sees it too");

    let desk = market(&[("MAX_SILENCE", "20")]);
    desk.does("open-day.sh", "one");
    let (code, said) = desk.says("monitor.sh", "one");
    assert_eq!((code, said.as_str()), (1, "no price for 20 ticks"));
}

#[test]
fn the_login_counts_its_tries() {
    let desk = market(&[("LOGIN_FAILS", "2")]);
    desk.does("open-day.sh", "one");
    assert_eq!(desk.says("login.sh", "one").0, 1);
    assert_eq!(desk.says("login.sh", "one").0, 1);
    assert_eq!(desk.does("login.sh", "one"), "logged in at try 3");
}

/// A folder with names that break careless scripts, and a folder for its copies.
fn documents(keep: &str) -> Desk {
    let mut desk = Desk::new("nightly-backup", &[("KEEP", keep)]);
    let source = desk.at("My documents.d");
    for folder in ["empty", "sub dir/deep"] {
        fs::create_dir_all(source.join(folder)).expect("a folder");
    }
    fs::create_dir(desk.at("backups")).expect("a folder");
    for (name, text) in [("a", "one"), ("-rf", "two"), ("new\nline \\ 'x' \"y\" *", "three"), ("sub dir/deep/ä", "")] {
        fs::write(source.join(name), text).expect("a file");
    }
    fs::hard_link(source.join("a"), source.join("b")).expect("a second name");
    std::os::unix::fs::symlink("a", source.join("link")).expect("a link");
    for (name, path) in [("LOOPWRIGHT_READ", source), ("LOOPWRIGHT_WRITE", desk.at("backups"))] {
        desk.env.push((name.to_owned(), path.display().to_string()));
    }
    desk
}

fn names(folder: &Path, end: &str) -> Vec<String> {
    let names = files(folder).into_iter().map(|p| p.file_name().expect("a name").to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|n| n.ends_with(end)).collect();
    names.sort();
    names
}

/// Unpacks a copy and compares it with what it was made of, and its list with what was unpacked.
fn assert_restores(desk: &Desk, copy: &str) {
    let place = desk.at("restored");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir(&place).expect("a folder");
    let tar = desk.at("backups").join(copy);
    let unpack = Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(&place).status().expect("tar starts");
    assert!(unpack.success());
    let content = |folder: &Path| -> Vec<(String, String)> {
        let of = |(path, print): (String, String)| (path, print.split(' ').next_back().unwrap_or_default().to_owned());
        prints(folder).into_iter().filter(|(path, _)| !path.is_empty()).map(of).collect()
    };
    assert_eq!(content(&place), content(&desk.at("My documents.d")));
    let list = tar.with_extension("sha256");
    let mut check = Command::new("sha256sum");
    let output =
        check.args(["--zero", "--quiet", "-c"]).arg(list).current_dir(&place).output().expect("sha256sum starts");
    // Old programs can't check what they wrote with --zero; the comparison above stands by itself.
    assert!(output.status.success() || String::from_utf8_lossy(&output.stderr).contains("not supported"), "{output:?}");
}

#[test]
fn a_copy_is_what_it_was_made_of_and_so_many_are_kept() {
    let desk = documents("2");
    // Somebody else's, and the copies of earlier nights.
    fs::write(desk.at("backups/mine.tar"), "x").expect("a file");
    for night in ["2026-11-01T023000", "2026-11-02T023000"] {
        for end in ["tar", "sha256"] {
            fs::write(desk.at(&format!("backups/My_documents_d-{night}.{end}")), "old").expect("a file");
        }
    }
    let said = desk.does("copy.sh", "one");
    assert!(said.contains("5 files") && said.ends_with("2 copies kept"), "{said}");
    let tars = names(&desk.at("backups"), ".tar");
    assert_eq!(tars.len(), 3, "{tars:?}");
    assert_eq!((tars[0].as_str(), tars[2].as_str()), ("My_documents_d-2026-11-02T023000.tar", "mine.tar"));
    assert_eq!(names(&desk.at("backups"), ".sha256").len(), 2);
    assert_restores(&desk, &tars[1]);
    desk.does("report.sh", "one");
    desk.does("report.sh", "one");
    assert_eq!(desk.state("report.md").lines().count(), 1);
    assert!(desk.state("report.md").contains(" copied: "), "{}", desk.state("report.md"));
}

#[test]
fn what_is_no_copy_is_told_and_the_older_ones_stay() {
    let desk = documents("7");
    desk.does("copy.sh", "one");
    let before = prints(&desk.at("backups"));
    let source = desk.at("My documents.d");
    fs::rename(&source, desk.at("away")).expect("it is away");
    fs::create_dir_all(source.join("only/folders")).expect("folders");
    let (code, said) = desk.says("copy.sh", "two");
    assert!(code == 1 && said.contains("has no file in it"), "{said}");
    fs::remove_dir_all(&source).expect("gone");
    assert_eq!(desk.says("copy.sh", "two").0, 1, "a source that is gone");
    assert!(before == prints(&desk.at("backups")), "the copies that were there are as they were");
    let said = desk.does("report.sh", "two");
    assert!(said.contains("**FAILED**"), "{said}");
    let said = desk.does("report.sh", "three");
    assert!(said.contains("**FAILED**: it was ended before it was done"), "{said}");
}

#[test]
fn a_file_that_changes_while_it_is_copied_makes_no_copy() {
    let mut desk = documents("7");
    let growing = desk.at("My documents.d/growing");
    fs::write(&growing, "one").expect("a file");
    fs::create_dir(desk.at("bin")).expect("a folder");
    // Between the list of the files and their copy.
    let change = format!("echo two >> '{}'", growing.display());
    let shim = format!("#!/bin/sh\n[ \"$1\" != --create ] || {change}\nexec /usr/bin/tar \"$@\"\n");
    write_program(&desk.at("bin/tar"), &shim);
    desk.env.push(("PATH".to_owned(), format!("{}:/usr/bin:/bin", desk.at("bin").display())));
    let (code, said) = desk.says("copy.sh", "one");
    assert!(code == 1 && said.contains("which changed while it was copied"), "{said}");
    assert!(names(&desk.at("backups"), "").is_empty(), "nothing of it stays");
    assert!(desk.state("result").contains("\tfailed\t"), "{}", desk.state("result"));
    write_program(&desk.at("bin/tar"), "#!/bin/sh\nexec /usr/bin/tar \"$@\"\n");
    assert!(desk.does("copy.sh", "two").contains("6 files"), "the control");
}

#[test]
fn a_target_without_room_is_told() {
    let desk = documents("7");
    fs::write(desk.at("My documents.d/large"), vec![b'x'; 4 << 20]).expect("a file");
    let inner = desk.script("copy.sh", "one");
    let mut full = Command::new("bwrap");
    full.args(["--dev-bind", "/", "/", "--size", "1000000", "--tmpfs"]).arg(desk.at("backups")).arg("sh");
    full.args(inner.get_args()).env_clear();
    full.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = full.output().expect("bubblewrap starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("has no room"), "{output:?}");
    assert!(desk.state("result").contains("\tfailed\t"));
}
