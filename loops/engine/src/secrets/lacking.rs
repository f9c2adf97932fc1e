//! Which stored keys could not be read when the keychain was last asked: for whoever can't wait for it to answer.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use loopwright_core::keys::Lacking;

use crate::home::{Home, replace};

/// The file's name in the state folder.
pub const FILE: &str = "keys.json";

/// The file.
pub fn path(home: &Home) -> PathBuf {
    home.state.join(FILE)
}

/// Reads what is lacking. A file that can't be read says nothing: the next question to the keychain writes it anew.
pub fn read(home: &Home) -> Lacking {
    fs::read(path(home)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Writes what is lacking, if that is something else than before; where nothing is, there is no file.
///
/// # Errors
/// The file can't be written.
pub fn write(home: &Home, lacking: &Lacking) -> Result<()> {
    if read(home) == *lacking && (path(home).exists() != lacking.is_empty()) {
        return Ok(());
    }
    let path = path(home);
    if lacking.is_empty() {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", path.display()))
            }
            _ => Ok(()),
        };
    }
    replace(&path, &serde_json::to_vec(lacking).context("writing which keys are lacking")?)
}
