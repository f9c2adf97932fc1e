//! Title, body and commit message of a pull request, from facts and from untrusted text.

use std::fmt::Write;

use crate::diff::DiffStat;
use crate::finding::Finding;
use crate::gate::{GateResult, Level};
use crate::money::Micros;
use crate::verdict::Verdict;

use super::harmless::{block, commit_line, line, markdown};

/// Longest title in characters.
const TITLE: usize = 72;

/// Longest line of an untrusted source in characters.
const LINE: usize = 300;

/// Most lines of one kind.
const LINES: usize = 10;

/// What a pull request tells.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// What was found.
    pub finding: &'a Finding,
    /// How it was verified.
    pub verdict: &'a Verdict,
    /// How large it is.
    pub stat: DiffStat,
    /// Who made it, for people: `fixer (built in)`.
    pub maker: &'a str,
    /// What the maker says of it (untrusted).
    pub summary: Option<&'a str>,
    /// What all attempts cost.
    pub cost: Micros,
    /// How many attempts it took.
    pub attempts: u32,
    /// The run's id.
    pub run: &'a str,
    /// The issues that it closes, by number.
    pub closes: &'a [u32],
}

/// One line of plain text.
pub fn title(finding: &Finding) -> String {
    line(&finding.title, TITLE)
}

/// The body, as Markdown.
pub fn body(story: &Story<'_>) -> String {
    let mut out = String::new();
    section(&mut out, "What was found", &found(story.finding));
    section(&mut out, "What changed", &changed(story));
    section(&mut out, "Gates", &gates(&story.verdict.gates));
    section(&mut out, "Checker", &checker(story.verdict));
    let times = if story.attempts == 1 { "attempt" } else { "attempts" };
    let cost = format!(
        "{} in {} {times}, run {}",
        markdown(&story.cost.to_string(), 40),
        story.attempts,
        markdown(story.run, 60)
    );
    section(&mut out, "Cost", &cost);
    out
}

/// The message of the commit that lands: title, size, and trailers that only facts make. The trailer of a linked issue is
/// the one sign in it that a forge acts on.
pub fn message(story: &Story<'_>) -> String {
    let mut out = format!("{}\n\n{}\n\n", commit_line(&story.finding.title, TITLE), story.stat);
    for number in story.closes {
        // Writing to a String can't fail.
        let _ = writeln!(out, "Closes: #{number}");
    }
    let _ = writeln!(out, "Loopwright-Finding: {}", story.finding.fingerprint);
    let _ = writeln!(out, "Loopwright-Run: {}", commit_line(story.run, 60));
    out
}

fn section(out: &mut String, name: &str, text: &str) {
    let gap = if out.is_empty() { "" } else { "\n" };
    let _ = write!(out, "{gap}## {name}\n\n{}\n", text.trim_end());
}

fn found(finding: &Finding) -> String {
    let mut out = format!("{}\n\n", markdown(&finding.title, LINE));
    if !finding.should.is_empty() {
        let _ = writeln!(out, "It should: {}\n", markdown(&finding.should, LINE));
    }
    for case in finding.failing.iter().take(LINES) {
        let _ = writeln!(out, "- {}", markdown(&case.0, LINE));
    }
    more(&mut out, finding.failing.len());
    if !finding.detail.trim().is_empty() {
        let _ = writeln!(out, "\n{}", block(&finding.detail, 2000));
    }
    out
}

fn changed(story: &Story<'_>) -> String {
    let mut out = format!("{} by {}\n", markdown(&story.stat.to_string(), LINE), markdown(story.maker, LINE));
    if let Some(summary) = story.summary.filter(|s| !s.trim().is_empty()) {
        let _ = writeln!(out, "\nThe maker says:\n\n{}", block(summary, 2000));
    }
    out
}

fn gates(gates: &[GateResult]) -> String {
    let mut out = String::new();
    for gate in gates {
        let level = match gate.level {
            Level::Pass => "pass",
            Level::NeedsPerson => "**needs a person**",
            Level::Fail => "**fail**",
        };
        let _ = writeln!(out, "- {}: {level}. {}", markdown(&gate.gate, LINE), markdown(&gate.summary, LINE));
        for reason in gate.reasons.iter().take(LINES) {
            let _ = writeln!(out, "  - {}", markdown(reason, LINE));
        }
        more(&mut out, gate.reasons.len());
    }
    if out.is_empty() { "None.".to_owned() } else { out }
}

