//! `Test` of the Settings window: asks a coding agent for its version, in the sandbox and without network.
//!
//! That it starts there is all that this shows; whether it is signed in, only a run of it would.

use std::path::{Path, PathBuf};
use std::time::Duration;

use loopwright_core::check::Ended;
use loopwright_core::definition::preferences::AGENTS;
use loopwright_core::exit;
use serde::Serialize;

use super::{ApiError, Context};
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::sandbox::{Access, BoxOutput, BoxSpec, Limits, Mount, Output, Sandbox as _};

/// Where the agent's own folder lies in the box, where it is not one that every box has.
const INSIDE: &str = "/opt/agent";
/// Most characters of what it says.
const SAID: usize = 80;

/// What an agent answered.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct AgentTest {
    /// Its program.
    pub program: String,
    /// Whether it started and ended well.
    pub works: bool,
    /// The first line that it said: its version, or why not.
    pub said: String,
}

/// Runs `PROGRAM --version` in the sandbox.
///
/// # Errors
/// It is no agent that is known, it is not in `PATH`, or there is no sandbox.
pub fn test_agent(context: &Context, program: &str) -> Result<AgentTest, ApiError> {
    if !AGENTS.contains(&program) {
        return Err(ApiError::new(exit::USAGE, format!("{program:?} is no agent that Loopwright knows")));
    }
    let path = context.host.find(program).and_then(|path| path.canonicalize().ok()).ok_or_else(|| {
        ApiError::new(exit::FAILED, format!("{program} is not in PATH")).hint("install it, then test again")
    })?;
    let (mounts, inside) = place(&path);
    let output = Bubblewrap::find(&context.host)?.run(&spec(mounts, inside))?;
    let works = output.ended == Ended::Exited(0);
    Ok(AgentTest { program: program.to_owned(), works, said: said(&output) })
}

fn spec(mounts: Vec<Mount>, inside: String) -> BoxSpec {
    BoxSpec {
        label: "agent test".to_owned(),
        argv: vec![inside, "--version".to_owned()],
        env: Default::default(),
        cwd: "/tmp".to_owned(),
        mounts,
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(20), idle: None, output: 1 << 16 },
        stdout: Output::Memory,
    }
}

/// What the box must see besides what every box does, and the program's path in there: its package, or the file alone.
fn place(path: &Path) -> (Vec<Mount>, String) {
    if path.starts_with("/usr") {
        return (Vec::new(), path.display().to_string());
    }
    let package = path.ancestors().skip(1).find(|folder| folder.join("package.json").is_file());
    let shown = package.map_or_else(|| path.to_owned(), PathBuf::from);
    let inside = match path.strip_prefix(&shown).ok().filter(|rest| !rest.as_os_str().is_empty()) {
        Some(rest) => format!("{INSIDE}/{}", rest.display()),
        None => INSIDE.to_owned(),
    };
    (vec![Mount { source: shown, target: INSIDE.to_owned(), access: Access::ReadOnly }], inside)
}

/// The first line with something in it, without what a terminal would take for a command.
fn said(output: &BoxOutput) -> String {
    let text = [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part).into_owned());
    let line = text.iter().flat_map(|part| part.lines()).map(str::trim).find(|line| !line.is_empty());
    let plain = |line: &str| line.chars().filter(|c| !c.is_control()).take(SAID).collect();
    line.map_or_else(|| format!("said nothing and {}", output.ended), plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_shown_with_its_package_and_nothing_above_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let bin = folder.path().join("lib/agent/bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        std::fs::write(folder.path().join("lib/agent/package.json"), "{}").expect("a package");
        let (mounts, inside) = place(&bin.join("cli.js"));
        assert_eq!(
            (mounts[0].source.clone(), inside.as_str()),
            (folder.path().join("lib/agent"), "/opt/agent/bin/cli.js")
        );
        let (mounts, inside) = place(&folder.path().join("claude"));
        assert_eq!((mounts[0].source.clone(), inside.as_str()), (folder.path().join("claude"), "/opt/agent"));
        assert_eq!(place(Path::new("/usr/bin/claude")), (Vec::new(), "/usr/bin/claude".to_owned()));
    }
}
