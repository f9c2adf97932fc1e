//! The maker that needs no model: formats, and applies the fixes that a linter itself calls safe, of one rule alone.
//!
//! `cargo clippy --fix` is not used: lints that the source turns on by itself can't be turned off from outside, so it
//! would mix other findings into the change. Which suggestions belong to the rule is decided in `suggestions`. Other linters
//! take the rule as an argument; which program that is stands in `tools`.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use loopwright_core::check::{Ended, text};
use loopwright_core::finding::{Finding, FindingSource};
use loopwright_core::money::Micros;
use loopwright_core::verdict::AgentResult;

use super::{Agent, AgentFacts, AgentReport, Order, command, suggestions};
use crate::checks::{TARGET_DIR, WORKSPACE};
use crate::sandbox::{Access, BoxOutput, BoxSpec, Limits, Mount, Output, Sandbox};
use tools::Linter;

mod tools;

/// Why it does not try.
const DECLINED: &str = "the fixer only formats and applies fixes that a linter calls safe";

/// The folder of an attempt's raw streams that its boxes build in; gone when the attempt is over.
pub(crate) const PRODUCTS: &str = "target";

/// Rounds of clippy: a fix may make room for another that overlapped it.
const ROUNDS: usize = 4;

/// The embedded default maker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixer;

/// What a finding asks of it.
#[derive(Debug, PartialEq, Eq)]
enum Task<'a> {
    Format,
    Lint(&'a str),
}

impl Agent for Fixer {
    fn facts(&self) -> AgentFacts {
        AgentFacts {
            name: "fixer".to_owned(),
            kind: "fixer (built in)".to_owned(),
            model: None,
            vendor: None,
            price: Micros::ZERO,
        }
    }

    fn run(&self, order: &Order, sandbox: &dyn Sandbox) -> anyhow::Result<AgentReport> {
        fs::create_dir_all(&order.raw).with_context(|| format!("making {}", order.raw.display()))?;
        let target = order.raw.join(PRODUCTS);
        let kept = order.mounts.iter().any(|m| m.target == TARGET_DIR);
        if !kept {
            fs::create_dir_all(&target).with_context(|| format!("making {}", target.display()))?;
        }
        let mut mounts = order.mounts.clone();
        if !kept {
            mounts.push(Mount { source: target.clone(), target: TARGET_DIR.to_owned(), access: Access::Writable });
        }
        let work = Work { order, sandbox, mounts };
        let done = match task(&order.finding) {
            Some(Task::Format) => work.format(),
            Some(Task::Lint(rule)) => match Linter::of(rule) {
                Some((linter, name)) => work.one_rule(linter, name),
                None => work.lint(rule),
            },
            None => Ok(declined(DECLINED)),
        };
        if !kept {
            fs::remove_dir_all(&target).with_context(|| format!("removing {}", target.display()))?;
        }
        done
    }
}

fn task(finding: &Finding) -> Option<Task<'_>> {
    let of_rule = |rule: &str| {
        let start = format!("{rule} @ ");
        !finding.failing.is_empty() && finding.failing.iter().all(|id| id.0.starts_with(&start))
    };
    if finding.source != FindingSource::Check || !of_rule(&finding.key) {
        return None;
    }
    match finding.key.as_str() {
        "format" => Some(Task::Format),
        "build" | "warning" => None,
        rule => Some(Task::Lint(rule)),
    }
}

struct Work<'a> {
    order: &'a Order,
    sandbox: &'a dyn Sandbox,
    mounts: Vec<Mount>,
}