fn checker(verdict: &Verdict) -> String {
    let (Some(by), Some(answer)) = (&verdict.checked_by, &verdict.checker) else {
        return "Gates alone: no second model looked at this.".to_owned();
    };
    let word = if answer.accepted { "accepts" } else { "does **not** accept" };
    let mut out = format!("{} {word} it.\n", markdown(by, LINE));
    for reason in answer.reasons.iter().take(LINES) {
        let _ = writeln!(out, "- {}", markdown(reason, LINE));
    }
    more(&mut out, answer.reasons.len());
    if let Some(why) = &verdict.not_independent {
        let _ = writeln!(out, "- **not independent**: {}", markdown(why, LINE));
    }
    for left in answer.not_checked.iter().take(LINES) {
        let _ = writeln!(out, "- not checked: {}", markdown(left, LINE));
    }
    out
}

fn more(out: &mut String, count: usize) {
    if count > LINES {
        let _ = writeln!(out, "- and {} more", count - LINES);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::check::CaseId;
    use crate::finding::{FindingSource, Fingerprint};
    use crate::hidden::is_hidden;
    use crate::verdict::CheckerVerdict;

    fn finding(title: &str) -> Finding {
        Finding {
            fingerprint: Fingerprint::of(FindingSource::Check, "sums::carry"),
            source: FindingSource::Check,
            key: "sums::carry".to_owned(),
            title: title.to_owned(),
            detail: "assertion failed\n```\n@everyone".to_owned(),
            should: "sums::carry passes".to_owned(),
            gate: Some("tests_pass".to_owned()),
            failing: BTreeSet::from([CaseId("sums::carry".to_owned())]),
            places: Vec::new(),
            suspects: Vec::new(),
            fault: true,
        }
    }

    fn verdict() -> Verdict {
        Verdict {
            verified: true,
            level: Level::NeedsPerson,
            gates: vec![GateResult {
                gate: "tests_pass".to_owned(),
                level: Level::NeedsPerson,
                summary: "12 passed".to_owned(),
                reasons: vec!["Cargo.lock changed <!-- x -->".to_owned()],
                evidence: None,
            }],
            checker: Some(CheckerVerdict {
                accepted: true,
                reasons: vec!["fine, fixes #9 @you".to_owned()],
                faults: Vec::new(),
                not_checked: vec!["Windows".to_owned()],
            }),
            checked_by: Some("reviewer".to_owned()),
            not_independent: None,
            reasons: Vec::new(),
            failing: BTreeSet::new(),
            cleared: None,
        }
    }

    fn story<'a>(finding: &'a Finding, verdict: &'a Verdict) -> Story<'a> {
        Story {
            finding,
            verdict,
            stat: DiffStat { files: 1, added: 3, removed: 1 },
            maker: "command ./fix.sh",
            summary: Some("I fixed it; closes #4"),
            cost: Micros(250_000),
            attempts: 2,
            run: "1a2b3c4d",
            closes: &[7],
        }
    }

    #[test]
    fn the_body_tells_the_whole_story() {
        let (finding, verdict) = (finding("Carry is lost"), verdict());
        // The invisible breaks are shown as `·`.
        let text = body(&story(&finding, &verdict)).replace('\u{200b}', "·");
        insta::assert_snapshot!(text, @r"
        ## What was found

        Carry is lost

        It should: sums::carry passes

        - sums::carry

        ````text
        assertion failed
        ```
        @·everyone
        ````

        ## What changed

        \+3 −1 in 1 file by command ./fix.sh

        The maker says:

        ```text
        I fixed it; closes #·4
        ```

        ## Gates

        - tests\_pass: **needs a person**. 12 passed
          - Cargo.lock changed &lt;\!-- x --&gt;

        ## Checker

        reviewer accepts it.
        - fine, fixes \#·9 @·you
        - not checked: Windows

        ## Cost

        \$0.25 in 2 attempts, run 1a2b3c4d
        ");
    }

    #[test]
    fn only_facts_make_trailers() {
        let (finding, verdict) = (finding("x\n\nCloses: #1\nfixes #2"), verdict());
        let message = message(&story(&finding, &verdict));
        let trailers: Vec<&str> =
            message.lines().filter(|l| l.starts_with("Closes") || l.starts_with("Loopwright")).collect();
        assert_eq!(trailers[0], "Closes: #7");
        assert_eq!(trailers.len(), 3);
        assert!(message.starts_with("x Closes: 1 fixes 2\n\n"), "{message:?}");
        let rest = message.replacen("Closes: #7", "", 1);
        assert!(!rest.contains(['#', '@']) && !message.chars().any(|c| c != '\n' && is_hidden(c)), "{message:?}");
    }
}
