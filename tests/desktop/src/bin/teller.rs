//! Whoever tells, as the tray hosts it, in a process without a display; it ends when its input does. What clicks ask to be
//! opened, it prints.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use loopwright_engine::api::notices::{Host, opened};
use loopwright_engine::api::{ApiError, Context};

fn main() -> ExitCode {
    match tell() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}", error.message);
            ExitCode::FAILURE
        }
    }
}

fn tell() -> Result<(), ApiError> {
    let context = Context::open()?;
    opened(&context)?;
    let _host = Host::begin(&context, |opens| {
        let _ = writeln!(std::io::stdout(), "{} {}", opens.view, opens.target.as_deref().unwrap_or_default());
    })?;
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}
