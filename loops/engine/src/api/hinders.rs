//! What keeps the next start of a loop from happening: what is the loop's own, and what concerns all; and how its last one went.
//!
//! The words for it are `core::why`'s.

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use loopwright_core::due::shown;
use loopwright_core::run::{End, HaltWhy};
use loopwright_core::scheduler::Health;
use loopwright_core::story::ending;
use loopwright_core::why::{self, Asked, Hindrance};
use sha2::{Digest as _, Sha256};

use super::{Context, TroubleRow, keys, scheduler};
use crate::git::{quoted, user_repository};
use crate::halt::{self, HaltCause, HaltFiles, HaltLevel};
use crate::settings;
use crate::store::loops::LoopRow;
use crate::store::runs::RunRecord;
use crate::store::{Store, explained};

/// What keeps a loop from starting and lies with it alone: HALT for it, or its file.
pub(super) fn of_its_own(context: &Context, row: &LoopRow) -> Option<Hindrance> {
    let files = HaltFiles { halts: vec![(HaltLevel::Loop, halt::halt_loop(&context.home.state, row.id))], armed: None };
    halted(&files).or_else(|| changed(row))
}

/// What keeps every loop from starting by itself: HALT, the settings, the scheduler.
pub(super) fn of_all(context: &Context) -> Option<Hindrance> {
    halted(&HaltFiles::of_all(&context.home.state)).or_else(|| unset(context)).or_else(|| unscheduled(context))
}

/// What hinders the next start of a loop, the keys that it lacks, and how its last one failed, with what to type about each.
///
/// # Errors
/// The store can't be read.
pub(super) fn troubles(
    context: &Context,
    store: &Store,
    row: &LoopRow,
    last: Option<&RunRecord>,
) -> Result<Vec<TroubleRow>> {
    let asked = Asked { loop_name: &row.name, zone: context.zone, now: context.now };
    let hindrance = of_its_own(context, row).map(|hindrance| why::hindered(&asked, &hindrance));
    let mut troubles: Vec<TroubleRow> =
        hindrance.map(|(why, command)| TroubleRow { why, command }).into_iter().collect();
    troubles.extend(keys::lacked_by(context, row).into_iter().map(|lacked| {
        let (why, command) = lacked.lack.why.trouble(&lacked.provider);
        TroubleRow { why, command }
    }));
    troubles.extend(last_start(context, store, row, last)?);
    Ok(troubles)
}

/// What HALT files say.
pub(super) fn halted(files: &HaltFiles) -> Option<Hindrance> {
    let cause = files.look()?;
    Some(Hindrance::Halted { why: cause.to_string(), alone: cause == HaltCause::Asked(HaltLevel::Loop) })
}

/// The settings, where they can't be read.
pub(super) fn unset(context: &Context) -> Option<Hindrance> {
    settings::read(&context.home).err().map(|error| Hindrance::Settings { why: format!("{error:#}") })
}

fn last_start(context: &Context, store: &Store, row: &LoopRow, last: Option<&RunRecord>) -> Result<Option<TroubleRow>> {
    let soon = context.now + Duration::seconds(1);
    let start = explained::last_before(store.read(), row.id, soon)?;
    let began: Option<DateTime<Utc>> = last.and_then(|run| run.started_at.parse().ok());
    let failed = start.filter(|start| start.state == "failed" && start.began.is_none());
    if let Some(start) = failed.filter(|start| began.is_none_or(|began| began < start.due_at)) {
        let reason = start.reason.unwrap_or_default();
        let why = format!("its last start ({}) failed, no run began: {reason}", shown(start.due_at, context.zone));
        return Ok(Some(TroubleRow { why, command: format!("loopwright why {}", row.name) }));
    }
    // What a person has halted is no trouble.
    let bad = |end: &End| matches!(end, End::Failed { .. } | End::Halted { why: HaltWhy::Budget | HaltWhy::Time, .. });
    let run = last.and_then(|run| Some((run, run.end.as_ref().filter(|end| bad(end))?)));
    Ok(run.map(|(run, end)| TroubleRow {
        why: format!("its last run {}: {}", run.id.short(), ending(end)),
        command: format!("loopwright show {}", run.id.short()),
    }))
}

/// Its file, where it is another one than was confirmed.
fn changed(row: &LoopRow) -> Option<Hindrance> {
    let confirmed = |text: &[u8]| loopwright_core::hex(&Sha256::digest(text)) == row.hash;
    let text = std::fs::read(&row.path).ok();
    if text.as_deref().is_some_and(confirmed) || committed(row).as_deref().is_some_and(confirmed) {
        return None;
    }
    Some(Hindrance::Changed { path: quoted(&row.path), gone: text.is_none() })
}

/// The file as its branch has it: what counts for a loop inside of its repository.
fn committed(row: &LoopRow) -> Option<Vec<u8>> {
    row.path.strip_prefix(&row.repo_path).ok()?;
    let user = user_repository(&row.repo_path).ok()?;
    user.committed(row.path.strip_prefix(&user.root).ok()?)
}

fn unscheduled(context: &Context) -> Option<Hindrance> {
    let view = scheduler(context);
    match (view.health, view.pid) {
        (Health::Stuck, Some(pid)) => Some(Hindrance::StuckScheduler { pid, fault: view.fault }),
        (Health::Alive, Some(pid)) if view.fault.is_some() => {
            Some(Hindrance::StuckScheduler { pid, fault: view.fault })
        }
        (Health::Alive, _) => None,
        _ => Some(Hindrance::NoScheduler),
    }
}
