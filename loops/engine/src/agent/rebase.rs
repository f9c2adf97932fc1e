//! Carries a change onto another base inside a box: by itself a maker without an agent, and how a change that was sent back
//! starts where its branch is now.
//!
//! Git runs on a tree whose `.git` a script of ours made, with the configuration of that script, and never on the host.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use git2::Oid;
use loopwright_core::check::{Ended, text};
use loopwright_core::money::Micros;
use loopwright_core::verdict::AgentResult;

use super::{Agent, AgentFacts, AgentReport, Order, command};
use crate::checks::WORKSPACE;
use crate::sandbox::{Access, BoxOutput, BoxSpec, Limits, Mount, Output, Sandbox};

/// How [`CARRY`] ends where the change does not fit.
const CONFLICT: i32 = 5;

/// Most files that are named.
const NAMED: usize = 10;

/// Picks commit `$1` onto the base that is checked out, without committing; names the files that conflict, each ended by NUL.
const CARRY: &str = r#"set -eu
cd /workspace
git cherry-pick --no-commit "$1" > /tmp/said 2>&1 && exit 0
git diff --name-only --diff-filter=U -z > /tmp/unmerged
[ -s /tmp/unmerged ] || { cat /tmp/said >&2; exit 3; }
cat /tmp/unmerged
exit 5
"#;

/// The maker of a change whose base moved: the same change again.
#[derive(Clone, Copy, Debug)]
pub struct Rebase {
    /// What is carried onto the base that the workspace was made at.
    pub commit: Oid,
}

/// What came of carrying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The tree holds the change on the new base.
    Clean,
    /// The change does not fit; the tree is of no use.
    Conflict {
        /// The files, for people (untrusted).
        files: String,
    },
}

impl Agent for Rebase {
    fn facts(&self) -> AgentFacts {
        AgentFacts {
            name: "rebase".to_owned(),
            kind: "rebase (built in)".to_owned(),
            model: None,
            vendor: None,
            price: Micros::ZERO,
        }
    }

    fn run(&self, order: &Order, sandbox: &dyn Sandbox) -> Result<AgentReport> {
        fs::create_dir_all(&order.raw).with_context(|| format!("making {}", order.raw.display()))?;
        let out = run(sandbox, &order.workspace, self.commit)?;
        command::keep_streams(&order.raw, &out)?;
        let declined = match out.ended {
            Ended::Halted => None,
            _ => match read(&out)? {
                Carried::Clean => None,
                Carried::Conflict { files } => Some(format!("conflicts in {files}")),
            },
        };
        let result = AgentResult { cost: Some(Micros::ZERO), declined, ..AgentResult::default() };
        Ok(AgentReport { ended: out.ended, result, tail: String::new() })
    }
}

/// Carries `commit` onto the base that a workspace was made at, with the objects of `commit`.
///
/// # Errors
/// The sandbox can't be had, HALT came, or git fails for another reason than a conflict.
pub fn carry(sandbox: &dyn Sandbox, workspace: &Path, commit: Oid) -> Result<Carried> {
    read(&run(sandbox, workspace, commit)?)
}

fn run(sandbox: &dyn Sandbox, workspace: &Path, commit: Oid) -> Result<BoxOutput> {
    let argv = ["/bin/sh", "-c", CARRY, "sh", &commit.to_string()].map(str::to_owned);
    let env = [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("LC_ALL", "C"),
    ];
    let spec = BoxSpec {
        label: "carry".to_owned(),
        argv: argv.into(),
        env: BTreeMap::from(env.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        cwd: WORKSPACE.to_owned(),
        mounts: vec![Mount { source: workspace.to_owned(), target: WORKSPACE.to_owned(), access: Access::Writable }],
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(600), idle: None, output: 4 << 20 },
        stdout: Output::Memory,
    };
    sandbox.run(&spec).with_context(|| format!("carrying {commit} onto its new base"))
}

fn read(out: &BoxOutput) -> Result<Carried> {
    match out.ended {
        Ended::Exited(0) => Ok(Carried::Clean),
        Ended::Exited(CONFLICT) => Ok(Carried::Conflict { files: named(&out.stdout) }),
        ended => bail!("the change can't be carried ({ended:?}): {}", text::tail(&text::clean(&out.stderr))),
    }
}

/// The names of a list ended by NULs, as one line.
fn named(list: &[u8]) -> String {
    let names: Vec<&[u8]> = list.split(|b| *b == 0).filter(|name| !name.is_empty()).collect();
    let shown: Vec<String> = names.iter().take(NAMED).map(|n| text::line(&String::from_utf8_lossy(n))).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
