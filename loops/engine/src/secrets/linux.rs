//! Linux: the Secret Service of the session bus (gnome-keyring, KWallet, KeePassXC).

use std::error::Error;
use std::sync::Arc;

use keyring_core::CredentialStore;
use secret_service::blocking::SecretService;
use secret_service::{EncryptionType, Error as Failure};
use zbus_secret_service_keyring_store::Store;

use super::Closed;

/// Errors of the bus that say that nobody is there, or that nobody starts.
const GONE: [&str; 3] = ["ServiceUnknown", "NameHasNoOwner", "Spawn."];

/// Connects to it.
pub(super) fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(Store::new()?)
}

/// Whether its default collection is there and open; asks nobody.
pub(super) fn look() -> Result<(), Closed> {
    let service = service()?;
    let collection = service.get_default_collection().map_err(said)?;
    match collection.is_locked().map_err(said)? {
        true => Err(Closed::Locked),
        false => Ok(()),
    }
}

/// Has it ask the person to unlock it, or to make its first collection.
pub(super) fn unlock() -> Result<(), Closed> {
    let service = service()?;
    match service.get_default_collection() {
        Ok(collection) => collection.unlock().map_err(said),
        Err(Failure::NoResult) => service.create_collection("Login", "default").map(drop).map_err(said),
        Err(error) => Err(said(error)),
    }
}

/// The service, on a bus that can be reached: without one there is no keychain.
fn service() -> Result<SecretService<'static>, Closed> {
    let bus = zbus::blocking::Connection::session().map_err(|_| Closed::Absent)?;
    SecretService::connect_with_existing(EncryptionType::Plain, bus).map_err(said)
}

/// What an error of the store means.
pub(super) fn closed(error: &(dyn Error + Send + Sync + 'static)) -> Closed {
    match error.downcast_ref::<Failure>() {
        Some(error) => meaning(error),
        None => Closed::Failed("it gave an answer that can't be read".to_owned()),
    }
}

fn said(error: Failure) -> Closed {
    meaning(&error)
}

fn meaning(error: &Failure) -> Closed {
    match error {
        Failure::Unavailable => Closed::Absent,
        // There is no collection yet, or it is locked: it has to be opened first.
        Failure::Locked | Failure::NoResult => Closed::Locked,
        Failure::Prompt | Failure::PromptDisconnected => Closed::Denied,
        other => {
            let text = other.to_string();
            match () {
                () if text.contains("AccessDenied") || text.contains("Access denied") => Closed::Denied,
                () if text.contains("IsLocked") => Closed::Locked,
                () if GONE.iter().any(|word| text.contains(word)) => Closed::Absent,
                () => Closed::Failed(text),
            }
        }
    }
}
