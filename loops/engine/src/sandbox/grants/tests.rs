//! What grants open, and what none can.

use std::fs;

use super::*;

struct World {
    root: tempfile::TempDir,
    home: Home,
}

impl World {
    fn new() -> World {
        // Not wherever TMPDIR leads: in /dev/shm nothing may be granted.
        let root = tempfile::tempdir_in("/tmp").expect("a folder");
        let world = World { home: Home::under(&root.path().join("lw")), root };
        for folder in ["me/.ssh", "me/.mozilla", "me/.config/autostart", "me/papers/old", "me/bin", "shop/src", "disk"]
        {
            fs::create_dir_all(world.at(folder)).expect("a folder");
        }
        fs::create_dir_all(&world.home.data).expect("a folder");
        fs::write(world.at("me/.netrc"), "x").expect("a file");
        fs::write(world.at("me/papers/a"), "x").expect("a file");
        std::os::unix::fs::symlink(world.at("me/.ssh"), world.at("me/papers/keys")).expect("a link");
        std::os::unix::fs::symlink(world.at("disk"), world.at("me/disk")).expect("a link");
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().expect("it is there").join(name)
    }

    fn ask(&self, read: &[&str], write: &[&str]) -> Result<Granted> {
        let full = |path: &&str| match path.starts_with(['/', '~']) {
            true => (*path).to_owned(),
            false => self.at(path).display().to_string(),
        };
        let [read, write] = [read, write].map(|paths| paths.iter().map(full).collect());
        let (person, repo) = (self.at("me"), self.at("shop"));
        let keeper = Keeper { home: &self.home, person: Some(&person), repo: Some(&repo) };
        granted(&Grants { read, write, network: Vec::new() }, &keeper)
    }

    fn said(&self, read: &[&str], write: &[&str]) -> String {
        format!("{:#}", self.ask(read, write).expect_err("refused"))
    }
}

#[test]
fn a_path_is_seen_where_it_is() {
    let world = World::new();
    let granted = world.ask(&["~/papers", "me/papers/a", "shop"], &["disk", "~/papers/old/"]).expect("granted");
    let rows: Vec<_> = granted.mounts.iter().map(|m| (m.source.clone(), m.target.clone(), m.access)).collect();
    let row = |name: &str, access| (world.at(name), world.at(name).display().to_string(), access);
    use Access::{ReadOnly, Writable};
    let expected = [
        row("me/papers", ReadOnly),
        row("me/papers/a", ReadOnly),
        row("shop", ReadOnly),
        row("disk", Writable),
        row("me/papers/old", Writable),
    ];
    assert_eq!(rows, expected);
    let both = world.ask(&["disk"], &["disk"]).expect("granted").mounts;
    assert_eq!(both.iter().map(|m| m.access).collect::<Vec<_>>(), [Writable]);
}

#[test]
fn secrets_our_own_and_the_system_are_never_seen() {
    let world = World::new();
    let data = world.home.data.display().to_string();
    for (path, what) in [
        ("~", "your home folder"),
        ("~/.ssh", "keys or sessions"),
        ("~/.netrc", "keys or sessions"),
        ("~/.mozilla", "keys or sessions"),
        ("~/.config", "keys or sessions"),
        ("/", "Loopwright keeps"),
        (&data, "Loopwright keeps"),
        ("/etc", "place of the system"),
        ("/usr/bin", "place of the system"),
        ("/proc/self", "leads to"),
        ("/var", "place of the system"),
    ] {
        let said = world.said(&[path], &[]);
        assert!(said.contains(what), "{path}: {said}");
    }
}

