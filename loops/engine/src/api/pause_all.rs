//! Pausing every loop: what "Quit and pause all loops" does first. Runs that live go on.

use super::{ApiError, Context, disable, loops};

/// Lets no loop start by itself until it is enabled again; how many that changed.
///
/// # Errors
/// The store can't be read or written; the loops before that are paused.
pub fn pause_all(context: &Context) -> Result<usize, ApiError> {
    let mut paused = 0;
    for one in loops(context)?.into_iter().filter(|one| one.paused_at.is_none()) {
        paused += usize::from(disable(context, &one.name)?.changed);
    }
    Ok(paused)
}
