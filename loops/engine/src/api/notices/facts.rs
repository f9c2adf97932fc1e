//! What notifications go by, read from the store and from the files beside it.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use loopwright_core::due;
use loopwright_core::gate::Level;
use loopwright_core::ids::{LoopId, PullRequestId};
use loopwright_core::ledger::{Bound, Scope};
use loopwright_core::notice::{
    Approved, Budget, Facts, FailedRun, HandedOver, Kind, Landing, MissedTime, NoKey, Told, Waiting, handed_over_why,
};
use loopwright_core::review::{Event, State};
use loopwright_core::run::{End, HaltWhy};
use loopwright_core::verdict::Verdict;

use super::super::keys::{self, LackedBy};
use super::super::{Context, landing, reviews, status};
use super::seen;
use crate::halt::{self, HaltFiles};
use crate::settings;
use crate::store::loops::{self, LoopRow};
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::runs::{self, RunRecord};
use crate::store::{Store, explained, findings, ledger, schedules};

/// Failures and hand-overs that are older are no news.
const WEEK: Duration = Duration::days(7);
/// Missed times and reached ceilings that are older are no news.
const DAY: Duration = Duration::hours(24);
/// So many of the newest runs are looked at.
const RUNS: u32 = 100;

/// What is known of pull requests: reading one replays its run, and it stays the same as long as it shows the same tree.
pub(super) type Cards = HashMap<(PullRequestId, String), Waiting>;

/// Everything that a plan goes by now; `buttons`: whether the server draws them.
pub(super) fn gather(
    context: &Context,
    store: &Store,
    told: &[Told],
    cards: &mut Cards,
    buttons: bool,
) -> Result<Facts> {
    let db = store.read();
    let rows = loops::all(db)?;
    let recent = runs::newest(db, None, RUNS)?;
    let alone = rows.iter().filter(|row| halt::halt_loop(&context.home.state, row.id).exists());
    Ok(Facts {
        now: context.now,
        zone: context.zone,
        halted: HaltFiles::of_all(&context.home.state).look().is_some(),
        halted_loops: alone.map(|row| row.name.clone()).collect(),
        buttons,
        opened: seen::was_opened(context),
        review_has_focus: seen::review_has_focus(context),
        waiting: waiting(context, store, cards)?,
        handed_over: handed_over(context, store, &rows, &recent)?,
        budgets: budgets(context, store, &rows, &recent)?,
        keys: no_keys(context, store)?,
        failed: recent.iter().filter_map(|run| failed(context, run)).collect(),
        missed: missed(context, store, &rows)?,
        approved: approved(store, told)?,
        no_tray: seen::runs_without_icon(context).then_some(context.now),
    })
}

/// When the first pull request that is put off comes back.
pub(super) fn back_at(context: &Context, store: &Store) -> Result<Option<DateTime<Utc>>> {
    let all = stored::list(store.read(), false)?;
    let until = all.iter().filter_map(|p| p.later_until.as_deref()?.parse::<DateTime<Utc>>().ok());
    Ok(until.filter(|at| *at > context.now).min())
}

fn waiting(context: &Context, store: &Store, cards: &mut Cards) -> Result<Vec<Waiting>> {
    let mut waiting = Vec::new();
    let mut open = Cards::new();
    let all = stored::list(store.read(), false)?;
    for record in all.iter().filter(|p| p.state == "open" && !landing::is_ahead(context, p.later_until.as_deref())) {
        let key = (record.id, record.tree.clone());
        let mut card = match cards.remove(&key) {
            Some(card) => card,
            None => card(store, record)?,
        };
        card.again = record.later_until.as_deref().and_then(|at| at.parse().ok());
        waiting.push(card.clone());
        open.insert(key, card);
    }
    *cards = open;
    Ok(waiting)
}

