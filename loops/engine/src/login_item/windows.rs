//! Windows: a value of the registry, beside which the system keeps whether a person switched it off. Unproven: never run there.

use std::io::{Error, ErrorKind};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use loopwright_core::system_files::windows::{APPROVED_KEY, RUN_KEY, RUN_VALUE, command_line, is_off, words};
use winreg::RegKey;
use winreg::enums::{HKEY_CURRENT_USER, KEY_SET_VALUE};

use super::LoginItem;

/// Where it is: below `HKEY_CURRENT_USER`.
///
/// # Errors
/// Never.
pub fn path() -> Result<PathBuf> {
    Ok(PathBuf::from(RUN_KEY).join(RUN_VALUE))
}

/// What starts at login.
///
/// # Errors
/// The value can't be read.
pub fn look() -> Result<LoginItem> {
    let person = RegKey::predef(HKEY_CURRENT_USER);
    let approved = person.open_subkey(APPROVED_KEY).and_then(|key| key.get_raw_value(RUN_VALUE));
    if approved.is_ok_and(|value| is_off(&value.bytes)) {
        return Ok(LoginItem::Off);
    }
    match person.open_subkey(RUN_KEY).and_then(|key| key.get_value::<String, _>(RUN_VALUE)) {
        Ok(line) => Ok(LoginItem::On(words(&line))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(LoginItem::Off),
        Err(error) => Err(error).with_context(|| format!("reading {RUN_VALUE} in {RUN_KEY}")),
    }
}

/// Has these words started at login, also where it was switched off before.
///
/// # Errors
/// The value can't be written, or Loopwright's folders are elsewhere: a value can't tell that.
pub fn set(words: &[String]) -> Result<()> {
    ensure!(
        !words.iter().any(|word| word.starts_with("LOOPWRIGHT_HOME=")),
        "LOOPWRIGHT_HOME can't be passed on at login yet: nothing was changed; unset it, then try again"
    );
    let person = RegKey::predef(HKEY_CURRENT_USER);
    let written = person.create_subkey(RUN_KEY).and_then(|(key, _)| key.set_value(RUN_VALUE, &command_line(words)));
    written.with_context(|| format!("writing {RUN_VALUE} into {RUN_KEY}"))?;
    forget(&person, APPROVED_KEY)
}

/// Has nothing of ours started at login.
///
/// # Errors
/// The value can't be removed.
pub fn remove() -> Result<()> {
    forget(&RegKey::predef(HKEY_CURRENT_USER), RUN_KEY)
}

/// Removes our value below this key, if it is there.
fn forget(person: &RegKey, key: &str) -> Result<()> {
    let removed = person.open_subkey_with_flags(key, KEY_SET_VALUE).and_then(|key| key.delete_value(RUN_VALUE));
    let gone = |error: &Error| error.kind() == ErrorKind::NotFound;
    match removed {
        Err(error) if !gone(&error) => Err(error).with_context(|| format!("removing {RUN_VALUE} from {key}")),
        _ => Ok(()),
    }
}
