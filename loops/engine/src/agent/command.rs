//! The agent that is any program: the prompt on standard input, files changed in `/workspace`, an optional line of JSON.
//!
//! What it reports is read by `core::verdict`; nothing here believes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use loopwright_core::check::text;
use loopwright_core::definition::{AgentSpec, Command};
use loopwright_core::verdict::Reported;

use super::{Agent, AgentFacts, AgentReport, Order, Role};
use crate::checks::WORKSPACE;
use crate::sandbox::{Access, BoxOutput, BoxSpec, Limits, Mount, Output, Sandbox};

/// Where the loop's folder lies inside.
const LOOP: &str = crate::loop_folder::INSIDE;

/// Where the order's files lie inside.
const ORDER: &str = "/loopwright";

/// Most output of one attempt, each stream.
const MAX_OUTPUT: u64 = 16 << 20;

/// A program that a loop names as maker or checker.
#[derive(Clone, Debug)]
pub struct CommandAgent {
    name: String,
    spec: AgentSpec,
    folder: PathBuf,
}

impl CommandAgent {
    /// Makes the agent `name` of a loop; `folder` on the host is where its `loop.yaml` lies, read-only inside as `/loop`.
    pub fn new(name: &str, spec: AgentSpec, folder: &Path) -> CommandAgent {
        CommandAgent { name: name.to_owned(), spec, folder: folder.to_owned() }
    }

    fn box_spec(&self, order: &Order) -> BoxSpec {
        let (role, access) = match order.role {
            Role::Maker => ("maker", Access::Writable),
            Role::Checker => ("checker", Access::ReadOnly),
        };
        let mount = |source: &Path, target: &str, access| Mount {
            source: source.to_owned(),
            target: target.to_owned(),
            access,
        };
        let mut mounts = vec![
            mount(&order.workspace, WORKSPACE, access),
            mount(&self.folder, LOOP, Access::ReadOnly),
            mount(&order.raw.join("order"), ORDER, Access::ReadOnly),
        ];
        mounts.extend_from_slice(&order.mounts);
        BoxSpec {
            label: role.to_owned(),
            argv: argv(&self.spec.command),
            env: environment(order, role),
            cwd: WORKSPACE.to_owned(),
            mounts,
            stdin: order.prompt.clone().into_bytes(),
            limits: Limits {
                wall: Duration::from_secs(self.spec.max_s),
                idle: Some(Duration::from_secs(self.spec.idle_s)),
                output: MAX_OUTPUT,
            },
            stdout: Output::Memory,
        }
    }
}

impl Agent for CommandAgent {
    fn facts(&self) -> AgentFacts {
        AgentFacts {
            name: self.name.clone(),
            kind: format!("command {}", self.spec.command),
            model: self.spec.model.clone(),
            vendor: self.spec.vendor.clone(),
            price: self.spec.price,
        }
    }

    fn run(&self, order: &Order, sandbox: &dyn Sandbox) -> anyhow::Result<AgentReport> {
        if self.spec.command.argv().is_empty() {
            bail!("the agent {} has no command", self.name);
        }
        write_order(order)?;
        let out = sandbox.run(&self.box_spec(order)).with_context(|| format!("running the agent {}", self.name))?;
        keep_streams(&order.raw, &out)?;
        Ok(report(order.role, &out))
    }
}

/// `./x` means the program beside `loop.yaml`, not one that lies in the repository.
pub(crate) fn argv(command: &Command) -> Vec<String> {
    let in_loop = |word: &str| word.strip_prefix("./").map(|rest| format!("{LOOP}/{rest}"));
    match command {
        Command::Argv(words) => {
            let mut words = words.clone();
            if let Some(program) = words.first().and_then(|w| in_loop(w)) {
                words[0] = program;
            }
            words
        }
        Command::Shell(line) => {
            let line = in_loop(line.trim_start()).unwrap_or_else(|| line.clone());
            Command::Shell(line).argv()
        }
    }
}

fn environment(order: &Order, role: &str) -> BTreeMap<String, String> {
    let mut env = order.env.clone();
    let own = [
        ("ROLE", role.to_owned()),
        ("FINDING", format!("{ORDER}/finding.json")),
        ("FINDING_KEY", text::line(&order.finding.key)),
        ("FINDING_TITLE", text::line(&order.finding.title)),
        ("ITERATION", order.iteration.to_string()),
        ("REASONS", format!("{ORDER}/reasons.txt")),
        ("WORKSPACE", WORKSPACE.to_owned()),
    ];
    env.extend(own.map(|(name, value)| (format!("LOOPWRIGHT_{name}"), value)));
    env
}

/// Writes what the program may read of its order, beside its streams.
fn write_order(order: &Order) -> anyhow::Result<()> {
    let folder = order.raw.join("order");
    let write = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))
    };
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    write("finding.json", &serde_json::to_vec_pretty(&order.finding).context("writing the finding as JSON")?)?;
    let reasons: String = order.reasons.iter().map(|r| format!("{}\n", text::line(r))).collect();
    write("reasons.txt", reasons.as_bytes())
}

/// Keeps both streams as they came; the sandbox has bounded them.
pub(super) fn keep_streams(raw: &Path, out: &BoxOutput) -> anyhow::Result<()> {
    for (name, content) in [("stdout", &out.stdout), ("stderr", &out.stderr)] {
        let path = raw.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn report(role: Role, out: &BoxOutput) -> AgentReport {
    let reported = Reported::read(&out.stdout);
    let mut tail = text::clean(&out.stdout);
    tail.push_str(&text::clean(&out.stderr));
    for problem in &reported.problems {
        tail.push_str(&format!("\nloopwright: not understood in the report: {problem}"));
    }
    let mut result = reported.result.clone();
    result.verdict = (role == Role::Checker).then(|| reported.verdict(out.ended));
    AgentReport { ended: out.ended, result, tail: text::tail(&tail) }
}

#[cfg(test)]
mod tests;