/// One open pull request, with whether it may be approved unread.
pub(super) fn card(store: &Store, record: &PullRequestRecord) -> Result<Waiting> {
    let row = reviews::row(store, record)?;
    let (verdict, _, _) = runs::attempt(store.read(), &record.attempt)?;
    let start = reviews::run_start(store, record)?;
    // Its model is not named: a program of ours, or one that says nothing of itself.
    let deterministic = start.maker.kind == "fixer" && start.maker.model.is_none();
    let passed = verdict.iter().flat_map(|v| &v.gates).filter(|gate| gate.level == Level::Pass).count();
    Ok(Waiting {
        id: record.id,
        tree: record.tree.clone(),
        title: record.title.clone(),
        loop_name: record.loop_name.clone(),
        opened: record.opened_at.parse().unwrap_or_default(),
        again: None,
        stat: row.stat,
        cost: row.cost,
        gates: passed,
        checker: verdict.as_ref().and_then(|v| v.checker.as_ref()).map(|checker| checker.accepted),
        must_open: must_open(verdict.as_ref(), deterministic),
    })
}

/// Why a person has to look before approving: decided as for every way past the review window.
fn must_open(verdict: Option<&Verdict>, deterministic: bool) -> Option<String> {
    let Some(verdict) = verdict else { return Some("its verdict is not stored".to_owned()) };
    if verdict.level != Level::Pass {
        let gate = verdict.gates.iter().find(|gate| gate.level != Level::Pass);
        let why = gate.map(|gate| gate.reasons.first().unwrap_or(&gate.summary).clone());
        return Some(why.unwrap_or_else(|| "a gate asks for you".to_owned()));
    }
    if let Some(why) = &verdict.not_independent {
        return Some(format!("not independent: {why}"));
    }
    match &verdict.checker {
        Some(checker) if checker.accepted => None,
        Some(_) => Some("the checker objects".to_owned()),
        None if deterministic => None,
        None => Some("no checker looked at it".to_owned()),
    }
}

fn no_keys(context: &Context, store: &Store) -> Result<Vec<NoKey>> {
    let lacked = keys::lacked(context, store)?.into_iter();
    let told = lacked.map(|LackedBy { loop_name, provider, lack }| NoKey {
        loop_name,
        provider,
        why: lack.why.told().to_owned(),
        at: lack.since,
    });
    Ok(told.collect())
}

fn handed_over(context: &Context, store: &Store, rows: &[LoopRow], recent: &[RunRecord]) -> Result<Vec<HandedOver>> {
    let mut these = Vec::new();
    for row in rows {
        for known in findings::of_loop(store.read(), row.id)? {
            let needs_you = matches!(known.state, loopwright_core::finding::FindingState::NeedsYou { .. });
            let Some(why) = known.hand_over.as_ref().filter(|_| needs_you) else { continue };
            let finding = &known.finding.fingerprint;
            let Some(id) = runs::last_on(store.read(), row.id, finding)? else { continue };
            let Some(run) = recent.iter().find(|run| run.id == id) else { continue };
            let stopped = Stopped { what: finding.short(), title: &known.finding.title, why: handed_over_why(why) };
            these.extend(stopped.by(context, run, WEEK));
        }
    }
    for run in recent {
        let why = match &run.end {
            Some(End::Halted { why: HaltWhy::Time, .. }) => "its time is over",
            Some(End::Halted { why: HaltWhy::Budget, .. }) if bound_of(context, store, rows, run)?.is_none() => {
                "its budget is reached"
            }
            _ => continue,
        };
        let stopped = Stopped { what: "", title: &run.loop_name, why: why.to_owned() };
        these.extend(stopped.by(context, run, DAY));
    }
    Ok(these)
}

/// What a guard-rail stopped.
struct Stopped<'s> {
    what: &'s str,
    title: &'s str,
    why: String,
}

impl Stopped<'_> {
    /// The same with its run, if that ended lately.
    fn by(self, context: &Context, run: &RunRecord, lately: Duration) -> Option<HandedOver> {
        let at = ended(run).filter(|at| context.now - *at <= lately)?;
        Some(HandedOver {
            loop_name: run.loop_name.clone(),
            what: self.what.to_owned(),
            run: run.id.short(),
            title: self.title.to_owned(),
            why: self.why,
            spent: run.spent,
            budget: run.budget,
            at,
        })
    }
}

fn ended(run: &RunRecord) -> Option<DateTime<Utc>> {
    run.ended_at.as_deref()?.parse().ok()
}

/// The ceiling over several runs that stopped this one: the fullest, if one is nearly full.
fn bound_of(context: &Context, store: &Store, rows: &[LoopRow], run: &RunRecord) -> Result<Option<Bound>> {
    let Some(row) = rows.iter().find(|row| row.id == run.loop_id) else { return Ok(None) };
    let set = settings::read(&context.home).unwrap_or_default();
    for bound in status::bounds(context, row, &set) {
        let committed = ledger::committed(store.read(), bound.scope)?;
        if bound.until.is_some() && committed * 5 >= bound.ceiling.amount * 4 {
            return Ok(Some(bound));
        }
    }
    Ok(None)
}

