//! Which layers of the sandbox stand on this machine, found by making a box and looking around in it; and how to repair one.

use std::path::Path;
use std::time::Duration;

use loopwright_core::check::Ended;

use super::bubblewrap::Bubblewrap;
use super::toolchain::HostEnvironment;
use super::{BoxOutput, BoxSpec, Limits, Output, Sandbox};

/// One layer, as `doctor` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: &'static str,
    /// Whether it stands.
    pub state: LayerState,
}

/// Whether a layer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerState {
    /// It was tried and holds.
    On,
    /// This version of Loopwright does not have it.
    NotBuilt,
    /// It is missing on this machine: why, or the command that repairs it.
    Missing(String),
}

/// What the box is asked, and the answer that means "on".
const QUESTIONS: &[(&str, &str, Wanted)] = &[
    ("user namespace", "readlink /proc/self/ns/user", Wanted::Own("user")),
    ("process namespace", "readlink /proc/self/ns/pid", Wanted::Own("pid")),
    ("network namespace", "readlink /proc/self/ns/net", Wanted::Own("net")),
    ("mount namespace", "readlink /proc/self/ns/mnt", Wanted::Own("mnt")),
    ("other namespaces", "readlink /proc/self/ns/ipc", Wanted::Own("ipc")),
    ("view by allow-list", "test ! -e /etc/shadow -a ! -e /run -a ! -e /var && echo yes", Wanted::Text("yes")),
    ("kernel settings read-only", KERNEL_SETTINGS, Wanted::Text("yes")),
    ("no capabilities", "grep -c '^Cap...:.0000000000000000$' /proc/self/status", Wanted::Text("5")),
    ("no new privileges", "grep -c '^NoNewPrivs:.1$' /proc/self/status", Wanted::Text("1")),
    ("system call filter", "grep -c '^Seccomp:.2$' /proc/self/status", Wanted::Text("1")),
    ("no nested namespaces", "unshare -Ur true 2>/dev/null || echo refused", Wanted::Text("refused")),
];

/// That the mount is there counts, since the permissions alone may already keep a plain user from writing.
const KERNEL_SETTINGS: &str = "grep -q '^[^ ]* [^ ]* [^ ]* [^ ]* /proc/sys ro,' /proc/self/mountinfo \
    && test ! -w /proc/sys/kernel/core_pattern -a ! -w /proc/sysrq-trigger -a ! -w /proc/irq && echo yes";

/// An answer that means "on".
#[derive(Clone, Copy)]
enum Wanted {
    /// This text.
    Text(&'static str),
    /// The name of another namespace of this kind than ours.
    Own(&'static str),
}

impl Wanted {
    fn is(self, answer: &str) -> bool {
        match self {
            Wanted::Text(text) => answer == text,
            Wanted::Own(kind) => {
                let ours = std::fs::read_link(format!("/proc/self/ns/{kind}"));
                !answer.is_empty() && ours.is_ok_and(|ours| ours != Path::new(answer))
            }
        }
    }
}

/// Layers of the design that do not exist yet.
const NOT_BUILT: &[&str] = &["Landlock", "gateway", "copy-on-write workspaces", "memory and process limits"];

/// Tries every layer, beginning with bubblewrap itself.
pub fn probe(host: &HostEnvironment) -> Vec<Layer> {
    judged(Bubblewrap::find(host).and_then(|sandbox| ask(&sandbox)))
}

/// Tries every layer of a sandbox that was found already.
pub fn probe_in(sandbox: &Bubblewrap) -> Vec<Layer> {
    judged(ask(sandbox))
}

fn judged(answers: anyhow::Result<Vec<String>>) -> Vec<Layer> {
    let state = |at: usize, wanted: Wanted| match &answers {
        Err(error) => LayerState::Missing(format!("{error:#}")),
        Ok(answers) if answers.get(at).is_some_and(|a| wanted.is(a)) => LayerState::On,
        Ok(answers) => {
            LayerState::Missing(format!("the box answered `{}`", answers.get(at).map_or("", String::as_str)))
        }
    };
    let tried = QUESTIONS.iter().enumerate().map(|(at, (name, _, wanted))| Layer { name, state: state(at, *wanted) });
    let planned = NOT_BUILT.iter().map(|name| Layer { name, state: LayerState::NotBuilt });
    tried.chain(planned).collect()
}

/// Whether all layers that exist stand.
pub fn stands(layers: &[Layer]) -> bool {
    !layers.iter().any(|layer| matches!(layer.state, LayerState::Missing(_)))
}

fn ask(sandbox: &dyn Sandbox) -> anyhow::Result<Vec<String>> {
    let script: Vec<String> = QUESTIONS.iter().map(|(_, question, _)| format!("echo \"$({question})\"")).collect();
    let output = sandbox.run(&BoxSpec {
        label: "probe".to_owned(),
        argv: ["sh", "-c", &script.join("\n")].map(str::to_owned).to_vec(),
        env: Default::default(),
        cwd: "/tmp".to_owned(),
        mounts: Vec::new(),
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(10), idle: None, output: 1 << 16 },
        stdout: Output::Memory,
    })?;
    answers(&output)
}

fn answers(output: &BoxOutput) -> anyhow::Result<Vec<String>> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.ended == Ended::Exited(0), "the probe {}: {}", output.ended, stderr.trim());
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).collect())
}

