//! The folder of a personal loop, which its agents and steps see whole as `/loop`: which one is too much to show.
//!
//! A loop inside its repository needs no such look: its agents see a copy of what is committed beside it.

use std::path::{Path, PathBuf};

use loopwright_core::definition::Definition;

use crate::home::Home;

/// Where agents see it.
pub const INSIDE: &str = "/loop";

/// What must not come along with the folder of a loop.
#[derive(Clone, Copy, Debug)]
pub struct Private<'a> {
    /// Loopwright's own places.
    pub home: &'a Home,
    /// The person's home folder.
    pub person: Option<&'a Path>,
    /// The root of the repository that the loop works on.
    pub repo: Option<&'a Path>,
}

/// The folder that the agents and steps of the loop file `path` see; none if nobody is there to see it, or it is a copy.
pub fn shown<'a>(path: &'a Path, definition: &Definition, repo: Option<&Path>) -> Option<&'a Path> {
    let personal = !repo.is_some_and(|root| path.starts_with(root));
    let any = !definition.agents.is_empty() || !definition.chores.is_empty() || !definition.finally.steps.is_empty();
    path.parent().filter(|_| personal && any)
}

/// Why `folder` is no folder of a loop's own, and what to do.
pub fn refusal(folder: &Path, private: Private<'_>) -> Option<String> {
    let folder = canonical(folder);
    let Home { config, data, state, .. } = private.home;
    let own = [config, data, state].map(|place| (Some(place.as_path()), "what Loopwright keeps"));
    let places = [(private.person, "your home folder"), (private.repo, "the whole repository")].into_iter().chain(own);
    let mut held = places.filter_map(|(place, what)| Some((canonical(place?), what)));
    let what = match held.find(|(place, _)| place.starts_with(&folder)) {
        Some((_, what)) => what,
        None if shared(&folder) => "what all programs share",
        None => return None,
    };
    Some(format!(
        "its agents and steps would see {what}: the loop's folder {} is shown to them as {INSIDE}; move the loop file into a folder of its own",
        folder.display()
    ))
}

fn shared(folder: &Path) -> bool {
    let temporary = std::env::temp_dir();
    [Path::new("/tmp"), Path::new("/var/tmp"), &temporary].iter().any(|place| canonical(place) == folder)
}

/// Without links, if it is there.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_a_folder_of_its_own_is_shown() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(&path).expect("a folder");
            path
        };
        let (person, repo, home) = (at("home/me"), at("code/shop"), Home::under(&at("lw")));
        fs::create_dir_all(&home.data).expect("a folder");
        std::os::unix::fs::symlink(&person, root.path().join("link")).expect("a link");
        let private = Private { home: &home, person: Some(&person), repo: Some(&repo) };
        let said = |folder: &Path| refusal(folder, private).unwrap_or_default();
        for (folder, what) in [
            (person.clone(), "your home folder"),
            (at("home"), "your home folder"),
            (root.path().join("link"), "your home folder"),
            ("/".into(), "your home folder"),
            (repo.clone(), "the whole repository"),
            (at("code"), "the whole repository"),
            (at("lw/data"), "Loopwright keeps"),
            ("/var/tmp".into(), "all programs share"),
        ] {
            assert!(said(&folder).contains(what), "{}: {}", folder.display(), said(&folder));
        }
        for own in [at("home/me/loops/a"), at("code/loop"), at("lw/config/loops/a"), at("home/other")] {
            assert_eq!(said(&own), "", "the control");
        }
    }
}
