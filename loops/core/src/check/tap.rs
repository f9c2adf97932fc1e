//! TAP, the Test Anything Protocol, versions 12 to 14: `ok 1 - name`, `not ok 2 - name # TODO`, and sub-tests indented by four.
//!
//! `node --test` writes it too: the file names of tests that could not run, and counts at the end that must agree.

use std::collections::BTreeMap;

use super::read::{Streams, at_file, contradicts, fault};
use super::{Case, CaseKind, CaseStatus, Place, cause, jest, text};

/// Tells TAP from other output: a version line, or a plan with a result.
pub(crate) fn looks_like(out: &str) -> bool {
    let mut lines = out.lines();
    lines.clone().any(|l| l.starts_with("TAP version "))
        || (lines.clone().any(|l| plan(l).is_some()) && lines.any(|l| result(l).is_some()))
}

/// Reads the results, sub-tests under the names of their parents.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let nested = streams.out.lines().any(|l| l.trim_start().starts_with("# Subtest"));
    let mut reader = Reader { nested, ..Reader::default() };
    for line in streams.out.lines() {
        reader.line(line);
    }
    reader.settle_from(1);
    let mut names = Names { check: streams.check, seen: BTreeMap::new(), cases: Vec::new() };
    let doubt = reader.doubt();
    for node in reader.levels.into_iter().next().map(|l| l.done).unwrap_or_default() {
        names.put(&[], &node);
    }
    let mut cases = names.cases;
    cases.extend(reader.broken_plans.iter().map(|told| {
        fault(CaseKind::Command, &format!("{}: plan not kept", streams.check), "plan", Some(told.clone()))
    }));
    cases.extend(doubt.map(|why| contradicts(streams.check, &why)));
    if let Some(why) = streams.out.lines().find_map(|l| l.strip_prefix("Bail out!")) {
        cases.push(fault(CaseKind::Command, &format!("{}: bailed out", streams.check), "plan", Some(text::line(why))));
    }
    cases
}

/// Reads `1..12`.
fn plan(line: &str) -> Option<usize> {
    let count = line.strip_prefix("1..")?;
    count.split_whitespace().next()?.parse().ok()
}

fn result(line: &str) -> Option<(bool, &str)> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    (rest.is_empty() || rest.starts_with(' ')).then_some((ok, rest))
}

/// A result with the results of its sub-tests.
#[derive(Debug)]
struct Node {
    name: String,
    status: CaseStatus,
    /// A container of tests that is none itself.
    suite: bool,
    children: Vec<Node>,
    /// Lines below it, as printed.
    said: Vec<String>,
    /// The comment before it that most likely says why.
    before: Option<String>,
}

/// What was read at one depth.
#[derive(Default)]
struct Level {
    done: Vec<Node>,
    planned: Option<usize>,
}

#[derive(Default)]
struct Reader {
    nested: bool,
    levels: Vec<Level>,
    /// The depth whose last result's lines follow.
    below: usize,
    /// The indentation of a YAML block that is open.
    yaml: Option<usize>,
    broken_plans: Vec<String>,
    comment: Option<String>,
    /// `# tests 12` and the like at the end.
    counts: BTreeMap<String, usize>,
}

/// Most lines that are kept below one result.
const KEPT: usize = 60;

impl Reader {
    fn line(&mut self, line: &str) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if let Some(open) = self.yaml {
            self.yaml = if indent == open && line.trim() == "..." { None } else { self.yaml };
            return self.say(line);
        }
        let depth = indent / 4;
        let bare = &line[indent..];
        let counts = indent.is_multiple_of(4) && (depth == 0 || self.nested);
        if !counts {
            let opens = bare == "---" && indent % 4 == 2;
            self.yaml = opens.then_some(indent);
            self.say(line);
        } else if let Some((ok, said)) = result(bare) {
            self.result(depth, ok, said);
        } else if let Some(count) = plan(bare) {
            self.level(depth).planned = Some(count);
        } else if let Some(comment) = bare.strip_prefix("# ") {
            self.comment(depth, comment);
        }
    }

    fn say(&mut self, line: &str) {
        let last = self.levels.get_mut(self.below).and_then(|l| l.done.last_mut());
        if let Some(node) = last.filter(|n| n.said.len() < KEPT) {
            node.said.push(line.trim().to_owned());
        }
    }

    fn comment(&mut self, depth: usize, comment: &str) {
        let count = comment.split_once(' ').and_then(|(what, n)| Some((what.to_owned(), n.parse().ok()?)));
        match count {
            Some((what, n)) if depth == 0 => drop(self.counts.insert(what, n)),
            _ if comment.contains("Error") && self.comment.is_none() => self.comment = Some(text::line(comment)),
            _ => {}
        }
    }

    fn level(&mut self, depth: usize) -> &mut Level {
        while self.levels.len() <= depth {
            self.levels.push(Level::default());
        }
        &mut self.levels[depth]
    }

    fn result(&mut self, depth: usize, ok: bool, said: &str) {
        self.settle_from(depth + 2);
        self.level(depth);
        let children = self.levels.get_mut(depth + 1).map(|l| (std::mem::take(&mut l.done), l.planned.take()));
        let (children, planned) = children.unwrap_or_default();
        self.keep_plan(planned, children.len());
        let (name, status) = named(ok, said);
        let before = self.comment.take();
        let node = Node { name, status, suite: false, children, said: Vec::new(), before };
        self.levels[depth].done.push(node);
        self.below = depth;
    }

    fn keep_plan(&mut self, planned: Option<usize>, came: usize) {
        if let Some(planned) = planned.filter(|p| *p != came) {
            self.broken_plans.push(format!("{planned} results were planned, {came} came"));
        }
    }

    /// Results without a parent's line belong to nobody: they count where they stand, one level up.
    fn settle_from(&mut self, depth: usize) {
        while self.levels.len() > depth {
            let Some(lost) = self.levels.pop() else { return };
            self.keep_plan(lost.planned, lost.done.len());
            if let Some(above) = self.levels.last_mut() {
                above.planned = above.planned.map(|p| p + lost.done.len());
                above.done.extend(lost.done);
            }
        }
        if depth == 1 {
            let top = self.levels.first().map_or((None, 0), |l| (l.planned, l.done.len()));
            self.keep_plan(top.0, top.1);
            self.levels.iter_mut().for_each(|l| l.done.iter_mut().for_each(Node::mark));
        }
    }

    /// Why node's own counts contradict its lines, if they do.
    fn doubt(&self) -> Option<String> {
        // Only node says how many suites there were; others count otherwise.
        self.counts.get("suites")?;
        let wanted = |what: &str| self.counts.get(what).copied().unwrap_or(0);
        let top = self.levels.first().map_or(&[][..], |l| &l.done);
        let (mut tests, mut failed) = (0, 0);
        for node in top {
            node.count(&mut tests, &mut failed);
        }
        let counted = (wanted("tests"), wanted("fail") + wanted("cancelled"));
        let differ = counted != (tests, failed);
        differ.then(|| format!("{counted:?} tests and failures were counted, {:?} are listed", (tests, failed)))
    }
}