impl Work<'_> {
    fn format(&self) -> anyhow::Result<AgentReport> {
        let mut names = Vec::new();
        let mut last = None;
        for (name, argv) in tools::formatters(&self.order.finding.failing) {
            let out = self.run(&argv)?;
            if !out.ended.well() {
                return Ok(reported(out, format!("`{name}` did not end well")));
            }
            names.push(format!("`{name}`"));
            last = Some(out);
        }
        Ok(match last {
            Some(out) => reported(out, format!("formatted with {}", names.join(" and "))),
            None => declined(DECLINED),
        })
    }

    /// Applies a linter's own fixes of one rule in the files of the finding, and formats what was formatted before.
    fn one_rule(&self, linter: Linter, rule: &str) -> anyhow::Result<AgentReport> {
        let files = tools::files(&self.order.finding.failing);
        let formatted = self.run(&linter.formatted(&files))?.ended.well();
        let out = self.run(&linter.fix(rule, &files))?;
        let name = linter.name();
        match out.ended {
            Ended::Exited(0) => {}
            Ended::Exited(code) if Linter::had_nothing(code) => {
                return Ok(declined(&format!("{name} offers no safe fix for {rule}")));
            }
            _ => return Ok(reported(out, format!("{name} did not end well while fixing {rule}"))),
        }
        let last = if formatted { self.run(&linter.format(&files))? } else { out };
        Ok(reported(last, format!("applied the fixes of {name} for {rule}")))
    }

    /// Applies clippy's own fixes of one rule, and formats what was formatted before.
    fn lint(&self, rule: &str) -> anyhow::Result<AgentReport> {
        let formatted = self.run(&["cargo", "fmt", "--all", "--check"])?.ended.well();
        let clippy = ["cargo", "clippy", "--all-targets", "--message-format=json", "--", "--cap-lints", "warn"];
        let mut applied = false;
        for _ in 0..ROUNDS {
            let out = self.run(&clippy)?;
            if !out.ended.well() {
                return Ok(reported(out, format!("clippy did not end well while fixing {rule}")));
            }
            let edits = suggestions::of_rule(&out.stdout, rule);
            if edits.is_empty() {
                break;
            }
            let out = self.script(suggestions::script(&edits))?;
            if !out.ended.well() {
                return Ok(reported(out, format!("the fixes of {rule} could not be applied")));
            }
            applied = true;
        }
        if !applied {
            return Ok(declined(&format!("clippy offers no machine-applicable fix for {rule}")));
        }
        let last = if formatted { self.run(&["cargo", "fmt", "--all"])? } else { self.run(&["true"])? };
        Ok(reported(last, format!("applied the fixes that clippy suggests for {rule}")))
    }

    /// Runs a script of ours; on standard input, because the kernel takes no argument over 128 KiB.
    fn script(&self, script: String) -> anyhow::Result<BoxOutput> {
        self.run_with(&["sh"], script.into_bytes())
    }

    fn run<W: AsRef<str>>(&self, argv: &[W]) -> anyhow::Result<BoxOutput> {
        self.run_with(argv, Vec::new())
    }

    fn run_with<W: AsRef<str>>(&self, argv: &[W], stdin: Vec<u8>) -> anyhow::Result<BoxOutput> {
        let mut mounts = vec![Mount {
            source: self.order.workspace.clone(),
            target: WORKSPACE.to_owned(),
            access: Access::Writable,
        }];
        mounts.extend_from_slice(&self.mounts);
        let mut env = self.order.env.clone();
        env.insert("CARGO_TARGET_DIR".to_owned(), TARGET_DIR.to_owned());
        let spec = BoxSpec {
            label: "maker".to_owned(),
            argv: argv.iter().map(|a| a.as_ref().to_owned()).collect(),
            env,
            cwd: WORKSPACE.to_owned(),
            mounts,
            stdin,
            limits: Limits { wall: Duration::from_secs(1800), idle: None, output: 64 << 20 },
            stdout: Output::Memory,
        };
        let program = argv.first().map_or("", |word| word.as_ref());
        let out = self.sandbox.run(&spec).with_context(|| format!("running {program}"))?;
        command::keep_streams(&self.order.raw, &out)?;
        Ok(out)
    }
}

fn reported(out: BoxOutput, summary: String) -> AgentReport {
    let mut tail = text::clean(&out.stdout);
    tail.push_str(&text::clean(&out.stderr));
    let result = AgentResult { summary: Some(summary), cost: Some(Micros::ZERO), ..AgentResult::default() };
    AgentReport { ended: out.ended, result, tail: text::tail(&tail) }
}

fn declined(why: &str) -> AgentReport {
    let result = AgentResult { declined: Some(why.to_owned()), cost: Some(Micros::ZERO), ..AgentResult::default() };
    AgentReport { ended: Ended::Exited(0), result, tail: why.to_owned() }
}

#[cfg(test)]
pub(crate) mod tests;
