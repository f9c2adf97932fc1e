//! A small runner for the tests of sandbox and watchdog: one box, and nothing around it. And probes that a shell can't make.
//!
//! `run RUN_DIR HALT… ARMED -- PROGRAM ARGS…` is the runner, `probe WHAT ARGUMENT` a probe: exit 0 = it got through.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use loopwright_core::check::Ended;
use loopwright_engine::halt::{HaltFiles, HaltLevel};
use loopwright_engine::lease::{Supervision, require_watchdog};
use loopwright_engine::sandbox::bubblewrap::Bubblewrap;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_engine::sandbox::{BoxSpec, Limits, Output, Sandbox};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["probe", what, argument] => probe(what, argument).map(|()| 0),
        ["run", rest @ ..] => run(rest),
        _ => Ok(2),
    };
    outcome.map_or(ExitCode::FAILURE, ExitCode::from)
}

fn run(words: &[&str]) -> anyhow::Result<u8> {
    require_watchdog()?;
    let end = words.iter().position(|word| *word == "--").context("a program after --")?;
    let [dir, halts @ .., armed] = &words[..end] else { bail!("a run directory and ARMED") };
    let halts = halts.iter().map(|path| (HaltLevel::Run, PathBuf::from(path))).collect();
    let halt = HaltFiles { halts, armed: Some(PathBuf::from(armed)) };
    let run = Arc::new(Supervision::take(Path::new(dir), halt)?);
    let sandbox = Bubblewrap::find(&HostEnvironment::read())?.supervised(run);
    let output = sandbox.run(&BoxSpec {
        label: "agent".to_owned(),
        argv: words[end + 1..].iter().map(|word| (*word).to_owned()).collect(),
        env: Default::default(),
        cwd: "/tmp".to_owned(),
        mounts: Vec::new(),
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(300), idle: None, output: 1 << 24 },
        stdout: Output::Memory,
    })?;
    std::fs::write(Path::new(dir).join("ended"), format!("{:?}", output.ended))?;
    Ok(if output.ended == Ended::Exited(0) { 0 } else { 1 })
}

fn probe(what: &str, argument: &str) -> anyhow::Result<()> {
    match what {
        "tcp" => {
            let to = SocketAddr::from(([127, 0, 0, 1], argument.parse()?));
            TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
        }
        "abstract" => abstract_socket(argument)?,
        "memory" => {
            // Opening it asks for the same right as ptrace.
            std::fs::File::open(format!("/proc/{argument}/mem"))?;
        }
        "traceme" => call(libc::SYS_ptrace, libc::c_long::from(libc::PTRACE_TRACEME))?,
        "clone3" => call(libc::SYS_clone3, 0)?,
        "vsock" => call(libc::SYS_socket, libc::c_long::from(libc::AF_VSOCK))?,
        "open_tree_attr" => call(467, -1)?,
        "keyctl" => call(libc::SYS_keyctl, 0)?,
        _ => bail!("no such probe"),
    }
    Ok(())
}

fn abstract_socket(name: &str) -> anyhow::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net;
    net::UnixStream::connect_addr(&net::SocketAddr::from_abstract_name(name)?)?;
    Ok(())
}

/// Makes a system call; which error it answers shows whether a filter stood before it.
#[expect(unsafe_code, reason = "the calls that a filter refuses have no safe wrapper")]
fn call(number: libc::c_long, argument: libc::c_long) -> anyhow::Result<()> {
    // The second argument of socket is its type; the others take 0 or look at it only after the first.
    let second = libc::c_long::from(libc::SOCK_STREAM);
    // SAFETY: no argument is an address that the kernel would read or write with these calls.
    let answer = unsafe { libc::syscall(number, argument, second, 0, 0, 0) };
    let error = std::io::Error::last_os_error().raw_os_error();
    let filtered = [Some(libc::EPERM), Some(libc::ENOSYS), Some(libc::EAFNOSUPPORT)].contains(&error);
    if answer < 0 && filtered {
        bail!("refused");
    }
    Ok(())
}
