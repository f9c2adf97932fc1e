//! What the tray says where something is broken or missing: a store that can't be read, a desktop without a tray, another
//! colour scheme.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use loopwright_desktop_tests::{Manner, Session, Tray, Watcher, With};
use loopwright_tests::stage::{RAILS, Stage, wait_for};
use zbus::zvariant::{OwnedValue, Value};

/// A home with a loop.
fn stage() -> Stage {
    let stage = Stage::shop();
    stage.maker(RAILS, "#!/bin/sh\ntrue\n");
    stage
}

#[test]
fn a_store_that_cant_be_read_asks_before_it_quits_and_a_halt_says_what_holds() {
    let session = Session::around(stage(), With::default());
    let watcher = session.watcher();
    let server = session.notifications(Manner::default());
    let _tray = session.tray();
    watcher.until_has("Run now");
    let database = session.stage.home.join("data/loopwright.db");
    let kept = session.stage.beside("kept");
    move_database(&database, &kept);
    // Under another name, as a restored file would be: the tray must not go on with the one that it holds.
    let damaged = database.with_file_name("damaged");
    fs::write(&damaged, b"not a database at all, but long enough to be looked at".repeat(100)).expect("written");
    fs::rename(&damaged, &database).expect("in its place");
    poke(&session);
    watcher.until("that it is broken", |menu| menu.to_string().contains("The database is damaged").then_some(()));
    let menu = watcher.menu().to_string();
    assert!(menu.ends_with("\nQuit Loopwright…\n"), "whether a run lives is not known, so it asks: {menu}");
    watcher.click(&["Halt everything"]);
    let halted = watcher.until("what became of it", |menu| {
        let menu = menu.to_string();
        (menu.contains("HALTED") && menu.contains(". Show why")).then_some(menu)
    });
    assert!(session.stage.home.join("state/HALT").exists());
    assert!(halted.contains("All halted, but the store failed. Show why"), "{halted}");
    assert!(!halted.contains("still runs"), "nothing of it lives: {halted}");
    let told = server.wait_for("Everything is halted");
    assert!(told.body.contains("the store failed"), "{told:?}");
    fs::remove_file(&database).expect("removed");
    move_database(&kept.join("loopwright.db"), database.parent().expect("its folder"));
}

/// Moves the database with what belongs to it.
fn move_database(database: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for end in ["", "-wal", "-shm"] {
        let name = format!("loopwright.db{end}");
        let from = database.with_file_name(&name);
        if from.exists() {
            fs::rename(&from, to.join(&name)).expect("moved");
        }
    }
}

/// Has the tray look again.
fn poke(session: &Session) {
    fs::write(session.stage.home.join("data/changed"), "").expect("a file that it listens to");
}

#[test]
fn that_there_is_no_tray_is_told_once_and_not_in_quiet_hours() {
    let session = Session::around(Stage::empty(), With::default());
    let server = session.notifications(Manner::default());
    let settings = session.stage.home.join("config/settings.yaml");
    fs::create_dir_all(settings.parent().expect("a folder")).expect("made");
    fs::write(&settings, "notifications: {quiet_hours: \"00:00-23:59\"}\n").expect("written");
    let titles = || server.all().into_iter().map(|shown| shown.title).collect::<Vec<_>>();
    let login = || {
        let tray = Tray::start(session.tray_command(&["--at-login"]), &session.stage);
        wait_for("the words", || tray.said().contains("No tray here").then_some(()));
        tray
    };
    let quiet = login();
    noticed(&session, &quiet);
    assert_eq!(titles(), Vec::<String>::new(), "in quiet hours");
    fs::write(&settings, "notifications: {quiet_hours: off}\n").expect("written");
    server.wait_for("Loopwright runs without an icon");
    drop(quiet);
    assert_eq!(titles().len(), 1, "held in quiet hours, told behind them: {:?}", titles());
    let again = login();
    noticed(&session, &again);
    drop(again);
    assert_eq!(titles().len(), 1, "told once: {:?}", titles());
}

/// Waits until this tray has written down that no icon of it is seen.
fn noticed(session: &Session, tray: &Tray) {
    let path = session.stage.home.join("state/no-tray");
    let of = format!("{} ", tray.pid());
    wait_for("what it noticed", || fs::read_to_string(&path).ok().filter(|line| line.starts_with(&of)));
}

/// The part of the desktop that knows whether a person prefers dark.
struct Portal(Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.portal.Settings")]
impl Portal {
    #[zbus(name = "ReadOne")]
    fn read_one(&self, _namespace: &str, _key: &str) -> OwnedValue {
        OwnedValue::from(self.0.load(Ordering::Acquire))
    }
}

const PORTAL: &str = "/org/freedesktop/portal/desktop";

#[test]
fn the_icon_follows_the_colour_scheme_while_it_is_shown() {
    let session = Session::around(Stage::empty(), With { desktop: "KDE", ..With::default() });
    let (scheme, bus) = (Arc::new(AtomicU32::new(2)), session.connection());
    session.tokio().block_on(async {
        bus.object_server().at(PORTAL, Portal(scheme.clone())).await.expect("a place");
        bus.request_name("org.freedesktop.portal.Desktop").await.expect("no portal is here");
    });
    let watcher = session.watcher();
    let _tray = session.tray();
    watcher.wait_for_icon();
    wait_for("an icon for light panels", || (ink(&watcher) == Some("dark")).then_some(()));
    for (prefers, wanted) in [(1_u32, "light"), (2, "dark")] {
        scheme.store(prefers, Ordering::Release);
        session.tokio().block_on(async {
            let told = ("org.freedesktop.appearance", "color-scheme", Value::from(prefers));
            let of = "org.freedesktop.portal.Settings";
            bus.emit_signal(None::<&str>, PORTAL, of, "SettingChanged", &told).await.expect("told");
        });
        wait_for(wanted, || (ink(&watcher) == Some(wanted)).then_some(()));
    }
}

/// The ink of the icon that is shown: what is left of it on black.
fn ink(watcher: &Watcher) -> Option<&'static str> {
    let name = watcher.text("IconName");
    let path = [name.clone(), format!("{}/{name}.png", watcher.text("IconThemePath"))];
    let path = path.iter().find(|path| Path::new(path).is_file())?;
    let mut convert = Command::new("convert");
    let output = convert.arg(path).args(["-background", "black", "-flatten", "-format", "%[fx:maxima]", "info:"]);
    let bright: f64 = String::from_utf8_lossy(&output.output().ok()?.stdout).trim().parse().ok()?;
    Some(if bright > 0.6 { "light" } else { "dark" })
}
