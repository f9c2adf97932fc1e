//! The menu, group by group. Their order never changes: state, repairs, waiting, running, next; run and pause; halt or
//! resume; windows; login and quit.

use crate::scheduler::Health;

use super::words::{self, around, count, cut, money};
use super::{
    Act, Glance, HaltFact, Line, LoopFact, MOST_ROWS, Pause, PullRequestFact, Repair, RunFact, Sign, Stands, View,
};

/// How many of each a menu shows at most.
const REPAIRS: usize = 4;
const WAITING: usize = 5;
const RUNNING: usize = 4;

/// The whole menu.
pub(super) fn menu(glance: &Glance, sign: Sign) -> Vec<Line> {
    let below = [loops(glance), halt(glance), windows(), last(glance)];
    let fixed: usize = below.iter().map(Vec::len).sum();
    let mut menu = top(glance, sign, MOST_ROWS.saturating_sub(fixed));
    for group in below.into_iter().filter(|group| !group.is_empty()) {
        menu.push(Line::Between);
        menu.extend(group);
    }
    menu
}

/// State, repairs, waiting, running and next in at most `room` rows: the alarm gives way first, then whatever takes most.
fn top(glance: &Glance, sign: Sign, room: usize) -> Vec<Line> {
    let first = state(glance, sign);
    let groups = [repair_lines(glance), waiting(glance), running(glance)];
    let (next, mut wake) = (next(glance, sign), wake(glance, sign));
    let mut most = [REPAIRS, WAITING, RUNNING];
    let more = [(View::Settings, "Settings"), (View::Review, "Review"), (View::Runs, "Runs")];
    loop {
        let cut: Vec<Vec<Line>> = (0..3).map(|at| shortened(&groups[at], most[at], more[at])).collect();
        let rows = first.len() + cut.iter().map(Vec::len).sum::<usize>() + next.len() + wake.len();
        let longest = (0..3).rev().max_by_key(|at| cut[*at].len()).unwrap_or_default();
        if rows <= room || most == [0; 3] {
            return [first, cut.concat(), next, wake].concat();
        }
        match wake.is_empty() {
            false => wake = Vec::new(),
            true => most[longest] = cut[longest].len().saturating_sub(2),
        }
    }
}

/// The first lines of a group, and one that says how many more there are.
fn shortened(lines: &[Line], most: usize, (view, name): (View, &str)) -> Vec<Line> {
    if lines.len() <= most {
        return lines.to_vec();
    }
    let more = format!("{} more in {name}…", lines.len() - most);
    let mut kept = lines[..most].to_vec();
    kept.push(Line::Does(more, open(view, None)));
    kept
}

/// What is so, in words: never to be clicked, because a panel puts the pointer there.
fn state(glance: &Glance, sign: Sign) -> Vec<Line> {
    let mut lines = match sign {
        Sign::Halted => halted(glance),
        Sign::Degraded => vec![Line::Says(format!("Needs repair: {}", repairs(glance).len()))],
        Sign::NeedsYou(1) => vec![Line::Says("1 pull request waits for you".to_owned())],
        Sign::NeedsYou(n) => vec![Line::Says(format!("{n} pull requests wait for you"))],
        Sign::Running => {
            let spent = money(glance.running.iter().map(|run| run.spent).sum());
            vec![Line::Says(format!("{} running · {spent} so far", glance.running.len()))]
        }
        Sign::Idle => idle(glance),
    };
    let said = glance.said.as_ref();
    lines.extend(said.map(|said| Line::Does(around("", &said.what, ". Show why"), said.act.clone())));
    lines
}

fn idle(glance: &Glance) -> Vec<Line> {
    let on = glance.loops.iter().filter(|l| l.pause == Pause::On).count();
    match (glance.loops.len(), on) {
        (0, _) => {
            let set_up = Line::Does("Set up a loop…".to_owned(), open(View::Welcome, None));
            vec![Line::Says("No loops yet".to_owned()), set_up]
        }
        (1, 0) => vec![Line::Says("All quiet · the loop is paused".to_owned())],
        (all, 0) => vec![Line::Says(format!("All quiet · all {all} loops are paused"))],
        (_, on) => vec![Line::Says(format!("All quiet · {} on", count(on, "loop")))],
    }
}

fn halted(glance: &Glance) -> Vec<Line> {
    let (first, stopped) = match &glance.halted {
        Some(HaltFact::Asked { at, by, stopped }) => {
            let since = at.map(|at| format!(" since {}", words::moment(at, glance.now, glance.zone, glance.zone)));
            let by = if by.is_empty() { String::new() } else { format!(", from {}", by_whom(by)) };
            (format!("HALTED{}{by}", since.unwrap_or_default()), *stopped)
        }
        Some(HaltFact::Unarmed(why)) => (around("HALTED: ", why, ""), 0),
        None => ("HALTED".to_owned(), 0),
    };
    let mut lines = vec![Line::Says(cut(&first, words::MOST))];
    if stopped > 0 {
        let were = if stopped == 1 { "was" } else { "were" };
        let text = format!("{} {were} stopped. Show them", count(stopped, "run"));
        let text = if stopped == 1 { text.replace("them", "it") } else { text };
        lines.push(Line::Does(text, open(View::Runs, None)));
    }
    lines.push(Line::Says("Nothing starts until you resume".to_owned()));
    lines
}

