//! Commands that are printed for people to paste: `LOOPWRIGHT_COMMAND` stands for the word `loopwright` in all of them.

use clap::CommandFactory;

use crate::args::Cli;

/// The program's name in the commands that engine and help write.
const NAME: &str = "loopwright";

/// A whole command: `loopwright review 1a2b3c4d`.
pub(crate) fn command(arguments: &str) -> String {
    format!("{} {arguments}", program())
}

/// A text with commands in it: the word `loopwright` before a verb.
pub(crate) fn in_text(text: &str) -> String {
    match renamed() {
        Some(program) => replaced(text, &program),
        None => text.to_owned(),
    }
}

/// What stands for the word `loopwright`, if anything does.
pub(crate) fn renamed() -> Option<String> {
    let word = std::env::var("LOOPWRIGHT_COMMAND").ok();
    word.filter(|w| !w.trim().is_empty())
}

fn program() -> String {
    renamed().unwrap_or_else(|| NAME.to_owned())
}

fn replaced(text: &str, program: &str) -> String {
    let verbs: Vec<String> = Cli::command().get_subcommands().map(|v| v.get_name().to_owned()).collect();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(NAME) {
        let (before, after) = (&rest[..at], &rest[at + NAME.len()..]);
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || "-_/.".contains(c));
        let verb = after.strip_prefix(' ').map(|a| {
            let end = a.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
            &a[..end.unwrap_or(a.len())]
        });
        let is_command = begins && verb.is_some_and(|v| v.starts_with("--") || verbs.iter().any(|k| k == v));
        out += before;
        out += if is_command { program } else { NAME };
        rest = after;
    }
    out + rest
}

/// A word for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-~+:@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_are_replaced() {
        for (text, shown) in [
            ("loopwright review x", "demo/lw review x"),
            ("see `loopwright doctor` or loopwright's docs", "see `demo/lw doctor` or loopwright's docs"),
            (
                "look at it, then: loopwright add x --confirm y; loopwright --help",
                "look at it, then: demo/lw add x --confirm y; demo/lw --help",
            ),
            ("loopwright-box is missing", "loopwright-box is missing"),
            ("demo/loopwright run x", "demo/loopwright run x"),
            ("a loopwright reviewer", "a loopwright reviewer"),
            ("loopwright", "loopwright"),
        ] {
            assert_eq!(replaced(text, "demo/lw"), shown);
        }
    }
}
