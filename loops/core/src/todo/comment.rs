//! Where comments begin and end in the languages that people write, told line by line.
//!
//! No language is parsed: an opener behind an odd number of quotes stands in a text, and that is all that is known of texts.

/// How the comments of a language look, and whether one is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comments {
    /// What begins a comment that ends with its line.
    line: Option<&'static str>,
    /// What begins and ends a comment over lines.
    block: Option<(&'static str, &'static str)>,
    inside: bool,
}

/// What a line says in a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    /// Without what opens, closes or decorates it.
    pub(super) text: &'a str,
    /// Whether nothing but the comment stands in its line.
    pub(super) alone: bool,
}

const SLASHES: Comments = Comments { line: Some("//"), block: Some(("/*", "*/")), inside: false };
const HASH: Comments = Comments { line: Some("#"), block: None, inside: false };
const DASHES: Comments = Comments { line: Some("--"), block: None, inside: false };
const MARKUP: Comments = Comments { line: None, block: Some(("<!--", "-->")), inside: false };
const STYLE: Comments = Comments { line: None, block: Some(("/*", "*/")), inside: false };
const SEMICOLON: Comments = Comments { line: Some(";"), block: None, inside: false };
const PERCENT: Comments = Comments { line: Some("%"), block: None, inside: false };

impl Comments {
    /// Those of a file, by its name in small letters; none where it has no comments that are known.
    pub(super) fn of(name: &str) -> Option<Comments> {
        if matches!(name, "makefile" | "gnumakefile" | "dockerfile" | "justfile" | "rakefile" | "gemfile") {
            return Some(HASH);
        }
        let (_, end) = name.rsplit_once('.')?;
        Some(match end {
            "rs" | "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" | "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx"
            | "mts" | "cts" | "java" | "kt" | "kts" | "scala" | "go" | "swift" | "cs" | "dart" | "php" | "proto"
            | "zig" | "scss" | "less" | "groovy" | "gradle" | "m" | "mm" | "sol" | "v" => SLASHES,
            "py" | "pyi" | "sh" | "bash" | "zsh" | "fish" | "rb" | "pl" | "pm" | "yaml" | "yml" | "toml" | "mk"
            | "cmake" | "r" | "jl" | "ex" | "exs" | "tf" | "nix" | "conf" | "cfg" | "ps1" | "nim" => HASH,
            "sql" | "lua" | "hs" | "elm" | "ada" | "adb" | "ads" => DASHES,
            "md" | "html" | "htm" | "xml" | "svg" | "vue" | "svelte" => MARKUP,
            "css" => STYLE,
            "lisp" | "el" | "clj" | "cljs" | "scm" | "asm" | "ini" => SEMICOLON,
            "tex" | "erl" | "hrl" => PERCENT,
            _ => return None,
        })
    }

    /// What the next line says in a comment, if it has one.
    pub(super) fn line<'a>(&mut self, line: &'a str) -> Option<Said<'a>> {
        if self.inside {
            return Some(Said { text: bare(self.until_end(line)), alone: true });
        }
        let begins = |opener: &'static str| starts(line, opener).map(|at| (at, opener));
        let of_line = self.line.and_then(begins);
        let of_block = self.block.and_then(|(open, _)| begins(open));
        let (at, opener) = match (of_line, of_block) {
            (Some(line), Some(block)) => {
                if line.0 <= block.0 {
                    line
                } else {
                    block
                }
            }
            (line, block) => line.or(block)?,
        };
        let alone = line[..at].trim().is_empty();
        let mut rest = &line[at + opener.len()..];
        if of_block.is_some_and(|(block, _)| block == at) {
            self.inside = true;
            rest = self.until_end(rest);
        }
        Some(Said { text: bare(rest), alone })
    }

    /// The part before the end of a block, if it ends here.
    fn until_end<'a>(&mut self, line: &'a str) -> &'a str {
        let end = self.block.and_then(|(_, close)| line.find(close));
        self.inside &= end.is_none();
        end.map_or(line, |at| &line[..at])
    }
}

/// Where a comment begins, if one does.
fn starts(line: &str, opener: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = line[from..].find(opener).map(|at| from + at) {
        let before = &line[..at];
        // `$#` and `a#b` of shells, `https://` of addresses, `--count` of options.
        let apart = before.is_empty() || before.ends_with([' ', '\t', '{', '}', ';', ')', ',']);
        let quoted = before.matches('"').count() % 2 == 1;
        if apart && !quoted {
            return Some(at);
        }
        from = at + opener.len();
    }
    None
}

/// Without more of the opener, and without stars and the like that decorate.
fn bare(text: &str) -> &str {
    text.trim_start_matches(['/', '!', '#', '*', '-', ';', '%', ' ', '\t']).trim_end()
}