/// The command that installs or updates bubblewrap on this machine.
pub(super) fn install() -> &'static str {
    let has = |program: &str| Path::new("/usr/bin").join(program).exists();
    match () {
        () if has("apt-get") => "sudo apt-get install bubblewrap",
        () if has("dnf") => "sudo dnf install bubblewrap",
        () if has("pacman") => "sudo pacman -S bubblewrap",
        () => "install the package `bubblewrap` of your distribution",
    }
}

/// What to do about a complaint of bubblewrap, as a text to add to it; empty if nothing is known.
pub(super) fn hint(complaint: &str) -> String {
    let denied = ["setting up uid map", "RTM_NEWADDR", "No permissions to creat", "Operation not permitted"];
    let repair = match complaint {
        c if c.contains("No space left on device") => "sudo sysctl -w user.max_user_namespaces=15000",
        c if !denied.iter().any(|sign| c.contains(sign)) => return String::new(),
        _ if switched_off("/proc/sys/kernel/unprivileged_userns_clone", "0") => {
            "sudo sysctl -w kernel.unprivileged_userns_clone=1"
        }
        _ if switched_off("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") => APPARMOR,
        _ => return "; user namespaces seem to be forbidden here".to_owned(),
    };
    format!("; repair: {repair}")
}

/// Ubuntu 24.04 and later let only programs with a profile make user namespaces.
const APPARMOR: &str = "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\n\
    profile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n' | sudo tee /etc/apparmor.d/bwrap \
    && sudo apparmor_parser -r /etc/apparmor.d/bwrap";

fn switched_off(path: &str, off: &str) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.trim() == off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_layer_stands_here() {
        let layers = probe(&HostEnvironment::read());
        assert!(stands(&layers), "{layers:#?}");
        let on = layers.iter().filter(|l| l.state == LayerState::On).count();
        assert_eq!(on, QUESTIONS.len());
        assert_eq!(layers.len(), QUESTIONS.len() + NOT_BUILT.len());
    }

    #[test]
    fn outside_of_a_box_the_same_questions_are_answered_otherwise() {
        struct NoSandbox;
        impl Sandbox for NoSandbox {
            fn run(&self, spec: &BoxSpec) -> anyhow::Result<BoxOutput> {
                let output = std::process::Command::new(&spec.argv[0]).args(&spec.argv[1..]).output()?;
                let ended = Ended::Exited(output.status.code().unwrap_or(-1));
                Ok(BoxOutput {
                    ended,
                    stdout: output.stdout,
                    stderr: output.stderr,
                    took: Duration::ZERO,
                    traffic: Default::default(),
                })
            }

            fn pin(&self, _: &Path, _: &crate::workspace::Identity) {}

            fn unpin(&self, _: &Path) {}
        }
        let answers = ask(&NoSandbox).expect("answers");
        for at in 0..=5 {
            assert!(!QUESTIONS[at].2.is(&answers[at]), "{}", QUESTIONS[at].0);
        }
    }

    #[test]
    fn complaints_lead_to_repairs() {
        assert!(hint("bwrap: Creating new namespace failed: No space left on device").contains("max_user_namespaces"));
        assert!(hint("bwrap: setting up uid map: Permission denied").starts_with("; "));
        assert_eq!(hint("bwrap: Can't find source path /x: No such file or directory"), "");
    }
}
