//! What is shown, replaced and withdrawn at a moment, and when to look again.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Utc};

use super::facts::{Facts, Landing};
use super::rate::{BETWEEN, Wait, wait_for, wait_in_quiet};
use super::waiting;
use super::{Button, Kind, Notice, Topic, settings, words};
use crate::definition::preferences::Notifications;
use crate::ids::NoticeId;

/// The same fault is told once in this time.
const SAME_FAULT: Duration = Duration::hours(24);
/// For so long a missed time makes the next one the second.
const SECOND_TIME: Duration = Duration::days(7);

/// A notification that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub id: NoticeId,
    /// Which.
    pub kind: Kind,
    /// What it told of.
    pub topics: Vec<Topic>,
    /// The loops that it counts for.
    pub loops: Vec<String>,
    /// The buttons that were drawn.
    pub buttons: Vec<Button>,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it is still shown.
    pub live: bool,
    /// Whether it asked for a person.
    pub counted: bool,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is shown.
    Show {
        /// What.
        notice: Box<Notice>,
        /// In the place of this one.
        replaces: Option<NoticeId>,
        /// The loops that it counts for; none = it only says what is true now in the place of what was.
        counts: Option<Vec<String>>,
    },
    /// The person sees it elsewhere: it counts as told.
    Seen(Box<Notice>),
    /// It is taken from the screen.
    Withdraw(NoticeId),
}

/// What is to be done now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// How many wait for their time.
    pub held: usize,
    /// When to look again, if nothing happens before.
    pub next: Option<DateTime<Utc>>,
}

/// All that a plan goes by.
pub(super) struct Desk<'a> {
    pub(super) facts: &'a Facts,
    pub(super) told: &'a [Told],
    pub(super) set: &'a Notifications,
}

/// Something that may be shown.
pub(super) struct Candidate {
    pub(super) notice: Notice,
    pub(super) replaces: Option<NoticeId>,
    /// The loops that it counts for.
    pub(super) loops: Vec<String>,
    /// Since when it is so.
    pub(super) since: DateTime<Utc>,
}

/// Decides what to do with what is so, what was told, and what the person has set.
pub fn plan(facts: &Facts, told: &[Told], set: &Notifications) -> Plan {
    let desk = Desk { facts, told, set };
    let mut plan = Plan { steps: answers(&desk), ..Plan::default() };
    plan.steps.extend(over(&desk));
    plan.broken(&desk, missed(&desk));
    plan.broken(&desk, failures(&desk));
    plan.broken(&desk, no_tray(&desk));
    let asking = waiting::candidate(&desk);
    let mut others = keys(&desk);
    others.extend(budgets(&desk));
    others.extend(handed_over(&desk));
    let waits = asking.is_some();
    plan.needs_you(&desk, asking.into_iter().chain(others).collect());
    let shown = plan.steps.iter().any(|step| matches!(step, Step::Show { notice, .. } if notice.kind.of_waiting()));
    if !shown {
        plan.steps.extend(waiting::keep_true(&desk, waits));
    }
    if let Some(at) = desk.next_digest() {
        plan.look_at(at);
    }
    plan
}

impl Plan {
    /// Shows the one that has waited longest of those that may be shown now; the others are held.
    fn needs_you(&mut self, desk: &Desk<'_>, mut candidates: Vec<Candidate>) {
        candidates.retain(|c| settings::tells(desk.set, &c.notice));
        candidates.sort_by_key(|c| c.since);
        let mut shown = false;
        for candidate in candidates {
            match wait_for(desk, &candidate) {
                Wait::Seen => self.steps.push(Step::Seen(Box::new(candidate.notice))),
                Wait::Now if !shown => {
                    shown = true;
                    self.show(candidate);
                }
                Wait::Now => self.hold(Wait::Until(desk.facts.now + BETWEEN)),
                wait => self.hold(wait),
            }
        }
    }

    /// What is broken has no part in the rate of what asks.
    fn broken(&mut self, desk: &Desk<'_>, candidate: Option<Candidate>) {
        let Some(candidate) = candidate.filter(|c| settings::tells(desk.set, &c.notice)) else { return };
        match wait_in_quiet(desk, &candidate.notice) {
            Wait::Now => self.show(candidate),
            wait => self.hold(wait),
        }
    }

    fn show(&mut self, candidate: Candidate) {
        let Candidate { notice, replaces, loops, .. } = candidate;
        self.steps.push(Step::Show { notice: Box::new(notice), replaces, counts: Some(loops) });
    }

    fn hold(&mut self, wait: Wait) {
        self.held += 1;
        if let Wait::Until(at) = wait {
            self.look_at(at);
        }
    }

    fn look_at(&mut self, at: DateTime<Utc>) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

impl Desk<'_> {
    /// Whether this was told after `since`.
    pub(super) fn was_told(&self, topic: &Topic, since: Option<DateTime<Utc>>) -> bool {
        self.told.iter().any(|told| told.topics.contains(topic) && since.is_none_or(|since| told.at > since))
    }

    fn told_lately(&self, topic: &Topic) -> bool {
        self.was_told(topic, Some(self.facts.now - SAME_FAULT))
    }

    /// When what has failed and is not told yet will be; none = nothing has.
    fn next_digest(&self) -> Option<DateTime<Utc>> {
        let untold = self.facts.failed.iter().any(|f| !self.was_told(&Topic::failed(&f.run), None));
        untold.then(|| settings::digest_after(self.set, self.facts.now, self.facts.zone)).flatten()
    }
}

