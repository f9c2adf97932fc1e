//! The file that whoever waits for news watches: the number of the newest commit, which must then be in the database.
//!
//! Two processes may write it at once, and one of them may be stopped in between: what it holds counts only if it is whole.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Digits of the number's own check.
const CHECK: usize = 16;

/// How many commits whoever waits for news was told of; none if the file does not hold a whole number with its check.
pub(super) fn told(changed: &Path) -> Option<i64> {
    let text = fs::read_to_string(changed).ok()?;
    let number = text.split_whitespace().next()?.parse().ok()?;
    (text == content(number)).then_some(number)
}

/// Writes the number of the newest commit in place, always as wide: a file that is cut off first is written out by some file
/// systems when it is closed. A writer that comes late leaves the greater number of another.
pub(super) fn tell(changed: &Path, commits: i64) -> std::io::Result<()> {
    if told(changed).is_some_and(|told| told >= commits) {
        return Ok(());
    }
    let content = content(commits);
    let mut file = File::options().write(true).create(true).truncate(false).open(changed)?;
    file.write_all(content.as_bytes())?;
    // What was longer was written by nobody that tells numbers.
    if file.metadata()?.len() != content.len() as u64 { file.set_len(content.len() as u64) } else { Ok(()) }
}

/// What the file holds for a number.
pub(super) fn content(commits: i64) -> String {
    let mut check = loopwright_core::hex(&Sha256::digest(format!("told {commits}")));
    check.truncate(CHECK);
    format!("{commits:>20} {check}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_is_no_evidence() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("changed");
        assert_eq!(told(&file), None);
        let (old, new) = (content(99), content(100));
        assert_eq!(old.len(), new.len());
        for cut in 0..new.len() {
            let mixture = format!("{}{}", &new[..cut], &old[cut..]);
            let number = told_of(&file, &mixture);
            assert!(mixture == old || number.is_none_or(|n| mixture == content(n)), "{mixture:?}");
            assert_eq!(told_of(&file, &new[..cut]), None);
        }
        assert_eq!(told_of(&file, "990"), None, "two that cut it off and wrote one after the other");
        assert_eq!(told_of(&file, &new), Some(100));
    }

    fn told_of(file: &Path, text: &str) -> Option<i64> {
        fs::write(file, text).expect("written");
        told(file)
    }

    #[test]
    fn it_never_goes_back_and_puts_right_what_others_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("changed");
        for (commits, expected) in [(99, 99), (100, 100), (99, 100)] {
            tell(&file, commits).expect("told");
            assert_eq!(told(&file), Some(expected));
        }
        for left in ["990", "", &"9".repeat(80)] {
            fs::write(&file, left).expect("written");
            tell(&file, 101).expect("told");
            assert_eq!(told(&file), Some(101), "after {left:?}");
        }
    }

    #[test]
    fn writers_at_once_are_never_mixed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("changed");
        std::thread::scope(|scope| {
            for first in 0..2 {
                let file = &file;
                scope.spawn(move || (first..400).step_by(2).try_for_each(|n| tell(file, 9_800 + n)).expect("told"));
            }
            for _ in 0..1000 {
                assert!(told(&file).is_none_or(|n| (9_800..10_200).contains(&n)));
            }
        });
        assert!(told(&file).is_some_and(|n| n >= 10_198));
    }
}
