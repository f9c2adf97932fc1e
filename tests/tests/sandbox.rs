//! What a box can't reach: each probe fails inside, and its control outside gets through.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use loopwright_core::check::Ended;
use loopwright_engine::sandbox::bubblewrap::Bubblewrap;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_engine::sandbox::{Access, BoxOutput, BoxSpec, Limits, Mount, Output, Sandbox};

const SECRET: &str = "canary-5f1c";

fn probes() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_box_runner"))
}

fn spec(argv: &[&str]) -> BoxSpec {
    BoxSpec {
        label: "probe".to_owned(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: Default::default(),
        cwd: "/tmp".to_owned(),
        mounts: vec![Mount { source: probes().to_owned(), target: "/probe".to_owned(), access: Access::ReadOnly }],
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(20), idle: None, output: 1 << 20 },
        stdout: Output::Memory,
    }
}

fn boxed(spec: &BoxSpec) -> BoxOutput {
    let sandbox = Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap");
    sandbox.run(spec).expect("a box")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a shell text inside and outside: inside it must not end well, outside it must.
fn only_outside(script: &str) {
    let outside = Command::new("bash").args(["-c", script]).stderr(Stdio::null()).stdout(Stdio::null()).status();
    assert!(outside.expect("bash").success(), "the control fails: {script}");
    only_blocked(&["bash", "-c", script]);
}

fn only_blocked(argv: &[&str]) {
    let inside = boxed(&spec(argv));
    assert!(matches!(inside.ended, Ended::Exited(code) if code != 0), "{argv:?}: {inside:?}");
}

/// The same for a probe of the test program.
fn probe_only_outside(what: &str, argument: &str) {
    let outside = Command::new(probes()).args(["probe", what, argument]).status();
    assert!(outside.expect("the probe").success(), "the control fails: {what}");
    only_blocked(&["/probe", "probe", what, argument]);
}

#[test]
fn the_program_runs_and_its_end_is_told() {
    let output = boxed(&BoxSpec { stdin: b"hello".to_vec(), ..spec(&["sh", "-c", "cat; echo err >&2; exit 3"]) });
    assert_eq!(
        (output.ended, text(&output.stdout), text(&output.stderr)),
        (Ended::Exited(3), "hello".into(), "err\n".into())
    );
    assert_eq!(boxed(&spec(&["sh", "-c", "kill -SEGV $$"])).ended, Ended::Signalled(11));
    assert_eq!(boxed(&spec(&["/no/such/program"])).ended, Ended::Exited(127));
    assert_eq!(boxed(&spec(&["/etc/passwd"])).ended, Ended::Exited(126));
}

#[test]
fn a_box_that_cannot_be_made_is_an_error() {
    let mount = Mount { source: "/nowhere".into(), target: "/x".to_owned(), access: Access::ReadOnly };
    let sandbox = Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap");
    let error = sandbox.run(&BoxSpec { mounts: vec![mount], ..spec(&["true"]) }).expect_err("no such source");
    assert!(format!("{error:#}").contains("/nowhere"), "{error:#}");
    let error = sandbox.run(&BoxSpec { cwd: "/nowhere".to_owned(), ..spec(&["true"]) }).expect_err("no such folder");
    assert!(format!("{error:#}").contains("bubblewrap failed"), "{error:#}");
}

#[test]
fn no_listener_of_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("its address").port().to_string();
    probe_only_outside("tcp", &port);
}

#[test]
fn no_abstract_socket_of_the_host() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net;
    let name = format!("loopwright-{}", std::process::id());
    let address = net::SocketAddr::from_abstract_name(&name).expect("a name");
    let _listener = net::UnixListener::bind_addr(&address).expect("a listener");
    probe_only_outside("abstract", &name);
}

