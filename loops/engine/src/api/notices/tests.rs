//! Whoever tells, with a server of notifications that is a list.

use std::sync::{Arc, Mutex};

use chrono::{Duration, Utc};
use loopwright_core::ids::NoticeId;
use loopwright_core::notice::{Button, Notice};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::home::Home;
use crate::notify::{Heard, Place, Server, ShowError};
use crate::sandbox::toolchain::HostEnvironment;
use crate::steps::stamp;
use crate::store::{Store, notices as stored};

/// A server that answers as a test says.
#[derive(Clone, Default)]
struct Scripted {
    shown: Arc<Mutex<Vec<Notice>>>,
    answer: Option<ShowError>,
}

impl Notifier for Scripted {
    fn server(&mut self) -> Option<Server> {
        Some(Server { name: "bus :1.1".to_owned(), buttons: true, markup: false })
    }

    fn show(&mut self, notice: &Notice, _replaces: Option<u32>) -> Result<Place, ShowError> {
        let mut shown = self.shown.lock().expect("no panic");
        shown.push(notice.clone());
        self.answer.clone().map_or_else(|| Ok(place(u32::try_from(shown.len()).expect("few"))), Err)
    }

    fn close(&mut self, _place: &Place) {}
}

fn place(number: u32) -> Place {
    Place { server: "bus :1.1".to_owned(), number }
}

/// A home in which the scheduler missed a time half an hour ago.
fn missed() -> (TempDir, Context) {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, now) = (Home::under(folder.path()), Utc::now());
    home.create(now).expect("a home");
    std::fs::write(crate::settings::path(&home), "notifications: {quiet_hours: off}\n").expect("settings");
    let mut store = Store::open(&home).expect("the store");
    let at = stamp(now - Duration::minutes(30));
    let (lp, repo) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    store
        .write(|tx| {
            tx.execute("INSERT INTO repos VALUES (?1, '/r')", [&repo])?;
            tx.execute(
                "INSERT INTO loops (id, name, path, repo, mode, hash, added_at, timing) \
                 VALUES (?1, 'nightly', '/l', ?2, 'report', 'h', ?3, '{\"triggers\":[{\"cron\":\"0 9 * * *\"}]}')",
                [&lp, &repo, &at],
            )?;
            Ok(tx.execute(
                "INSERT INTO occurrences (id, loop, trigger, key, due_at, zone, state, reason, ended_at) \
                 VALUES (?1, ?2, 'cron', ?3, ?3, 'UTC', 'missed', 'no scheduler ran from 1 to 2', ?3)",
                [&Uuid::now_v7().to_string(), &lp, &at],
            )?)
        })
        .expect("rows");
    let (cwd, host) = (folder.path().to_owned(), HostEnvironment::default());
    let context = Context { home, chosen: true, host, cwd, zone: chrono_tz::Tz::UTC, now, by: "test" };
    opened(&context).expect("it is opened");
    (folder, context)
}

fn teller(context: &Context, scripted: &Scripted) -> Teller<Scripted> {
    Teller::begin(context, scripted.clone()).expect("the store").expect("nobody else tells")
}

fn count(scripted: &Scripted) -> usize {
    scripted.shown.lock().expect("no panic").len()
}

#[test]
fn it_is_told_once_and_a_click_counts_once() {
    let (_folder, context) = missed();
    let scripted = Scripted::default();
    let mut first = teller(&context, &scripted);
    assert!(Teller::begin(&context, scripted.clone()).expect("the store").is_none(), "one tells at a time");
    for _ in 0..3 {
        first.look().expect("it looks");
    }
    assert_eq!(count(&scripted), 1);
    assert_eq!(scripted.shown.lock().expect("no panic")[0].buttons, [Button::Review, Button::RunNow, Button::Repair]);
    drop(first);
    // Another process hears the click.
    let mut second = teller(&context, &scripted);
    second.look().expect("it looks");
    let click = |place: Place, key: &str| Heard::Clicked { place, key: key.to_owned() };
    let elsewhere = Place { server: "bus :1.2".to_owned(), number: 1 };
    for nothing in
        [click(place(2), "repair"), click(place(1), "approve"), click(place(1), ""), click(elsewhere, "repair")]
    {
        assert_eq!(second.hear(&nothing).expect("heard"), None, "{nothing:?}");
    }
    let opens = Some(Opens { view: "settings", target: None });
    assert_eq!(second.hear(&click(place(1), "repair")).expect("heard"), opens, "the control");
    assert_eq!(second.hear(&click(place(1), "repair")).expect("heard"), None, "a replay");
    second.look().expect("it looks");
    assert_eq!(count(&scripted), 1);
}

#[test]
fn what_nobody_knows_the_outcome_of_is_never_sent_again() {
    let (_folder, context) = missed();
    let unknown = Scripted { answer: Some(ShowError::Unknown("no answer".to_owned())), ..Scripted::default() };
    let mut first = teller(&context, &unknown);
    first.look().expect("it looks");
    first.look().expect("it looks");
    assert_eq!(count(&unknown), 1);

    // Cut off between the intent and its sending, or between that and its being written down.
    let (_folder, context) = missed();
    let mut store = Store::open(&context.home).expect("the store");
    let scripted = Scripted::default();
    let notice = {
        let asked = Scripted { answer: Some(ShowError::NotSent("the control".to_owned())), ..Scripted::default() };
        teller(&context, &asked).look().expect("it looks");
        let shown = asked.shown.lock().expect("no panic");
        shown[0].clone()
    };
    let id = NoticeId(Uuid::now_v7());
    store.write(|tx| stored::intend(tx, id, &notice, Some(&[]), context.now)).expect("the intent");
    teller(&context, &scripted).look().expect("it looks");
    assert_eq!(count(&scripted), 0, "nobody knows whether it was sent");

    // The control: what was certainly not sent is.
    store.write(|tx| Ok(tx.execute("DELETE FROM notices WHERE id = ?1", [id.to_string()])?)).expect("gone");
    teller(&context, &scripted).look().expect("it looks");
    assert_eq!(count(&scripted), 1);
}

#[test]
fn before_the_first_opening_nothing_is_told() {
    let (_folder, context) = missed();
    let path = context.home.state.join("opened");
    std::fs::remove_file(&path).expect("it was opened");
    let scripted = Scripted::default();
    teller(&context, &scripted).look().expect("it looks");
    assert_eq!(count(&scripted), 0);
    opened(&context).expect("it is opened");
    teller(&context, &scripted).look().expect("it looks");
    assert_eq!(count(&scripted), 1, "the control");
}
