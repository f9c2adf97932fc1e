//! What a private copy lacks although the user's checkout has it: the content of submodules, and files kept by Git LFS.

use std::fs;
use std::path::Path;

use git2::Repository;

/// The mode of a submodule in an index.
const SUBMODULE: u32 = 0o160_000;
/// So many are named.
const NAMED: usize = 3;

/// One sentence for each kind of content that is left out; untrusted names are quoted.
pub(crate) fn left_out(root: &Path) -> Vec<String> {
    let mut told = Vec::new();
    let submodules = submodules(root).unwrap_or_default();
    if !submodules.is_empty() {
        let named: Vec<String> = submodules.iter().take(NAMED).map(|path| format!("{path:?}")).collect();
        let more = submodules.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        told.push(format!("submodules are empty in the private copies: {}{more}", named.join(", ")));
    }
    let attributes = fs::read_to_string(root.join(".gitattributes")).unwrap_or_default();
    if attributes.lines().any(|line| !line.trim_start().starts_with('#') && line.contains("filter=lfs")) {
        told.push("files kept by Git LFS are pointers in the private copies".to_owned());
    }
    told
}

fn submodules(root: &Path) -> Result<Vec<String>, git2::Error> {
    let index = Repository::open(root)?.index()?;
    let paths = index.iter().filter(|entry| entry.mode == SUBMODULE);
    Ok(paths.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect())
}