#[test]
fn no_way_out_but_itself() {
    let output = boxed(&spec(&[
        "sh",
        "-c",
        "tail -n +3 /proc/net/dev | cut -d: -f1; cat /proc/net/route | wc -l; cat /etc/resolv.conf",
    ]));
    assert_eq!(text(&output.stdout).split_whitespace().collect::<Vec<_>>(), ["lo", "1"]);
    assert_ne!(output.ended, Ended::Exited(0), "there is no resolver");
    let output = boxed(&spec(&["bash", "-c", "exec 3<>/dev/tcp/1.1.1.1/53"]));
    assert!(text(&output.stderr).contains("Network is unreachable"), "{output:?}");
    let own = "cat /proc/sys/net/ipv4/ip_local_port_range && getent hosts localhost";
    assert_eq!(boxed(&spec(&["sh", "-c", own])).ended, Ended::Exited(0), "its own loopback has a name");
}

#[test]
fn neither_home_nor_keys_nor_data() {
    let home = std::env::var("HOME").map(PathBuf::from).expect("HOME");
    let planted = tempfile::Builder::new().prefix(".canary").tempdir_in(home).expect("a folder in HOME");
    for name in ["plain", ".ssh/id_ed25519", ".local/share/loopwright/loopwright.db"] {
        let file = planted.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        fs::write(&file, SECRET).expect("a file");
        only_outside(&format!("cat {}", file.display()));
        only_outside(&format!("echo x >> {}", file.display()));
    }
    only_outside("ls /run && ls /var");
    only_outside("head -c1 /etc/hostname");
}

#[test]
fn no_private_key_of_the_system() {
    only_outside("test -e /etc/ssl/private");
    let output = boxed(&spec(&["sh", "-c", "ls /etc /etc/ssl"]));
    assert!(!text(&output.stdout).contains("private") && !text(&output.stdout).contains("shadow"), "{output:?}");
}

#[test]
fn nothing_of_the_callers_environment() {
    let search = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c canary-5f1c";
    let outside = Command::new("sh").args(["-c", search]).env("TOKEN", SECRET).stdout(Stdio::null()).status();
    assert!(outside.expect("sh").success(), "the control");
    // The caller of the box has the secret: this test program, started again with it.
    let own = std::env::current_exe().expect("this program");
    let again = Command::new(own).args(["--exact", "inner_environment", "--nocapture"]).env("TOKEN", SECRET).output();
    let again = again.expect("this program");
    assert!(again.status.success(), "{}", text(&again.stdout));
    assert!(text(&again.stdout).contains("looked with the secret"), "{}", text(&again.stdout));
}

/// The inner half of the test above; without the secret in its environment it has nothing to do.
#[test]
fn inner_environment() {
    if std::env::var("TOKEN").as_deref() != Ok(SECRET) {
        return;
    }
    let output = boxed(&spec(&["sh", "-c", "env; cat /proc/[0-9]*/environ; tr '\\0' ' ' < /proc/1/cmdline"]));
    assert!(!text(&output.stdout).contains(SECRET), "{output:?}");
    let names: Vec<_> =
        text(&boxed(&spec(&["env"])).stdout).lines().map(|l| l.split('=').next().unwrap_or("").to_owned()).collect();
    let expected = ["CARGO_HOME", "CARGO_NET_OFFLINE", "HOME", "PATH", "PWD", "TMPDIR"];
    // What the toolchains that this machine has are told: where they are, and that there is no network.
    let tools = ["RUSTUP_", "npm_config_", "GOMODCACHE", "GOPROXY", "GOTOOLCHAIN"];
    let known = |name: &String| expected.contains(&name.as_str()) || tools.iter().any(|t| name.starts_with(t));
    assert!(names.iter().all(known), "{names:?}");
    writeln!(std::io::stdout(), "looked with the secret").expect("said");
}

#[test]
fn no_process_of_the_host() {
    // Ends by itself when this test does, since its standard input then ends.
    let mut command = Command::new("cat");
    let mut child = command.args(["-", "/canary-process"]).stdin(Stdio::piped()).spawn().expect("a process");
    let pid = child.id();
    let seen = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -q 'cat - /[c]anary-process'";
    only_outside(seen);
    only_outside(&format!("kill -0 {pid}"));
    probe_only_outside("memory", &pid.to_string());
    only_blocked(&["sh", "-c", &format!("kill -KILL {pid}")]);
    assert!(child.try_wait().expect("asked").is_none(), "it lives");
    child.kill().expect("killed");
    child.wait().expect("collected");
}

