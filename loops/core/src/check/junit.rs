//! JUnit XML on standard output, as pytest, Gradle and many others write it; each suite must agree with its own counts.
//!
//! No document type declaration is accepted, so that no entity can grow; larger texts than [`MAX_BYTES`] are not read.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};

use super::read::{Streams, at_file, contradicts, fault};
use super::{Case, CaseKind, CaseStatus, Place, text};

/// Largest document that is read, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// Most nodes of a document that is read.
const MAX_NODES: u32 = 500_000;

/// Tells JUnit XML from other output by its first element.
pub(crate) fn looks_like(out: &str) -> bool {
    let start = out.trim_start();
    let start = match start.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, rest)| rest).trim_start(),
        None => start,
    };
    start.starts_with("<testsuite") || (start.starts_with("<!DOCTYPE") && start.contains("<testsuite"))
}

/// Reads every `testcase`.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let refused = |why: String| {
        let id = format!("{}: unreadable JUnit XML", streams.check);
        vec![fault(CaseKind::Command, &id, "junit", Some(text::line(&why)))]
    };
    let xml = streams.out.trim();
    if xml.len() > MAX_BYTES {
        return refused(format!("{} bytes, at most {MAX_BYTES} are read", xml.len()));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    match Document::parse_with_options(xml, options) {
        Ok(doc) => {
            let of = |tag: &'static str| doc.descendants().filter(move |n| n.has_tag_name(tag));
            let doubts = of("testsuite").filter_map(doubt).map(|why| contradicts(streams.check, &why));
            of("testcase").map(case).chain(doubts).collect()
        }
        Err(why) => refused(why.to_string()),
    }
}

/// Why a suite can't be believed, if so. A test that fails and then fails to clean up is one test with two elements.
fn doubt(suite: Node<'_, '_>) -> Option<String> {
    let cases: Vec<_> = suite.descendants().filter(|n| n.has_tag_name("testcase")).collect();
    let names: BTreeSet<_> = cases.iter().map(|n| (n.attribute("classname"), n.attribute("name"))).collect();
    let with = |tag: &str| cases.iter().filter(|n| n.children().any(|c| c.has_tag_name(tag))).count();
    let told = |what: &str| suite.attribute(what).and_then(|n| n.parse::<usize>().ok());
    let listed = [("tests", cases.len()), ("failures", with("failure")), ("errors", with("error"))];
    let differs = |(what, n): &(&str, usize)| {
        let same = |t: usize| t == *n || (*what == "tests" && t == names.len());
        told(what).is_some_and(|t| !same(t))
    };
    let (what, n) = listed.into_iter().find(differs)?;
    Some(format!("{} {what} were counted, {n} are listed", told(what).unwrap_or_default()))
}

fn case(node: Node<'_, '_>) -> Case {
    let name = node.attribute("name").unwrap_or("unnamed");
    let suite =
        node.attribute("classname").or_else(|| node.parent_element().and_then(|p| p.attribute("name"))).unwrap_or("");
    if let Some(unbuilt) = not_collected(node) {
        return unbuilt;
    }
    let child = |tag: &str| node.children().find(|c| c.has_tag_name(tag));
    let bad = child("failure").or_else(|| child("error"));
    let status = match (bad, child("skipped")) {
        (Some(_), _) => CaseStatus::Failed,
        (None, Some(_)) => CaseStatus::Skipped,
        (None, None) => CaseStatus::Passed,
    };
    let cause = bad.and_then(|b| {
        let said = b.attribute("message").or_else(|| b.text()).unwrap_or("failed");
        said.lines().map(str::trim).find(|l| !l.is_empty()).map(text::line)
    });
    let line = node.attribute("line").and_then(|l| l.parse().ok());
    let place = node.attribute("file").and_then(text::path).map(|path| Place { path, line });
    Case { status, place, ..fault(CaseKind::Test, &format!("{suite}::{name}"), suite, cause) }
}

/// A file of tests that pytest could not even import.
fn not_collected(node: Node<'_, '_>) -> Option<Case> {
    let error = node.children().find(|c| c.has_tag_name("error"))?;
    if error.attribute("message") != Some("collection failure") {
        return None;
    }
    let said = error.text().unwrap_or_default();
    let why = said.lines().find_map(|l| l.strip_prefix("E ")).map(text::line);
    let file = node.attribute("file").and_then(text::path).or_else(|| node.attribute("name").map(text::id))?;
    Some(at_file(CaseKind::Build, "build", Place { path: file, line: None }, why))
}
