//! Untrusted text made harmless for titles, messages and Markdown of a pull request.
//!
//! Nobody is mentioned, no issue is closed or linked, nothing is fetched or hidden, and no key is shown.

use crate::hidden::is_hidden;

/// Breaks what forges look for, and is not seen.
const BREAK: char = '\u{200b}';

/// What a removed key is replaced by.
const REMOVED: &str = "[secret removed]";

/// One line of plain text, at most `limit` characters: for titles.
pub fn line(text: &str, limit: usize) -> String {
    cut(&inert(&flat(text), unseen), limit)
}

/// One line of a commit message, at most `limit` characters. Whatever forge it is pushed to one day, it mentions and closes
/// nothing there; and all of it is seen, so that what is searched for is found: `Issue #1` is `Issue 1`.
pub fn commit_line(text: &str, limit: usize) -> String {
    cut(&inert(&flat(text), in_words), limit)
}

fn flat(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    without_secrets(&visible(&words.join(" ")))
}

/// One line of Markdown that renders as the plain text.
pub fn markdown(text: &str, limit: usize) -> String {
    let mut escaped = String::new();
    for c in line(text, limit).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | '!' | '#' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    // `1.`, `-`, `+` and `=` at the start would be a list or a rule.
    match escaped.find(|c: char| !c.is_ascii_digit()) {
        Some(at) if at > 0 && escaped[at..].starts_with(['.', ')']) => escaped.insert(at, '\\'),
        Some(0) if escaped.starts_with(['-', '+', '=']) => escaped.insert(0, '\\'),
        _ => {}
    }
    escaped
}

/// A block of code that holds the text, at most `limit` characters, and that nothing in it can end.
pub fn block(text: &str, limit: usize) -> String {
    let lines: Vec<String> = text.lines().map(|l| visible(&l.replace('\t', "    "))).collect();
    let text = cut(&inert(&without_secrets(lines.join("\n").trim_end()), unseen), limit);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

/// Control, bidirectional and invisible characters as `�`.
fn visible(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Breaks mentions, references to issues, and links: `after` is called with the text up to and with the character that would
/// have made one.
fn inert(text: &str, after: fn(&mut String)) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        out.push(c);
        rest = &rest[c.len_utf8()..];
        let digit = rest.starts_with(|c: char| c.is_numeric());
        let breaks = match c {
            '@' => true,
            '#' | '!' => digit,
            ':' => rest.starts_with("//"),
            '.' => ends_with(&out, "www."),
            '-' => digit && ends_with(&out, "gh-"),
            _ => false,
        };
        if breaks {
            after(&mut out);
        }
    }
    out
}

fn unseen(out: &mut String) {
    out.push(BREAK);
}

/// `#1` becomes `1`, `GH-1` becomes `GH 1`, and a space follows everything else.
fn in_words(out: &mut String) {
    if out.ends_with(['#', '-']) {
        out.truncate(out.trim_end_matches(['#', '-']).len());
    }
    if !(out.is_empty() || out.ends_with([' ', '(', '['])) {
        out.push(' ');
    }
}

fn ends_with(text: &str, end: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= end.len() && bytes[bytes.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// Prefixes of keys, each with the fewest characters that follow.
const KEYS: [(&str, usize); 22] = [
    ("ghp_", 16),
    ("gho_", 16),
    ("ghu_", 16),
    ("ghs_", 16),
    ("ghr_", 16),
    ("github_pat_", 16),
    ("glpat-", 12),
    ("sk-", 16),
    ("sk_live_", 12),
    ("rk_live_", 12),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 20),
    ("npm_", 20),
    ("pypi-", 16),
    ("hf_", 16),
    ("eyJ", 30),
];

/// Names whose value is a secret.
const NAMES: [&str; 7] = ["password", "passwd", "secret", "token", "api_key", "apikey", "authorization"];

/// Replaces what looks like a key. A key of unknown shape passes: no secret in the box is the first wall, this is the second.
fn without_secrets(text: &str) -> String {
    let text = without_blocks(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !in_token(c)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        out.push_str(if !token.is_empty() && secret(token, &out) { REMOVED } else { token });
        let skip = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..skip]);
        rest = &after[skip..];
    }
    out
}

fn in_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '~')
}

