//! What `init` found, the loop it would write, and what to type next.

use chrono::{DateTime, Utc};
use loopwright_core::story::Mark;
use loopwright_engine::api::{AgentView, InitView, Surveyed};

use super::{aligned, check, marked};
use crate::commands::{command, quoted};
use crate::page::{Page, Tint};

/// Adds what was found, the file, and what it comes to.
pub(crate) fn drafted(page: &mut Page, view: &InitView, now: DateTime<Utc>) {
    if let Some(survey) = &view.survey {
        found(page, survey);
        page.gap();
    }
    page.add(Tint::Strong, &format!("The template {} fits", view.template)).line(&format!(": {}.", view.why));
    for gate in &view.missing {
        marked(page, 0, Mark::Note, &absent(gate));
    }
    page.gap();
    page.tinted(Tint::Muted, &view.add.check.path);
    view.text.lines().for_each(|line| page.line(&format!("  {line}")));
    page.gap();
    page.tinted(Tint::Strong, "What it does");
    view.plan.iter().for_each(|line| page.line(&format!("  {line}")));
    page.gap();
    check::brief(page, &view.add.check, now);
    marked(
        page,
        0,
        Mark::Note,
        "its times count while the scheduler runs (`loopwright serve`, or the tray); by hand it starts at any time",
    );
}

fn absent(gate: &str) -> String {
    let what = match gate {
        "tests_pass" => "no tests were found, so nothing tells whether a change breaks the project",
        _ => "no linter was found",
    };
    format!("{gate} is absent: {what}; name the command under `checks:` if there is one")
}

fn found(page: &mut Page, survey: &Surveyed) {
    page.tinted(Tint::Strong, &survey.repo);
    let none = |list: &[String], text: &str| if list.is_empty() { text.to_owned() } else { list.join(", ") };
    let branch = survey.branch.as_deref().unwrap_or("none checked out: a run needs one");
    let mut rows = vec![row("Branch", branch), row("Project", &none(&survey.kinds, "no kind that is known"))];
    if survey.checks.is_empty() {
        rows.push(row("Checks", "none found"));
    }
    for check in &survey.checks {
        let text = format!("{}: {}  ({})", check.gate, check.commands.join(" && "), check.origin);
        rows.push(row("Check", &text));
    }
    rows.push(row("Agents", &agents(&survey.agents)));
    aligned(page, 2, &rows);
    page.line("  Agents of vendors come with a later version; until then a loop runs the built-in fixer, or a program of yours.");
}

fn row(name: &str, text: &str) -> Vec<(Tint, String)> {
    vec![(Tint::Muted, name.to_owned()), (Tint::Plain, text.to_owned())]
}

fn agents(all: &[AgentView]) -> String {
    let names = |present: bool| -> Vec<&str> {
        all.iter().filter(|a| a.path.is_some() == present).map(|a| a.program.as_str()).collect()
    };
    match names(true)[..] {
        [] => format!("none of {} is here", names(false).join(", ")),
        ref here => format!("{} here; {} not", here.join(", "), names(false).join(", ")),
    }
}

/// Adds that a loop of this name is here already.
pub(crate) fn existing(page: &mut Page, view: &InitView) {
    let name = view.add.registered.as_ref().map_or("", |r| r.name.as_str());
    marked(page, 0, Mark::Note, &format!("{name} is here already ({}); nothing was written.", view.add.check.path));
    page.line(&format!("Another loop beside it: {}", command("init --name NEW")));
}

/// Adds what to type next.
pub(crate) fn next_steps(page: &mut Page, view: &InitView) {
    let Some(registered) = &view.add.registered else {
        return;
    };
    let name = &registered.name;
    if !view.existing {
        marked(page, 0, Mark::Passed, &format!("Written and registered: {}", registered.path));
    }
    let mut rows = Vec::new();
    let mut step = |what: String, why: &str| rows.push(vec![(Tint::Accent, what), (Tint::Muted, why.to_owned())]);
    if let Some(survey) = view.survey.as_ref().filter(|_| view.shared && !view.existing) {
        let folder = format!(".loopwright/{name}");
        let git = format!("git -C {}", quoted(&survey.repo));
        step(format!("{git} add {folder} && {git} commit -m 'loopwright: {name}'"), "it is read from the branch");
    }
    let (runs, tells) = match view.survey {
        Some(_) => ("looks and reports; changes nothing", "tells what it found"),
        None => ("does its steps now", "tells what they did"),
    };
    step(command(&format!("run {name}")), runs);
    step(command("show last"), tells);
    if view.plan.iter().any(|line| line.starts_with("with --ship")) {
        step(command(&format!("run {name} --ship")), "lets it open pull requests from then on");
    }
    aligned(page, 2, &rows);
}
