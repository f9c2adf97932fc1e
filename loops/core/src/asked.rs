//! `command("…")`: findings that a program of the project names, a line of JSON each.
//!
//! Everything is untrusted. A line that is not exactly of its shape is named, and nothing is guessed from it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::check::{Place, text};
use crate::finding::{Finding, FindingSource, Fingerprint};

/// Most findings that one command may name.
pub const MAX_FINDINGS: usize = 500;

/// Longest key, in characters: a cut key would be another one's.
const MAX_KEY: usize = 200;

/// Longest detail, in bytes.
const MAX_DETAIL: usize = 16 << 10;

/// Most places of one finding.
const MAX_PLACES: usize = 20;

/// Most bad lines that are named one by one.
const MAX_NAMED: usize = 10;

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    title: String,
    #[serde(default)]
    detail: String,
    should: Option<String>,
    #[serde(default)]
    places: Vec<String>,
}

/// What a command named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// In the order of its lines.
    pub findings: Vec<Finding>,
    /// Lines that can't be used, each with its number and why; at most ten, then how many more.
    pub bad: Vec<String>,
}

/// Reads a command's standard output; `taken` are keys that another command has used already.
pub fn read(stdout: &[u8], taken: &mut BTreeSet<String>) -> Asked {
    let (mut asked, mut more) = (Asked::default(), 0);
    let lines = stdout.split(|b| *b == b'\n').enumerate().filter(|(_, l)| !l.trim_ascii().is_empty());
    for (at, line) in lines {
        match finding(line, taken, asked.findings.len()) {
            Ok(found) => asked.findings.push(found),
            Err(why) if asked.bad.len() < MAX_NAMED => asked.bad.push(format!("line {}: {}", at + 1, text::line(&why))),
            Err(_) => more += 1,
        }
    }
    if more > 0 {
        asked.bad.push(format!("and {more} lines more"));
    }
    asked
}

fn finding(line: &[u8], taken: &mut BTreeSet<String>, before: usize) -> Result<Finding, String> {
    // A list would pass for an object with its fields in order.
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err("it is no JSON object".to_owned());
    }
    let line: Line = serde_json::from_slice(line).map_err(|why| why.to_string())?;
    let key = required("key", &line.key, MAX_KEY)?;
    let title = required("title", &line.title, MAX_KEY)?;
    let should = match &line.should {
        Some(should) => required("should", should, text::MAX_CHARS)?,
        None => "the command that named it no longer does".to_owned(),
    };
    if line.detail.len() > MAX_DETAIL {
        return Err(format!("`detail` has {} bytes, at most {MAX_DETAIL} are read", line.detail.len()));
    }
    let places = line.places.iter().map(|p| place(p)).collect::<Result<Vec<Place>, String>>()?;
    if places.len() > MAX_PLACES {
        return Err(format!("`places` has {} entries, at most {MAX_PLACES} are read", places.len()));
    }
    if before >= MAX_FINDINGS {
        return Err(format!("at most {MAX_FINDINGS} findings are read"));
    }
    if !taken.insert(key.clone()) {
        return Err(format!("the key `{key}` was given before"));
    }
    Ok(Finding {
        fingerprint: Fingerprint::of(FindingSource::Command, &key),
        source: FindingSource::Command,
        title: text::bounded(&title, 120),
        detail: text::clean(line.detail.as_bytes()),
        should,
        gate: None,
        failing: BTreeSet::new(),
        places,
        suspects: Vec::new(),
        fault: false,
        key,
    })
}

/// A text that has something to say and is not longer than may be.
fn required(name: &str, value: &str, max: usize) -> Result<String, String> {
    let flat = text::bounded(value, max);
    match flat.trim() {
        "" => Err(format!("`{name}` is empty")),
        _ if value.trim().chars().count() > max => Err(format!("`{name}` is longer than {max} characters")),
        said => Ok(said.to_owned()),
    }
}

/// Reads `src/a.rs` or `src/a.rs:3`.
fn place(written: &str) -> Result<Place, String> {
    let (path, line) = match written.rsplit_once(':') {
        Some((path, line)) if line.bytes().all(|b| b.is_ascii_digit()) => (path, line.parse().ok()),
        _ => (written, None),
    };
    let path = text::path(path).ok_or_else(|| format!("the place `{written}` is no path inside of the repository"))?;
    Ok(Place { path, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &str) -> Asked {
        read(lines.as_bytes(), &mut BTreeSet::new())
    }

    #[test]
    fn a_line_is_a_finding() {
        let asked =
            of("{\"key\": \"a\", \"title\": \"A\"}\n\n{\"key\":\"b\",\"title\":\"B\\u202e\\nb\",\"detail\":\"x\\ny\",\
                        \"should\":\"B is done\",\"places\":[\"src/b.rs:3\",\"./c\"]}\n");
        assert_eq!(asked.bad, [""; 0]);
        let [a, b] = &asked.findings[..] else { panic!("{asked:?}") };
        assert_eq!(a.should, "the command that named it no longer does");
        assert_eq!((b.title.as_str(), b.detail.as_str(), b.should.as_str()), ("B  b", "x\ny", "B is done"));
        let place = |path: &str, line| Place { path: path.into(), line };
        assert_eq!(b.places, [place("src/b.rs", Some(3)), place("c", None)]);
        assert_eq!(a.fingerprint, of("{\"title\": \"other words\", \"key\": \"a\"}").findings[0].fingerprint);
    }

    #[test]
    fn a_bad_line_is_named_and_the_others_count() {
        let good = "{\"key\": \"a\", \"title\": \"A\"}";
        for (bad, why) in [
            ("not JSON", "no JSON object"),
            ("{\"key\": \"b\"}", "title"),
            ("{\"key\": 3, \"title\": \"A\"}", "string"),
            ("{\"key\": \" \", \"title\": \"A\"}", "`key` is empty"),
            ("{\"key\": \"b\", \"title\": \"\"}", "`title` is empty"),
            ("{\"key\": \"b\", \"titel\": \"A\"}", "unknown field `titel`"),
            ("{\"key\": \"a\", \"title\": \"again\"}", "was given before"),
            ("{\"key\": \"b\", \"title\": \"A\", \"places\": [\"/etc/passwd\"]}", "no path inside"),
            ("{\"key\": \"b\", \"title\": \"A\", \"places\": [\"../x:3\"]}", "no path inside"),
            ("[\"b\", \"A\", \"\", \"\", []]", "no JSON object"),
            ("{\"key\": \"b\", \"title\": \"A\"} x", "trailing"),
        ] {
            let asked = of(&format!("{good}\n{bad}\n"));
            assert_eq!((asked.findings.len(), asked.bad.len()), (1, 1), "{bad}: {asked:?}");
            assert!(asked.bad[0].starts_with("line 2: ") && asked.bad[0].contains(why), "{bad}: {}", asked.bad[0]);
        }
    }

    #[test]
    fn both_lists_are_bounded() {
        let asked = of(&"x\n".repeat(50));
        assert_eq!((asked.bad.len(), asked.bad[10].as_str()), (11, "and 40 lines more"));
        let many: String = (0..MAX_FINDINGS + 3).map(|n| format!("{{\"key\":\"{n}\",\"title\":\"t\"}}\n")).collect();
        let asked = of(&many);
        assert_eq!((asked.findings.len(), asked.bad.len()), (MAX_FINDINGS, 3));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(out in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            read(&out, &mut BTreeSet::new());
        }
    }
}
