//! Which keys there should be: names and dates, so that a list needs no key and no open keychain.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::home::{Home, replace};

/// The keys of `data/credentials.json`, by name.
pub type Known = BTreeMap<String, Added>;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// When it was stored.
    pub added: DateTime<Utc>,
}

fn path(home: &Home) -> PathBuf {
    home.data.join("credentials.json")
}

/// Reads which keys there should be; none without the file.
///
/// # Errors
/// The file can't be read.
pub fn read(home: &Home) -> Result<Known> {
    let path = path(home);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("reading {}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Known::new()),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Writes which keys there should be.
///
/// # Errors
/// The file can't be written.
pub fn write(home: &Home, known: &Known) -> Result<()> {
    let text = serde_json::to_vec_pretty(known).context("writing the list of keys")?;
    replace(&path(home), &text)
}
