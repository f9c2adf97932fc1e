//! Identities. Random ones are made by the engine (UUIDv7); here they are only names that can't be mixed up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "types", derive(ts_rs::TS))]
        pub struct $name(#[cfg_attr(feature = "types", ts(as = "String"))] pub Uuid);

        impl $name {
            /// The last eight hex digits: what people see and type. The first digits of a UUIDv7 are time and hardly differ.
            pub fn short(&self) -> String {
                let hex = self.0.simple().to_string();
                hex[24..].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map($name)
            }
        }
    )+};
}

id! {
    /// A registered loop.
    LoopId,
    /// A repository that the engine keeps objects of.
    RepoId,
    /// One due time or event of a loop.
    OccurrenceId,
    /// One run of a loop.
    RunId,
    /// One round of maker, gates and checker on one finding.
    AttemptId,
    /// A pull request of any forge.
    PullRequestId,
    /// One decision of a person on a pull request.
    ReviewId,
    /// A notification.
    NoticeId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_is_the_random_end() {
        let id: RunId = "01936f2e-0000-7000-8000-00001a2b3c4d".parse().expect("a UUID");
        assert_eq!(id.short(), "1a2b3c4d");
    }
}
