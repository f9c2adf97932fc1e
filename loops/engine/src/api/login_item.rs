//! Starting at login: whether the tray does, and the repair of an item whose program was moved.

use std::path::Path;

use serde::Serialize;

use super::{ApiError, Context};
use crate::home::Home;
use crate::launch::{TRAY, beside_us};
use crate::login_item::{self as item, LoginItem};

/// Its word for a start that no person asked for: it opens no window then.
const AT_LOGIN: &str = "--at-login";

/// How an item names its home, where that is not the usual one.
const HOME: &str = "LOOPWRIGHT_HOME=";

/// Whether the tray starts at login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LoginItemView {
    /// It is asked for.
    pub on: bool,
    /// Where that is written.
    pub path: String,
    /// Why it would not start all the same; turning it on again repairs it.
    pub fault: Option<String>,
}

/// Whether the tray starts at login.
///
/// # Errors
/// It can't be read.
pub fn login_item(_context: &Context) -> Result<LoginItemView, ApiError> {
    let found = item::look()?;
    let fault = match &found {
        LoginItem::On(words) => lost(words.as_deref()),
        LoginItem::Off => None,
    };
    Ok(LoginItemView { on: found != LoginItem::Off, path: item::path()?.display().to_string(), fault })
}

/// Has the tray start at login, or not.
///
/// # Errors
/// The tray's program is not beside this one, or the item can't be written.
pub fn set_login_item(context: &Context, on: bool) -> Result<LoginItemView, ApiError> {
    match on {
        true => item::set(&words(context)?)?,
        false => item::remove()?,
    }
    login_item(context)
}

/// Writes an item anew whose program is gone while the tray's is here, as after a move; true if it did. One that is off stays off,
/// and one that starts a program that is there is left alone, whoever's it is; so is one for another home than this. The tray
/// does this when it starts.
///
/// # Errors
/// The item can't be read or written.
pub fn repair_login_item(context: &Context) -> Result<bool, ApiError> {
    let LoginItem::On(words) = item::look()? else { return Ok(false) };
    let home = words.iter().flatten().find_map(|word| word.strip_prefix(HOME));
    if lost(words.as_deref()).is_none() || home != root(context).as_deref() {
        return Ok(false);
    }
    set_login_item(context, true)?;
    Ok(true)
}

/// Why these words would not start.
fn lost(words: Option<&[String]>) -> Option<String> {
    let mut words = words.unwrap_or_default().iter();
    match words.find(|word| Path::new(word).is_absolute() && !word.ends_with("/env")) {
        Some(program) if Path::new(program).is_file() => None,
        Some(program) => Some(format!("{program} is not there any more")),
        None => Some("it names no program".to_owned()),
    }
}

/// What is to be started: the tray, for the same folders as this program.
fn words(context: &Context) -> Result<Vec<String>, ApiError> {
    let tray = beside_us(TRAY)?.display().to_string();
    Ok(match root(context) {
        Some(root) => vec!["/usr/bin/env".to_owned(), format!("{HOME}{root}"), tray, AT_LOGIN.to_owned()],
        None => vec![tray, AT_LOGIN.to_owned()],
    })
}

/// What `LOOPWRIGHT_HOME` is, where it is set.
pub(super) fn root(context: &Context) -> Option<String> {
    let Home { config, .. } = &context.home;
    context.chosen.then(|| config.parent().map(|root| root.display().to_string())).flatten()
}
