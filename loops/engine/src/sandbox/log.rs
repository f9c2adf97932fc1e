//! What a step says, in a file that keeps the newest: whoever says too much loses the oldest, and goes on.

#[cfg(target_os = "linux")]
mod writing;

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use loopwright_core::check::text;
use loopwright_core::triage::plain;

#[cfg(target_os = "linux")]
pub(super) use writing::Log;

/// So much of the end is looked at for the last line.
const END: u64 = 8 << 10;
/// As long as a last line becomes, in characters.
const LONGEST: usize = 200;

/// Where the part before the last one lies.
fn before(path: &Path) -> PathBuf {
    path.with_extension("before.log")
}

/// The last line that is not empty, as plain text; untrusted.
pub fn last_line(path: &Path) -> Option<String> {
    let last = |path: &Path| {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
        let mut end = Vec::new();
        file.read_to_end(&mut end).ok()?;
        let said = text::clean(&end);
        said.lines().map(|line| plain(line, LONGEST)).rfind(|line| !line.trim().is_empty())
    };
    last(path).or_else(|| last(&before(path)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::writing::PART;
    use super::*;

    #[test]
    fn the_newest_is_kept_in_two_parts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("flood-1.log");
        let mut log = Log::new(&path).expect("begun");
        for number in 0..40_000 {
            log.write(format!("{number:0>999}\n").as_bytes()).expect("written");
        }
        let size = |path: &Path| fs::metadata(path).expect("a part").len();
        assert_eq!(size(&before(&path)), PART);
        assert!(size(&path) < PART, "40 MB were said, {} bytes are kept", PART + size(&path));
        assert_eq!(fs::read_dir(folder.path()).expect("parts").count(), 2);
        assert!(last_line(&path).is_some_and(|line| line.starts_with("000")), "its beginning");
    }

    #[test]
    fn the_last_line_is_plain_and_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a-1.log");
        for (said, last) in [
            ("one\ntwo\n\n  \n", Some("two")),
            ("one\n\x1b[31mred\x1b[0m\u{202e}\n", Some("red")),
            ("\n", None),
            ("", None),
        ] {
            fs::write(&path, said).expect("written");
            assert_eq!(last_line(&path).as_deref(), last, "{said:?}");
        }
        fs::write(&path, "x".repeat(5000)).expect("written");
        assert_eq!(last_line(&path).map(|line| line.chars().count()), Some(LONGEST));
        fs::write(&path, "").expect("written");
        fs::write(before(&path), "from before\n").expect("written");
        assert_eq!(last_line(&path).as_deref(), Some("from before"), "its part has just begun");
    }
}
