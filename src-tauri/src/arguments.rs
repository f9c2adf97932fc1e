//! The command line of the tray, which a person hardly ever types: login items, the tray itself and tests do.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use loopwright_core::exit;
use loopwright_engine::api::ApiError;

/// The windows that there are, in the order of their keys; the last two have none.
pub(crate) const VIEWS: [&str; 7] = ["review", "loops", "runs", "spend", "settings", "welcome", "quit"];

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The tray.
    Tray,
    /// A window.
    Window(AskedWindow),
    /// Nothing but to say which version this is.
    Version,
}

/// A window, and what it is to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedWindow {
    /// One of [`VIEWS`].
    pub(crate) view: &'static str,
    /// The id of what it shows first.
    pub(crate) target: Option<String>,
}

/// Reads the arguments after the program's name.
pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let (mut view, mut target) = (None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" | "-V" => return Ok(Asked::Version),
            "--window" => view = Some(window(&arguments.next().unwrap_or_default())?),
            "--target" => target = Some(arguments.next().ok_or("--target needs what to show")?),
            other => return Err(format!("{other} is unknown")),
        }
    }
    match (view, target) {
        (Some(view), target) => Ok(Asked::Window(AskedWindow { view, target })),
        (None, Some(_)) => Err("--target needs --window".to_owned()),
        (None, None) => Ok(Asked::Tray),
    }
}

fn window(name: &str) -> Result<&'static str, String> {
    let found = VIEWS.into_iter().find(|view| *view == name);
    found.ok_or_else(|| format!("there is no window {name:?}; there are {}", VIEWS.join(", ")))
}

/// Says which version this is.
pub(crate) fn version() -> Result<()> {
    Ok(writeln!(std::io::stdout(), "loopwright-tray {}", env!("CARGO_PKG_VERSION"))?)
}

/// Says what is wrong with the command line.
pub(crate) fn refuse(wrong: &str) -> ExitCode {
    say(&format!("{wrong}\n  loopwright-tray [--window VIEW [--target ID]] [--version]"));
    ExitCode::from(exit::USAGE)
}

/// Says why nothing could be shown.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    let api = error.downcast_ref::<ApiError>();
    say(&format!("{error:#}"));
    if let Some(hint) = api.and_then(|error| error.hint.as_deref()) {
        say(&format!("  {hint}"));
    }
    ExitCode::from(api.map_or(exit::FAILED, |error| error.code))
}

/// To standard error; there is nobody to tell if that is closed.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &[&str]) -> Result<Asked, String> {
        read(words.iter().map(ToString::to_string))
    }

    #[test]
    fn the_command_line_says_what_is_to_be_shown() {
        assert_eq!(read_words(&[]), Ok(Asked::Tray));
        let review = AskedWindow { view: "review", target: Some("6fba7c4b".to_owned()) };
        assert_eq!(read_words(&["--window", "review", "--target", "6fba7c4b"]), Ok(Asked::Window(review)));
        assert_eq!(read_words(&["--version"]), Ok(Asked::Version));
    }

    #[test]
    fn what_it_does_not_know_is_named() {
        assert_eq!(read_words(&["--windows"]), Err("--windows is unknown".to_owned()));
        assert_eq!(read_words(&["--target", "x"]), Err("--target needs --window".to_owned()));
        assert!(read_words(&["--window", "secrets"]).is_err_and(|said| said.contains("there are review, loops")));
    }
}
