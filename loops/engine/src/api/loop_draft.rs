//! A loop's text while a person works on it: what is wrong, when it would start, what the form makes of it, what it would do.
//! Nothing is read or written but that text.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use loopwright_core::changed::changed;
use loopwright_core::definition::edit::retime;
use loopwright_core::definition::form::{Form, FormFault};
use loopwright_core::definition::{Definition, read_bytes_on};
use loopwright_core::diagnostic::Diagnostic;
use loopwright_core::exit;
use loopwright_core::run::Mode;
use loopwright_core::scenario::Scenario;
use loopwright_core::schedule;

use super::{
    ApiError, Context, DraftRequest, LoopDraft, NextTime, Placed, Setting, Simulated, SimulatedDraft, SimulatedLine,
    What, play,
};

/// How many of the next times are shown.
const NEXT: usize = 5;
/// How many lines of a simulation are shown.
const LINES: usize = 40;
/// With more starts a week than this, one day is played.
const BUSY: u32 = 60;

/// What a text comes to, with the change of a form where one is given.
pub fn draft_loop(context: &Context, request: &DraftRequest) -> LoopDraft {
    let (text, faults, refused) = formed(context, request);
    let reading = read_bytes_on(text.as_bytes(), context.now.date_naive());
    let diagnostics = reading.diagnostics.into_iter().map(|fault| placed(&text, fault)).collect();
    let definition = reading.definition.as_ref();
    let timing = definition.map(|definition| &definition.timing);
    let zone = timing.and_then(|timing| timing.zone).unwrap_or(context.zone);
    LoopDraft {
        valid: definition.is_some(),
        diagnostics,
        form: timing.map(Form::of),
        faults,
        refused,
        words: timing.map(schedule::in_words).unwrap_or_default(),
        zone: zone.name().to_owned(),
        computer: context.zone.name().to_owned(),
        next: definition.map_or_else(Vec::new, |definition| next(context, definition, zone)),
        shifts: timing.map_or_else(Vec::new, |timing| schedule::shifts(timing, zone, context.now)),
        changed: changed(&request.base, &text),
        text,
    }
}

/// The text after the form's change; as it was, with the reasons, where that can't be made.
fn formed(context: &Context, request: &DraftRequest) -> (String, Vec<FormFault>, Option<String>) {
    let same = |faults, refused| (request.text.clone(), faults, refused);
    let Some(form) = &request.form else { return same(Vec::new(), None) };
    let reading = read_bytes_on(request.text.as_bytes(), context.now.date_naive());
    let Some(definition) = reading.definition else {
        let why = "the file has faults, so the form can't change it; correct them in the YAML tab";
        return same(Vec::new(), Some(why.to_owned()));
    };
    match form.timing(&definition.timing) {
        Err(faults) => same(faults, None),
        Ok(timing) => match retime(&request.text, &timing) {
            Ok(text) => (text, Vec::new(), None),
            Err(error) => same(Vec::new(), Some(error.to_string())),
        },
    }
}

fn placed(text: &str, diagnostic: Diagnostic) -> Placed {
    let units = |at: usize| text.get(..at).map_or(0, |before| before.encode_utf16().count());
    let (from, to) = (units(diagnostic.span.start), units(diagnostic.span.end));
    Placed { diagnostic, from, to }
}

fn next(context: &Context, definition: &Definition, zone: Tz) -> Vec<NextTime> {
    let times = schedule::next_times(&definition.timing, zone, context.now, NEXT);
    let here = |at: &DateTime<Tz>| {
        let here = at.with_timezone(&context.zone);
        (here.naive_local() != at.naive_local()).then(|| shown(at.to_utc(), context.zone))
    };
    let time = |at: &DateTime<Tz>| NextTime {
        at: at.to_rfc3339_opts(SecondsFormat::Secs, false),
        shown: shown(at.to_utc(), zone),
        here: here(at),
    };
    times.iter().map(time).collect()
}

fn shown(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %-d %b %H:%M").to_string()
}

/// What a text would start in the next days, on a computer that is always on.
///
/// # Errors
/// The text is no valid loop, or the simulation can't write its folder.
pub fn simulate_draft(context: &Context, text: &str) -> Result<SimulatedDraft, ApiError> {
    let Some(definition) = read_bytes_on(text.as_bytes(), context.now.date_naive()).definition else {
        return Err(ApiError::new(exit::INVALID_LOOP, "the text is no valid loop, so nothing would start")
            .hint("the YAML tab shows what is wrong"));
    };
    let zone = definition.timing.zone.unwrap_or(context.zone);
    let days = if schedule::runs_per_week(&definition.timing, zone, context.now) > BUSY { 1 } else { 7 };
    let setting = Setting {
        from: context.now,
        to: context.now + Duration::days(i64::from(days)),
        zone: context.zone,
        scenario: Scenario::default(),
        settings: String::new(),
    };
    let played = play(&setting, &[Simulated { definition, mode: Mode::Ship }])?;
    let told = played.lines.iter().filter(|line| line.loop_name.is_some() && line.what != What::Finished);
    let mut lines: Vec<SimulatedLine> =
        told.map(|line| SimulatedLine { at: shown(line.at, zone), text: words(line.what, &line.text) }).collect();
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    Ok(SimulatedDraft { days, lines, more })
}

fn words(what: What, text: &str) -> String {
    let first = match what {
        What::Started => "would start",
        What::Missed => "would be missed",
        What::Skipped => "would be skipped",
        What::Halted => "would be halted",
        What::Failed => "would fail",
        _ => "",
    };
    match (first, text) {
        ("", text) => text.to_owned(),
        (first, "") => first.to_owned(),
        (first, text) => format!("{first} · {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_count_in_units_of_utf_16() {
        let text = "name: ä𝄞x\n";
        let at = text.find('x').expect("x");
        let span = loopwright_core::diagnostic::Span::of(text, at, at + 1);
        let placed = placed(text, Diagnostic::error("code", span, "wrong"));
        assert_eq!((placed.diagnostic.span.start, placed.from, placed.to), (12, 9, 10));
    }
}
