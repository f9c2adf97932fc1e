//! Starting the scheduler in the background, for whoever finds that none lives.

use std::fs::OpenOptions;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use loopwright_core::exit;
use loopwright_core::scheduler::Health;

use super::{ApiError, Context, scheduler};
use crate::home::private_dir;
use crate::launch::runner_program;
use crate::os;

/// Starts `loopwright serve` as a process that goes on without us, in the place of one that makes no pass any more; none
/// where one lives. Whether it came to work is what [`super::scheduler()`] tells; should it end at once, that is why.
///
/// # Errors
/// The program is missing, or can't be started.
pub fn serve_in_background(context: &Context) -> Result<Option<Child>, ApiError> {
    match scheduler(context).health {
        Health::Alive => return Ok(None),
        Health::Stuck => scheduler::end_holder(&context.home)?,
        Health::Gone => {}
    }
    let program = runner_program()?;
    let folder = context.home.state.join("log");
    private_dir(&folder)?;
    let path = folder.join("serve.err");
    let said = OpenOptions::new().create(true).append(true).open(&path);
    let said = said.with_context(|| format!("opening {}", path.display()))?;
    let mut command = Command::new(&program);
    command.arg("serve").current_dir(&context.home.data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    os::detach(&mut command);
    let started = command.spawn().map_err(|error| {
        let message = format!("the scheduler could not be started: {}: {error}", program.display());
        ApiError::new(exit::FAILED, message).hint("no run is lost; `loopwright serve` in a terminal starts it too")
    })?;
    Ok(Some(started))
}
