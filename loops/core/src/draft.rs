//! A loop file for one repository, made from a template: named, with its checks written out and a comment at each key.
//!
//! Nothing is looked at here: what a repository has comes in as [`Facts`]. Whether the text is a valid loop, its reader says.

use crate::definition::Command;

/// What is known of the repository and wanted of the loop.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The new loop's name.
    pub name: &'a str,
    /// The repository's path, for a loop that lies outside of it.
    pub repo: Option<&'a str>,
    /// The checks that were found.
    pub checks: &'a [Check],
}

/// One check that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The gate's name: `tests_pass`.
    pub gate: String,
    /// What is run.
    pub commands: Vec<Command>,
    /// The file that told: `Cargo.toml`.
    pub origin: String,
}

/// Gates whose commands come from the repository.
const PROJECTS_GATES: [&str; 2] = ["tests_pass", "lint_clean"];

/// What stands behind a key that has no comment yet; the first that fits counts.
const COMMENTS: [(&str, &str); 14] = [
    ("trigger: cron", "minute hour day month weekday; `manual` is only by hand"),
    ("isolation:", "a private copy inside the sandbox, never your checkout"),
    ("run: open_pr", "a pull request that waits for you; nothing lands by itself"),
    ("run:", "where it looks for work"),
    ("write_to:", "the list of findings; yours to edit between runs"),
    ("spawn:", "who makes the change; not defined below: the built-in fixer, which needs no model"),
    ("check:", "what must hold before you are asked, compared with the base"),
    ("max_iterations:", "rounds per finding; then it is handed to you"),
    ("budget:", "the most that one run may cost; the fixer costs nothing"),
    ("halt_on:", "rounds in a row without progress that stop a finding"),
    ("max_duration:", "a run that takes longer is ended"),
    ("max_findings:", "findings that one run acts on"),
    ("max_open:", "with more pull requests open it only looks"),
    ("merge:", "squash, merge or fast_forward"),
];

/// Makes the loop file of a template for one repository.
pub fn draft(template: &str, facts: &Facts<'_>) -> String {
    let mut text = String::new();
    for line in template.lines() {
        match line.strip_prefix("name: ") {
            Some(_) => head(&mut text, facts),
            None => push(&mut text, &commented(&gated(line, facts.checks))),
        }
    }
    if template.contains("scan_ci_failures") || !missing(template, &[]).is_empty() {
        checks(&mut text, facts);
    }
    if let Some(maker) = maker(template).filter(|_| !template.contains("\nagents:")) {
        push(&mut text, "");
        push(&mut text, "# Your own program instead of the built-in fixer (loops/README.md says what it is given):");
        push(&mut text, "# agents:");
        push(&mut text, &format!("#   {maker}: {{command: [./fix.sh], price: $0.50/attempt}}"));
    }
    text
}

/// The gates of a template that the repository has nothing for.
pub fn missing<'a>(template: &str, checks: &[Check]) -> Vec<&'a str> {
    let named = |gate: &str| template.lines().any(|line| expression(line).is_some_and(|e| e.contains(gate)));
    PROJECTS_GATES.into_iter().filter(|gate| named(gate) && !has(checks, gate)).collect()
}

fn head(text: &mut String, facts: &Facts<'_>) {
    let name = facts.name;
    push(text, "# Made by `loopwright init`, and yours to edit; afterwards:");
    push(text, &format!("#   loopwright check {name}   says what it comes to"));
    push(text, &format!("#   loopwright add {name}     confirms it anew"));
    push(text, &format!("name: {name}"));
    if let Some(repo) = facts.repo {
        push(text, &format!("repo: {}", quoted(repo)));
    }
}

/// The line without the gates that the repository has nothing for; gates joined by anything else than AND are left alone.
fn gated(line: &str, checks: &[Check]) -> String {
    let Some(expression) = expression(line).filter(|e| !e.contains(['(', '#']) && !e.contains(" OR ")) else {
        return line.to_owned();
    };
    let there = |gate: &&str| !PROJECTS_GATES.contains(gate) || has(checks, gate);
    let kept: Vec<&str> = expression.split(" AND ").map(str::trim).filter(there).collect();
    match kept.is_empty() {
        true => line.to_owned(),
        false => line.replacen(expression, &kept.join(" AND "), 1),
    }
}

/// What `check:` says on this line.
fn expression(line: &str) -> Option<&str> {
    line.trim_start().trim_start_matches("- ").strip_prefix("check: ")
}

fn has(checks: &[Check], gate: &str) -> bool {
    checks.iter().any(|check| check.gate == gate)
}

/// The line with its key's comment, if it has none.
fn commented(line: &str) -> String {
    let key = line.trim_start();
    // A step that runs a command says itself what it is for.
    if key.starts_with("- run:") {
        return line.to_owned();
    }
    let key = key.trim_start_matches("- ");
    match COMMENTS.iter().find(|(start, _)| key.starts_with(start)) {
        Some((_, comment)) if !line.contains('#') => format!("{line}  # {comment}"),
        _ => line.to_owned(),
    }
}

fn checks(text: &mut String, facts: &Facts<'_>) {
    push(text, "");
    if facts.checks.is_empty() {
        push(text, "# No checks were found. Name the project's own, so that a change is held against them:");
        push(text, "# checks:");
        push(text, "#   tests_pass: [make, test]");
        return;
    }
    push(text, "# The project's own commands; they run in the sandbox, without network.");
    push(text, "checks:");
    for check in facts.checks {
        let (gate, origin) = (&check.gate, plain(&check.origin));
        if let [Command::Shell(line)] = &check.commands[..] {
            push(text, &format!("  {gate}: {}  # found: {origin}", quoted(line)));
            continue;
        }
        push(text, &format!("  {gate}:  # found: {origin}"));
        for command in &check.commands {
            let words: Vec<String> = command.argv().iter().map(|word| quoted(word)).collect();
            push(text, &format!("    - [{}]", words.join(", ")));
        }
    }
}

/// A scalar that YAML reads as exactly this text.
fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "/._-+=".contains(c);
    let unhyphened = text.trim_start_matches('-');
    let first = unhyphened.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '.') || text == "--";
    let special = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_lowercase().as_str());
    match first && !special && text.chars().all(bare) {
        true => text.to_owned(),
        // JSON's strings are YAML's, once nothing is left in them that YAML does not print.
        false => serde_json::Value::from(text).to_string().chars().map(printable).collect(),
    }
}

fn printable(c: char) -> String {
    match c {
        '\u{7f}'..='\u{9f}' => format!("\\x{:02x}", c as u32),
        '\u{2028}' | '\u{2029}' | '\u{feff}' => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    }
}

/// A file name for a comment.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The name in `spawn: NAME(finding)`.
fn maker(template: &str) -> Option<&str> {
    let spawn = template.lines().find_map(|line| line.trim_start().strip_prefix("spawn: "))?;
    spawn.split_once('(').map(|(name, _)| name)
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests;