/// Whether a token is a key, by itself or by the name before it.
fn secret(token: &str, before: &str) -> bool {
    let shaped = KEYS.iter().any(|(prefix, least)| {
        // Also in the middle: `key-ghp_…` and `x.sk-…` are keys too.
        token.match_indices(prefix).any(|(at, _)| {
            let begins = at == 0 || !token.as_bytes()[at - 1].is_ascii_alphanumeric();
            begins && token.len() - at - prefix.len() >= *least && token[at..].bytes().any(|b| b.is_ascii_digit())
        })
    });
    let scheme = token.eq_ignore_ascii_case("bearer") || token.eq_ignore_ascii_case("basic");
    shaped || dense(token) || (token.len() >= 6 && !scheme && named(before))
}

/// `password=`, `token: "`, `://user:` just before.
fn named(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'', ' ']);
    let before = ["Bearer", "bearer", "Basic", "basic"].iter().find_map(|s| before.strip_suffix(s)).unwrap_or(before);
    let before = before.trim_end();
    if let Some(name) = before.strip_suffix(['=', ':']) {
        let name = name.trim_end_matches(['"', '\'', ' ']).to_ascii_lowercase();
        let url =
            name.rsplit("://").next().is_some_and(|u| u.len() < name.len() && !u.is_empty() && u.chars().all(in_token));
        return url || NAMES.iter().any(|n| name.ends_with(n));
    }
    false
}

/// Long, with digits and both cases throughout: random, and not a hash in hex, a path or a name.
fn dense(token: &str) -> bool {
    let count = |f: fn(&u8) -> bool| token.as_bytes().iter().filter(|b| f(b)).count();
    let (upper, lower, digits) =
        (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase), count(u8::is_ascii_digit));
    token.len() >= 32 && !token.contains('.') && upper >= 6 && lower >= 6 && digits >= 4
}

/// Cuts out private keys in PEM form.
fn without_blocks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("-----BEGIN ") {
        let (before, block) = rest.split_at(at);
        out.push_str(before);
        let private = block.find("PRIVATE KEY").is_some_and(|p| p < 60);
        let end = block.find("-----END ").map(|e| block[e + 9..].find("-----").map_or(block.len(), |f| e + 9 + f + 5));
        let end = if private { end.unwrap_or(block.len()) } else { 11 };
        out.push_str(if private { REMOVED } else { &block[..end] });
        rest = &block[end..];
    }
    out.push_str(rest);
    out
}