#[test]
fn the_system_is_read_only() {
    for folder in ["/usr", "/etc", "/usr/bin", "/"] {
        let output = boxed(&spec(&["sh", "-c", &format!("echo x > {folder}/canary")]));
        assert_ne!(output.ended, Ended::Exited(0), "{folder}");
        assert!(text(&output.stderr).contains("Read-only file system"), "{output:?}");
        assert!(!Path::new(folder).join("canary").exists());
    }
    let wanted = "echo x > /tmp/a && echo x > $HOME/a && echo x > $TMPDIR/b";
    assert_eq!(boxed(&spec(&["sh", "-c", wanted])).ended, Ended::Exited(0), "the control: scratch is writable");
}

/// What of the machine's settings could be written (nothing is), and which of the kernel's secrets can be read.
const OPEN_SETTINGS: &str =
    "find /proc -mindepth 1 -path '/proc/[0-9]*' -prune -o -type l -o -writable -print 2>/dev/null
    for f in kcore keys kmsg kallsyms timer_list sched_debug; do [ -r /proc/$f ] && head -c1 /proc/$f | grep . ; done";

#[test]
fn no_setting_of_the_machine_can_be_written() {
    let inside = boxed(&spec(&["bash", "-c", OPEN_SETTINGS]));
    assert_eq!(text(&inside.stdout), "", "{inside:?}");
    let read = "test -r /proc/sys/kernel/ostype && cat /proc/sys/kernel/ostype /proc/cpuinfo /proc/meminfo /proc/stat";
    assert_eq!(boxed(&spec(&["sh", "-c", read])).ended, Ended::Exited(0), "the control: they can be read");
}

/// The negative control: bubblewrap's own `/proc`, without our mounts over it, is open to the machine's root.
#[test]
fn without_covers_settings_can_be_written_by_root() {
    if !rustix::process::getuid().is_root() {
        return;
    }
    let mut bare = Command::new("bwrap");
    bare.args(["--unshare-all", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--ro-bind", "/", "/"]);
    let output = bare.args(["--proc", "/proc", "--dev", "/dev", "bash", "-c", OPEN_SETTINGS]).output().expect("bwrap");
    let open = text(&output.stdout);
    assert!(open.lines().any(|line| line.starts_with("/proc/sys/kernel/")), "{output:?}");
}

#[test]
fn mounts_are_as_writable_as_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    for (access, well) in [(Access::ReadOnly, false), (Access::Writable, true)] {
        let mount = Mount { source: folder.path().to_owned(), target: "/workspace".to_owned(), access };
        let write = spec(&["sh", "-c", "echo x > canary"]);
        let output = boxed(&BoxSpec { mounts: vec![mount], cwd: "/workspace".to_owned(), ..write });
        assert_eq!(output.ended.well(), well, "{access:?}: {output:?}");
        assert_eq!(folder.path().join("canary").exists(), well);
    }
}

#[test]
fn no_nested_namespaces_and_no_dangerous_calls() {
    only_outside("unshare -Ur true");
    for what in ["traceme", "clone3", "keyctl", "vsock"] {
        probe_only_outside(what, "");
    }
    // A kernel that does not have it yet answers like a filter: there is no control there.
    if Command::new(probes()).args(["probe", "open_tree_attr", ""]).status().expect("the probe").success() {
        probe_only_outside("open_tree_attr", "");
    }
    only_outside("cd \"$(mktemp -d)\" && touch f && chmod 4755 f");
    assert_eq!(
        boxed(&spec(&["sh", "-c", "touch f && chmod 755 f"])).ended,
        Ended::Exited(0),
        "plain modes are allowed"
    );
    only_blocked(&["bash", "-c", "grep -q 'CapEff:.*[1-9a-f]' /proc/self/status"]);
}

#[test]
fn no_descriptor_is_inherited() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("open");
    fs::write(&path, SECRET).expect("a file");
    let open = OwnedFd::from(fs::File::open(&path).expect("opened"));
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).expect("inheritable");
    let read = format!("cat /proc/self/fd/{}", open.as_raw_fd());
    only_outside(&read);
    let list = text(&boxed(&spec(&["sh", "-c", "ls /proc/self/fd /proc/1/fd; ls -l /proc/self/fd"])).stdout);
    assert!(!list.contains("open") && !list.contains("memfd"), "{list}");
}

