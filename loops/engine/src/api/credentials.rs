//! `login`, `logout` and the list of keys: which there are, and how the keychain is; never a character of one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use loopwright_core::exit;
use loopwright_core::keys::{Why, noted};
use serde::Serialize;

use super::{ApiError, Context};
use crate::secrets::known::{self, Added, Known};
use crate::secrets::{Closed, Keychain, KeychainState, MOST_BYTES, Secret, SecretStore, lacking};

/// What `login` and `logout` say to whoever forgot for whom.
const NAMES: &str = "a name is lower-case letters, digits, `-`, `_` and `.`, as in anthropic or openai";

/// The keys and the keychain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct CredentialsView {
    /// How the keychain is.
    pub keychain: KeychainView,
    /// The keys that were stored, by name.
    pub credentials: Vec<CredentialView>,
}

/// How the keychain is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct KeychainView {
    /// In one word.
    pub state: KeychainState,
    /// Why it can't be used.
    pub why: Option<String>,
    /// What helps.
    pub repair: Option<String>,
}

/// A key that was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct CredentialView {
    /// For whom.
    pub name: String,
    /// When it was stored.
    pub added: DateTime<Utc>,
    /// Whether it is there.
    pub state: CredentialState,
}

/// Whether a key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// In the keychain.
    Stored,
    /// Another program removed it.
    Missing,
    /// The keychain can't be asked now.
    Unknown,
}

/// The keys and the keychain; asks nobody.
///
/// # Errors
/// The list of keys can't be read.
pub fn credentials(context: &Context) -> Result<CredentialsView, ApiError> {
    listed(context, &Keychain::default())
}

/// Stores a key for a provider in the keychain, which may ask to be unlocked.
///
/// # Errors
/// The name or the key can't be one, or the keychain does not take it: then it is nowhere.
pub fn login(context: &Context, name: &str, secret: &Secret) -> Result<CredentialsView, ApiError> {
    login_to(context, &Keychain::default(), name, secret)
}

/// Removes a provider's key from the keychain.
///
/// # Errors
/// The keychain does not let it go.
pub fn logout(context: &Context, name: &str) -> Result<CredentialsView, ApiError> {
    logout_of(context, &Keychain::default(), name)
}

/// Lets the keychain ask the person to unlock it.
///
/// # Errors
/// It stays closed.
pub fn unlock_keychain(context: &Context) -> Result<CredentialsView, ApiError> {
    let keychain = Keychain::default();
    keychain.unlock().map_err(|closed| refused("it was not unlocked", &closed))?;
    listed(context, &keychain)
}

pub(super) fn login_to(
    context: &Context,
    store: &dyn SecretStore,
    name: &str,
    secret: &Secret,
) -> Result<CredentialsView, ApiError> {
    named(name)?;
    fits(secret)?;
    // Before anything is stored: a list that can't be read would lose the key from sight.
    let mut known = known::read(&context.home)?;
    store
        .put(name, secret)
        .map_err(|closed| refused(&format!("the key for {name} is not stored, nowhere"), &closed))?;
    known.insert(name.to_owned(), Added { added: context.now });
    known::write(&context.home, &known)?;
    listed(context, store)
}

fn logout_of(context: &Context, store: &dyn SecretStore, name: &str) -> Result<CredentialsView, ApiError> {
    named(name)?;
    let mut known = known::read(&context.home)?;
    let was = store.remove(name).map_err(|closed| refused(&format!("the key for {name} is still there"), &closed))?;
    if known.remove(name).is_some() {
        known::write(&context.home, &known)?;
    } else if !was {
        return Err(
            ApiError::new(exit::USAGE, format!("there is no key for {name}")).hint("`loopwright login` lists them")
        );
    }
    listed(context, store)
}

fn listed(context: &Context, store: &dyn SecretStore) -> Result<CredentialsView, ApiError> {
    asked(context, store, &known::read(&context.home)?)
}

/// Asks for all keys that there should be, and keeps what the keychain said for those who can't ask it.
pub(super) fn asked(context: &Context, store: &dyn SecretStore, known: &Known) -> Result<CredentialsView, ApiError> {
    let mut looked = store.look();
    let mut credentials = Vec::new();
    let mut lacks = BTreeMap::new();
    for (name, Added { added }) in known {
        let found = match &looked {
            Ok(()) => store.get(name).map(|secret| secret.is_some()),
            Err(closed) => Err(closed.clone()),
        };
        let state = match found {
            Ok(true) => CredentialState::Stored,
            Ok(false) => {
                lacks.insert(name.clone(), Why::Gone);
                CredentialState::Missing
            }
            Err(closed) => {
                lacks.insert(name.clone(), closed.lack());
                // The next ones would wait for the same answer.
                looked = Err(closed);
                CredentialState::Unknown
            }
        };
        credentials.push(CredentialView { name: name.clone(), added: *added, state });
    }
    lacking::write(&context.home, &noted(&lacking::read(&context.home), &lacks, context.now))?;
    Ok(CredentialsView { keychain: keychain_view(&looked), credentials })
}