/// At most `limit` characters, with `…` for the rest.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no text of a pull request may hold, whatever was put in.
    fn effects(text: &str) -> Vec<&'static str> {
        let lower = text.to_lowercase();
        let after = |mark: &str, f: fn(char) -> bool| {
            lower.match_indices(mark).any(|(at, m)| lower[at + m.len()..].starts_with(f))
        };
        let mut found = Vec::new();
        let mut say = |is: bool, what| {
            if is {
                found.push(what)
            }
        };
        say(after("@", char::is_alphanumeric), "mention");
        say(after("#", char::is_numeric) || after("gh-", char::is_numeric), "reference");
        say(lower.contains("://") || after("www.", char::is_alphanumeric), "link");
        say(lower.contains("<!--") || after("<", |c| c.is_alphabetic() || c == '/' || c == '!'), "markup");
        say(lower.contains("](") || lower.contains("!["), "image or link");
        say(text.chars().any(|c| is_hidden(c) && c != BREAK && c != '\n'), "hidden character");
        say(["ghp_", "akia", "private key", "hunter2", "xoxb", "sk-ant"].iter().any(|s| lower.contains(s)), "secret");
        found
    }

    const HOSTILE: [&str; 66] = [
        "@octocat look",
        "cc @org/team",
        "mail me@example.org",
        "＠not but @yes",
        "(@a)",
        "`@a`",
        "@\u{200b}a",
        "a@b@c",
        "fixes #1",
        "Closes #12, resolves #13",
        "close: #1",
        "FIXES\u{a0}#1",
        "fixes org/repo#1",
        "fixes GH-1",
        "gh-22",
        "gh-#1",
        "!#1",
        "#@a#1",
        "GH--1 ##@@b",
        "fixes https://github.com/o/r/issues/1",
        "resolves http://x.y/1",
        "merge !12",
        "#1",
        "##1",
        "<!-- hidden -->",
        "a <!-- b",
        "<!--\n-->",
        "<script>x</script>",
        "<img src=x onerror=y>",
        "<a href='x'>",
        "</details>",
        "<details><summary>x",
        "<IMG SRC=\"x\">",
        "&lt;b&gt; <b>",
        "<style>*{}",
        "<?php",
        "<![CDATA[",
        "![x](https://evil/x.png)",
        "[click](https://evil)",
        "[x]: https://evil",
        "![x][y]",
        "<https://evil>",
        "www.evil.com",
        "WWW.evil.com",
        "ftp://x",
        "[a](javascript:alert(1))",
        "x\n\n# Heading",
        "```\nout\n```\n@a",
        "~~~\n@a",
        "| a | b |\n|--|--|",
        "- [ ] @a",
        "1. @a",
        "\u{202e}gnp.exe",
        "a\u{2066}b\u{2069}",
        "zero\u{200b}width\u{200d}",
        "tag\u{e0041}\u{e0042}",
        "nul\0esc\x1b[31m",
        "bell\x07",
        "a\u{feff}b",
        "ghp_0123456789abcdefghij0123456789abcdef",
        "key AKIA0123456789ABCDEF.",
        "password=hunter2hunter2",
        "Authorization: Bearer hunter2hunter2",
        "https://user:hunter2hunter2@host/x",
        "xoxb-123456789012-abcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2\n-----END RSA PRIVATE KEY-----",
    ];

    #[test]
    fn sixty_hostile_texts_have_no_effect() {
        for text in HOSTILE {
            let title = line(text, 200);
            assert!(!title.contains('\n'), "{title:?}");
            let effects_of_title: Vec<_> =
                effects(&title).into_iter().filter(|e| *e != "markup" && *e != "image or link").collect();
            assert!(effects_of_title.is_empty(), "line {text:?} -> {title:?}: {effects_of_title:?}");
            let subject = commit_line(text, 200);
            let effects_of_subject: Vec<_> =
                effects(&subject).into_iter().filter(|e| *e != "markup" && *e != "image or link").collect();
            assert!(effects_of_subject.is_empty(), "commit {text:?} -> {subject:?}: {effects_of_subject:?}");
            assert!(!subject.contains('\n') && !subject.contains(BREAK), "{subject:?}");
            let shown = markdown(text, 400);
            assert!(effects(&shown).is_empty(), "markdown {text:?} -> {shown:?}: {:?}", effects(&shown));
            let fenced = block(text, 400);
            let effects_of_block: Vec<_> =
                effects(&fenced).into_iter().filter(|e| *e != "markup" && *e != "image or link").collect();
            assert!(effects_of_block.is_empty(), "block {text:?} -> {fenced:?}: {effects_of_block:?}");
        }
        // The control: most of them do have an effect as they are.
        let harmful = HOSTILE.iter().filter(|t| !effects(t).is_empty()).count();
        assert!(harmful >= 45, "{harmful}");
    }

    #[test]
    fn honest_text_stays_readable() {
        for text in [
            "Overflow in `add` for i32::MAX",
            "tests::parse fails at src/a.rs",
            "commit 0123456789abcdef0123456789abcdef01234567",
            "naïve → 数",
        ] {
            assert_eq!(line(text, 200), text);
        }
        assert_eq!(markdown("a*b_c [d] <e> `f`", 99), r"a\*b\_c \[d\] &lt;e&gt; \`f\`");
        assert_eq!(markdown("1. x", 99), r"1\. x");
        assert_eq!(line("one\n two\t three", 9), "one two …");
    }

    #[test]
    fn a_commit_is_found_by_what_it_says() {
        for (text, shown) in [
            ("Issue #1: mend it", "Issue 1: mend it"),
            ("Fixes: #12, closes o/r#3 (#4) [#5]", "Fixes: 12, closes o/r 3 (4) [5]"),
            ("##1 GH-1 gh-#1 !#1 !2", "1 GH 1 gh 1 ! 1 ! 2"),
            ("ask @octocat or me@example.org", "ask @ octocat or me@ example.org"),
            ("see https://github.com/o/r/issues/1", "see https: //github.com/o/r/issues/1"),
            ("C# 12 and a-1 stay", "C# 12 and a-1 stay"),
        ] {
            assert_eq!(commit_line(text, 200), shown);
        }
    }

    #[test]
    fn a_block_can_not_be_ended_from_inside() {
        assert_eq!(block("a\n````\nb", 99), "`````text\na\n````\nb\n`````");
        assert_eq!(block("", 99), "```text\n\n```");
    }

    #[test]
    fn keys_are_removed_and_hashes_are_not() {
        for (text, shown) in [
            ("use sk-ant-api03-AbCdEfGhIjKlMnOpQrSt now", "use [secret removed] now"),
            ("x=ghs_0123456789abcdefABCD;", "x=[secret removed];"),
            ("token: \"abcdef123456\"", "token: \"[secret removed]\""),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk", "[secret removed]"),
            ("aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE", "[secret removed]"),
            (
                "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            ("tokens: 12", "tokens: 12"),
            ("the token is missing", "the token is missing"),
        ] {
            assert_eq!(line(text, 200), shown);
        }
    }
}