#[test]
fn credentials_are_named_where_a_folder_above_them_is_granted() {
    let world = World::new();
    for folder in ["me/.config/git", "me/.config/other", "me/.local/lib/python3", "me/.cargo/registry"] {
        fs::create_dir_all(world.at(folder)).expect("a folder");
    }
    fs::write(world.at("me/.bash_history"), "x").expect("a file");
    fs::write(world.at("me/.profile"), "x").expect("a file");
    for (path, place) in [("~/.config/git", ".config/git/credentials"), ("~/.bash_history", ".bash_history")] {
        let said = world.said(&[path], &[]);
        assert!(said.contains(&format!("me/{place}, where keys")), "{path}: {said}");
    }
    for (path, place) in [("~/.profile", ".profile"), ("~/.local/lib/python3", ".local/lib")] {
        world.ask(&[path], &[]).expect("the control: it may be read");
        let said = world.said(&[], &[path]);
        assert!(said.contains(&format!("me/{place}, which your programs obey")), "{path}: {said}");
    }
    world.ask(&["~/.config/other"], &["~/.cargo/registry"]).expect("the control: nothing of that lies there");
}

#[test]
fn what_programs_obey_and_the_repository_are_read_and_never_written() {
    let world = World::new();
    for (path, what) in [
        ("~/.config/autostart", "your programs obey"),
        ("~/bin", "your programs obey"),
        ("shop", "an approval alone"),
        ("shop/src", "an approval alone"),
    ] {
        world.ask(&[path], &[]).expect("the control: it may be read");
        let said = world.said(&[], &[path]);
        assert!(said.contains(what), "{path}: {said}");
    }
}

#[test]
fn links_and_detours_are_named_and_not_followed() {
    let world = World::new();
    for (path, what) in [
        ("~/papers/keys", "by a link"),
        ("~/disk", "by a link"),
        ("~/papers/../.ssh", "without `..`"),
        ("~/papers/absent", "can't be found"),
        ("papers\0", "can't be found"),
    ] {
        let said = world.said(&[path], &[]);
        assert!(said.contains(what), "{path}: {said}");
    }
    assert!(world.said(&["/dev/null"], &[]).contains("neither a folder nor a file"));
}

#[test]
fn hosts_are_named_with_their_port() {
    let world = World::new();
    let keeper = Keeper { home: &world.home, person: None, repo: None };
    let ask = |host: &str| granted(&Grants { network: vec![host.to_owned()], ..Grants::default() }, &keeper);
    assert_eq!(ask("A.example:443").expect("a host").network[0].to_string(), "a.example:443");
    assert!(format!("{:#}", ask("a.example").expect_err("no port")).contains("a.example:443"));
    assert!(ask("*.example:443").is_err());
}

/// What was judged is what is seen, although something else takes its place before the box is made.
#[test]
fn a_place_that_is_swapped_after_it_was_judged_shows_what_was_judged() {
    use crate::sandbox::{BoxSpec, Limits, Output, Sandbox as _, bubblewrap};
    let world = World::new();
    fs::write(world.at("me/.ssh/key"), "secret").expect("a file");
    let granted = world.ask(&["~/papers"], &[]).expect("granted");
    fs::rename(world.at("me/papers"), world.at("me/moved")).expect("moved");
    std::os::unix::fs::symlink(world.at("me/.ssh"), world.at("me/papers")).expect("a link in its place");
    let spec = BoxSpec {
        label: "look".to_owned(),
        argv: vec!["ls".to_owned(), world.at("me/papers").display().to_string()],
        env: Default::default(),
        cwd: "/".to_owned(),
        mounts: granted.mounts,
        stdin: Vec::new(),
        limits: Limits { wall: std::time::Duration::from_secs(20), idle: None, output: 1 << 16 },
        stdout: Output::Memory,
    };
    let sandbox = bubblewrap::for_tests();
    let seen =
        |sandbox: &bubblewrap::Bubblewrap| String::from_utf8(sandbox.run(&spec).expect("a box").stdout).expect("names");
    assert_eq!(seen(&sandbox), "key\n", "the control: by its path, what took the place is seen");
    if sandbox.binds_what_is_open() {
        assert_eq!(seen(&sandbox.binding(granted.open)), "a\nkeys\nold\n");
    }
}
