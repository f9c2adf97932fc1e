//! What notifications say. Every untrusted part comes out as plain, short text; escaping for a server is [`escaped`].

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use super::facts::{Approved, Budget, Facts, FailedRun, HandedOver, MissedTime, NoKey, Waiting};
use super::{About, BODY, Button, Kind, Notice, TITLE, Topic, Urgency};
use crate::desk::Halted;
use crate::ids::PullRequestId;
use crate::money::Micros;
use crate::review::harmless;
use crate::run::HandOver;

/// The most characters of a loop's name.
const NAME: usize = 24;
/// Lines that are read in an hour with care.
const LINES_PER_HOUR: u64 = 450;

/// Untrusted text as one plain line; nothing in it is hidden, reorders what stands beside it, or is a key.
fn plain(text: &str, most: usize) -> String {
    // What only a forge would act on needs no breaking here.
    let joined = text.replace('\u{200b}', "");
    let line: String = harmless::line(&joined, 4 * most).replace('\u{200b}', "");
    cut(&line, most)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The text for a server: one that interprets markup gets none that it could interpret.
pub fn escaped(text: &str, markup: bool) -> String {
    if !markup {
        return text.to_owned();
    }
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn money(amount: Micros) -> String {
    let cents = amount.0.div_ceil(10_000);
    format!("${}.{:02}", cents / 100, cents % 100)
}

fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// A notification of this kind and no more yet.
fn notice(kind: Kind, title: String, body: String) -> Notice {
    Notice {
        kind,
        topics: Vec::new(),
        title: cut(&title, TITLE),
        body: cut(&body, BODY),
        urgency: Urgency::Normal,
        buttons: vec![Button::Review],
        transient: false,
        about: About::default(),
    }
}

fn with(mut notice: Notice, buttons: &[Button]) -> Notice {
    notice.buttons.extend(buttons);
    notice
}

/// What tells of these pull requests; none if there are none.
pub(super) fn waiting(facts: &Facts, these: &[&Waiting]) -> Option<Notice> {
    let mut told = match these {
        [] => return None,
        [one] => of_one(one, facts),
        many => several(many, facts.now),
    };
    told.topics = these.iter().map(|p| p.topic()).collect();
    told.about.pull_requests = these.iter().map(|p| (p.id, p.tree.clone())).collect();
    told.about.loops = named(these.iter().map(|p| p.loop_name.as_str()));
    if !facts.buttons {
        told.buttons.truncate(1);
    }
    Some(told)
}

fn named<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn of_one(one: &Waiting, facts: &Facts) -> Notice {
    let (name, title) = (plain(&one.loop_name, NAME), plain(&one.title, TITLE));
    let size = format!("+{} −{}, {}", one.stat.added, one.stat.removed, money(one.cost));
    match &one.must_open {
        Some(why) => {
            let body = format!("{name} · {} · {size}", plain(why, 60));
            with(
                notice(Kind::ReadyToLook, format!("Ready to look at: {title}"), body),
                &[Button::Later, Button::HaltLoop],
            )
        }
        None => {
            let checker = if one.checker == Some(true) { ", checker accepts" } else { "" };
            let gates = count(one.gates, "gate passed", "gates passed");
            let ready = notice(Kind::Ready, format!("Ready: {title}"), format!("{name} · {gates}{checker} · {size}"));
            // Drawn only where it would succeed now.
            let halted = facts.halted || facts.halted_loops.contains(&one.loop_name);
            let approve: &[Button] = if halted { &[] } else { &[Button::Approve] };
            with(with(ready, approve), &[Button::Later, Button::HaltLoop])
        }
    }
}

fn several(many: &[&Waiting], now: DateTime<Utc>) -> Notice {
    let oldest = many.iter().map(|p| p.opened).min().unwrap_or(now);
    let lines: u64 = many.iter().map(|p| u64::from(p.stat.added) + u64::from(p.stat.removed)).sum();
    let minutes = usize::try_from((lines * 60).div_ceil(LINES_PER_HOUR).max(1)).unwrap_or(usize::MAX);
    let cost: Micros = many.iter().map(|p| p.cost).sum();
    let read = count(minutes, "minute to read", "minutes to read");
    let body = format!("Oldest {} · about {read} · {} in all", age(now - oldest), money(cost));
    with(notice(Kind::Several, format!("{} pull requests wait for you", many.len()), body), &[Button::Later])
}

fn age(old: Duration) -> String {
    let n = |n: i64| usize::try_from(n).unwrap_or_default();
    match (old.num_days(), old.num_hours(), old.num_minutes()) {
        (1.., ..) => count(n(old.num_days()), "day", "days"),
        (_, 1.., _) => count(n(old.num_hours()), "hour", "hours"),
        (.., minutes) => count(n(minutes.max(1)), "minute", "minutes"),
    }
}

/// Why something was handed over, in a few words.
pub fn handed_over_why(why: &HandOver) -> String {
    match why {
        HandOver::IterationCap { cap: 1 } => "not verified after 1 iteration".to_owned(),
        HandOver::IterationCap { cap } => format!("not verified after {cap} iterations"),
        HandOver::NoProgress { rounds: 2 } => "no progress twice".to_owned(),
        HandOver::NoProgress { rounds } => format!("no progress {rounds} times"),
        HandOver::Declined { .. } => "the maker did not try".to_owned(),
        HandOver::StepFailed { .. } => "a step failed".to_owned(),
    }
}

/// What was handed over: one by its title, more of them by their number.
pub(super) fn handed_over(these: &[&HandedOver]) -> Option<Notice> {
    let first = these.first()?;
    let mut told = match these {
        [one] => {
            let (name, why) = (plain(&one.loop_name, NAME), plain(&one.why, 36));
            let body = format!("{name} · {why} · {} of {} · work kept", money(one.spent), money(one.budget));
            notice(Kind::HandedOver, format!("Handed to you: {}", plain(&one.title, TITLE)), body)
        }
        many => {
            let body = format!("{} · work kept", tally(many.iter().map(|h| (h.loop_name.as_str(), ""))));
            notice(Kind::HandedOver, format!("{} findings are handed to you", many.len()), body)
        }
    };
    told.topics = these.iter().map(|h| h.topic()).collect();
    let loops = named(these.iter().map(|h| h.loop_name.as_str()));
    told.about = About { run: Some(first.run.clone()), loops, ..About::default() };
    told.buttons = vec![Button::Review, Button::ShowRun, Button::PauseLoop];
    if told.about.loops.len() > 1 {
        told.buttons.truncate(2);
    }
    Some(told)
}

/// `deps 3, web 1`, or with what is said of each; the most frequent first.
fn tally<'n>(of: impl Iterator<Item = (&'n str, &'n str)>) -> String {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    of.for_each(|key| *counts.entry(key).or_default() += 1);
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let words = rows.iter().map(|((name, why), n)| match why.is_empty() {
        true => format!("{} {n}", plain(name, NAME)),
        false => format!("{} {n} × “{}”", plain(name, NAME), plain(why, 32)),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// A ceiling that is reached.
pub(super) fn budget(of: &Budget) -> Notice {
    let whose = of.loop_name.as_deref().map_or_else(|| "all loops".to_owned(), |name| plain(name, NAME));
    let of_whom = of.loop_name.as_ref().map_or_else(|| "of any loop".to_owned(), |_| format!("of {whose}"));
    let sum = format!("{} of {}", money(of.committed), money(of.amount));
    let body = format!("{sum} · no more runs {of_whom} until {}", plain(&of.until, 24));
    let mut told = notice(Kind::Budget, format!("Budget reached: {whose}, {}", plain(&of.period, 12)), body);
    told.topics = vec![Topic::budget(&of.ceiling)];
    told.about.loops = of.loop_name.iter().cloned().collect();
    with(told, &[Button::ShowSpend])
}

/// A key that is missing.
pub(super) fn no_key(of: &NoKey) -> Notice {
    let (name, whose) = (plain(&of.loop_name, 16), plain(&of.provider, 12));
    let mut told = notice(Kind::Credentials, format!("{name} has no key for {whose}"), plain(&of.why, BODY));
    told.topics = vec![Topic::key(&of.loop_name, &of.provider)];
    told.about.loops = vec![of.loop_name.clone()];
    with(told, &[Button::OpenSettings])
}

/// Failures, gathered; `repeated` = one of these loops was told of the last time too.
pub(super) fn failures(runs: &[&FailedRun], since: &str, repeated: bool) -> Option<Notice> {
    runs.first()?;
    let title = format!("{} failed since {since}", count(runs.len(), "run", "runs"));
    let mut told = notice(Kind::Failures, title, tally(runs.iter().map(|r| (r.loop_name.as_str(), r.why.as_str()))));
    told.urgency = if repeated { Urgency::Normal } else { Urgency::Low };
    told.topics = runs.iter().map(|r| Topic::failed(&r.run)).collect();
    told.about.loops = named(runs.iter().map(|r| r.loop_name.as_str()));
    Some(with(told, &[Button::ShowRuns]))
}

/// Times that were missed; `again` = it is the second time for one of these loops.
pub(super) fn missed(times: &[&MissedTime], again: bool) -> Option<Notice> {
    let first = times.first()?;
    let loops = named(times.iter().map(|m| m.loop_name.as_str()));
    let at = |at: DateTime<Utc>| at.with_timezone(&first.zone).format("%H:%M").to_string();
    let title = match loops.as_slice() {
        [one] => format!("Missed: {}, {}", plain(one, NAME), at(first.due)),
        many => format!("Missed: {} loops, the first at {}", many.len(), at(first.due)),
    };
    let why = if first.wake { "The computer didn't wake." } else { "The scheduler didn't run." };
    let next = match first.catch_up {
        Some(time) => format!("Catch-up at {}, or run it now.", at(time)),
        None => "Run it now, or repair what failed.".to_owned(),
    };
    let mut told = notice(Kind::Missed, title, format!("{why} {next}"));
    told.urgency = if again { Urgency::Critical } else { Urgency::Normal };
    told.topics = times.iter().map(|m| Topic::missed(&m.loop_name, m.due)).collect();
    let alone: &[Button] = if loops.len() == 1 { &[Button::RunNow] } else { &[] };
    told.about.loops = loops;
    Some(with(with(told, alone), &[Button::Repair]))
}

/// The answer to an approval from a notification.
pub fn merging(id: PullRequestId, title: &str, branch: &str, repo: &str, seconds: i64) -> Notice {
    let body = format!(
        "into {} of {}, the tree you were shown · recorded as unread",
        plain(branch, 24),
        plain(repo.rsplit('/').next().unwrap_or(repo), 24)
    );
    let mut told = notice(Kind::Merging, format!("Merging in {seconds} s: {}", plain(title, TITLE)), body);
    told.topics = vec![Topic::merging(id)];
    told.about.pull_requests = vec![(id, String::new())];
    with(answer(told), &[Button::Undo])
}

fn answer(told: Notice) -> Notice {
    Notice { urgency: Urgency::Low, transient: true, ..told }
}

/// What was approved from a notification and did not land.
pub fn not_merged(of: &Approved, why: &str) -> Notice {
    let name = plain(&of.loop_name, NAME);
    let body = format!("{name} · {}. Open it to look again.", plain(why, 70).trim_end_matches('.'));
    let mut told = notice(Kind::NotMerged, format!("Not merged: {}", plain(&of.title, TITLE)), body);
    told.about.pull_requests = vec![(of.id, String::new())];
    told
}

/// What is halted now; `what` is `Everything` or a loop's name, `seconds` how long it took.
pub fn halted(loop_name: Option<&str>, stopped: u32, seconds: f64) -> Notice {
    let what = loop_name.map_or_else(|| "Everything".to_owned(), |name| plain(name, NAME));
    let runs = count(usize::try_from(stopped).unwrap_or(usize::MAX), "run", "runs");
    let body = match loop_name {
        None => format!("{runs} stopped in {seconds:.1} s · nothing starts until you resume"),
        Some(_) => format!("{runs} stopped in {seconds:.1} s · it starts no more until you resume it"),
    };
    let mut told = notice(Kind::Halted, format!("{what} is halted"), body);
    told.about.loops = loop_name.into_iter().map(str::to_owned).collect();
    with(told, &[Button::Resume])
}

/// What holds of a HALT for everything that failed, and why it did.
pub fn halted_but(far: Halted, why: &str) -> Notice {
    let (title, holds) = match far {
        Halted::Not => ("Nothing is halted", "HALT could not be set"),
        Halted::Lives => ("HALT is set, and something still runs", "It is being ended; Runs shows what is left"),
        Halted::Ended => ("Everything is halted", "Nothing of it lives, but the store failed"),
        Halted::Unknown => ("HALT is set", "What still runs can't be seen"),
    };
    let why = why.rsplit_once("; but the store: ").map_or(why, |(_, why)| why);
    let kind = if far == Halted::Not { Kind::NotDone } else { Kind::Halted };
    let told = notice(kind, title.to_owned(), format!("{holds}: {}", plain(why, 70)));
    if far == Halted::Not { told } else { with(told, &[Button::Resume]) }
}

/// What a button was to do, and why that failed.
pub fn not_done(button: Button, why: &str, about: About) -> Notice {
    let label = button.label().trim_end_matches('…');
    let body = format!("{}. Nothing was lost; open Loopwright to go on.", plain(why, 70).trim_end_matches('.'));
    let mut told = notice(Kind::NotDone, format!("{label} did not work"), body);
    told.about = about;
    told
}

/// What the first notification says on a desktop without a tray.
pub fn no_tray() -> Notice {
    let told = notice(Kind::NoTray, "Loopwright runs without an icon".to_owned(), String::new());
    let body = "No tray here. Start Loopwright again to open its window.".to_owned();
    Notice { body, topics: vec![Topic::no_tray()], ..told }
}

/// What a person asked to see.
pub fn sample() -> Notice {
    let body = "This is how Loopwright tells you that something waits. Nothing is to be done.";
    let told = notice(Kind::Sample, "Test notification of Loopwright".to_owned(), body.to_owned());
    Notice { transient: true, ..told }
}

impl Waiting {
    /// What it is told as.
    pub(super) fn topic(&self) -> Topic {
        Topic::waiting(self.id, &self.tree)
    }
}

impl HandedOver {
    /// What it is told as.
    pub(super) fn topic(&self) -> Topic {
        Topic::handed_over(&self.loop_name, &self.what, &self.run)
    }
}
