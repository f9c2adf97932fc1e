//! A run while it lives: its story as it happens, one line that says what it does now, and Ctrl-C.
//!
//! On a terminal the line changes in place on stderr; elsewhere only whole lines of the story are printed there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_core::run::{Entry, Item, Run, Stage, Step};
use loopwright_core::story::{self, Titles};
use loopwright_engine::api::{self, ApiError, Context, Level, RunRow};

use crate::App;
use crate::commands::command;
use crate::output::Output;
use crate::page::visible;
use crate::render::{self, money};

/// Longest wait for news; the store wakes us up before.
const PATIENCE: Duration = Duration::from_secs(1);

/// Follows a run to its end: its row, and its whole journal.
pub(crate) fn follow(app: &App, id: RunId) -> Result<(RunRow, Vec<Entry>), ApiError> {
    let screen = Screen::new(&app.output);
    on_interrupt(id, screen.clone())?;
    let (mut seen, mut told) = (0, 0);
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        // The row first: once it has ended, the journal that is read after it is whole.
        let row = api::run_row(&app.context, id)?;
        for (seq, entry) in api::journal_after(&app.context, id, seen)? {
            seen = seq;
            entries.push(entry);
        }
        let story = story::tell(&entries, &Titles::new(), app.zone.offset(app.context.now));
        screen.lines(&story[told..]);
        told = story.len();
        if row.ended.is_some() {
            screen.bar.finish_and_clear();
            return Ok((row, entries));
        }
        screen.now(&now(&entries));
        api::wait_for_change(&app.context, PATIENCE);
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
    if let Some((Step::Build { iteration, .. }, _)) = &run.open {
        parts.push(format!("round {iteration} of {}", rails.max_iterations));
    }
    parts.push(format!("{} of {}", money(run.spent), money(rails.budget)));
    parts.join(" · ")
}

/// Which finding of how many.
fn position(run: &Run) -> Option<String> {
    let decided = |i: &Item| {
        matches!(
            i.stage,
            Stage::Shipped { .. } | Stage::HandedOver(_) | Stage::HeldBack
        )
    };
    let at = run.items.iter().position(|i| !decided(i))? + 1;
    Some(format!("finding {at} of {}", run.items.len()))
}

/// The terminal of a run; its clones share one line.
#[derive(Clone)]
struct Screen {
    output: Output,
    bar: ProgressBar,
}

impl Screen {
    fn new(output: &Output) -> Screen {
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

    /// Says something that is no part of the story.
    fn say(&self, text: &str) {
        if self.output.json() {
            return;
        }
        let mut page = self.output.error_page();
        page.line(text);
        self.bar.suspend(|| self.output.print_error(&page));
    }
}

/// The first Ctrl-C halts the run, which then ends by itself; the second leaves at once.
fn on_interrupt(id: RunId, screen: Screen) -> Result<(), ApiError> {
    let presses = Arc::new(AtomicUsize::new(0));
    let handler = move || match presses.fetch_add(1, Ordering::SeqCst) {
        0 => halt(id, &screen),
        _ => {
            screen.bar.finish_and_clear();
            screen.say("Leaving. The run is being ended by its watchdog.");
            std::process::exit(i32::from(exit::HALTED));
        }
    };
    ctrlc::set_handler(handler).map_err(|e| ApiError {
        code: exit::INTERNAL,
        message: format!(
            "Ctrl-C can't be watched, so run {} goes on unwatched: {e}",
            id.short()
        ),
        hint: Some(command(&format!("halt --run {}", id.short()))),
    })
}

/// Halts from the handler's own thread: nothing that the other one waits for can delay it.
fn halt(id: RunId, screen: &Screen) {
    screen.say("Halting this run… its processes are ended.");
    let reason = Some("Ctrl-C".to_owned());
    let level = Level::Run(id.to_string());
    let halted = Context::open().and_then(|context| api::halt(&context, level, false, reason));
    if let Err(error) = halted {
        screen.say(&format!("The run could not be halted: {error}"));
        screen.say(&command(&format!("halt --run {}", id.short())));
    }
}
