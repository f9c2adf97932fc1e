//! What a ref finally names, as git itself goes about it: symbolic refs, and symbolic links (`core.preferSymlinkRefs`), which
//! libgit2 takes for what stands in the file behind them. Packed refs are never symbolic, and tables of refs are refused before.
//!
//! Whatever can't be read is an error: it never means that a ref names something else.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use git2::Reference;

/// Longest chain of names that is followed; git's own is shorter.
const LONGEST: usize = 10;

/// The ref at which the chain that begins with `name` ends, whether it exists or not: `HEAD` itself while that is detached.
/// `folder` is the git folder of the working tree, `common` the one that all of them share.
///
/// # Errors
/// A ref on the way can't be read, names no ref, or the chain has no end.
pub(crate) fn finally(folder: &Path, common: &Path, name: &str) -> io::Result<String> {
    let mut name = name.to_owned();
    for _ in 0..LONGEST {
        let path = place(folder, common, &name);
        let about = |error: io::Error| io::Error::new(error.kind(), format!("read {}: {error}", path.display()));
        match next(&path).map_err(about)? {
            Some(next) => name = next,
            None => return Ok(name),
        }
    }
    let way = folder.join("HEAD");
    Err(io::Error::new(ErrorKind::InvalidData, format!("{name} leads on for ever, seen from {}", way.display())))
}

/// Whether an error says that nothing is there.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Where a ref stands that is no packed one: some are a working tree's own.
fn place(folder: &Path, common: &Path, name: &str) -> PathBuf {
    let shared = name.strip_prefix("refs/");
    let own = shared.is_none_or(|rest| ["worktree/", "bisect/", "rewritten/"].iter().any(|own| rest.starts_with(own)));
    (if own { folder } else { common }).join(name)
}

/// The ref that the one at `path` names; none if it names a commit, or isn't there.
fn next(path: &Path) -> io::Result<Option<String>> {
    let seen = match fs::symlink_metadata(path) {
        Err(error) if is_absent(&error) => return Ok(None),
        seen => seen?,
    };
    // The folder of a ref that is packed.
    if seen.is_dir() {
        return Ok(None);
    }
    if seen.is_symlink() {
        let to = fs::read_link(path)?;
        if let Some(name) = to.to_str().filter(|name| name.starts_with("refs/") && Reference::is_valid_name(name)) {
            return Ok(Some(name.to_owned()));
        }
    }
    let bytes = match fs::read(path) {
        // It was packed meanwhile.
        Err(error) if is_absent(&error) && !seen.is_symlink() => return Ok(None),
        read => read?,
    };
    let Some(named) = bytes.strip_prefix(b"ref:") else { return Ok(None) };
    let named = std::str::from_utf8(named).ok().map(str::trim).filter(|name| Reference::is_valid_name(name));
    let named = named.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "it names no ref that can be read here"))?;
    Ok(Some(named.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_ends_where_git_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, common) = (folder.path().join("worktrees/one"), folder.path());
        fs::create_dir_all(common.join("refs/heads/packed")).expect("a folder");
        fs::create_dir_all(&own).expect("a folder");
        let write = |path: &str, text: &str| fs::write(common.join(path), text).expect("a file");
        let end = |name: &str| finally(&own, common, name);
        write("HEAD", "ref: refs/heads/other\n");
        assert_eq!(end("HEAD").expect("none at all"), "HEAD");
        write("worktrees/one/HEAD", "ref:\trefs/heads/alias \n");
        write("refs/heads/alias", "ref: refs/heads/packed");
        assert_eq!(end("HEAD").expect("a chain"), "refs/heads/packed");
        write("refs/heads/alias", &"1".repeat(40));
        assert_eq!(end("HEAD").expect("a chain"), "refs/heads/alias");
        write("refs/heads/alias", "ref: refs/heads/alias");
        assert!(end("HEAD").expect_err("a circle").to_string().contains("for ever"));
        write("refs/heads/alias", "ref: ../../../etc/passwd");
        assert!(end("HEAD").is_err(), "no ref");
    }
}
