//! A keychain in memory, for tests: it ends with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Closed, Secret, SecretStore};

/// A keychain in memory.
#[derive(Debug, Default)]
pub struct Memory {
    /// Why it does nothing; none = it is open.
    closed: Option<Closed>,
    keys: Mutex<BTreeMap<String, Secret>>,
}

impl Memory {
    /// One that does nothing, for this reason.
    pub fn closed(why: Closed) -> Memory {
        Memory { closed: Some(why), ..Memory::default() }
    }

    fn open(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, Secret>>, Closed> {
        self.look()?;
        Ok(self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SecretStore for Memory {
    fn look(&self) -> Result<(), Closed> {
        self.closed.clone().map_or(Ok(()), Err)
    }

    fn unlock(&self) -> Result<(), Closed> {
        self.look()
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, Closed> {
        Ok(self.open()?.get(name).cloned())
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<(), Closed> {
        self.open()?.insert(name.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<bool, Closed> {
        Ok(self.open()?.remove(name).is_some())
    }
}
