//! Paths and patterns that a loop names: what watches files, and what a step was granted.
//!
//! Where a path leads (links, the home folder's own name) is the engine's to look at: here are only its words.

use super::miss::Miss;
use super::places::{OBEYED, SECRET};

/// Longest path or pattern, in bytes.
const LONGEST: usize = 500;
/// Folders below the home folder that hold keys or what Loopwright itself rests on.
const PRIVATE: [&str; 6] =
    [".ssh", ".gnupg", ".config/loopwright", ".local/share/loopwright", ".local/state/loopwright", ".cache/loopwright"];
/// What helps where a place can't be granted.
const OF_ITS_OWN: &str = "copy what the step needs to a folder of its own, and name that";
/// Folders of the machine that are no files of anybody's; sockets of other programs lie there.
const MACHINE: [&str; 6] = ["/proc", "/sys", "/dev", "/run", "/var/run", "/boot"];

/// Tells what is wrong with a pattern of files: relative (to the repository, else to the loop's folder), `~/…` or absolute.
pub(super) fn pattern(text: &str) -> Result<(), Miss> {
    if text.trim().is_empty() {
        return Err(whole(text, "the pattern is empty".to_owned(), "write it as in `file(\"incoming/*.csv\")`"));
    }
    ordinary(text)?;
    if let Err(error) = glob::Pattern::new(text) {
        let at = text.char_indices().nth(error.pos).map_or(text.len(), |(at, _)| at);
        let message = format!("this is no pattern: {}", error.msg);
        let help = "`*` stands for part of a name, `**` for folders, `?` for a sign, `[a-z]` for one of several";
        return Err(Miss { at: at..text.len(), message, help: help.to_owned() });
    }
    let from = text.strip_prefix("~/").or_else(|| text.strip_prefix('/'));
    if from.is_some_and(|rest| rest.split('/').next().is_none_or(|first| first.is_empty() || wild(first))) {
        let message = "this looks through everything there is".to_owned();
        return Err(whole(text, message, "name a folder before the first `*`, as in `~/incoming/*.csv`"));
    }
    Ok(())
}

/// The path of a grant without what says nothing in it.
pub(super) fn granted(text: &str) -> Result<String, Miss> {
    let help = "write a path from the root or the home folder, as in `~/incoming`";
    if !text.starts_with("~/") && !text.starts_with('/') && text != "~" {
        return Err(whole(text, format!("`{text}` is no path from the root or the home folder"), help));
    }
    ordinary(text)?;
    let wide = "name the folder that the step needs, as in `~/incoming`";
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] => return Err(whole(text, "`/` is the whole computer".to_owned(), wide)),
        ["~"] | ["home" | "Users" | "root"] | ["home" | "Users", _] => {
            return Err(whole(text, format!("`{text}` is a home folder with all its keys"), wide));
        }
        _ => {}
    }
    let path = if text.starts_with('/') { format!("/{}", parts.join("/")) } else { parts.join("/") };
    if let Some(machine) = MACHINE.iter().find(|machine| below(&path, machine)) {
        return Err(whole(text, format!("`{machine}` is no folder of files"), wide));
    }
    if private(&path) {
        let message = format!("`{text}` holds keys, or what keeps loops apart");
        return Err(whole(text, message, OF_ITS_OWN));
    }
    if let Some(place) = at_home(&path, SECRET) {
        let message = format!("`{text}` would open `~/{place}`, where keys or sessions lie");
        return Err(whole(text, message, OF_ITS_OWN));
    }
    Ok(path)
}

/// The same for one that is written: nothing that programs of the person obey comes from a box.
pub(super) fn writable(text: &str) -> Result<String, Miss> {
    let path = granted(text)?;
    match at_home(&path, OBEYED) {
        Some(place) => {
            let message = format!("`{text}` could write `~/{place}`, which your programs obey");
            Err(whole(text, message, "name a folder that only the step writes, as in `~/incoming`"))
        }
        None => Ok(path),
    }
}

