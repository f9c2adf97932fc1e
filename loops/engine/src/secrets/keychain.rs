//! The keychain of the person's system. Each question has a thread of its own and a limit: one that is locked would block on a
//! dialog that nobody sees. And each begins anew, so that a keychain that comes later (a race at login) is found.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring_core::Error;

use super::{Closed, Secret, SecretStore, system};

/// What all our keys are filed under.
const SERVICE: &str = "loopwright";
/// How long a keychain may take that asks nobody.
const LIMIT: Duration = Duration::from_secs(5);
/// How long a person may take to answer its question.
const PATIENCE: Duration = Duration::from_secs(90);
/// Questions that may hang at once; what comes on top is refused, so that a broken keychain costs no more and more threads.
const MOST_HANGING: usize = 4;

static HANGING: AtomicUsize = AtomicUsize::new(0);

/// The keychain of the person's system.
#[derive(Clone, Copy, Debug)]
pub struct Keychain {
    limit: Duration,
    patience: Duration,
}

impl Default for Keychain {
    fn default() -> Keychain {
        Keychain { limit: LIMIT, patience: PATIENCE }
    }
}

impl Keychain {
    /// The same with other limits: for what asks nobody, and for what asks the person.
    #[must_use]
    pub fn within(limit: Duration, patience: Duration) -> Keychain {
        Keychain { limit, patience }
    }

    fn ready(self) -> Result<(), Closed> {
        in_time(self.limit, system::look)
    }
}

impl SecretStore for Keychain {
    fn look(&self) -> Result<(), Closed> {
        self.ready()
    }

    fn unlock(&self) -> Result<(), Closed> {
        match self.ready() {
            Err(Closed::Locked) => in_time(self.patience, system::unlock).map_err(still_locked),
            other => other,
        }
    }

    fn get(&self, name: &str) -> Result<Option<Secret>, Closed> {
        self.ready()?;
        let name = name.to_owned();
        in_time(self.limit, move || match entry(&name)?.get_secret() {
            Ok(bytes) => Ok(Some(Secret::new(bytes))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(closed(error)),
        })
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<(), Closed> {
        self.unlock()?;
        let (name, secret) = (name.to_owned(), secret.clone());
        in_time(self.patience, move || entry(&name)?.set_secret(secret.bytes()).map_err(closed))
    }

    fn remove(&self, name: &str) -> Result<bool, Closed> {
        self.unlock()?;
        let name = name.to_owned();
        in_time(self.patience, move || match entry(&name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(closed(error)),
        })
    }
}

fn still_locked(closed: Closed) -> Closed {
    match closed {
        // Nobody answered its question.
        Closed::Slow => Closed::Locked,
        other => other,
    }
}

/// The store is opened for each question: one that was opened too early would stay closed until the program starts again.
fn entry(name: &str) -> Result<keyring_core::Entry, Closed> {
    let store = system::open().map_err(closed)?;
    store.build(SERVICE, name, None).map_err(closed)
}

/// What an error means. Errors can carry what was read, so nothing of them is passed on but what the system itself says.
fn closed(error: Error) -> Closed {
    match error {
        Error::PlatformFailure(error) | Error::NoStorageAccess(error) => system::closed(error.as_ref()),
        Error::Ambiguous(_) => Closed::Failed("it holds more than one key of this name".to_owned()),
        Error::TooLong(_, most) => Closed::Failed(format!("it takes no more than {most} bytes")),
        _ => Closed::Failed("it gave an answer that can't be read".to_owned()),
    }
}

/// Asks on a thread of its own. One that hangs is left behind: nothing ends a call of another process.
fn in_time<T: Send + 'static>(
    limit: Duration,
    ask: impl FnOnce() -> Result<T, Closed> + Send + 'static,
) -> Result<T, Closed> {
    if HANGING.fetch_add(1, Ordering::SeqCst) >= MOST_HANGING {
        HANGING.fetch_sub(1, Ordering::SeqCst);
        return Err(Closed::Slow);
    }
    let (tell, told) = mpsc::channel();
    let asking = thread::Builder::new().name("keychain".to_owned()).spawn(move || {
        let answer = ask();
        HANGING.fetch_sub(1, Ordering::SeqCst);
        // Nobody waits any more where the limit is over.
        let _ = tell.send(answer);
    });
    if let Err(error) = asking {
        HANGING.fetch_sub(1, Ordering::SeqCst);
        return Err(Closed::Failed(format!("no thread to ask it on: {error}")));
    }
    told.recv_timeout(limit).unwrap_or(Err(Closed::Slow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_never_answers_is_slow_and_costs_no_more_and_more_threads() {
        let (_hold, held) = mpsc::channel::<()>();
        let held = std::sync::Arc::new(std::sync::Mutex::new(held));
        let ask = |limit| {
            let held = held.clone();
            in_time(Duration::from_millis(limit), move || {
                let _ = held.lock().map(|held| held.recv());
                Ok(())
            })
        };
        for _ in 0..3 * MOST_HANGING {
            assert_eq!(ask(5), Err(Closed::Slow));
        }
        assert!(HANGING.load(Ordering::SeqCst) <= MOST_HANGING);
    }
}
