//! `why`: what became of a due time, or will become of it.
//!
//! The sentences are `core::why`'s; here is where their facts come from.

use std::ops::Range;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use loopwright_core::due::shown;
use loopwright_core::exit;
use loopwright_core::ids::OccurrenceId;
use loopwright_core::schedule::{due_times, in_words, quiet_until, without_times};
use loopwright_core::timing::{CatchUpHow, Timing, Trigger};
use loopwright_core::why::when::{self, When};
use loopwright_core::why::{self, Answer, Asked, Hindrance, Outlook, Told};
use serde::Serialize;

use super::{ApiError, Context, hinders, run, schedule};
use crate::git::quoted;
use crate::halt::HaltFiles;
use crate::store::explained::{self, Explained};
use crate::store::loops::LoopRow;
use crate::store::{Store, loops, schedules};

/// So many due times without a row are told at once.
const MOST: usize = 20;

/// What became of the due times that were asked for.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct WhyView {
    /// The loop.
    pub loop_name: String,
    /// The zone of its times.
    pub zone: String,
    /// A sentence each, the earliest first.
    pub answers: Vec<WhyRow>,
}

/// What became of one due time.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct WhyRow {
    /// The due time, RFC 3339 with the offset of its zone; the first of many. None where nothing was due.
    pub due_at: Option<String>,
    /// The last of many with one fate.
    pub until: Option<String>,
    /// How many they are.
    pub times: u64,
    /// The word of the ledger; `next` for one that is to come, `open` for one that nobody has looked at, `none` for no due time.
    pub state: String,
    /// Its run.
    pub run: Option<String>,
    /// For people.
    pub sentence: String,
    /// What to type next, where that helps.
    pub command: Option<String>,
}

/// What became of a due time of a loop; without one, of its last and its next.
///
/// # Errors
/// There is no such loop, the text is no time, or the store can't be read.
pub fn why(context: &Context, name: &str, text: Option<&str>) -> Result<WhyView, ApiError> {
    let store = context.store()?;
    let row = run::find_loop(&store, name)?;
    let (timing, paused) = schedules::timing(store.read(), row.id)?.ok_or_else(|| unread(&row))?;
    let zone = timing.zone.unwrap_or(context.zone);
    let desk = Desk { context, store: &store, row: &row, timing: &timing, paused, zone };
    let answers = match text {
        None => desk.last_and_next()?,
        Some(text) => match when::parse(text, zone, context.now) {
            Some(When::Last) => desk.last()?,
            Some(When::Next) => desk.next()?,
            Some(When::Within(ranges)) => desk.within(&ranges)?,
            None => return Err(ApiError::new(exit::USAGE, format!("`{text}` is no time")).hint(when::HELP)),
        },
    };
    Ok(WhyView { loop_name: row.name.clone(), zone: zone.name().to_owned(), answers })
}

/// What became of one row of the history, the whole answer.
///
/// # Errors
/// There is no such row, or the store can't be read.
pub fn why_row(context: &Context, id: OccurrenceId) -> Result<WhyView, ApiError> {
    let store = context.store()?;
    let (loop_id, explained) = explained::one(store.read(), id)?
        .ok_or_else(|| ApiError::new(exit::USAGE, "there is no such row in the history"))?;
    let row = loops::by_id(store.read(), loop_id)?;
    let (timing, paused) = schedules::timing(store.read(), row.id)?.ok_or_else(|| unread(&row))?;
    let zone = timing.zone.unwrap_or(context.zone);
    let desk = Desk { context, store: &store, row: &row, timing: &timing, paused, zone };
    let answer = desk.told(&explained)?;
    Ok(WhyView { loop_name: row.name.clone(), zone: zone.name().to_owned(), answers: vec![answer] })
}

/// An older program registered it, and its file can't be read since.
fn unread(row: &LoopRow) -> ApiError {
    let message = format!("when {} starts is not known: its file changed since it was confirmed", row.name);
    ApiError::new(exit::FAILED, message).hint(format!("loopwright add {}", quoted(&row.path)))
}

