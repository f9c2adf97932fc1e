//! The binding of an approval to what was shown: by the digits of a tree.

use super::{Shown, harmless};

/// Fewest digits of a tree that name it.
const PREFIX: usize = 12;

/// Why an approval is not bound to what is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Too few digits, or something else.
    #[error("`{asked}` is not a tree: give at least {PREFIX} of its hex digits, as `review` prints them")]
    NotATree {
        /// What was given.
        asked: String,
    },
    /// It is the tree of something else.
    #[error("the pull request has tree {now}, not {asked}: it changed since you looked; review it again")]
    Mismatch {
        /// The first 12 digits of what it shows.
        now: String,
        /// What was given.
        asked: String,
    },
}

/// Binds an approval to what is shown, by at least 12 hex digits of its tree.
///
/// # Errors
/// The digits are too few or belong to something else.
pub fn bind<'s>(shown: &'s Shown, asked: &str) -> Result<&'s Shown, BindError> {
    let asked = asked.to_ascii_lowercase();
    let hex = asked.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex || asked.len() < PREFIX || asked.len() > shown.tree.len() {
        return Err(BindError::NotATree { asked: harmless::line(&asked, 80) });
    }
    if !shown.tree.starts_with(&asked) {
        return Err(BindError::Mismatch { now: shown.tree.chars().take(PREFIX).collect(), asked });
    }
    Ok(shown)
}
