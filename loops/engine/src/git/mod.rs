//! Git: the user's repositories as they are read, and the engine's own bare ones.
//!
//! The user's repository is only read here; the one writing to it is [`crate::forge::land`].
//! Folders that an agent can write are never opened by any of this: their content arrives as a bundle, through the import of a bundle.

mod changes;
mod command;
pub(crate) mod import;
mod left_out;
mod open;
mod plant;
mod read;
mod repos;
mod shown;
mod sweep;
mod user;

pub use command::{GitError, git};
pub(crate) use left_out::left_out;
pub use open::OpenChange;
pub(crate) use plant::plant;
pub use read::{CommitFacts, FILE_LIMIT, Kind};
pub use repos::{Base, Repos};
pub use sweep::Owner;
pub(crate) use user::quoted;
pub use user::{UserRepo, UserRepoError, user_repository};

/// Whom the commits of attempts name as author and committer.
pub const AUTHOR: (&str, &str) = ("Loopwright", "loopwright@localhost");