/// What became of approvals, and of halts that were answered.
fn answers(desk: &Desk<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for told in desk.told.iter().filter(|told| told.kind == Kind::Merging) {
        let of = desk.facts.approved.iter().find(|a| told.topics.contains(&Topic::merging(a.id)));
        let over = !matches!(of.map(|a| &a.landing), Some(Landing::Ahead));
        if told.live && over {
            steps.push(Step::Withdraw(told.id));
        }
        let Some(of) = of else { continue };
        let (Landing::Waits(why) | Landing::GivenBack(why)) = &of.landing else { continue };
        let after = |other: &&Told| {
            matches!(other.kind, Kind::NotMerged | Kind::Merging) && other.id != told.id && other.at >= told.at
        };
        if desk.told.iter().filter(after).all(|other| other.topics != told.topics) {
            let notice = Notice { topics: told.topics.clone(), ..words::not_merged(of, why) };
            steps.push(Step::Show { notice: Box::new(notice), replaces: None, counts: None });
        }
    }
    let lifted = |told: &&Told| match told.loops.first() {
        None => !desk.facts.halted,
        Some(name) => !desk.facts.halted_loops.contains(name),
    };
    let halts = desk.told.iter().filter(|told| told.live && told.kind == Kind::Halted);
    steps.extend(halts.filter(lifted).map(|told| Step::Withdraw(told.id)));
    steps
}

/// What is shown and no longer so.
fn over(desk: &Desk<'_>) -> Vec<Step> {
    let facts = desk.facts;
    let so: Vec<Topic> = (facts.handed_over.iter().map(|h| h.topic()))
        .chain(facts.budgets.iter().map(|b| Topic::budget(&b.ceiling)))
        .chain(facts.keys.iter().map(|k| Topic::key(&k.loop_name, &k.provider)))
        .collect();
    let of_these = |kind| matches!(kind, Kind::HandedOver | Kind::Budget | Kind::Credentials);
    let live = desk.told.iter().filter(|told| told.live && of_these(told.kind));
    let gone = live.filter(|told| !told.topics.iter().any(|topic| so.contains(topic)));
    gone.map(|told| Step::Withdraw(told.id)).collect()
}

fn keys(desk: &Desk<'_>) -> Vec<Candidate> {
    let these = desk.facts.keys.iter().map(|k| candidate(words::no_key(k), k.at));
    these.filter(|c| !c.notice.topics.iter().any(|topic| desk.told_lately(topic))).collect()
}

fn budgets(desk: &Desk<'_>) -> Vec<Candidate> {
    let these = desk.facts.budgets.iter().map(|b| candidate(words::budget(b), b.at));
    these.filter(|c| !c.notice.topics.iter().any(|topic| desk.told_lately(topic))).collect()
}

fn candidate(notice: Notice, since: DateTime<Utc>) -> Candidate {
    Candidate { loops: notice.about.loops.clone(), notice, replaces: None, since }
}

/// That there is no tray, which a person is told once and for all.
fn no_tray(desk: &Desk<'_>) -> Option<Candidate> {
    let since = desk.facts.no_tray.filter(|_| !desk.was_told(&Topic::no_tray(), None))?;
    Some(candidate(words::no_tray(), since))
}

/// All that was handed over and not told, as one.
fn handed_over(desk: &Desk<'_>) -> Option<Candidate> {
    let these: Vec<_> = desk.facts.handed_over.iter().filter(|h| !desk.was_told(&h.topic(), None)).collect();
    let since = these.iter().map(|h| h.at).min()?;
    Some(candidate(words::handed_over(&these)?, since))
}

/// Failures up to the last time at which they were due to be told.
fn failures(desk: &Desk<'_>) -> Option<Candidate> {
    let due = settings::digest_before(desk.set, desk.facts.now, desk.facts.zone)?;
    let last = desk.told.iter().filter(|told| told.kind == Kind::Failures).max_by_key(|told| told.at);
    if last.is_some_and(|last| last.at >= due) {
        return None;
    }
    let untold = |topic: &Topic| !desk.was_told(topic, None);
    let runs: Vec<_> = desk.facts.failed.iter().filter(|f| f.at <= due && untold(&Topic::failed(&f.run))).collect();
    let oldest = runs.iter().map(|run| run.at).min()?;
    let lately = last.filter(|last| due - last.at <= SAME_FAULT * 2);
    let repeated = lately.is_some_and(|last| runs.iter().any(|run| last.loops.contains(&run.loop_name)));
    let day = |at: DateTime<Utc>| at.with_timezone(&desk.facts.zone).date_naive();
    Some(candidate(words::failures(&runs, &since(day(oldest), day(desk.facts.now)), repeated)?, oldest))
}

fn since(day: NaiveDate, today: NaiveDate) -> String {
    match (today - day).num_days() {
        0 => "midnight".to_owned(),
        1 => "yesterday".to_owned(),
        _ => format!("{} {}", day.day(), day.format("%B")),
    }
}

/// Missed times of loops of which none was told in the last day.
fn missed(desk: &Desk<'_>) -> Option<Candidate> {
    let now = desk.facts.now;
    let told_within = |name: &str, span: Duration| {
        let of = |told: &&Told| told.kind == Kind::Missed && told.at > now - span;
        desk.told.iter().filter(of).any(|told| told.topics.iter().any(|t| t.missed_loop() == Some(name)))
    };
    let these: Vec<_> = desk.facts.missed.iter().filter(|m| !told_within(&m.loop_name, SAME_FAULT)).collect();
    let since = these.iter().map(|m| m.due).min()?;
    let again = these.iter().any(|m| told_within(&m.loop_name, SECOND_TIME));
    Some(candidate(words::missed(&these, again)?, since))
}
