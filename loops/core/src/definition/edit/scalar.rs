//! A scalar in the quotes that one before it had.

/// `value` as YAML that reads as exactly this text: quoted as `like` is, else plain where that can be, else in quotes that need no escapes.
/// `flow` = it stands in brackets or braces.
pub(super) fn styled(like: &str, value: &str, flow: bool) -> String {
    match like.chars().next() {
        Some('"') => double(value),
        Some('\'') => single(value),
        _ if plain(value, flow) => value.to_owned(),
        _ if value.contains(['"', '\\']) => single(value),
        _ => double(value),
    }
}

/// JSON's strings are YAML's, and what stands here is printable.
fn double(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn single(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Whether it is read as text without any quotes, by every reader of YAML.
fn plain(value: &str, flow: bool) -> bool {
    let first = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let number = value.starts_with(|c: char| c.is_ascii_digit()) && value.contains(':');
    let special = |c: char| if flow { ",[]{}\"'#:".contains(c) } else { false };
    first
        && !number
        && !value.contains(": ")
        && !value.contains(" #")
        && !value.ends_with(':')
        && !value.contains(special)
}
