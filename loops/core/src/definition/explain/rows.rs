//! Every key of a loop with its value and origin, in the order in which a loop file is written.

use super::{Origin, Row, Surroundings, chores, timing};
use crate::definition::phrase::quote;
use crate::definition::values::duration;
use crate::definition::{
    AgentSpec, Command, Definition, Independence, Merge, Origins, Rails, Retry, ShipAction, Source, Work,
};

/// All rows.
pub(super) fn rows(definition: &Definition, origins: &Origins, around: &Surroundings) -> Vec<Row> {
    let mut rows = Rows { origins, rows: Vec::new() };
    head(definition, around, &mut rows);
    chores::rows(definition, &mut rows);
    steps(definition, &mut rows);
    chores::finally(definition, &mut rows);
    rails(definition, &mut rows);
    for (name, agent) in &definition.agents {
        self::agent(name, agent, &mut rows);
    }
    checks(definition, around, &mut rows);
    if let Some(setup) = &definition.setup {
        rows.add("setup", setup);
    }
    for (name, value) in &definition.env {
        rows.add(&format!("env.{name}"), value);
    }
    rows.rows
}

/// The gates of a loop that need a command, in the order of their mention.
pub(super) fn gates(definition: &Definition) -> Vec<String> {
    let scanned = definition.sources().iter().flat_map(|source| match source {
        Source::ScanCiFailures(checks) => checks.clone(),
        _ => Vec::new(),
    });
    let verified = definition.work.iter().flat_map(|work| work.verify.check.gates());
    let mut gates = Vec::new();
    for gate in verified.chain(scanned).chain(definition.checks.keys().cloned()) {
        if gate != "diff_reasonable" && !gates.contains(&gate) {
            gates.push(gate);
        }
    }
    gates
}

pub(super) struct Rows<'a> {
    origins: &'a Origins,
    rows: Vec<Row>,
}

impl Rows<'_> {
    /// A key that the file gives or a default fills.
    pub(super) fn add(&mut self, key: &str, value: impl ToString) {
        self.add_from(key, &[key], value);
    }

    /// The same for a key that stands in the file under the first of `places` that is there.
    pub(super) fn add_from(&mut self, key: &str, places: &[&str], value: impl ToString) {
        let origin = match places.iter().find_map(|place| self.origins.span(place)) {
            Some(span) => Origin::File { line: span.line },
            None => Origin::Default,
        };
        self.put(key, value, origin);
    }

    /// Whether the file gives this key.
    pub(super) fn given(&self, key: &str) -> bool {
        self.origins.span(key).is_some()
    }

    pub(super) fn put(&mut self, key: &str, value: impl ToString, origin: Origin) {
        self.rows.push(Row { key: key.to_owned(), value: value.to_string(), origin });
    }
}

fn head(definition: &Definition, around: &Surroundings, rows: &mut Rows<'_>) {
    rows.add("name", &definition.name);
    timing::rows(definition, around, rows);
    match (&definition.repo, &around.repo) {
        (Some(repo), _) => rows.add("repo", repo),
        (None, Some(root)) => rows.put("repo", root, Origin::Detected { by: "git root".to_owned() }),
        (None, None) if definition.discover.is_none() => rows.put("repo", "none: its steps need none", Origin::Default),
        (None, None) => rows.put("repo", "none", Origin::Absent),
    }
    rows.add("isolation", "worktree");
}

fn steps(definition: &Definition, rows: &mut Rows<'_>) {
    let Some(discover) = &definition.discover else { return };
    rows.add("discover.run", sources(definition));
    rows.add("discover.write_to", format!("state/{}", discover.write_to));
    retry("discover", discover.retry, rows);
    if let Some(work) = &definition.work {
        self::work(work, &discover.write_to, rows);
    }
}

fn work(work: &Work, list: &str, rows: &mut Rows<'_>) {
    rows.add("act.for_each", format!("finding in state/{list}"));
    rows.add("act.spawn", format!("{}(finding)", work.act.maker));
    rows.add("act.isolation", "worktree");
    if work.act.parallel > 1 {
        rows.add("act.parallel", format!("{} findings at once", work.act.parallel));
    }
    retry("act", work.act.retry, rows);
    rows.add("verify.agent", work.verify.checker.as_deref().unwrap_or("none: gates alone"));
    rows.add("verify.check", &work.verify.check);
    retry("verify", work.verify.retry, rows);
    rows.add("ship.if", "verified");
    rows.add("ship.run", sum(work.ship.actions.iter().map(|a| action(*a).to_owned())));
    retry("ship", work.ship.retry, rows);
}

