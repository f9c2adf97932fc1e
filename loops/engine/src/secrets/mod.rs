//! The port `SecretStore`: the keychain of the person's system, and one in memory for tests. There is no third place: where no
//! keychain can be reached, nothing is stored and nothing is read.
//!
//! Which keys there should be (names and dates, nothing of their text) is in `data/credentials.json`; see [`known`]. What the
//! keychain last said of them is in `state/keys.json`; see [`lacking`].

mod keychain;
pub mod known;
pub mod lacking;
pub mod memory;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::fmt;

use loopwright_core::keys;
use serde::Serialize;
use zeroize::Zeroizing;

pub use keychain::Keychain;

/// The longest key that every keychain takes, in bytes (Windows has the least room).
pub const MOST_BYTES: usize = 2560;

/// A key. It shows as `***` wherever it is printed, and its memory is cleared once it is not needed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// One of these bytes.
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(Zeroizing::new(bytes))
    }

    /// Its bytes, for the one who needs them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a keychain does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// There is none.
    #[error("there is no keychain on this desktop")]
    Absent,
    /// It is locked, or was never opened.
    #[error("the keychain is locked")]
    Locked,
    /// It did not answer within the limit.
    #[error("the keychain does not answer")]
    Slow,
    /// It refuses, or the person closed its question.
    #[error("the keychain refused")]
    Denied,
    /// It failed in another way; never with anything of a key in it.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

/// How a keychain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum KeychainState {
    /// Keys can be read and stored.
    Ready,
    /// There is none; one may still come, as after a login.
    Absent,
    /// It is locked, or was never opened.
    Locked,
    /// It did not answer within the limit.
    Slow,
    /// It refuses.
    Denied,
    /// It failed in another way.
    Failed,
}

impl Closed {
    /// How a keychain is that says so.
    pub fn state(&self) -> KeychainState {
        match self {
            Closed::Absent => KeychainState::Absent,
            Closed::Locked => KeychainState::Locked,
            Closed::Slow => KeychainState::Slow,
            Closed::Denied => KeychainState::Denied,
            Closed::Failed(_) => KeychainState::Failed,
        }
    }

    /// Why a key can't be read that it holds.
    pub fn lack(&self) -> keys::Why {
        match self {
            Closed::Absent => keys::Why::Absent,
            Closed::Locked => keys::Why::Locked,
            Closed::Slow => keys::Why::Slow,
            Closed::Denied => keys::Why::Denied,
            Closed::Failed(_) => keys::Why::Failed,
        }
    }

    /// What a person can do.
    pub fn repair(&self) -> &'static str {
        match self {
            Closed::Absent => {
                "install gnome-keyring or KWallet and log in again; Loopwright never stores keys in files"
            }
            Closed::Locked => "unlock it (your desktop's password manager, or `loopwright login` again); loops wait",
            Closed::Slow => "look whether it asks something on your screen, then try again",
            Closed::Denied => "allow it when the keychain asks, then try again",
            Closed::Failed(_) => "try again; if it stays, look at the keychain with your desktop's password manager",
        }
    }
}

/// A place where keys are kept.
pub trait SecretStore {
    /// Whether keys can be read and stored now; asks nobody.
    ///
    /// # Errors
    /// They can't.
    fn look(&self) -> Result<(), Closed>;

    /// Lets the person unlock it: the keychain asks on the screen.
    ///
    /// # Errors
    /// It stays closed.
    fn unlock(&self) -> Result<(), Closed>;

    /// The key of this name; none if there is none. Never asks anybody.
    ///
    /// # Errors
    /// It can't be read now.
    fn get(&self, name: &str) -> Result<Option<Secret>, Closed>;

    /// Stores a key in the place of another of this name.
    ///
    /// # Errors
    /// It could not be stored, and is nowhere.
    fn put(&self, name: &str, secret: &Secret) -> Result<(), Closed>;

    /// Removes the key of this name; false if there was none.
    ///
    /// # Errors
    /// It may still be there.
    fn remove(&self, name: &str) -> Result<bool, Closed>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new(b"sk-canary-1".to_vec());
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** *** Some(***)");
        assert_eq!(secret.bytes(), b"sk-canary-1");
    }
}