fn budgets(context: &Context, store: &Store, rows: &[LoopRow], recent: &[RunRecord]) -> Result<Vec<Budget>> {
    let mut reached: Vec<Budget> = Vec::new();
    for run in recent {
        let stopped = matches!(run.end, Some(End::Halted { why: HaltWhy::Budget, .. }));
        let Some(at) = ended(run).filter(|at| stopped && context.now - *at <= DAY) else { continue };
        let Some(bound) = bound_of(context, store, rows, run)? else { continue };
        let committed = ledger::committed(store.read(), bound.scope)?;
        let (period, until) = period(bound.scope);
        let of_all = matches!(bound.scope, Scope::FleetDay(_) | Scope::FleetMonth(_));
        let ceiling = format!("{} {}", bound, bound.until.as_deref().unwrap_or_default());
        if reached.iter().all(|other| other.ceiling != ceiling) {
            let loop_name = (!of_all).then(|| run.loop_name.clone());
            let amount = bound.ceiling.amount;
            reached.push(Budget { loop_name, ceiling, period, committed, amount, until, at });
        }
    }
    Ok(reached)
}

fn period(scope: Scope) -> (String, String) {
    match scope {
        Scope::LoopMonth(..) | Scope::FleetMonth(_) => ("this month".to_owned(), "next month".to_owned()),
        _ => ("today".to_owned(), "midnight".to_owned()),
    }
}

fn failed(context: &Context, run: &RunRecord) -> Option<FailedRun> {
    let Some(End::Failed { why }) = &run.end else { return None };
    let at = ended(run).filter(|at| context.now - *at <= WEEK)?;
    Some(FailedRun { run: run.id.short(), loop_name: run.loop_name.clone(), why: why.clone(), at })
}

/// Times at which the computer was to be woken and was not, or at which no scheduler ran.
fn missed(context: &Context, store: &Store, rows: &[LoopRow]) -> Result<Vec<MissedTime>> {
    let waiting = schedules::waiting(store.read())?;
    let catch_up = |id: LoopId| waiting.iter().find(|w| w.loop_id == id).and_then(|w| w.not_before);
    let mut missed = Vec::new();
    for (id, due, why) in explained::missed_since(store.read(), context.now - DAY)? {
        let Some(row) = rows.iter().find(|row| row.id == id) else { continue };
        let Some((timing, _)) = schedules::timing(store.read(), id)? else { continue };
        if timing.wake || due::was_not_running(&why) {
            let zone = timing.zone.unwrap_or(context.zone);
            let wake = timing.wake && !due::was_not_running(&why);
            missed.push(MissedTime { loop_name: row.name.clone(), zone, due, wake, catch_up: catch_up(id) });
        }
    }
    Ok(missed)
}

/// What became of what was approved from a notification.
fn approved(store: &Store, told: &[Told]) -> Result<Vec<Approved>> {
    let ids = told.iter().filter(|told| told.kind == Kind::Merging).flat_map(|told| &told.topics);
    let mut approved = Vec::new();
    for id in ids.filter_map(|topic| topic.merging_of()) {
        let Some(record) = stored::by_id(store.read(), id)? else { continue };
        let events = stored::events(store.read(), id)?;
        let landing = match (stored::state(store.read(), id)?, events.last().map(|(_, event)| event)) {
            (Some(State::Approved { waiting: None, .. }), _) => Landing::Ahead,
            (Some(State::Approved { waiting: Some(why), .. }), _) => Landing::Waits(why),
            (Some(State::Merged { .. } | State::Reverted { .. }), _) => Landing::Merged,
            (Some(State::Open { .. }), Some(Event::Reopened { why })) => Landing::GivenBack(why.clone()),
            (Some(State::Open { .. }), Some(Event::Updated { .. })) => {
                Landing::GivenBack("the branch moved".to_owned())
            }
            _ => Landing::TakenBack,
        };
        approved.push(Approved { id, title: record.title, loop_name: record.loop_name, landing });
    }
    Ok(approved)
}
