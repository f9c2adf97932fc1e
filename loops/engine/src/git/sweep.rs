//! The refs that the engine writes into `results.git`, by whom each belongs to, and taking away those that belong to nobody.

use anyhow::{Context as _, Result};
use uuid::Uuid;

use super::repos::Repos;

/// Whose a ref is. All ids are UUIDv7 and say when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An attempt's commit.
    Attempt(Uuid),
    /// A pull request, or its landing commit.
    PullRequest(Uuid),
    /// A bundle that is being written.
    Export(Uuid),
    /// What was rescued of an attempt that was cut off.
    Rescue(Uuid),
}

impl Owner {
    /// Tells it by the ref's name; none for a name that is not the engine's.
    fn of(name: &str) -> Option<Owner> {
        let (kind, rest) = name.strip_prefix("refs/loopwright/")?.split_once('/')?;
        let id = |text: &str| text.parse().ok();
        match kind {
            "attempts" => id(rest.strip_prefix("attempt-")?).map(Owner::Attempt),
            "pr" | "landing" => id(rest).map(Owner::PullRequest),
            "export" => id(rest).map(Owner::Export),
            "rescue" => id(rest.rsplit_once('/')?.1.strip_prefix("attempt-")?).map(Owner::Rescue),
            _ => None,
        }
    }
}

impl Repos {
    /// Takes away the refs of `results.git` whose owner `is_gone`, and says how many. What no rule names stays.
    /// The work of attempts and pull requests is not lost by that: it is rescued as of now, `rescued` being a new id.
    ///
    /// # Errors
    /// The refs can't be read, or `is_gone` can't tell.
    pub fn sweep_refs(&self, is_gone: impl Fn(Owner) -> Result<bool>, rescued: impl Fn() -> Uuid) -> Result<usize> {
        let repo = self.open_results()?;
        let mut swept = 0;
        for found in repo.references_glob("refs/loopwright/*").context("list the refs")? {
            let Ok(mut found) = found else { continue };
            let Some(owner) = found.name().ok().and_then(Owner::of) else { continue };
            if !is_gone(owner)? {
                continue;
            }
            let gone = match owner {
                Owner::Attempt(id) | Owner::PullRequest(id) => {
                    let name = format!("refs/loopwright/rescue/of-{}/attempt-{}", id.simple(), rescued().simple());
                    found.rename(&name, false, "swept").map(drop)
                }
                Owner::Export(_) | Owner::Rescue(_) => found.delete(),
            };
            // Another pass may have been faster.
            swept += usize::from(gone.is_ok());
        }
        Ok(swept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_tells_its_owner() {
        let id = Uuid::from_u128(7);
        let simple = id.simple();
        for (name, owner) in [
            (format!("refs/loopwright/attempts/attempt-{simple}"), Some(Owner::Attempt(id))),
            (format!("refs/loopwright/pr/{id}"), Some(Owner::PullRequest(id))),
            (format!("refs/loopwright/landing/{id}"), Some(Owner::PullRequest(id))),
            (format!("refs/loopwright/export/{simple}"), Some(Owner::Export(id))),
            (format!("refs/loopwright/rescue/{id}/attempt-{simple}"), Some(Owner::Rescue(id))),
            ("refs/loopwright/base/0123".to_owned(), None),
            ("refs/loopwright/attempts/verify-1".to_owned(), None),
            ("refs/heads/main".to_owned(), None),
        ] {
            assert_eq!(Owner::of(&name), owner, "{name}");
        }
    }
}
