//! Starting at login: off until asked, started by a desktop's own reader whatever its path holds, repaired when the program moved,
//! and left off where a person switched it off.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::{Path, PathBuf};

use loopwright_core::system_files::desktop_entry;
use loopwright_desktop_tests::{Bus, Session, Tray, With, tray_program};
use loopwright_tests::stage::{Stage, programs, wait_for, write_program};
use serde_json::Value;

fn session() -> Session {
    Session::around(Stage::empty(), With { display: false, bus: Bus::Sealed, desktop: "XFCE" })
}

/// Our programs in a folder of this name; the tray is a script that tells how it was started.
fn installed(session: &Session, name: &str) -> PathBuf {
    let folder = session.stage.beside("opt").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    fs::hard_link(&programs().loopwright, folder.join("loopwright"))
        .or_else(|_| fs::copy(&programs().loopwright, folder.join("loopwright")).map(drop))
        .expect("a program");
    let told = session.stage.beside("told");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$LOOPWRIGHT_HOME\" > '{0}.next' && mv '{0}.next' '{0}'\n",
        told.display()
    );
    write_program(&folder.join("loopwright-tray"), &script);
    folder
}

fn autostart(session: &Session, folder: &Path, words: &[&str]) -> Value {
    let mut command = session.command(folder.join("loopwright"));
    session.stage.ask(command.arg("autostart").args(words).arg("--json")).exits(0).json()
}

fn entry(session: &Session) -> PathBuf {
    session.stage.person().join(".config/autostart/loopwright.desktop")
}

#[test]
fn a_desktop_starts_it_whatever_its_path_holds() {
    for name in ["a b", "$HOME `id` \"q\"", "100%f %%u", "back\\slash \\n", "ü'§;&|<>~*?#()"] {
        let session = session();
        let folder = installed(&session, name);
        assert_eq!(autostart(&session, &folder, &[])["on"], false, "off until asked");
        assert!(!entry(&session).exists());
        let on = autostart(&session, &folder, &["on"]);
        assert_eq!((&on["on"], &on["fault"]), (&Value::Bool(true), &Value::Null));
        let started = session.command("/usr/bin/gio").arg("launch").arg(entry(&session)).status();
        assert!(started.expect("gio (package libglib2.0-bin)").success(), "{name}");
        let told = wait_for("the tray", || fs::read_to_string(session.stage.beside("told")).ok());
        let tray = folder.join("loopwright-tray").display().to_string();
        assert_eq!(told.lines().collect::<Vec<_>>(), [tray.as_str(), &session.stage.home.display().to_string()]);
        assert_eq!(autostart(&session, &folder, &["off"])["on"], false);
        assert!(!entry(&session).exists());
    }
}

/// The control: the path as it is, as most programs write it.
#[test]
fn an_unquoted_path_starts_nothing() {
    let session = session();
    let folder = installed(&session, "a b");
    autostart(&session, &folder, &["on"]);
    let text = fs::read_to_string(entry(&session)).expect("an entry");
    let exec = text.lines().find(|line| line.starts_with("Exec=")).expect("a line");
    let naive = text.replace(exec, &format!("Exec={}", folder.join("loopwright-tray").display()));
    fs::write(entry(&session), naive).expect("written");
    let started = session.command("/usr/bin/gio").arg("launch").arg(entry(&session)).status().expect("gio");
    assert!(!started.success() && !session.stage.beside("told").exists());
}

#[test]
fn one_whose_program_moved_says_so_and_is_written_anew() {
    let session = session();
    let before = installed(&session, "version 1");
    autostart(&session, &before, &["on"]);
    let after = session.stage.beside("opt").join("version 2");
    fs::rename(&before, &after).expect("moved");
    let moved = autostart(&session, &after, &[]);
    assert!(moved["fault"].as_str().is_some_and(|fault| fault.ends_with("is not there any more")), "{moved}");
    assert_eq!(autostart(&session, &after, &["on"])["fault"], Value::Null);
    let words = desktop_entry::words(&fs::read_to_string(entry(&session)).expect("an entry")).expect("words");
    let last = [after.join("loopwright-tray").display().to_string(), "--at-login".to_owned()];
    assert!(words.ends_with(&last), "{words:?}");
}

/// A desktop, and our programs as they are in a folder of this name.
fn really_installed(name: &str) -> (Session, PathBuf) {
    let session = Session::new();
    let folder = session.stage.beside("opt").join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let built = tray_program().parent().expect("its folder");
    for program in ["loopwright", "loopwright-tray", "loopwright-watchdog", "loopwright-box"] {
        let (from, to) = (built.join(program), folder.join(program));
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)).expect("a program");
    }
    (session, folder)
}

/// Starts the tray of this folder as a desktop does at login, for this home, until its icon is shown; gives the entry then.
fn at_login(session: &Session, folder: &Path, home: Option<&Path>) -> String {
    let watcher = session.watcher();
    let mut command = session.command(folder.join("loopwright-tray"));
    command.arg("--at-login");
    match home {
        Some(home) => command.env("LOOPWRIGHT_HOME", home),
        None => command.env_remove("LOOPWRIGHT_HOME"),
    };
    let tray = Tray::start(command, &session.stage);
    watcher.wait_for_icon();
    drop(tray);
    fs::read_to_string(entry(session)).expect("an entry")
}

fn moved(session: &Session, from: &Path, to: &str) -> PathBuf {
    let to = session.stage.beside("opt").join(to);
    fs::rename(from, &to).expect("moved");
    to
}

#[test]
fn a_moved_tray_repairs_its_own_item_when_it_starts() {
    let (session, before) = really_installed("version 1 of ada's");
    autostart(&session, &before, &["on"]);
    let after = moved(&session, &before, "version 2 of ada's");
    let home = session.stage.home.clone();
    let repaired = desktop_entry::words(&at_login(&session, &after, Some(&home))).expect("words");
    let last = [after.join("loopwright-tray").display().to_string(), "--at-login".to_owned()];
    assert!(repaired.ends_with(&last), "{repaired:?}");
    assert!(repaired.contains(&format!("LOOPWRIGHT_HOME={}", home.display())), "{repaired:?}");
}

#[test]
fn a_tray_of_another_home_leaves_the_item_alone() {
    let (session, before) = really_installed("version 1");
    autostart(&session, &before, &["on"]);
    let item = fs::read_to_string(entry(&session)).expect("an entry");
    let after = moved(&session, &before, "version 2");
    for other in [Some(session.stage.beside("throwaway")), None] {
        assert_eq!(at_login(&session, &after, other.as_deref()), item, "of {other:?}");
    }
}

#[test]
fn an_item_that_starts_nothing_says_so_and_can_be_repaired() {
    let session = session();
    let folder = installed(&session, "x");
    fs::create_dir_all(entry(&session).parent().expect("a folder")).expect("made");
    fs::write(entry(&session), "[Desktop Entry]\nType=Application\n").expect("written");
    let found = autostart(&session, &folder, &[]);
    assert_eq!(found["on"], true);
    assert_eq!(found["fault"], "it names no program", "{found}");
    assert_eq!(autostart(&session, &folder, &["on"])["fault"], Value::Null);
}

#[test]
fn one_that_a_person_switched_off_is_off() {
    let session = session();
    let folder = installed(&session, "x");
    autostart(&session, &folder, &["on"]);
    let text = fs::read_to_string(entry(&session)).expect("an entry");
    fs::write(entry(&session), text.replace("enabled=true", "enabled=false")).expect("written");
    assert_eq!(autostart(&session, &folder, &[])["on"], false);
}
