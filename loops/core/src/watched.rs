//! Whether files that were looked at start their loop: a pure decision over what was seen before and what is seen now.
//!
//! Only what is new or changed counts: a loop that takes files away does not start itself by that.

use chrono::{DateTime, Duration, Utc};

use crate::timing::FILE_REST_S;

/// What a look at files leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing is to be stored.
    Same,
    /// This is kept: the marks as of the last start, and those that start the loop once they have rested.
    Keep(Vec<String>, Option<(Vec<String>, DateTime<Utc>)>),
    /// The loop starts; these are the marks from now on.
    Start(Vec<String>),
}

/// Decides on what is seen `now`. `known` = the marks as of the last start; `changed` = those of the last look, and since when
/// they are these.
pub fn look(
    known: Option<&[String]>,
    changed: Option<&(Vec<String>, DateTime<Utc>)>,
    seen: Vec<String>,
    now: DateTime<Utc>,
) -> Look {
    let Some(known) = known else { return Look::Keep(seen, None) };
    if seen.iter().all(|mark| known.contains(mark)) {
        // What is gone and comes again the same is new then.
        return if seen.len() == known.len() && changed.is_none() { Look::Same } else { Look::Keep(seen, None) };
    }
    match changed {
        Some((marks, since)) if *marks == seen => {
            let rested = now - *since >= Duration::seconds(i64::try_from(FILE_REST_S).unwrap_or(i64::MAX));
            // A clock that was set back must not hold them for ever.
            if rested || now < *since { Look::Start(seen) } else { Look::Same }
        }
        _ => Look::Keep(known.to_vec(), Some((seen, now))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(second)
    }

    #[test]
    fn the_first_look_starts_nothing_and_neither_do_files_that_go() {
        assert_eq!(look(None, None, marks("a"), at(0)), Look::Keep(marks("a"), None));
        assert_eq!(look(Some(&marks("a b")), None, marks("b a"), at(0)), Look::Same);
        assert_eq!(look(Some(&marks("a b")), None, marks("a"), at(0)), Look::Keep(marks("a"), None));
        assert_eq!(
            look(Some(&marks("a")), None, marks("a b"), at(0)),
            Look::Keep(marks("a"), Some((marks("a b"), at(0))))
        );
    }

    #[test]
    fn what_changes_starts_once_it_was_left_alone() {
        let known = marks("a1");
        let half = (marks("a2"), at(10));
        assert_eq!(look(Some(&known), Some(&half), marks("a2"), at(11)), Look::Same, "it may still be written");
        assert_eq!(
            look(Some(&known), Some(&half), marks("a3"), at(12)),
            Look::Keep(known.clone(), Some((marks("a3"), at(12))))
        );
        assert_eq!(look(Some(&known), Some(&half), marks("a2"), at(12)), Look::Start(marks("a2")));
        assert_eq!(
            look(Some(&known), Some(&half), marks("a2"), at(0)),
            Look::Start(marks("a2")),
            "the clock was set back"
        );
        assert_eq!(look(Some(&known), Some(&half), marks("a1"), at(12)), Look::Keep(marks("a1"), None), "as it was");
    }
}