fn by_whom(by: &str) -> String {
    match by {
        "window" | "notification" => format!("a {by}"),
        other => format!("the {}", words::plain(other, 12)),
    }
}

/// Everything that is broken, the worst first. What HALT stops is not broken.
pub(super) fn repairs(glance: &Glance) -> Vec<Repair> {
    let mut all: Vec<Repair> = wake_repair(glance).into_iter().collect();
    all.extend(scheduler(glance));
    all.extend(glance.repairs.iter().cloned());
    all
}

fn wake_repair(glance: &Glance) -> Option<Repair> {
    let wake = glance.wake.filter(|wake| !wake.armed)?;
    let at = words::moment(wake.at, glance.now, glance.zone, glance.zone);
    let problem = format!("Won't wake at {}", at.trim_start_matches("tomorrow "));
    Some(Repair { problem, verb: "Repair…".to_owned(), act: open(View::Settings, Some("wake")) })
}

/// Where no loop is, nothing is to be started either.
fn scheduler(glance: &Glance) -> Option<Repair> {
    let at = glance.scheduler.last.map(|at| words::moment(at, glance.now, glance.zone, glance.zone));
    let since = |word: &str| at.as_ref().map(|at| format!(" {word} {at}")).unwrap_or_default();
    let (problem, verb, act) = match glance.scheduler.health {
        _ if glance.loops.is_empty() => return None,
        Health::Alive if glance.scheduler.fails => {
            (format!("Scheduler can't work{}", since("since")), "Show why", open(View::Settings, Some("doctor")))
        }
        Health::Alive => return None,
        Health::Stuck => (format!("Scheduler is stuck{}", since("since")), "Restart it", Act::Serve),
        Health::Gone if at.is_none() => ("No scheduler runs".to_owned(), "Start it", Act::Serve),
        Health::Gone => (format!("Scheduler stopped{}", since("at")), "Restart it", Act::Serve),
    };
    Some(Repair { problem, verb: verb.to_owned(), act })
}

fn repair_lines(glance: &Glance) -> Vec<Line> {
    if glance.halted.is_some() {
        return Vec::new();
    }
    let line = |r: Repair| Line::Does(around("", &r.problem, &format!(". {}", r.verb)), r.act);
    repairs(glance).into_iter().map(line).collect()
}

fn waiting(glance: &Glance) -> Vec<Line> {
    let landing = |p: &&PullRequestFact| p.stands == Stands::Landing;
    let (first, rest): (Vec<_>, Vec<_>) = glance.waiting.iter().partition(landing);
    first.into_iter().chain(rest).map(|p| pull_request(glance, p)).collect()
}

fn pull_request(glance: &Glance, p: &PullRequestFact) -> Line {
    let look = |text: &str| Line::Does(text.to_owned(), open(View::Review, Some(&p.id)));
    let undo = |text: String| Line::Does(text, Act::Undo { id: p.id.clone() });
    let title = words::title(&p.title);
    match &p.stands {
        Stands::Landing => undo(around("Merging “", &title, "”. Undo")),
        Stands::Waits => {
            let under = vec![look("Open in Review"), undo("Undo the approval".to_owned())];
            Line::Leads(around("", &title, " · approved"), under)
        }
        stands => {
            let under = vec![look("Open in Review"), approve(glance, p, stands), look("Send back…"), later(p)];
            Line::Leads(around("", &title, &format!(" · {}", words::age(p.opened, glance.now))), under)
        }
    }
}

/// Offered only where it would succeed now; otherwise why not.
fn approve(glance: &Glance, p: &PullRequestFact, stands: &Stands) -> Line {
    match stands {
        _ if glance.halted.is_some() => Line::Says("Approve is off while halted".to_owned()),
        Stands::Look(why) => Line::Says(around("Approve in Review: ", why, "")),
        _ => {
            let act = Act::Approve { id: p.id.clone(), tree: p.tree.clone() };
            Line::Does("Approve and merge".to_owned(), act)
        }
    }
}

fn later(p: &PullRequestFact) -> Line {
    let choices = [("1 hour", "1h"), ("This evening", "evening"), ("Tomorrow", "tomorrow")];
    let line = |(text, when): (&str, &str)| {
        Line::Does(text.to_owned(), Act::Later { id: p.id.clone(), when: when.to_owned() })
    };
    Line::Leads("Later".to_owned(), choices.into_iter().map(line).collect())
}