/// What is asked about.
struct Desk<'a> {
    context: &'a Context,
    store: &'a Store,
    row: &'a LoopRow,
    timing: &'a Timing,
    paused: bool,
    zone: Tz,
}

impl Desk<'_> {
    fn asked(&self) -> Asked<'_> {
        Asked { loop_name: &self.row.name, zone: self.zone, now: self.context.now }
    }

    /// How far the ledger reaches: every due time up to there has its row.
    fn reach(&self) -> Result<DateTime<Utc>, ApiError> {
        Ok(schedules::since(self.store.read(), self.row.id)?.unwrap_or(self.context.now))
    }

    fn last_and_next(&self) -> Result<Vec<WhyRow>, ApiError> {
        let mut answers = self.last_row()?;
        let reach = self.reach()?.min(self.context.now);
        let open = due_times(self.timing, self.zone, reach).take_while(|(at, _)| *at <= self.context.now).last();
        let next = due_times(self.timing, self.zone, self.context.now).next();
        let over = next.is_none();
        for (at, trigger) in open.into_iter().chain(next) {
            answers.push(self.ahead(at, trigger)?);
        }
        match answers.is_empty() {
            true => answers.push(self.never()),
            false if over => answers.push(self.no_more()),
            false => {}
        }
        Ok(answers)
    }

    fn next(&self) -> Result<Vec<WhyRow>, ApiError> {
        let next = due_times(self.timing, self.zone, self.context.now).next();
        Ok(vec![next.map_or_else(|| Ok(self.no_more()), |(at, trigger)| self.ahead(at, trigger))?])
    }

    fn last(&self) -> Result<Vec<WhyRow>, ApiError> {
        let answers = self.last_row()?;
        match answers.is_empty() {
            true => Ok(vec![self.never()]),
            false => Ok(answers),
        }
    }

    fn last_row(&self) -> Result<Vec<WhyRow>, ApiError> {
        let soon = self.context.now + Duration::seconds(1);
        let last = explained::last_before(self.store.read(), self.row.id, soon)?;
        last.iter().map(|row| self.told(row)).collect()
    }

    fn within(&self, ranges: &[Range<DateTime<Utc>>]) -> Result<Vec<WhyRow>, ApiError> {
        let mut answers: Vec<(DateTime<Utc>, WhyRow)> = Vec::new();
        let added = loops::added_at(self.store.read(), self.row.id)?;
        for range in ranges {
            let rows = explained::within(self.store.read(), self.row.id, range.start, range.end)?;
            for row in &rows {
                answers.push((row.due_at, self.told(row)?));
            }
            let just_before = range.start - Duration::nanoseconds(1);
            // Before it was registered nothing was due; years of that are not counted through.
            let times = due_times(self.timing, self.zone, just_before.max(added.min(range.end)))
                .take_while(|(at, _)| *at < range.end);
            let has = |at: DateTime<Utc>| rows.iter().any(|r| r.due_at <= at && at <= r.until.unwrap_or(r.due_at));
            for (at, trigger) in times.filter(|(at, _)| !has(*at)).take(MOST) {
                answers.push((at, self.ahead(at, trigger)?));
            }
        }
        answers.sort_by_key(|(at, _)| *at);
        match (answers.is_empty(), ranges.first()) {
            (true, Some(range)) if range.end <= added => {
                let text = shown(range.start, self.zone);
                Ok(vec![bare(why::unregistered(&self.asked(), &text, added))])
            }
            (true, Some(range)) => Ok(vec![self.nothing(range)?]),
            _ => Ok(answers.into_iter().map(|(_, row)| row).collect()),
        }
    }

    /// A time that has its row.
    fn told(&self, row: &Explained) -> Result<WhyRow, ApiError> {
        let waits = match row.state.as_str() {
            "due" => match hinders::unset(self.context) {
                Some(hindrance) => Some(why::hindered(&self.asked(), &hindrance).0),
                None => schedule::held(self.context, self.store)?.remove(&row.id).map(|hold| hold.why),
            },
            "parked" => row.not_before.map(|at| format!("until {}", shown(at, self.zone))),
            _ => None,
        };
        let facts = Told {
            due_at: row.due_at,
            until: row.until,
            times: row.times,
            state: row.state.clone(),
            reason: row.reason.clone(),
            run: row.run.map(|run| run.short()),
            began: row.began,
            ended: row.ended,
            waits,
        };
        let answer = why::told(&self.asked(), &facts);
        let until = row.until.map(|at| self.stamp(at));
        let (times, run) = (row.times, facts.run);
        Ok(WhyRow { due_at: Some(self.stamp(row.due_at)), until, times, state: row.state.clone(), run, ..bare(answer) })
    }

    /// A time without a row.
    fn ahead(&self, at: DateTime<Utc>, trigger: &Trigger) -> Result<WhyRow, ApiError> {
        let within = Duration::seconds(i64::try_from(self.timing.catch_up.within_s).unwrap_or(i64::MAX / 1000));
        let time = Outlook {
            at,
            trigger: trigger.to_string(),
            hindrance: self.hindrance()?,
            quiet_until: quiet_until(self.timing, self.zone, at),
            quiet_skips: self.timing.catch_up.how == CatchUpHow::Skip,
            jitter_s: self.timing.jitter_s,
            added: loops::added_at(self.store.read(), self.row.id)?,
            reach: self.reach()?,
            caught_up: self.timing.catch_up.how != CatchUpHow::Skip && self.context.now - at <= within,
        };
        let (reach, now) = (time.reach, self.context.now);
        let state = match at {
            at if at > now => "next",
            at if at > reach => "open",
            _ => "none",
        };
        let due_at = Some(self.stamp(at));
        Ok(WhyRow { due_at, state: state.to_owned(), ..bare(why::outlook(&self.asked(), &time)) })
    }

    fn nothing(&self, range: &Range<DateTime<Utc>>) -> Result<WhyRow, ApiError> {
        let before = explained::last_before(self.store.read(), self.row.id, range.start)?.map(|row| row.due_at);
        let after = due_times(self.timing, self.zone, range.start).next().map(|(at, _)| at);
        let text = shown(range.start, self.zone);
        Ok(bare(why::nothing(&self.asked(), &text, before, after)))
    }

    /// Nothing has started it by itself.
    fn never(&self) -> WhyRow {
        if due_times(self.timing, self.zone, self.context.now).next().is_none() {
            return self.no_more();
        }
        let sentence = format!("{} has had no due time yet: it starts {}.", self.row.name, in_words(self.timing));
        bare(Answer { sentence, command: Some(format!("loopwright run {}", self.row.name)) })
    }

    /// It has no due time to come.
    fn no_more(&self) -> WhyRow {
        let sentence = why::no_more(&self.asked(), &without_times(self.timing));
        bare(Answer { sentence, command: Some(format!("loopwright run {}", self.row.name)) })
    }

    /// What keeps its next time from starting, the first thing that does.
    fn hindrance(&self) -> Result<Option<Hindrance>, ApiError> {
        if let (true, Some(since)) = (self.paused, schedules::paused_at(self.store.read(), self.row.id)?) {
            return Ok(Some(Hindrance::Paused { since }));
        }
        let halted = hinders::halted(&HaltFiles::of_all(&self.context.home.state));
        let own = || hinders::of_its_own(self.context, self.row);
        Ok(halted.or_else(own).or_else(|| hinders::of_all(self.context)))
    }

    /// A time as it is told, with its offset.
    fn stamp(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false)
    }
}

/// An answer about no row.
fn bare(answer: Answer) -> WhyRow {
    let Answer { sentence, command } = answer;
    WhyRow { due_at: None, until: None, times: 1, state: "none".to_owned(), run: None, sentence, command }
}
