//! Turns at the processors. Makers wait for models most of their time and go side by side; gates compute, and several at once
//! on a small machine would only make each other time out.

use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many may compute at once.
#[derive(Debug)]
pub struct Cores {
    free: Mutex<usize>,
    given_back: Condvar,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn<'c> {
    cores: &'c Cores,
}

impl Cores {
    /// Half of this machine's processors, as a check uses more than one; never none.
    pub fn of_this_machine() -> Cores {
        let all = std::thread::available_parallelism().map_or(1, NonZero::get);
        Cores::new((all / 2).max(1))
    }

    /// So many turns at once.
    pub fn new(turns: usize) -> Cores {
        Cores { free: Mutex::new(turns), given_back: Condvar::new() }
    }

    /// Waits for a turn.
    pub fn turn(&self) -> Turn<'_> {
        let mut free =
            self.given_back.wait_while(self.free(), |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        drop(free);
        Turn { cores: self }
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.cores.free() += 1;
        self.cores.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Most at once of eight that each need a turn.
    fn most_at_once(cores: &Cores) -> usize {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _turn = cores.turn();
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        most.into_inner()
    }

    #[test]
    fn never_more_than_there_are_turns() {
        assert_eq!(most_at_once(&Cores::new(1)), 1);
        assert!(most_at_once(&Cores::new(2)) <= 2);
        assert!(most_at_once(&Cores::new(8)) > 2, "the control: enough turns for everybody");
    }
}
