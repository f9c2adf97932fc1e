//! `loopwright send-back ID --note TEXT`

use std::io::Read as _;
use std::path::Path;

use loopwright_core::exit;
use loopwright_core::review::Via;
use loopwright_core::revise::NOTE_LIMIT;
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_engine::api::{self, ApiError, SendBackView};

use crate::App;
use crate::args::SendBackArgs;
use crate::commands::{self, command};
use crate::output::usage_error;
use crate::page::{Page, Tint};
use crate::render::{count, marked};

pub(crate) fn run(args: &SendBackArgs, app: &App) -> Result<u8, ApiError> {
    let note = note(args, app)?;
    let view = api::send_back(&app.context, &args.id, &note, Via::Terminal)?;
    app.output.answer(&view, |page| answer(page, &view))?;
    Ok(exit::DONE)
}

fn note(args: &SendBackArgs, app: &App) -> Result<String, ApiError> {
    match (&args.note, &args.file) {
        (Some(note), _) => Ok(note.clone()),
        (None, Some(path)) => read(path),
        (None, None) if app.output.person() => Ok(app.output.say_what("What is to be different?")),
        (None, None) => {
            Err(usage_error("sending back wants a note", "say what is to be different: --note '…', or -F - to read it"))
        }
    }
}

/// Reads a note; one longer than is kept is refused rather than cut.
fn read(path: &Path) -> Result<String, ApiError> {
    let limit = u64::try_from(4 * NOTE_LIMIT).unwrap_or(u64::MAX);
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(limit).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    match read {
        Ok(_) if text.chars().count() > NOTE_LIMIT => {
            Err(usage_error(format!("the note has more than {NOTE_LIMIT} characters"), "say it in fewer words"))
        }
        Ok(_) => Ok(text),
        Err(error) => {
            let message = format!("the note can't be read from {}: {error}", path.display());
            Err(usage_error(message, "give the note as text: --note '…'"))
        }
    }
}

fn answer(page: &mut Page, view: &SendBackView) {
    match (&view.run, &view.waits) {
        (_, Some(why)) => {
            marked(page, 0, Mark::NeedsYou, &format!("Sent back, waiting: {}", plain(why, 400)));
            if let Some(repair) = &view.repair {
                page.line("This lets it begin:");
                page.tinted(Tint::Accent, &commands::in_text(repair));
            }
        }
        (Some(run), None) => {
            marked(page, 0, Mark::Running, &format!("Sent back: run {} works on it.", run.short()));
            page.tinted(Tint::Accent, &command(&format!("show {}", run.short())));
        }
        (None, None) => marked(page, 0, Mark::Passed, "Sent back."),
    }
    if let Some(cap) = view.granted {
        let cap = count(cap as usize, "iteration");
        page.line(&format!("All {cap} were used; one more is granted."));
    }
    if view.run.is_none() {
        page.line("Until its run begins this takes it back:");
        page.tinted(Tint::Accent, &commands::in_text(&view.undo));
    }
}
