//! A run while it lives: its story as it happens, and one line that says what it does now.
//!
//! On a terminal the line changes in place on stderr; elsewhere only whole lines of the story are printed there.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_core::run::{Entry, Run, Step};
use loopwright_core::story::{self, Titles};
use loopwright_engine::api::{self, ApiError, Context, Deed, RunRow};

use crate::App;
use crate::commands::command;
use crate::output::Output;
use crate::page::visible;
use crate::render::{self, money};

/// Longest wait for news; the store wakes us up before.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a run that was started may take until its first event.
const BEGINS_WITHIN: Duration = Duration::from_secs(15);

/// Silence after which somebody should look whether the run still lives.
const SILENCE: Duration = Duration::from_secs(5);

/// Follows a run until it ends or is parked: its row, and its whole journal.
pub(crate) fn follow(app: &App, screen: &Screen, id: RunId) -> Result<(RunRow, Vec<Entry>), ApiError> {
    let mut journal = Journal { id, seen: 0, told: 0, entries: Vec::new() };
    let changes = api::changes(&app.context);
    let (began, mut heard) = (Instant::now(), Instant::now());
    loop {
        // The row first: once it has ended, the journal that is read after it is whole.
        let row = match api::run_row(&app.context, id) {
            // Its process begins on its own; until then there is no row.
            Err(_) if journal.entries.is_empty() && began.elapsed() < BEGINS_WITHIN => None,
            row => Some(row?),
        };
        if journal.read_on(app, screen)? {
            heard = Instant::now();
        }
        if let Some(row) = row.filter(|r| r.ended.is_some() || r.parked.is_some()) {
            screen.clear();
            return Ok((row, journal.entries));
        }
        if heard.elapsed() > SILENCE {
            if let Some(error) = reconcile(id) {
                screen.clear();
                return Err(error);
            }
            heard = Instant::now();
        }
        changes.wait(PATIENCE);
    }
}

/// A run that lost its processes is taken up by a reconcile pass, or gets its end; one that lives is left alone.
/// Answers why it can do neither yet.
fn reconcile(id: RunId) -> Option<ApiError> {
    // A pass that fails is made again after the next silence.
    let view = Context::open().and_then(|context| api::tick(&context)).ok()?;
    view.deeds.into_iter().find_map(|deed| held(deed, id))
}

/// What a pass says of a run that it could neither take up nor end: on a full disk even its end can't be written.
fn held(deed: Deed, id: RunId) -> Option<ApiError> {
    let (code, message) = match deed {
        Deed::Waits { run, why, .. } if run == id => (exit::PARKED, format!("run {} waits: {why}", id.short())),
        Deed::Failed { what, why } if what == format!("run {}", id.short()) => {
            (exit::FAILED, format!("run {} is over, and its end can't be written yet: {why}", id.short()))
        }
        _ => return None,
    };
    Some(ApiError::new(code, message).hint(format!("make room there, then: {}", command("tick"))))
}

/// A journal that is read while it grows.
struct Journal {
    id: RunId,
    seen: u64,
    told: usize,
    entries: Vec<Entry>,
}

impl Journal {
    /// Reads and tells what is new; whether anything was.
    fn read_on(&mut self, app: &App, screen: &Screen) -> Result<bool, ApiError> {
        let news = api::journal_after(&app.context, self.id, self.seen)?;
        let any = !news.is_empty();
        for (seq, entry) in news {
            self.seen = seq;
            self.entries.push(entry);
        }
        let story = story::tell(&self.entries, &Titles::new(), app.zone.offset(app.context.now));
        // The line is right before it is drawn again below the story.
        screen.now(&now(&self.entries));
        screen.lines(&story[self.told..]);
        self.told = story.len();
        Ok(any)
    }
}

/// `Building “x” · finding 2 of 5 · round 1 of 3 · $0.41 of $5.00`
fn now(entries: &[Entry]) -> String {
    let Ok(Some(run)) = Run::replay(entries.iter().map(|e| &e.event)) else {
        return "Starting".to_owned();
    };
    let doing = story::doing(entries, &Titles::new()).unwrap_or_else(|| "Deciding".to_owned());
    let mut parts = vec![doing];
    parts.extend(position(&run));
    let rails = &run.start.rails;
    match run.open.as_slice() {
        [(Step::Build { iteration, .. }, _)] => parts.push(format!("round {iteration} of {}", rails.max_iterations)),
        [_, more @ ..] if !more.is_empty() => parts.push(format!("{} at once", run.open.len())),
        _ => {}
    }
    parts.push(format!("{} of {}", money(run.spent), money(rails.budget)));
    parts.join(" · ")
}

/// Which finding of how many.
fn position(run: &Run) -> Option<String> {
    let at = run.items.iter().position(|i| !i.decided())? + 1;
    Some(format!("finding {at} of {}", run.items.len()))
}

/// The terminal of a run; its clones share one line.
#[derive(Clone)]
pub(crate) struct Screen {
    output: Output,
    bar: ProgressBar,
}

impl Screen {
    pub(crate) fn new(output: &Output) -> Screen {
        let bar = ProgressBar::new_spinner();
        let target = match output.live() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        bar.set_draw_target(target);
        if let Ok(style) = ProgressStyle::with_template("● {elapsed}  {wide_msg}") {
            bar.set_style(style);
        }
        // The elapsed time goes on without news; nothing else moves.
        bar.enable_steady_tick(Duration::from_secs(1));
        let output = output.clone();
        Screen { output, bar }
    }

    /// Prints lines of the story above the line that changes.
    fn lines(&self, lines: &[story::StoryLine]) {
        if lines.is_empty() || self.output.json() {
            return;
        }
        let mut page = self.output.error_page();
        render::story::lines(&mut page, lines);
        self.bar.suspend(|| self.output.print_error(&page));
    }

    fn now(&self, text: &str) {
        self.bar.set_message(visible(text));
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Says something that is no part of the story.
    pub(crate) fn say(&self, text: &str) {
        if self.output.json() {
            return;
        }
        let mut page = self.output.error_page();
        page.line(text);
        self.bar.suspend(|| self.output.print_error(&page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn the_line_says_what_it_does_now() {
        let journal = samples::journal();
        let lines: Vec<String> = (0..=journal.len()).map(|n| now(&journal[..n])).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