fn retry(step: &str, retry: Retry, rows: &mut Rows<'_>) {
    if let Some(value) = tries(retry) {
        rows.add(&format!("{step}.retry"), value);
    }
}

/// Further tries in words; none where there are none.
pub(super) fn tries(retry: Retry) -> Option<String> {
    (retry.times > 0).then(|| format!("{} times, every {}", retry.times, duration(retry.every_s)))
}

fn rails(definition: &Definition, rows: &mut Rows<'_>) {
    let rails = &definition.rails;
    let unlimited = || "no limit of its own".to_owned();
    let merge = match definition.review.merge {
        Merge::Squash => "squash",
        Merge::Merge => "merge",
        Merge::FastForward => "fast_forward",
    };
    let independence = match definition.independence {
        Independence::Model => "model",
        Independence::Vendor => "vendor",
    };
    // Whether the key says something of a loop that looks for nothing, or changes nothing.
    let (always, found, acts) = (true, definition.discover.is_some(), definition.work.is_some());
    for (key, value, means) in [
        ("guardrails.max_iterations", rails.max_iterations.to_string(), acts),
        ("guardrails.budget", budgets(rails), always),
        ("guardrails.halt_on", format!("no_progress({})", rails.no_progress), acts),
        ("guardrails.max_duration", duration(rails.max_duration_s), always),
        ("guardrails.max_tokens", rails.max_tokens.map_or_else(unlimited, |n| n.to_string()), found),
        ("guardrails.max_turns", rails.max_turns.map_or_else(unlimited, |n| n.to_string()), found),
        ("guardrails.max_findings", rails.max_findings.to_string(), found),
        ("review.max_open", definition.review.max_open.to_string(), found),
        ("review.merge", merge.to_owned(), found),
        ("independence", independence.to_owned(), found),
    ] {
        if means || rows.given(key) {
            rows.add(key, value);
        }
    }
}

/// `$5/run, $20/day`
fn budgets(rails: &Rails) -> String {
    let wider = rails.ceilings.iter().map(ToString::to_string);
    std::iter::once(format!("{}/run", rails.budget)).chain(wider).collect::<Vec<_>>().join(", ")
}

fn agent(name: &str, spec: &AgentSpec, rows: &mut Rows<'_>) {
    let key = |field: &str| format!("agents.{name}.{field}");
    rows.add(&key("command"), &spec.command);
    rows.add(&key("price"), format!("{}/attempt", spec.price));
    rows.add(&key("model"), spec.model.as_deref().unwrap_or("none: deterministic"));
    if let Some(vendor) = &spec.vendor {
        rows.add(&key("vendor"), vendor);
    }
    rows.add(&key("idle"), duration(spec.idle_s));
    rows.add(&key("max"), duration(spec.max_s));
}

fn checks(definition: &Definition, around: &Surroundings, rows: &mut Rows<'_>) {
    for gate in gates(definition) {
        let key = format!("checks.{gate}");
        let detected = around.checks.iter().find(|check| check.gate == gate);
        match (definition.checks.get(&gate), detected) {
            (Some(commands), _) => {
                let shown: Vec<String> = commands.iter().map(Command::to_string).collect();
                rows.add(&key, shown.join(" && "));
            }
            (None, Some(check)) => {
                let by = check.origin.clone();
                rows.put(&key, check.commands.join(" && "), Origin::Detected { by });
            }
            (None, None) => rows.put(&key, "none", Origin::Absent),
        }
    }
}

/// Where a loop looks for work, as its file says it.
pub(super) fn sources(definition: &Definition) -> String {
    sum(definition.sources().iter().map(source))
}

fn sum(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(" + ")
}

fn source(source: &Source) -> String {
    match source {
        Source::ScanCiFailures(checks) if checks.is_empty() => "scan_ci_failures".to_owned(),
        Source::ScanCiFailures(checks) => format!("scan_ci_failures({})", checks.join(", ")),
        Source::OpenIssues => "open_issues".to_owned(),
        Source::RecentCommits => "recent_commits".to_owned(),
        Source::TodoComments => "todo_comments".to_owned(),
        Source::Command(command) => format!("command({})", quote(&command.to_string())),
    }
}

/// An action as a loop file names it.
pub(super) fn action(action: ShipAction) -> &'static str {
    match action {
        ShipAction::OpenPr => "open_pr",
        ShipAction::LinkIssue => "link_issue",
        ShipAction::NotifySlack => "notify_slack",
    }
}
