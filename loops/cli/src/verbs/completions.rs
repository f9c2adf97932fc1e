//! `loopwright completions SHELL`: the script by which a shell asks this program; text always, as a shell reads it.

use loopwright_core::exit;
use loopwright_engine::api::ApiError;

use crate::args::CompletionsArgs;
use crate::complete;
use crate::output::Output;

pub(crate) fn run(args: &CompletionsArgs, output: &Output) -> Result<u8, ApiError> {
    let program = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned));
    let program = program.unwrap_or_else(|| "loopwright".to_owned());
    let script = complete::script(&args.shell, &program)
        .ok_or_else(|| ApiError::new(exit::INTERNAL, format!("there is no script for {}", args.shell)))?;
    output.print_raw(&script);
    Ok(exit::DONE)
}
