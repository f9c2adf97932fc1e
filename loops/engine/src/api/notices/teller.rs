//! Whoever tells: looks at what is so, does what the plan says, and hears what becomes of it.

use std::fs::{File, OpenOptions};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::ids::NoticeId;
use loopwright_core::notice::{Button, Notice, Plan, Step, plan};
use uuid::Uuid;

use super::super::Context;
use super::act::{self, Done, Opens};
use super::facts::{self, Cards};
use crate::notify::{Heard, Notifier, Server, ShowError};
use crate::store::Store;
use crate::store::notices::{self as stored, Over, Place};
use crate::{clock, fail, settings};

/// After a server that said no, it is tried again no earlier than this.
const AGAIN: chrono::Duration = chrono::Duration::minutes(1);

/// The one that tells. Others of the same data folder wait until it ends.
pub struct Teller<N> {
    context: Context,
    notifier: N,
    /// None after an error: it is opened anew.
    store: Option<Store>,
    cards: Cards,
    /// Until when nothing is sent, because the server said no.
    refused_until: Option<DateTime<Utc>>,
    // Held as long as it tells.
    _seat: File,
}

/// Who may tell; none while another process does.
pub(super) fn seat(context: &Context) -> Result<Option<File>> {
    let path = context.home.data.join("notices.lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("opening {}", path.display()))?;
    Ok(file.try_lock().is_ok().then_some(file))
}

/// Whether anything would be told now, by whoever draws no buttons.
pub(super) fn would_tell(context: &Context, store: &Store) -> Result<bool> {
    let told = stored::told(store.read())?;
    let facts = facts::gather(context, store, &told, &mut Cards::new(), false)?;
    let set = settings::read(&context.home).unwrap_or_default();
    let asks = |step: &Step| matches!(step, Step::Show { counts: Some(_), .. });
    Ok(plan(&facts, &told, &set.desktop.notifications).steps.iter().any(asks))
}

impl<N: Notifier> Teller<N> {
    /// Takes the seat; none while another process has it.
    ///
    /// # Errors
    /// The store can't be opened.
    pub fn begin(context: &Context, notifier: N) -> Result<Option<Teller<N>>> {
        let Some(seat) = seat(context)? else { return Ok(None) };
        Self::on(context, notifier, seat).map(Some)
    }

    pub(super) fn on(context: &Context, notifier: N, seat: File) -> Result<Teller<N>> {
        let mut store = Store::open(&context.home)?;
        // Whoever had the seat before may have been about to send one.
        store.write(|tx| stored::end_unknown(tx, clock::now()))?;
        Ok(Teller {
            context: context.clone(),
            notifier,
            store: Some(store),
            cards: Cards::new(),
            refused_until: None,
            _seat: seat,
        })
    }

    /// Looks, and does what is due; says when to look again if nothing happens before.
    ///
    /// # Errors
    /// The store can't be read or written.
    pub fn look(&mut self) -> Result<Option<DateTime<Utc>>> {
        self.context.now = clock::now();
        self.context.zone = settings::zone();
        let mut store = self.open()?;
        let looked = self.look_at(&mut store);
        store.rest();
        self.store = Some(store);
        looked
    }

    fn look_at(&mut self, store: &mut Store) -> Result<Option<DateTime<Utc>>> {
        let Some(server) = self.notifier.server() else { return Ok(None) };
        let (name, now) = (Some(server.name.as_str()), self.context.now);
        if !stored::all_here(store.read(), name)? {
            store.write(|tx| stored::end_elsewhere(tx, name, now))?;
        }
        let Plan { steps, next, .. } = self.plan(store, &server)?;
        let back = facts::back_at(&self.context, store)?;
        if let Some(until) = self.refused_until.filter(|until| *until > now) {
            return Ok(Some(until));
        }
        for step in steps {
            self.take(store, step)?;
        }
        Ok([next, back, self.refused_until.filter(|until| *until > now)].into_iter().flatten().min())
    }

    fn plan(&mut self, store: &Store, server: &Server) -> Result<Plan> {
        let told = stored::told(store.read())?;
        let facts = facts::gather(&self.context, store, &told, &mut self.cards, server.buttons)?;
        // What can't be read keeps nobody from being told.
        let set = settings::read(&self.context.home).unwrap_or_default();
        Ok(plan(&facts, &told, &set.desktop.notifications))
    }

    fn take(&mut self, store: &mut Store, step: Step) -> Result<()> {
        let now = self.context.now;
        match step {
            Step::Show { notice, replaces, counts } => self.show(store, &notice, replaces, counts.as_deref()),
            Step::Seen(notice) => {
                let id = NoticeId(Uuid::now_v7());
                store.write(|tx| {
                    stored::intend(tx, id, &notice, None, now)?;
                    stored::end(tx, id, Over::Seen, now).map(drop)
                })
            }
            Step::Withdraw(id) => {
                let place = stored::place(store.read(), id)?;
                store.write(|tx| stored::end(tx, id, Over::Withdrawn, now))?;
                place.iter().for_each(|place| self.notifier.close(place));
                Ok(())
            }
        }
    }

    /// Intent, send, done: a process that dies in between leaves a row of unknown outcome, which is never sent again.
    fn show(
        &mut self,
        store: &mut Store,
        notice: &Notice,
        replaces: Option<NoticeId>,
        counts: Option<&[String]>,
    ) -> Result<()> {
        let (id, now) = (NoticeId(Uuid::now_v7()), self.context.now);
        let before = replaces.map(|id| stored::place(store.read(), id)).transpose()?.flatten();
        store.write(|tx| stored::intend(tx, id, notice, counts, now))?;
        fail::point("notice-intended");
        let shown = self.notifier.show(notice, before.map(|place| place.number));
        fail::point("notice-sent");
        let unsent = matches!(shown, Err(ShowError::NotSent(_)));
        store.write(|tx| {
            match &shown {
                Ok(place) => stored::sent(tx, id, place, now)?,
                Err(ShowError::NotSent(_)) => drop(stored::end(tx, id, Over::Unsent, now)?),
                Err(ShowError::Unknown(_)) => drop(stored::end(tx, id, Over::Unknown, now)?),
            }
            // What it was to replace is as it was only if nothing was sent.
            if let Some(replaced) = replaces.filter(|_| !unsent) {
                stored::end(tx, replaced, Over::Replaced, now)?;
            }
            Ok(())
        })?;
        self.refused_until = unsent.then(|| now + AGAIN);
        if let Err(error) = shown {
            tracing::warn!(notice.id = %id, "{error}");
        }
        Ok(())
    }

    /// Does what a click asks for, if it is one of ours that was not clicked before; says what is to be opened.
    ///
    /// # Errors
    /// The store can't be read or written.
    pub fn hear(&mut self, heard: &Heard) -> Result<Option<Opens>> {
        self.context.now = clock::now();
        let mut store = self.open()?;
        let done = match heard {
            Heard::Server => Ok(None),
            Heard::Closed { place, expired } => {
                let how = if *expired { Over::Expired } else { Over::Dismissed };
                let live = stored::at_place(store.read(), place)?;
                live.map(|live| store.write(|tx| stored::end(tx, live.id, how, self.context.now))).transpose()?;
                Ok(None)
            }
            Heard::Clicked { place, key } => self.clicked(&mut store, place, key),
        };
        self.store = Some(store);
        done
    }

    fn clicked(&mut self, store: &mut Store, place: &Place, key: &str) -> Result<Option<Opens>> {
        let Some(live) = stored::at_place(store.read(), place)? else { return Ok(None) };
        let Some(button) = Button::of_key(key).filter(|button| live.buttons.contains(button)) else { return Ok(None) };
        // Once, whoever repeats it.
        if !store.write(|tx| stored::end(tx, live.id, Over::Clicked, self.context.now))? {
            return Ok(None);
        }
        // Some servers leave it on the screen.
        self.notifier.close(place);
        let Done { opens, answer } = act::act(&self.context, store, button, &live);
        if let Some(answer) = answer {
            self.show(store, &answer, None, None)?;
        }
        Ok(opens)
    }

    /// Shows an answer to what a person did elsewhere, as HALT from the tray.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn answer(&mut self, notice: &Notice) -> Result<()> {
        self.context.now = clock::now();
        let mut store = match self.open() {
            Ok(store) => store,
            // What a person asked for is answered all the same; without a row nothing in it can be clicked.
            Err(error) => {
                let mute = Notice { buttons: Vec::new(), ..notice.clone() };
                return self.notifier.show(&mute, None).map(drop).context(format!("after {error:#}"));
            }
        };
        let shown = match self.notifier.server() {
            Some(_) => self.show(&mut store, notice, None, None),
            None => Ok(()),
        };
        self.store = Some(store);
        shown
    }

    /// Ends; gives back what shows.
    pub fn into_notifier(self) -> N {
        self.notifier
    }

    /// The store that it keeps, or another one where that is no longer the database.
    fn open(&mut self) -> Result<Store> {
        match self.store.take() {
            Some(store) if store.is_current(&self.context.home) => Ok(store),
            _ => Store::open(&self.context.home),
        }
    }
}
