//! Starting a run: its watchdog, detached, which then starts the runner.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};

use crate::halt::HaltFiles;
use crate::{fail, os};

/// The terminal's program, which is also each run and the scheduler.
pub const RUNNER: &str = "loopwright";
/// The tray's program, which is also each window.
pub const TRAY: &str = "loopwright-tray";
/// The watchdog's program.
pub const WATCHDOG: &str = "loopwright-watchdog";
/// Standard output of watchdog and runner, in the run directory.
pub const OUT: &str = "runner.out";
/// Standard error of watchdog and runner, in the run directory.
pub const ERR: &str = "runner.err";

/// A run to start.
#[derive(Debug)]
pub struct LaunchSpec {
    /// The watchdog; see [`watchdog_beside_us`].
    pub watchdog: PathBuf,
    /// The run directory; created if it is missing.
    pub run_dir: PathBuf,
    /// What halts the run.
    pub halt: HaltFiles,
    /// Most awake time that the run may take, in seconds.
    pub max_seconds: u64,
    /// How long the first beat may take, in seconds.
    pub boot_grace: u64,
    /// The runner's program and arguments; none where only what follows on the run's end is left.
    pub runner: Vec<OsString>,
    /// What follows on the run's end; none = nothing.
    pub finally: Option<Finally>,
    /// The claim to the run directory, which watchdog and runner keep as long as they live; see [`crate::lease::claim`].
    pub claim: Option<File>,
}

/// What follows on the end of a run, whatever that is.
#[derive(Debug)]
pub struct Finally {
    /// Most awake time that it may take, in seconds.
    pub seconds: u64,
    /// The program that performs it, and its arguments.
    pub command: Vec<OsString>,
}

/// A run that was started.
#[derive(Debug)]
pub struct Launched {
    /// The watchdog. It goes on if this is dropped, and if this process ends; its exit code is the run's.
    pub watchdog: Child,
}

/// Finds the watchdog in the folder of the program that runs now.
///
/// # Errors
/// If it is not there.
pub fn watchdog_beside_us() -> anyhow::Result<PathBuf> {
    beside_us(WATCHDOG)
}

/// Finds another program of ours in the folder of the one that runs now.
///
/// # Errors
/// If it is not there.
pub(crate) fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    program_in(own_program()?.parent().unwrap_or(Path::new("/")), name)
}

/// Finds the file of the program that runs now, also after a package put a newer one into its place.
///
/// # Errors
/// If the system does not say where it is.
pub fn own_program() -> anyhow::Result<PathBuf> {
    Ok(replaced(std::env::current_exe().context("finding our own program")?))
}

/// Finds the program that is a run: this one, or, for the tray and its windows, the one beside them.
///
/// # Errors
/// If it is not there.
pub fn runner_program() -> anyhow::Result<PathBuf> {
    let own = own_program()?;
    match own.file_stem().is_some_and(|name| name == TRAY) {
        true => beside_us(RUNNER),
        false => Ok(own),
    }
}

/// Linux says of a program whose file was replaced while it runs that it is deleted, behind its path.
fn replaced(own: PathBuf) -> PathBuf {
    let newer = own.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    newer.filter(|newer| !own.exists() && newer.is_file()).unwrap_or(own)
}

fn program_in(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        bail!("{} is missing, and nothing runs without it: install Loopwright again, whole", program.display());
    }
    Ok(program)
}

/// Starts the watchdog of a run, in a session of its own and with files of the run directory as standard streams.
///
/// # Errors
/// If the run directory can't be written, or the watchdog can't be started.
pub fn launch(spec: &LaunchSpec) -> anyhow::Result<Launched> {
    let dir = spec.run_dir.as_path();
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let stream = |name: &str| {
        let file = OpenOptions::new().create(true).append(true).open(dir.join(name));
        file.map(Stdio::from).with_context(|| format!("opening {name} in {}", dir.display()))
    };
    let mut command = Command::new(&spec.watchdog);
    command.arg("--run-dir").arg(dir);
    for (_, file) in &spec.halt.halts {
        command.arg("--halt").arg(file);
    }
    command.arg("--armed").arg(spec.halt.armed.as_deref().context("a run obeys ARMED")?);
    command.args(["--max-seconds", &spec.max_seconds.to_string(), "--boot-grace", &spec.boot_grace.to_string()]);
    if let Some(finally) = &spec.finally {
        command.args(["--finally-seconds", &finally.seconds.to_string()]);
        for word in &finally.command {
            command.arg("--finally").arg(word);
        }
        for (_, file) in &spec.halt.nows().halts {
            command.arg("--now").arg(file);
        }
    }
    command.arg("--").args(&spec.runner);
    command.stdin(Stdio::null()).stdout(stream(OUT)?).stderr(stream(ERR)?);
    os::inherit_only(&mut command, spec.claim.as_ref());
    let watchdog = command.spawn().with_context(|| format!("starting {}", spec.watchdog.display()))?;
    fail::point("watchdog-started");
    Ok(Launched { watchdog })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_watchdog_no_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = program_in(folder.path(), WATCHDOG).expect_err("there is none");
        assert!(error.to_string().contains("loopwright-watchdog is missing"), "{error}");
        fs::write(folder.path().join(WATCHDOG), "").expect("a program");
        program_in(folder.path(), WATCHDOG).expect("now there is");
    }

    #[test]
    fn a_program_that_was_replaced_is_found_where_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, gone) = (folder.path().join("loopwright"), folder.path().join("loopwright (deleted)"));
        assert_eq!(replaced(gone.clone()), gone, "nothing took its place");
        fs::write(&own, "").expect("a program");
        assert_eq!(replaced(gone.clone()), own);
        fs::write(&gone, "").expect("a program of that name");
        assert_eq!(replaced(gone.clone()), gone);
    }
}
