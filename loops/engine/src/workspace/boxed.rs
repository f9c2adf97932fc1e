//! The scripts of ours that run inside the sandbox, and the boxes around them. All paths are constants or arguments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::Oid;

use super::collect::SizeLimits;
use crate::sandbox::{Access, BoxSpec, Limits, Mount, Output};

/// The working tree inside.
pub(super) const TREE: &str = "/workspace";
const BASE: &str = "/git/base.git";
const START: &str = "/git/start.bundle";
const INDEX: &str = "/git/index";

/// Longest time of one script.
const WALL: Duration = Duration::from_secs(600);

/// Makes a private clone at commit `$1`: the objects are copied, never linked. The agent's own git gets a quiet configuration.
const CLONE: &str = r#"set -eu
cd /workspace
mkdir -p .git/refs/heads .git/info .git/objects
echo 'ref: refs/heads/work' > .git/HEAD
cat > .git/config <<'END'
[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
	hooksPath = /dev/null
	protectNTFS = true
	protectHFS = true
[gc]
	auto = 0
[maintenance]
	auto = false
[user]
	name = Loopwright
	email = loopwright@localhost
END
cp -R --reflink=auto /git/base.git/objects/. .git/objects/
chmod -R u+w .git/objects
[ ! -e /git/start.bundle ] || git bundle unbundle /git/start.bundle > /dev/null
git update-ref refs/heads/work "$1"
git -c advice.detachedHead=false -c checkout.workers=0 checkout -q -f work
"#;

/// Prepares a git directory of ours on a tmpfs; the `.git` of the workspace is not looked at.
const CLEAN_GIT: &str = r#"set -eu
export GIT_DIR=/tmp/g GIT_WORK_TREE=/workspace
mkdir -p /tmp/g/refs/heads /tmp/g/objects/info /tmp/g/objects/pack
echo 'ref: refs/heads/result' > /tmp/g/HEAD
echo /git/base.git/objects > /tmp/g/objects/info/alternates
cat > /tmp/g/config <<'END'
[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	fsmonitor = false
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	protectNTFS = true
	protectHFS = true
	autocrlf = false
	safecrlf = false
[diff]
	ignoreSubmodules = all
[gc]
	auto = 0
END
cp -p /git/index /tmp/g/index
cd /workspace
[ ! -e /git/start.bundle ] || git bundle unbundle /git/start.bundle > /dev/null
git ls-files -s | sed -n 's/^160000 [0-9a-f]* 0\t//p' > /tmp/submodules
[ ! -s /tmp/submodules ] || git update-index --skip-worktree --stdin < /tmp/submodules
"#;

/// Lists what changed: the number of names, then mode (hex), size and name of each that exists, each ended by NUL.
const SURVEY: &str = r#"
git ls-files -z -m -o --exclude-standard --deduplicate > /tmp/list
tr -cd '\0' < /tmp/list | wc -c
xargs -0 -r stat --printf='%f %s %n\0' -- < /tmp/list 2> /dev/null || true
"#;

/// How [`COMMIT`] ends when the changes are too large or not only files: the survey then says which.
pub(super) const TOO_LARGE: i32 = 4;

/// Commits everything on base `$1` with the message on standard input and writes a bundle; nothing if nothing changed (`$2`: the base's tree).
/// Before anything is added it is measured: `$3` files, `$4` bytes of one, `$5` bytes of all.
/// The refresh comes first so that files of the index's own second are compared only once. Only what was listed is looked at
/// again; where git has anything to say about a name (it lies behind a link now, it is forbidden), it looks at everything.
const COMMIT: &str = r#"
cat > /tmp/message
git update-index -q --refresh
git ls-files -z -m -o --exclude-standard --deduplicate > /tmp/list 2> /tmp/warnings
[ ! -s /tmp/warnings ] || { cat /tmp/warnings >&2; exit 3; }
[ "$(tr -cd '\0' < /tmp/list | wc -c)" -le "$3" ] || exit 4
xargs -0 -r stat --printf='%f %s\n' -- < /tmp/list > /tmp/sizes 2> /dev/null || true
total=0
while read -r mode size; do
	case $mode in 4*) exit 4 ;; esac
	[ "$size" -le "$4" ] || exit 4
	total=$((total + size))
done < /tmp/sizes
[ "$total" -le "$5" ] || exit 4
git update-index -z --add --remove --replace --stdin < /tmp/list 2> /tmp/said && [ ! -s /tmp/said ] || git add -A .
tree=$(git write-tree)
[ "$tree" != "$2" ] || exit 0
commit=$(git commit-tree -p "$1" -F /tmp/message "$tree")
git update-ref refs/heads/result "$commit"
git bundle create --quiet - refs/heads/result "^$1"
"#;

/// Makes every file and folder readable for its owner and takes away set-uid and set-gid bits, without following links.
const NORMALISE: &str = r#"set -eu
cd /workspace
find . -type d ! -perm -700 -exec chmod u+rwx {} \; -o -type f ! -perm -600 -exec chmod u+rw {} + -o -type f -perm /6000 -exec chmod ug-s {} +
"#;

/// Empties the workspace, whatever modes its folders have.
const EMPTY: &str = r#"set -eu
cd /workspace
find . -type d ! -perm -700 -exec chmod u+rwx {} \;
find . -mindepth 1 -delete
"#;

/// What stands beside a workspace on the host.
pub(super) struct Beside {
    /// The index as it was when no agent had seen the tree.
    pub(super) index: PathBuf,
    /// What the start commit needs beyond `base.git`, if anything.
    pub(super) start: Option<PathBuf>,
}

impl Beside {
    /// Of a workspace's home folder.
    pub(super) fn of(home: &Path) -> Beside {
        let start = home.join("start.bundle");
        Beside { index: home.join("index"), start: start.exists().then_some(start) }
    }
}

/// The box that makes the clone.
pub(super) fn clone(tree: &Path, base: &Path, beside: &Beside, commit: Oid) -> BoxSpec {
    let mut spec = script("clone", CLONE, &[&commit.to_string()], tree, Access::Writable);
    spec.mounts.push(read_only(base, BASE));
    spec.mounts.extend(beside.start.as_deref().map(|s| read_only(s, START)));
    spec
}

/// The box that lists what changed.
pub(super) fn survey(tree: &Path, base: &Path, beside: &Beside) -> BoxSpec {
    let mut spec = script("survey", &format!("{CLEAN_GIT}{SURVEY}"), &[], tree, Access::ReadOnly);
    add_clean_mounts(&mut spec, base, beside);
    spec
}

/// What the commit of an attempt says.
pub(super) struct CommitBox<'a> {
    /// Its parent.
    pub(super) base: Oid,
    /// The parent's tree.
    pub(super) base_tree: Oid,
    /// Its message.
    pub(super) message: &'a str,
    /// The most that it may change.
    pub(super) limits: SizeLimits,
    /// Where its bundle goes.
    pub(super) bundle: PathBuf,
}

