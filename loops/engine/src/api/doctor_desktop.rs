//! The rows of `doctor` about what the desktop lends: the keychain, wake timers, and starting at login.

use std::time::Duration;

use super::credentials::keychain_view;
use super::wake::{WakeState, wake};
use super::{Context, DoctorRow, login_item};
use crate::secrets::known;
use crate::secrets::{Keychain, SecretStore};

/// How long `doctor` waits for the keychain.
const LIMIT: Duration = Duration::from_secs(2);

/// Looks at them; asks nobody.
pub(super) fn rows(context: &Context) -> Vec<DoctorRow> {
    vec![keychain(context), waking(context), at_login(context)]
}

fn row(part: &str, state: &str, detail: String, repair: Option<String>) -> DoctorRow {
    DoctorRow { part: part.to_owned(), state: state.to_owned(), detail, repair }
}

/// A keychain that can't be used is a fault only where a key should be in it.
fn keychain(context: &Context) -> DoctorRow {
    let keys = known::read(&context.home).map(|known| known.len());
    let looked = Keychain::within(LIMIT, LIMIT).look();
    let view = keychain_view(&looked);
    match (keys, view.why) {
        (Err(error), _) => row("keychain", "unreadable", format!("{error:#}"), Some("correct that file".to_owned())),
        (Ok(keys), None) => row("keychain", "ok", format!("open, {keys} of Loopwright's keys"), None),
        (Ok(0), Some(why)) => row("keychain", "not seen", format!("{why}; no key was stored"), None),
        (Ok(keys), Some(why)) => row(
            "keychain",
            "closed",
            format!("{why}; {keys} keys can't be read, and loops that need one wait"),
            view.repair,
        ),
    }
}

fn waking(context: &Context) -> DoctorRow {
    let part = "wake timer";
    let Ok(view) = wake(context) else {
        return row(part, "not seen", "what is due is in the database, which comes first".to_owned(), None);
    };
    let of =
        view.loop_name.zip(view.at).map(|(name, at)| format!("at {} UTC for {name}", at.format("%Y-%m-%d %H:%M:%S")));
    let of = of.unwrap_or_default();
    match (view.state, view.why) {
        (WakeState::Armed, _) => row(part, "ok", format!("set, and read back: {of}"), None),
        (WakeState::NeverSleeps, _) => row(part, "ok", format!("not needed: this computer never sleeps ({of})"), None),
        (WakeState::NotAsked, None) => {
            row(part, "ok", "no loop asks for it; this computer can be woken".to_owned(), None)
        }
        (WakeState::NotAsked, Some(why)) => {
            row(part, "not seen", format!("no loop asks for it; this computer can't be woken: {why}"), None)
        }
        (WakeState::WillNotWake, why) => {
            let why = why.unwrap_or_default();
            row(
                part,
                "not set",
                format!("the computer won't wake {of}: {why}; what it sleeps through is caught up"),
                view.repair,
            )
        }
    }
}

fn at_login(context: &Context) -> DoctorRow {
    let part = "start at login";
    match login_item(context) {
        Ok(view) if !view.on => row(part, "ok", "off".to_owned(), None),
        Ok(view) => match view.fault {
            None => row(part, "ok", view.path, None),
            Some(fault) => row(part, "moved", fault, Some("loopwright autostart on".to_owned())),
        },
        Err(error) => row(part, "unreadable", error.message, Some("correct that file".to_owned())),
    }
}