/// How a keychain is that gave this answer.
pub(super) fn keychain_view(looked: &Result<(), Closed>) -> KeychainView {
    match looked {
        Ok(()) => KeychainView { state: KeychainState::Ready, why: None, repair: None },
        Err(closed) => KeychainView {
            state: closed.state(),
            why: Some(closed.to_string()),
            repair: Some(closed.repair().to_owned()),
        },
    }
}

fn refused(what: &str, closed: &Closed) -> ApiError {
    ApiError::new(exit::FAILED, format!("{closed}: {what}")).hint(closed.repair())
}

fn named(name: &str) -> Result<(), ApiError> {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    match (1..=64).contains(&name.len()) && name.bytes().all(letter) {
        true => Ok(()),
        // Whoever typed the key in the place of the name must not read it in a log.
        false => Err(ApiError::new(exit::USAGE, "that is no name of a provider; nothing was stored").hint(NAMES)),
    }
}

fn fits(secret: &Secret) -> Result<(), ApiError> {
    let bytes = secret.bytes();
    let fault = match () {
        () if bytes.is_empty() => "the key is empty".to_owned(),
        () if bytes.len() > MOST_BYTES => {
            format!("the key is longer than {MOST_BYTES} bytes, which is more than keychains take")
        }
        () if bytes.iter().any(|b| b.is_ascii_control() || *b == b' ') => {
            "the key has blanks or control characters in it, so something else was pasted".to_owned()
        }
        () => return Ok(()),
    };
    Err(ApiError::new(exit::USAGE, format!("{fault}; nothing was stored"))
        .hint("copy the key again, and nothing around it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::sandbox::toolchain::HostEnvironment;
    use crate::secrets::memory::Memory;

    fn context(folder: &std::path::Path) -> Context {
        let home = Home::under(folder);
        let now = Utc::now();
        home.create(now).expect("a home");
        let (zone, cwd) = (chrono_tz::Tz::UTC, folder.to_owned());
        Context { home, chosen: true, host: HostEnvironment::read(), cwd, zone, now, by: "terminal" }
    }

    fn key(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn a_key_is_stored_listed_and_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (context, store) = (context(folder.path()), Memory::default());
        let view = login_to(&context, &store, "anthropic", &key("sk-canary")).expect("stored");
        assert_eq!(
            (view.credentials[0].name.as_str(), view.credentials[0].state),
            ("anthropic", CredentialState::Stored)
        );
        assert!(!serde_json::to_string(&view).expect("json").contains("canary"));
        store.remove("anthropic").expect("another program");
        assert_eq!(listed(&context, &store).expect("listed").credentials[0].state, CredentialState::Missing);
        assert_eq!(logout_of(&context, &store, "anthropic").expect("removed").credentials, []);
        assert_eq!(logout_of(&context, &store, "anthropic").expect_err("none").code, exit::USAGE);
    }

    #[test]
    fn what_a_closed_keychain_refuses_is_nowhere_and_said_without_the_key() {
        for closed in [Closed::Absent, Closed::Locked, Closed::Slow, Closed::Denied, Closed::Failed("why".to_owned())] {
            let folder = tempfile::tempdir().expect("a folder");
            let (context, store) = (context(folder.path()), Memory::closed(closed.clone()));
            let error = login_to(&context, &store, "openai", &key("sk-canary")).expect_err("refused");
            assert!(error.message.contains("not stored, nowhere") && error.hint.is_some(), "{error:?}");
            assert!(!format!("{error:?}").contains("canary"));
            let view = listed(&context, &store).expect("listed");
            assert_eq!((view.keychain.state, view.credentials.len()), (closed.state(), 0));
        }
    }

    #[test]
    fn what_can_be_no_name_or_key_is_not_repeated() {
        let folder = tempfile::tempdir().expect("a folder");
        let (context, store) = (context(folder.path()), Memory::default());
        for (name, text) in [("sk-CANARY", "x"), ("", "x"), ("a", ""), ("a", "two canary"), ("a", "sk-\u{7}canary")] {
            let error = login_to(&context, &store, name, &key(text)).expect_err("refused");
            assert_eq!(error.code, exit::USAGE);
            assert!(!format!("{error:?}").to_lowercase().contains("canary"), "{error:?}");
        }
    }
}
