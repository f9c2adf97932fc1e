//! Keys are in the keychain or nowhere (S5): with a real gnome-keyring that is open, locked, absent, slow, denying, or that comes
//! later.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use loopwright_desktop_tests::{Bus, Manner, Session, Window, With};
use loopwright_engine::secrets::{Closed, Keychain, SecretStore as _};
use loopwright_tests::stage::{Answer, Stage, programs, wait_for};
use serde_json::Value;
use zbus::fdo;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

/// What is looked for in every file, log, command line and environment.
const CANARY: &str = "sk-CANARY-7f3a91c05e";
/// Where the keychain of a person is on the bus.
const SECRETS: &str = "org.freedesktop.secrets";

fn session() -> Session {
    Session::around(Stage::empty(), With { display: false, bus: Bus::Sealed, desktop: "XFCE" })
}

/// A verb in this session, with `input` on its standard input.
fn verb(session: &Session, words: &[&str], input: &str) -> Answer {
    let path = session.stage.beside("input");
    fs::write(&path, input).expect("an input");
    let given = File::open(&path).expect("an input");
    // It is open and has no name, as a pipe has none: what the search finds later is not this.
    fs::remove_file(&path).expect("removed");
    let mut command = session.command(&programs().loopwright);
    session.stage.ask(command.args(words).arg("--json").stdin(Stdio::from(given)))
}

/// Starts gnome-keyring with a keyring that this password opens, and waits for it.
fn keyring(session: &mut Session) {
    let path = session.runtime().join("password");
    fs::write(&path, "testpass").expect("a password");
    let mut daemon = session.command("/usr/bin/gnome-keyring-daemon");
    daemon.args(["--foreground", "--unlock", "--components=secrets"]).stdin(File::open(&path).expect("a password"));
    session.start(daemon.stdout(Stdio::null()).stderr(Stdio::null()));
    wait_for("an open keychain", || (keychain(session) == "ready").then_some(()));
}

fn keychain(session: &Session) -> String {
    listed(session)["keychain"]["state"].as_str().unwrap_or_default().to_owned()
}

fn listed(session: &Session) -> Value {
    verb(session, &["login"], "").exits(0).json()
}

/// Locks all that the keychain holds, as a screen lock does.
fn lock(session: &Session) {
    let bus = session.connection();
    session.tokio().block_on(async {
        let path = "/org/freedesktop/secrets";
        let service = Some("org.freedesktop.Secret.Service");
        let alias = bus.call_method(Some(SECRETS), path, service, "ReadAlias", &"default").await.expect("an alias");
        let alias: OwnedObjectPath = alias.body().deserialize().expect("a path");
        bus.call_method(Some(SECRETS), path, service, "Lock", &[alias].as_slice()).await.expect("locked");
    });
}

/// The places where the canary, or a usual coding of it, is found: files, command lines and environments.
fn found(session: &Session) -> Vec<String> {
    let hex = loopwright_core::hex(CANARY.as_bytes());
    let needles = [CANARY.to_owned(), hex.to_uppercase(), hex, "c2stQ0FOQVJZLTdmM2E5MWMwNWU".to_owned()];
    let holds = |bytes: &[u8]| needles.iter().any(|n| bytes.windows(n.len()).any(|part| part == n.as_bytes()));
    let mut places: Vec<PathBuf> = Vec::new();
    [session.stage.person(), session.stage.home.clone(), session.runtime().to_owned(), session.stage.repo.clone()]
        .iter()
        .for_each(|folder| files(folder, &mut places));
    for pid in session.stage.processes() {
        places.extend(["cmdline", "environ"].map(|file| PathBuf::from(format!("/proc/{pid}/{file}"))));
    }
    let is_there = |path: &PathBuf| fs::read(path).is_ok_and(|bytes| holds(&bytes));
    places.into_iter().filter(is_there).map(|path| path.display().to_string()).collect()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), into),
            Ok(kind) if kind.is_file() => into.push(entry.path()),
            _ => {}
        }
    }
}

fn silent(answer: &Answer) {
    assert!(!answer.out.contains("CANARY") && !answer.err.contains("CANARY"), "{answer:?}");
}

