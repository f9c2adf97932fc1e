//! Recognising secrets in lines of text, by their form or by what they are assigned to.

/// Keys of known issuers: what it is, how it starts, how many characters follow at least.
const KNOWN: [(&str, &str, usize); 22] = [
    ("an AWS access key", "AKIA", 16),
    ("an AWS access key", "ASIA", 16),
    ("a GitHub token", "ghp_", 30),
    ("a GitHub token", "gho_", 30),
    ("a GitHub token", "ghu_", 30),
    ("a GitHub token", "ghs_", 30),
    ("a GitHub token", "ghr_", 30),
    ("a GitHub token", "github_pat_", 22),
    ("a GitLab token", "glpat-", 20),
    ("a Slack token", "xoxb-", 10),
    ("a Slack token", "xoxp-", 10),
    ("a Slack token", "xoxa-", 10),
    ("a Slack token", "xapp-", 10),
    ("a Slack webhook", "hooks.slack.com/services/T", 8),
    ("a Stripe key", "sk_live_", 16),
    ("a Stripe key", "rk_live_", 16),
    ("an Anthropic key", "sk-ant-", 20),
    ("an OpenAI key", "sk-proj-", 20),
    ("an OpenAI key", "sk-", 32),
    ("a Google key", "AIza", 35),
    ("an npm token", "npm_", 36),
    ("a PyPI token", "pypi-", 50),
];

/// What a name ends in when its value is secret.
const NAMES: [&str; 8] = ["key", "token", "secret", "password", "passwd", "credential", "credentials", "passphrase"];

/// Tells what kind of secret a line holds; the answer never repeats it.
pub(super) fn kind(line: &str) -> Option<&'static str> {
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    let known = KNOWN.iter().find(|(_, start, least)| has_key(line, start, *least));
    known.map(|(what, ..)| *what).or_else(|| assigned(line).then_some("a secret assigned to a name"))
}

fn has_key(line: &str, start: &str, least: usize) -> bool {
    line.match_indices(start).any(|(at, _)| {
        // In the middle of a longer word it is that word.
        let alone = !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let rest = &line[at + start.len()..];
        let word: Vec<u8> = rest.bytes().take_while(|b| is_key_byte(*b)).collect();
        let shaped = !start.starts_with("AKIA") && !start.starts_with("ASIA")
            || word.iter().take(least).all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        // `sk-` begins ordinary words too; a key has digits.
        alone && shaped && word.len() >= least && word.iter().any(u8::is_ascii_digit)
    })
}

fn is_key_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

/// Tells whether a name such as `API_KEY` gets a value that looks random.
fn assigned(line: &str) -> bool {
    line.match_indices(['=', ':']).any(|(at, _)| {
        let name = line[..at].trim_end_matches([' ', '"', '\'', '`', ':']);
        // `const API_KEY: &str = "…"`: the name stands in front of its type.
        let name = name.rsplit_once(": ").map_or(name, |(name, _)| name);
        let word = name.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').next();
        let word = word.unwrap_or("").to_ascii_lowercase();
        let secret = NAMES.iter().any(|n| word.ends_with(n)) && !word.contains("public");
        secret && looks_random(value(&line[at + 1..]))
    })
}

/// The word behind an assignment, without its quotes.
fn value(rest: &str) -> &str {
    let rest = rest.trim_start_matches([' ', '"', '\'', '`', '=']);
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+/_-=.~".contains(c)));
    let word = end.map_or(rest, |end| &rest[..end]);
    // A call or a generic type is code, not a value.
    if end.is_some_and(|end| rest[end..].starts_with(['(', '<', '[', '{', ':', '!'])) { "" } else { word }
}

/// Tells a random word from an identifier or a sentence: mixed kinds of characters and many different ones.
fn looks_random(word: &str) -> bool {
    let has = |of: fn(&u8) -> bool| word.bytes().any(|b| of(&b));
    let digits = has(u8::is_ascii_digit);
    let hex = word.len() >= 32 && digits && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mixed = word.len() >= 16 && digits && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    (hex && entropy(word) >= 3.0) || (mixed && entropy(word) >= 3.5)
}

/// Bits per character.
fn entropy(word: &str) -> f64 {
    let mut counts = [0_u32; 256];
    word.bytes().for_each(|b| counts[usize::from(b)] += 1);
    let total = f64::from(u32::try_from(word.len()).unwrap_or(u32::MAX));
    let part = |n: u32| f64::from(n) / total;
    counts.iter().filter(|n| **n > 0).map(|n| -part(*n) * part(*n).log2()).sum()
}
