//! The command line of the tray, which a person hardly ever types: login items, the tray itself and tests do.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use loopwright_core::exit;
use loopwright_engine::api::ApiError;

/// The windows that there are, in the order of their keys; the last two have none.
pub(crate) const VIEWS: [&str; 7] = ["review", "loops", "runs", "spend", "settings", "welcome", "quit"];

/// What can be typed.
const USAGE: &str =
    "loopwright-tray [--at-login] [--window VIEW [--target ID]] [loopwright://review/ID] [--help] [--version]";

/// What a link to Loopwright begins with.
const SCHEME: &str = "loopwright:";

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The tray.
    Tray {
        /// It starts with the session, so it opens no window by itself.
        at_login: bool,
    },
    /// A window.
    Window(AskedWindow),
    /// Nothing but to say which version this is.
    Version,
    /// Nothing but to say what can be typed.
    Help,
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
    let (mut view, mut target, mut at_login) = (None, None, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" | "-V" => return Ok(Asked::Version),
            "--help" | "-h" => return Ok(Asked::Help),
            "--at-login" => at_login = true,
            "--window" => view = Some(window(&arguments.next().unwrap_or_default())?),
            "--target" => target = Some(arguments.next().ok_or("--target needs what to show")?),
            link if link.starts_with(SCHEME) => return deep_link(link).map(Asked::Window),
            other => return Err(format!("{other} is unknown")),
        }
    }
    match (view, target) {
        (Some(view), target) => Ok(Asked::Window(AskedWindow { view, target })),
        (None, Some(_)) => Err("--target needs --window".to_owned()),
        (None, None) => Ok(Asked::Tray { at_login }),
    }
}

/// Reads `loopwright://review` or `loopwright://review/ID`. Anybody may write a link, so it opens Review and does nothing
/// else, and whatever is not exactly that is refused.
fn deep_link(link: &str) -> Result<AskedWindow, String> {
    let refused = || "this link is none of Loopwright's; there is loopwright://review/ID".to_owned();
    let mut rest = link.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix("//review")).ok_or_else(refused)?;
    // Browsers put a slash behind what they take for a host.
    rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Ok(AskedWindow { view: "review", target: None });
    }
    let id = rest.strip_prefix('/').ok_or_else(refused)?;
    let is_id = (4..=36).contains(&id.len()) && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    let id = Some(id).filter(|id| is_id && !id.starts_with('-')).ok_or_else(refused)?;
    Ok(AskedWindow { view: "review", target: Some(id.to_owned()) })
}

fn window(name: &str) -> Result<&'static str, String> {
    let found = VIEWS.into_iter().find(|view| *view == name);
    found.ok_or_else(|| format!("there is no window {name:?}; there are {}", VIEWS.join(", ")))
}

/// Says which version this is.
pub(crate) fn version() -> Result<()> {
    Ok(writeln!(std::io::stdout(), "loopwright-tray {}", env!("CARGO_PKG_VERSION"))?)
}

/// Says what can be typed.
pub(crate) fn help() -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{USAGE}\nVIEW is one of {}", VIEWS.join(", "))?)
}

/// Says what is wrong with the command line.
pub(crate) fn refuse(wrong: &str) -> ExitCode {
    say(&format!("{wrong}\n  {USAGE}"));
    ExitCode::from(exit::USAGE)
}

/// Says why nothing could be shown.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<ApiError>() {
        Some(error) => {
            tell(error);
            ExitCode::from(error.code)
        }
        None => {
            say(&format!("{error:#}"));
            ExitCode::from(exit::FAILED)
        }
    }
}

/// Says what is wrong while something else goes on.
pub(crate) fn tell(error: &ApiError) {
    say(&error.message);
    if let Some(hint) = &error.hint {
        say(&format!("  {hint}"));
    }
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
        assert_eq!(read_words(&[]), Ok(Asked::Tray { at_login: false }));
        assert_eq!(read_words(&["--at-login"]), Ok(Asked::Tray { at_login: true }));
        let review = AskedWindow { view: "review", target: Some("6fba7c4b".to_owned()) };
        assert_eq!(read_words(&["--window", "review", "--target", "6fba7c4b"]), Ok(Asked::Window(review)));
        assert_eq!(read_words(&["--version"]), Ok(Asked::Version));
        assert_eq!(read_words(&["--help"]), Ok(Asked::Help));
    }

    #[test]
    fn what_it_does_not_know_is_named() {
        assert_eq!(read_words(&["--windows"]), Err("--windows is unknown".to_owned()));
        assert_eq!(read_words(&["--target", "x"]), Err("--target needs --window".to_owned()));
        assert!(read_words(&["--window", "secrets"]).is_err_and(|said| said.contains("there are review, loops")));
    }

    #[test]
    fn a_link_opens_review_and_nothing_else() {
        let opens = |link: &str| match read_words(&[link]) {
            Ok(Asked::Window(AskedWindow { view: "review", target })) => Some(target.unwrap_or_default()),
            _ => None,
        };
        assert_eq!(opens("loopwright://review"), Some(String::new()));
        assert_eq!(opens("loopwright://review/"), Some(String::new()));
        assert_eq!(opens("loopwright://review/6fba7c4b"), Some("6fba7c4b".to_owned()));
        let whole = "01936f2e-0000-7000-8000-00001a2b3c4d";
        assert_eq!(opens(&format!("loopwright://review/{whole}/")), Some(whole.to_owned()));
        for bad in [
            "loopwright:",
            "loopwright://",
            "loopwright:review/6fba7c4b",
            "loopwright://approve/6fba7c4b",
            "loopwright://reviews/6fba7c4b",
            "loopwright://review6fba7c4b",
            "loopwright://review/../runs",
            "loopwright://review/6fba7c4b?approve=1",
            "loopwright://review/6fba7c4b#a",
            "loopwright://review/6fba7c4b/approve",
            "loopwright://review//6fba7c4b",
            "loopwright://review/6FBA7C4B",
            "loopwright://review/%36fba7c4b",
            "loopwright://review/--window",
            "loopwright://review/6fb",
            "loopwright://review/6fba 7c4b",
            "loopwright://review/0123456789012345678901234567890123456",
            "LOOPWRIGHT://review/6fba7c4b",
        ] {
            assert_eq!(opens(bad), None, "{bad}");
            assert!(read_words(&[bad]).is_err(), "{bad}");
        }
    }
}