#[test]
fn a_key_is_in_the_keychain_and_nowhere_else() {
    let mut session = session();
    keyring(&mut session);
    let stored = verb(&session, &["login", "anthropic", "--stdin"], &format!("{CANARY}\n")).exits(0);
    silent(&stored);
    assert_eq!(stored.json()["credentials"][0]["state"], "stored");
    assert_eq!(found(&session), Vec::<String>::new());
    // It is there: the desktop's own program reads it.
    let mut tool = session.command("/usr/bin/secret-tool");
    let read = tool.args(["lookup", "service", "loopwright", "username", "anthropic"]).output().expect("secret-tool");
    assert_eq!(String::from_utf8_lossy(&read.stdout), CANARY);
    // The control: what a store of plain text leaves is found by the same search.
    let plain = session.stage.home.join("config/keys.txt");
    fs::write(&plain, format!("anthropic={CANARY}\n")).expect("written");
    assert_eq!(found(&session), [plain.display().to_string()]);
    fs::remove_file(plain).expect("removed");
    lock(&session);
    let locked = listed(&session);
    assert_eq!(
        (&locked["keychain"]["state"], &locked["credentials"][0]["state"]),
        (&"locked".into(), &"unknown".into())
    );
    let doctor = verb(&session, &["doctor"], "").json();
    let row = doctor.as_array().and_then(|rows| rows.iter().find(|row| row["part"] == "keychain")).expect("a row");
    assert_eq!(row["state"], "closed");
    let refused = verb(&session, &["login", "openai", "--stdin"], CANARY).exits(1);
    silent(&refused);
    assert!(refused.message().contains("not stored, nowhere"), "{}", refused.message());
    assert_eq!(listed(&session)["credentials"].as_array().map(Vec::len), Some(1));
    assert_eq!(found(&session), Vec::<String>::new());
}

#[test]
fn a_key_that_is_removed_is_gone() {
    let mut session = session();
    keyring(&mut session);
    verb(&session, &["login", "anthropic", "--stdin"], CANARY).exits(0);
    verb(&session, &["login", "anthropic", "--stdin"], "another-key").exits(0);
    assert_eq!(verb(&session, &["logout", "anthropic"], "").exits(0).json()["credentials"], Value::Array(Vec::new()));
    assert_eq!(verb(&session, &["logout", "anthropic"], "").exits(2).message(), "there is no key for anthropic");
    assert_eq!(found(&session), Vec::<String>::new());
}

#[test]
fn without_a_keychain_nothing_is_stored() {
    for bus in [Bus::Sealed, Bus::Absent] {
        let session = Session::around(Stage::empty(), With { display: false, bus, desktop: "XFCE" });
        let refused = verb(&session, &["login", "anthropic", "--stdin"], CANARY).exits(1);
        silent(&refused);
        assert!(refused.message().starts_with("there is no keychain on this desktop"), "{}", refused.message());
        assert!(refused.hint().contains("never stores keys in files"));
        assert_eq!(keychain(&session), "absent");
        assert_eq!(found(&session), Vec::<String>::new());
    }
}

/// A keychain that refuses whoever asks.
struct Denies;

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Denies {
    fn open_session(&self, _algorithm: &str, _input: OwnedValue) -> fdo::Result<(OwnedValue, OwnedObjectPath)> {
        Err(fdo::Error::AccessDenied("not you".to_owned()))
    }
}

#[test]
fn one_that_denies_is_named_so() {
    let session = session();
    let bus = session.connection();
    session.tokio().block_on(async {
        bus.object_server().at("/org/freedesktop/secrets", Denies).await.expect("served");
        bus.request_name(SECRETS).await.expect("the name");
    });
    let refused = verb(&session, &["login", "anthropic", "--stdin"], CANARY).exits(1);
    silent(&refused);
    assert!(refused.message().starts_with("the keychain refused"), "{}", refused.message());
    assert_eq!(keychain(&session), "denied");
    assert_eq!(found(&session), Vec::<String>::new());
}