impl Node {
    /// Learns from the lines below what is a suite.
    fn mark(&mut self) {
        self.suite = self.said.iter().any(|l| l == "type: 'suite'");
        self.children.iter_mut().for_each(Node::mark);
    }

    fn count(&self, tests: &mut usize, failed: &mut usize) {
        if !self.suite {
            *tests += 1;
            *failed += usize::from(self.status == CaseStatus::Failed);
        }
        self.children.iter().for_each(|c| c.count(tests, failed));
    }

    fn any_failed(&self) -> bool {
        self.children.iter().any(|c| c.status == CaseStatus::Failed)
    }

    /// The first line that says why; a parent's is its first failing sub-test's, so that they are one finding.
    fn why(&self) -> String {
        if let Some(child) = self.children.iter().find(|c| c.status == CaseStatus::Failed) {
            return child.why();
        }
        let at = self.said.iter().position(|l| ["error:", "message:"].iter().any(|k| l.starts_with(k)));
        let said = match at.map(|at| (at, self.said[at].split_once(':').map_or("", |(_, v)| v.trim()))) {
            Some((at, "|-" | "|" | ">-" | ">" | "")) => {
                let block = self.said[at + 1..].iter().map(String::as_str);
                cause::assertion(block.take_while(|l| !l.starts_with("code:")))
            }
            Some((_, value)) => Some(value.trim_matches(['\'', '"']).to_owned()),
            None => {
                self.said.iter().find(|l| !l.is_empty() && *l != "---" && *l != "..." && !l.contains(": ")).cloned()
            }
        };
        let vague = said.as_deref().is_none_or(|s| s == "test failed");
        let said = if vague { self.before.clone().or(said) } else { said };
        said.map_or_else(|| format!("not ok: {}", self.name), |s| text::line(&s))
    }

    fn place(&self) -> Option<Place> {
        let place = |l: &String| l.strip_prefix("location: '").and_then(|l| jest::in_frame(l.trim_end_matches('\'')));
        // A stack names the line that failed, the location only where the test begins.
        self.said.iter().find_map(|l| jest::in_frame(l)).or_else(|| self.said.iter().find_map(place))
    }
}

/// Name and status of `- divides # TODO later`.
fn named(ok: bool, said: &str) -> (String, CaseStatus) {
    let said = said.trim();
    let digits = said.len() - said.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let said = said[digits..].trim_start().trim_start_matches("- ");
    let (name, directive) = said.split_once(" # ").unwrap_or((said, ""));
    let directive = directive.to_ascii_lowercase();
    let name = if name.trim().is_empty() { "unnamed" } else { name.trim() };
    let status = match (ok, directive.as_str()) {
        (_, d) if d.starts_with("skip") || d.starts_with("todo") => CaseStatus::Skipped,
        (true, _) => CaseStatus::Passed,
        (false, _) => CaseStatus::Failed,
    };
    (name.replace("\\#", "#").replace("\\\\", "\\"), status)
}

/// Gives results their ids.
struct Names<'a> {
    check: &'a str,
    seen: BTreeMap<String, usize>,
    cases: Vec<Case>,
}

impl Names<'_> {
    fn put(&mut self, above: &[&str], node: &Node) {
        let path: Vec<&str> = above.iter().copied().chain([node.name.as_str()]).collect();
        for child in &node.children {
            self.put(&path, child);
        }
        // A suite is the sum of its tests, unless something else of it failed.
        if node.suite && (node.status != CaseStatus::Failed || node.any_failed()) {
            return;
        }
        let cause = (node.status == CaseStatus::Failed).then(|| node.why());
        if let Some(file) = node.name.strip_prefix("/workspace/").filter(|_| node.status == CaseStatus::Failed) {
            let place = Place { path: text::id(file), line: None };
            return self.cases.push(at_file(CaseKind::Build, "build", place, cause));
        }
        let name = path.join(" > ");
        // Equal names are told apart by their order, never by their number: a new test in front must not rename the rest.
        let times = self.seen.entry(name.clone()).or_default();
        *times += 1;
        let id =
            if *times == 1 { format!("{}::{name}", self.check) } else { format!("{}::{name} #{times}", self.check) };
        let place = node.place().filter(|_| cause.is_some());
        self.cases.push(Case { status: node.status, place, ..fault(CaseKind::Test, &id, self.check, cause) });
    }
}
