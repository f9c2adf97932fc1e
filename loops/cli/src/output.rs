//! Standard output and error: what is a terminal, what is JSON, and how an error looks.

use std::io::{IsTerminal, Write};

use loopwright_core::exit;
use loopwright_engine::api::ApiError;
use serde::Serialize;

use crate::commands;
use crate::page::{Page, Tint};

/// Where answers go.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    json: bool,
    colour: bool,
    colour_error: bool,
    person: bool,
    live: bool,
}

/// An error as `--json` prints it.
#[derive(Serialize)]
struct JsonError<'a> {
    code: u8,
    message: &'a str,
    hint: Option<String>,
}

impl Output {
    /// Looks at the terminal and the environment once.
    pub(crate) fn new(json: bool) -> Output {
        let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        let colours = !set("NO_COLOR") && !dumb;
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Output {
            json,
            colour: colours && out,
            colour_error: colours && err,
            person: !json && out && std::io::stdin().is_terminal(),
            live: !json && err && !dumb,
        }
    }

    /// Whether the answer is JSON.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether somebody sits there who can be asked.
    pub(crate) fn person(&self) -> bool {
        self.person
    }

    /// Whether stderr can show a line that changes.
    pub(crate) fn live(&self) -> bool {
        self.live
    }

    /// An empty page for stdout.
    pub(crate) fn page(&self) -> Page {
        Page::new(self.colour)
    }

    /// An empty page for stderr.
    pub(crate) fn error_page(&self) -> Page {
        Page::new(self.colour_error)
    }

    /// Prints `value` as JSON, or what `render` makes of it.
    pub(crate) fn answer<T: Serialize>(&self, value: &T, render: impl FnOnce(&mut Page)) -> Result<(), ApiError> {
        if self.json {
            return self.document(value);
        }
        let mut page = self.page();
        render(&mut page);
        self.print(&page);
        Ok(())
    }

    /// Prints a page on stdout. A closed pipe is no error: the reader had enough.
    pub(crate) fn print(&self, page: &Page) {
        write(std::io::stdout(), page.text());
    }

    /// Prints text of this program's own for other programs (scripts, manual pages) as it is.
    pub(crate) fn print_raw(&self, text: &str) {
        write(std::io::stdout(), text);
    }

    /// Prints a page on stderr.
    pub(crate) fn print_error(&self, page: &Page) {
        write(std::io::stderr(), page.text());
    }

    /// Asks a question that only `y` or `yes` answers with yes.
    pub(crate) fn ask(&self, question: &str) -> bool {
        write(std::io::stdout(), &format!("{question} [y/N] "));
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line).is_ok();
        read && matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Asks for a line of text; empty where nothing is said.
    pub(crate) fn say_what(&self, question: &str) -> String {
        write(std::io::stdout(), &format!("{question} "));
        let mut line = String::new();
        // What can't be read was not said.
        std::io::stdin().read_line(&mut line).ok();
        line.trim().to_owned()
    }

    /// Prints an error with its hint on stderr.
    pub(crate) fn error(&self, error: &ApiError) {
        let hint = error.hint.as_deref().map(commands::in_text);
        if self.json {
            let (code, message) = (error.code, error.message.as_str());
            let json = serde_json::to_string_pretty(&JsonError { code, message, hint });
            write(std::io::stderr(), &(json.unwrap_or_default() + "\n"));
            return;
        }
        let mut page = self.error_page();
        page.add(Tint::Stop, "error").say(": ").block(&commands::in_text(&error.message));
        if let Some(hint) = hint {
            page.add(Tint::Accent, "hint").say(": ").block(&hint);
        }
        self.print_error(&page);
    }

    fn document<T: Serialize>(&self, value: &T) -> Result<(), ApiError> {
        let json = serde_json::to_string_pretty(value).map_err(|e| ApiError {
            code: exit::INTERNAL,
            message: format!("the answer can't be written as JSON: {e}"),
            hint: None,
        })?;
        write(std::io::stdout(), &(json + "\n"));
        Ok(())
    }
}

/// An error that the command line itself is at fault for.
pub(crate) fn usage_error(message: impl Into<String>, hint: impl Into<String>) -> ApiError {
    ApiError { code: exit::USAGE, message: message.into(), hint: Some(hint.into()) }
}

/// Prints what clap says (help, version, or a fault of the command line) and answers with the exit code.
pub(crate) fn usage(error: &clap::Error) -> u8 {
    let json = std::env::args_os().any(|a| a == "--json");
    if json && error.use_stderr() {
        let message = said(&error.to_string());
        Output::new(true).error(&usage_error(message, "see `loopwright --help`"));
        return exit::USAGE;
    }
    match commands::renamed() {
        // Nothing is left to do when even this can't be printed.
        None => drop(error.print()),
        Some(_) if error.use_stderr() => write(std::io::stderr(), &commands::in_text(&error.to_string())),
        Some(_) => write(std::io::stdout(), &commands::in_text(&error.to_string())),
    }
    u8::try_from(error.exit_code()).unwrap_or(exit::USAGE)
}

/// What clap says before it explains the usage, as one line.
fn said(text: &str) -> String {
    let fault = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = fault.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

fn write(mut stream: impl Write, text: &str) {
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).ok();
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn a_usage_error_is_one_line() {
        let error = |words: &[&str]| match Cli::try_parse_from(words) {
            Ok(_) => String::new(),
            Err(error) => said(&error.to_string()),
        };
        assert_eq!(error(&["loopwright", "run"]), "the following required arguments were not provided: <LOOP>");
        assert_eq!(error(&["loopwright", "rum"]), "unrecognized subcommand 'rum'");
    }
}