#[test]
fn one_that_never_answers_costs_its_limit_and_no_more() {
    let session = session();
    // Owns the name, and reads nothing that is sent to it.
    let bus = session.connection();
    session.tokio().block_on(bus.request_name(SECRETS)).expect("the name");
    let began = Instant::now();
    let refused = verb(&session, &["login", "anthropic", "--stdin"], CANARY).exits(1);
    silent(&refused);
    assert!(refused.message().starts_with("the keychain does not answer"), "{}", refused.message());
    assert!((4..15).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_eq!(found(&session), Vec::<String>::new());
}

/// What the child of the next test does: asks one keychain twice, before and after there is one.
const ASKS: &str = "LOOPWRIGHT_TEST_ASKS";

#[test]
fn one_that_comes_later_is_found_by_the_same_process() {
    if let Some(folder) = std::env::var_os(ASKS).map(PathBuf::from) {
        let keychain = Keychain::within(Duration::from_secs(10), Duration::from_secs(10));
        let first = keychain.look();
        fs::write(folder.join("first"), format!("{first:?}")).expect("told");
        wait_for("the word to ask again", || folder.join("again").exists().then_some(()));
        fs::write(folder.join("second"), format!("{:?}", keychain.look())).expect("told");
        return;
    }
    let mut session = session();
    let folder = session.stage.beside("asks");
    fs::create_dir_all(&folder).expect("a folder");
    let this = std::env::current_exe().expect("this test");
    let mut child = session.command(this);
    child.args(["--exact", "one_that_comes_later_is_found_by_the_same_process"]).env(ASKS, &folder);
    session.start(child.stdout(Stdio::null()));
    let told =
        |name: &str| wait_for(name, || fs::read_to_string(folder.join(name)).ok().filter(|text| !text.is_empty()));
    assert_eq!(told("first"), format!("{:?}", Err::<(), _>(Closed::Absent)));
    keyring(&mut session);
    fs::write(folder.join("again"), "").expect("said");
    assert_eq!(told("second"), "Ok(())");
}

#[test]
fn a_key_is_never_an_argument() {
    let session = session();
    let refused = session.stage.ask(Command::new(&programs().loopwright).args(["login", "anthropic", CANARY]));
    assert_eq!(refused.code, 2);
}

/// A loop whose maker is a model of openai.
const LOOP: &str = "name: work
repo: REPO
trigger: manual
steps:
  - discover: {run: open_issues, write_to: state/triage.md}
  - act: {for_each: finding in state/triage.md, spawn: maker(finding)}
  - verify: {agent: checker, check: tests_pass}
  - ship: {if: verified, run: open_pr}
agents:
  maker: {command: [\"true\"], price: $0, model: a, vendor: OpenAI}
  checker: {command: [\"true\"], price: $0, model: b, vendor: mistral}
checks: {tests_pass: [\"true\"]}
guardrails: {max_iterations: 1, budget: $5/run, halt_on: no_progress(2)}
";

#[test]
fn a_key_that_is_gone_is_a_repair_in_tray_notification_window_and_terminal() {
    let stage = Stage::empty();
    stage.write("README.md", "A small project.\n");
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    stage.commit("one");
    fs::create_dir_all(stage.home.join("config")).expect("a folder");
    fs::write(stage.home.join("config/settings.yaml"), "notifications: {quiet_hours: off}\n").expect("settings");
    let text = LOOP.replace("REPO", &format!("{:?}", stage.repo));
    stage.add(&stage.personal_text("work", &text, &[]).display().to_string(), true);
    let mut session = Session::around(stage, With::default());
    keyring(&mut session);
    verb(&session, &["login", "openai", "--stdin"], CANARY).exits(0);
    let watcher = session.watcher();
    let server = session.notifications(Manner::default());
    // The control: with its key nothing is wrong, and for a vendor whose key nobody stored nothing is missed.
    let tray = session.tray();
    watcher.until("a quiet tray", |menu| menu.rows[0].label.starts_with("All quiet").then_some(()));
    drop(tray);
    let troubles = || session.stage.verb(&["status"]).exits(0).json()["loops"][0]["troubles"].clone();
    assert_eq!(troubles(), Value::Array(Vec::new()));

    let mut tool = session.command("/usr/bin/secret-tool");
    let cleared = tool.args(["clear", "service", "loopwright", "username", "openai"]).status().expect("secret-tool");
    assert!(cleared.success(), "another program removed it");
    let _tray = session.tray();
    let menu = watcher.until_has("No key for openai. Add it…");
    assert_eq!(menu.rows[0].label, "Needs repair: 1", "{menu}");
    let told = server.wait_for("work has no key for openai");
    assert!(told.body.starts_with("It is no longer in the keychain."), "{told:?}");
    assert_eq!(told.keys(), ["default", "open-settings"]);
    let trouble = troubles();
    assert_eq!(trouble[0]["command"], "loopwright login openai", "{trouble}");
    let window = Window::view(&session, "loops");
    window.until_shows("needs repair");
    window.until_shows("there is no key for openai: it is no longer in the keychain");
    window.picture("loops-no-key");

    verb(&session, &["login", "openai", "--stdin"], CANARY).exits(0);
    watcher.until("a quiet tray", |menu| menu.rows[0].label.starts_with("All quiet").then_some(()));
    server.wait_until_closed(told.number);
    window.until("return !document.body.innerText.includes('needs repair')");
    assert_eq!(troubles(), Value::Array(Vec::new()));
    assert_eq!(found(&session), Vec::<String>::new(), "and it is still nowhere else");
}
