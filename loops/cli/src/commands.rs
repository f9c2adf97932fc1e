//! Commands that are printed for people to paste: `LOOPWRIGHT_COMMAND` stands for the word `loopwright` in all of them.

/// The program's name in the commands that engine and help write.
const NAME: &str = "loopwright";

/// A whole command: `loopwright review 1a2b3c4d`.
pub(crate) fn command(arguments: &str) -> String {
    format!("{} {arguments}", program())
}

/// A text with commands in it: at its beginning, or behind a backtick.
pub(crate) fn in_text(text: &str) -> String {
    replaced(text, &program())
}

fn program() -> String {
    match std::env::var("LOOPWRIGHT_COMMAND") {
        Ok(word) if !word.trim().is_empty() => word,
        _ => NAME.to_owned(),
    }
}

fn replaced(text: &str, program: &str) -> String {
    let begun = match text.strip_prefix(NAME) {
        Some(rest) if rest.starts_with(' ') => format!("{program}{rest}"),
        _ => text.to_owned(),
    };
    begun.replace(&format!("`{NAME} "), &format!("`{program} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_are_replaced() {
        for (text, shown) in [
            ("loopwright review x", "demo/lw review x"),
            (
                "see `loopwright doctor` or loopwright's docs",
                "see `demo/lw doctor` or loopwright's docs",
            ),
            ("loopwright-box is missing", "loopwright-box is missing"),
        ] {
            assert_eq!(replaced(text, "demo/lw"), shown);
        }
    }
}