fn running(glance: &Glance) -> Vec<Line> {
    glance.running.iter().map(run).collect()
}

fn run(run: &RunFact) -> Line {
    let show = Line::Does("Show run".to_owned(), open(View::Runs, Some(&run.id)));
    let halt = Line::Does("Halt this run".to_owned(), Act::HaltRun { id: run.id.clone() });
    let after = format!(" · {} · {}", run.doing, money(run.spent));
    Line::Leads(around("", &run.loop_name, &after), vec![show, halt])
}

fn next(glance: &Glance, sign: Sign) -> Vec<Line> {
    let Some(next) = glance.next.as_ref().filter(|_| sign != Sign::Halted) else { return Vec::new() };
    let at = words::moment(next.at, glance.now, next.zone, glance.zone);
    let unsure = if sign == Sign::Degraded { " (may not run)" } else { "" };
    let text = around("Next: ", &next.loop_name, &format!(", {at}{unsure}"));
    vec![Line::Does(text, open(View::Loops, Some(&next.loop_name)))]
}

fn wake(glance: &Glance, sign: Sign) -> Vec<Line> {
    let Some(wake) = glance.wake.filter(|wake| wake.armed && sign != Sign::Halted) else { return Vec::new() };
    let at = words::moment(wake.at, glance.now, glance.zone, glance.zone);
    let text = format!("Wakes the computer at {} ✓", at.trim_start_matches("tomorrow "));
    vec![Line::Does(text, open(View::Settings, Some("wake")))]
}

/// Run and pause; nothing starts while everything is halted, so neither is offered.
fn loops(glance: &Glance) -> Vec<Line> {
    if glance.halted.is_some() || glance.loops.is_empty() {
        return Vec::new();
    }
    let (now, pause) =
        (glance.loops.iter().map(|l| run_now(glance, l)), glance.loops.iter().map(|l| paused(glance, l)));
    let under = |lines: Vec<Line>| shortened(&lines, MOST_ROWS - 1, (View::Loops, "Loops"));
    vec![
        Line::Leads("Run now".to_owned(), under(now.collect())),
        Line::Leads("Pause a loop".to_owned(), under(pause.collect())),
    ]
}

fn run_now(glance: &Glance, l: &LoopFact) -> Line {
    if glance.running.iter().any(|run| run.loop_name == l.name) {
        return Line::Says(around("", &l.name, " runs already"));
    }
    Line::Does(around("", &l.name, ""), Act::Run { name: l.name.clone() })
}

fn paused(glance: &Glance, l: &LoopFact) -> Line {
    let enable = || Act::Enable { name: l.name.clone() };
    match l.pause {
        Pause::On => {
            let pause = |until_tomorrow| Act::Pause { name: l.name.clone(), until_tomorrow };
            let under = vec![
                Line::Does("until tomorrow".to_owned(), pause(true)),
                Line::Does("until I resume".to_owned(), pause(false)),
            ];
            Line::Leads(around("", &l.name, ""), under)
        }
        Pause::Until(at) => {
            let until = words::moment(at, glance.now, glance.zone, glance.zone);
            let until = until.trim_end_matches(" 00:00");
            Line::Leads(
                around("", &l.name, &format!(" · paused until {until}")),
                vec![Line::Does("Resume it now".to_owned(), enable())],
            )
        }
        Pause::UntilResumed => {
            Line::Leads(around("", &l.name, " · paused"), vec![Line::Does("Resume it now".to_owned(), enable())])
        }
    }
}

/// At once and without a question; the way back wants a reason, which a window asks for.
fn halt(glance: &Glance) -> Vec<Line> {
    match glance.halted {
        None => vec![Line::Does("Halt everything".to_owned(), Act::HaltAll)],
        Some(_) => vec![Line::Does("Resume…".to_owned(), open(View::Review, None))],
    }
}

fn windows() -> Vec<Line> {
    let all = [
        ("Review", View::Review),
        ("Loops", View::Loops),
        ("Runs", View::Runs),
        ("Spend", View::Spend),
        ("Settings…", View::Settings),
    ];
    all.into_iter().map(|(text, view)| Line::Does(text.to_owned(), open(view, None))).collect()
}

/// Where no loop could go on, there is nothing to ask before the icon goes; where that is not known, there is.
fn last(glance: &Glance) -> Vec<Line> {
    let login = Line::Ticks("Start at login".to_owned(), glance.at_login, Act::AtLogin { on: !glance.at_login });
    let quit = match glance.known && glance.loops.is_empty() {
        true => Line::Does("Quit Loopwright".to_owned(), Act::Quit),
        false => Line::Does("Quit Loopwright…".to_owned(), open(View::Quit, None)),
    };
    vec![login, quit]
}

fn open(view: View, target: Option<&str>) -> Act {
    Act::Open { view, target: target.map(str::to_owned) }
}