/// The box that commits and writes the bundle.
pub(super) fn commit(tree: &Path, base: &Path, beside: &Beside, order: &CommitBox<'_>) -> BoxSpec {
    let SizeLimits { file, files, total } = order.limits;
    let arguments =
        [order.base.to_string(), order.base_tree.to_string(), files.to_string(), file.to_string(), total.to_string()];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut spec = script("collect", &format!("{CLEAN_GIT}{COMMIT}"), &arguments, tree, Access::ReadOnly);
    add_clean_mounts(&mut spec, base, beside);
    for who in ["AUTHOR", "COMMITTER"] {
        let (name, mail) = crate::git::AUTHOR;
        spec.env.insert(format!("GIT_{who}_NAME"), name.to_owned());
        spec.env.insert(format!("GIT_{who}_EMAIL"), mail.to_owned());
    }
    spec.stdin = order.message.as_bytes().to_vec();
    // Compressed objects are rarely larger than the files; trees come on top.
    spec.limits.output = total + (56 << 20);
    spec.stdout = Output::File(order.bundle.clone());
    spec
}

/// The box that makes everything readable.
pub(super) fn normalise(tree: &Path) -> BoxSpec {
    script("normalise", NORMALISE, &[], tree, Access::Writable)
}

/// The box that empties a workspace.
pub(super) fn empty(tree: &Path) -> BoxSpec {
    script("empty", EMPTY, &[], tree, Access::Writable)
}

fn add_clean_mounts(spec: &mut BoxSpec, base: &Path, beside: &Beside) {
    spec.mounts.push(read_only(base, BASE));
    spec.mounts.push(read_only(&beside.index, INDEX));
    spec.mounts.extend(beside.start.as_deref().map(|s| read_only(s, START)));
}

fn script(label: &str, script: &str, arguments: &[&str], tree: &Path, access: Access) -> BoxSpec {
    let mut argv: Vec<String> = ["/bin/sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    argv.extend(arguments.iter().map(|a| (*a).to_owned()));
    let settings = [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("LC_ALL", "C"),
    ];
    BoxSpec {
        label: label.to_owned(),
        argv,
        env: BTreeMap::from(settings.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        cwd: "/".to_owned(),
        mounts: vec![Mount { source: tree.to_owned(), target: TREE.to_owned(), access }],
        stdin: Vec::new(),
        limits: Limits { wall: WALL, idle: None, output: 64 << 20 },
        stdout: Output::Memory,
    }
}

fn read_only(source: &Path, target: &str) -> Mount {
    Mount { source: source.to_owned(), target: target.to_owned(), access: Access::ReadOnly }
}