/// The first of these places that lies at, above or below a path, if it is in a home folder.
fn at_home(path: &str, places: &[&'static str]) -> Option<&'static str> {
    let of_person = |rest: &'_ str| rest.split_once('/').map(|(_, rest)| rest.to_owned());
    let rest = match (path.strip_prefix("~/"), path.strip_prefix("/root/")) {
        (Some(rest), _) | (_, Some(rest)) => rest.to_owned(),
        _ => path.strip_prefix("/home/").or_else(|| path.strip_prefix("/Users/")).and_then(of_person)?,
    };
    places.iter().copied().find(|place| below(&rest, place) || below(place, &rest))
}

/// Whether a private folder lies at, above or below this path, whoever's home it is in.
fn private(path: &str) -> bool {
    let home = path.strip_prefix("~/");
    let above = |private: &str| home.is_some_and(|rest| below(private, rest));
    let within = |private: &str| format!("{path}/").contains(&format!("/{private}/"));
    PRIVATE.iter().any(|private| above(private) || within(private))
}

/// Whether `path` is `folder` or lies in it.
fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// No path of several meanings: no `..`, no variable, no other one's home, nothing that nobody sees.
fn ordinary(text: &str) -> Result<(), Miss> {
    if text.len() > LONGEST {
        return Err(whole(text, format!("{} bytes are too long for a path", text.len()), "at most 500 are read"));
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| c.is_control() || crate::hidden::is_hidden(*c)) {
        let message = format!("U+{:04X} can't stand in a path", u32::from(c));
        return Err(Miss { at: at..at + c.len_utf8(), message, help: "remove it".to_owned() });
    }
    if let Some(at) = text
        .split_inclusive('/')
        .scan(0, |at, part| Some((std::mem::replace(at, *at + part.len()), part)))
        .find(|(_, part)| matches!(part.trim_end_matches('/'), "." | ".."))
    {
        let message = format!("`{}` can't stand in a path", at.1.trim_end_matches('/'));
        let help = "write the folder itself: from the root, or from the home folder as in `~/incoming`".to_owned();
        return Err(Miss { at: at.0..at.0 + at.1.trim_end_matches('/').len(), message, help });
    }
    let strange = text.starts_with('$') || (text.starts_with('~') && text != "~" && !text.starts_with("~/"));
    if strange || text.contains('\\') || text.contains("://") {
        let message = format!("`{text}` is no path that is read here");
        return Err(whole(
            text,
            message,
            "write it with `/`, from the root or from the home folder as in `~/incoming`",
        ));
    }
    Ok(())
}

fn wild(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

fn whole(text: &str, message: String, help: &str) -> Miss {
    Miss { at: 0..text.len(), message, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_a_folder() {
        for right in ["incoming/*.csv", "*.csv", "**/*.rs", "~/incoming/**", "/srv/drop/?.txt", "a b/[0-9].log", "x"] {
            assert_eq!(pattern(right), Ok(()), "{right}");
        }
        for (wrong, at) in [
            ("", 0),
            (" ", 0),
            ("../x/*", 0),
            ("a/../b", 2),
            ("./a", 0),
            ("a/***", 4),
            ("a/[", 2),
            ("a**b", 0),
            ("/*", 0),
            ("~/**", 0),
            ("/", 0),
            ("~other/x", 0),
            ("$HOME/x", 0),
            ("a\\b", 0),
            ("a\u{202e}b", 1),
        ] {
            assert_eq!(pattern(wrong).map_err(|miss| miss.at.start), Err(at), "{wrong}");
        }
    }

    #[test]
    fn a_grant_is_a_folder_that_holds_no_keys() {
        for (right, read) in [
            ("~/incoming", "~/incoming"),
            ("~/incoming/", "~/incoming"),
            ("/srv//data", "/srv/data"),
            ("/home/me/incoming", "/home/me/incoming"),
            ("~/.config/other", "~/.config/other"),
            ("~/.sshx", "~/.sshx"),
            ("/running", "/running"),
        ] {
            assert_eq!(granted(right).as_deref(), Ok(read), "{right}");
        }
        for wrong in [
            "",
            "/",
            "//",
            "~",
            "~/",
            "incoming",
            "./incoming",
            "~me/x",
            "$HOME",
            "~/..",
            "~/a/../b",
            "/home",
            "/home/me",
            "/root",
            "/Users/me/",
            "~/.ssh",
            "~/.ssh/id",
            "~/.config",
            "~/.config/loopwright",
            "~/.config/loopwright/loops",
            "~/.local",
            "~/.local/share",
            "/home/me/.ssh",
            "/home/me/.config/loopwright/x",
            "/proc",
            "/run/user/1000",
            "/dev/shm",
            "~/.gnupg",
            "https://x/y",
            "~\\x",
        ] {
            assert!(granted(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn credentials_and_what_programs_obey_are_refused_by_name() {
        for (wrong, place) in [
            ("~/.config/git", "~/.config/git/credentials"),
            ("~/.config/git/credentials", "~/.config/git/credentials"),
            ("~/.git-credentials", "~/.git-credentials"),
            ("/home/me/.config/rclone/rclone.conf", "~/.config/rclone"),
            ("/root/.aws/credentials", "~/.aws"),
            ("~/.bash_history", "~/.bash_history"),
            ("~/.gradle", "~/.gradle"),
            ("~/.docker/config.json", "~/.docker"),
        ] {
            let said = granted(wrong).expect_err(wrong).message;
            assert!(said.contains(&format!("`{place}`")), "{wrong}: {said}");
        }
        for (wrong, place) in [
            ("~/.profile", "~/.profile"),
            ("~/.bash_aliases", "~/.bash_aliases"),
            ("~/.local/lib/python3.12/site-packages", "~/.local/lib"),
            ("~/.config/nvim/lua", "~/.config/nvim"),
            ("/home/me/.cargo/env", "~/.cargo/env"),
            ("~/.rustup", "~/.rustup"),
        ] {
            granted(wrong).expect("the control: it may be read");
            let said = writable(wrong).expect_err(wrong).message;
            assert!(said.contains(&format!("`{place}`")), "{wrong}: {said}");
        }
        for right in ["~/.cargo/registry", "/srv/.docker/x", "~/snapshots", "~/binaries", "/srv/bin"] {
            assert!(writable(right).is_ok(), "{right}");
        }
    }
}