#[test]
fn limits_end_what_hangs_or_floods() {
    let limits = |wall, idle, output| Limits { wall: Duration::from_millis(wall), idle, output };
    let with = |script: &str, limits| boxed(&BoxSpec { limits, ..spec(&["sh", "-c", script]) });
    let half = Some(Duration::from_millis(500));
    let talks = "while :; do echo x; sleep 0.05; done";
    assert_eq!(with(talks, limits(1000, half, 1 << 20)).ended, Ended::TimedOut);
    assert_eq!(with("echo x; sleep 600", limits(20_000, half, 1 << 20)).ended, Ended::Silent);
    let flood = with("cat /dev/zero", limits(20_000, None, 100_000));
    assert_eq!((flood.ended, flood.stdout.len()), (Ended::Flooded, 100_000));
    let well = with("echo x; sleep 0.2", limits(20_000, half, 1 << 20));
    assert_eq!(well.ended, Ended::Exited(0), "the control: within its limits it ends by itself");
}

#[test]
fn one_that_never_reads_and_grandchildren_that_hold_pipes_do_not_hang_it() {
    let deaf = BoxSpec { stdin: vec![b'x'; 1 << 20], ..spec(&["sh", "-c", "exit 0"]) };
    assert_eq!(boxed(&deaf).ended, Ended::Exited(0));
    let output = boxed(&spec(&["sh", "-c", "setsid sleep 600 & echo done"]));
    assert_eq!((output.ended, text(&output.stdout)), (Ended::Exited(0), "done\n".into()));
    assert!(output.took < Duration::from_secs(10), "{:?}", output.took);
}

#[test]
fn output_goes_into_a_new_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out");
    let bytes = BoxSpec { stdout: Output::File(path.clone()), ..spec(&["head", "-c", "3000000", "/dev/zero"]) };
    let bytes = BoxSpec { limits: Limits { output: 4_000_000, ..bytes.limits }, ..bytes };
    assert_eq!(boxed(&bytes).ended, Ended::Exited(0));
    assert_eq!(fs::metadata(&path).expect("the file").len(), 3_000_000);
    let sandbox = Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap");
    assert!(sandbox.run(&bytes).is_err(), "it is never written over");
}

#[test]
fn toolchains_work_inside() {
    let sandbox = Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap");
    if !sandbox.mounts_table().iter().any(|row| row.inside == "/toolchain/rustup") {
        return;
    }
    let script = "cargo --version && cargo init -q --vcs none --name x x && cd x && cargo test -q";
    let output = boxed(&BoxSpec {
        limits: Limits { wall: Duration::from_secs(120), ..spec(&[]).limits },
        ..spec(&["sh", "-c", script])
    });
    assert_eq!(output.ended, Ended::Exited(0), "{}", text(&output.stderr));
}

#[test]
fn the_projects_own_rust_is_not_replaced_by_another() {
    let sandbox = Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap");
    if !sandbox.mounts_table().iter().any(|row| row.inside == "/toolchain/rustup") {
        return;
    }
    let script = "printf '[toolchain]\\nchannel = \"1.0.1\"\\n' > rust-toolchain.toml && cargo --version";
    let asked = spec(&["sh", "-c", script]);
    // The control: a toolchain that is named for the box hides what the project asks for.
    assert_eq!(sandbox.run(&asked).expect("a box").ended, Ended::Exited(0));
    let output = sandbox.with_the_projects_rust().run(&asked).expect("a box");
    assert!(!output.ended.well(), "{output:?}");
    assert!(text(&output.stderr).contains("1.0.1"), "{}", text(&output.stderr));
}
