//! macOS: the login keychain. Not proven on a Mac.

use std::error::Error;
use std::sync::Arc;

use apple_native_keyring_store::keychain::Store;
use keyring_core::CredentialStore;

use super::Closed;

/// Opens it.
pub(super) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(Store::new()?)
}

/// Whether it can be opened: the system asks by itself where it is locked.
pub(super) fn look() -> Result<(), Closed> {
    open().map(drop).map_err(|_| Closed::Absent)
}

/// Nothing to do: the system asks by itself.
pub(super) fn unlock() -> Result<(), Closed> {
    look()
}

/// What an error of the store means.
pub(super) fn closed(error: &(dyn Error + Send + Sync + 'static)) -> Closed {
    Closed::Failed(error.to_string())
}
