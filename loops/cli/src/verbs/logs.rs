//! `loopwright logs [RUN] [-f]`: what agents and gates wrote, made harmless.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::LogsArgs;
use crate::page::{Page, Tint};

/// Longest wait for news; the store wakes us up before.
const PATIENCE: Duration = Duration::from_millis(500);

pub(crate) fn run(args: &LogsArgs, app: &App) -> Result<u8, ApiError> {
    // `last` may become another run while this one is followed.
    let id = api::show(&app.context, &args.run)?.row.id;
    let mut logs = Logs::default();
    loop {
        let ended = api::run_row(&app.context, id)?.ended.is_some();
        let files = api::log_files(&app.context, &id.to_string())?;
        if app.output.json() {
            app.output.answer(&files, |_| {})?;
            return Ok(exit::DONE);
        }
        let mut page = app.output.page();
        for (name, path) in &files {
            logs.news(&mut page, name, path)?;
        }
        app.output.print(&page);
        if ended || !args.follow {
            return Ok(exit::DONE);
        }
        api::wait_for_change(&app.context, PATIENCE);
    }
}

/// How far each file was printed.
#[derive(Default)]
struct Logs {
    read: BTreeMap<PathBuf, Tail>,
    last: Option<PathBuf>,
}

impl Logs {
    /// Adds the whole lines that a file has since the last look.
    fn news(&mut self, page: &mut Page, name: &str, path: &Path) -> Result<(), ApiError> {
        let tail = self.read.entry(path.to_owned()).or_default();
        let text = tail.news(path).map_err(|e| ApiError {
            code: exit::FAILED,
            message: format!("{} can't be read: {e}", path.display()),
            hint: None,
        })?;
        if text.is_empty() {
            return Ok(());
        }
        if self.last.as_deref() != Some(path) {
            page.tinted(Tint::Strong, &format!("== {name} =="));
            self.last = Some(path.to_owned());
        }
        page.block(&text);
        Ok(())
    }
}

/// A file that grows.
#[derive(Default)]
struct Tail {
    offset: u64,
    rest: Vec<u8>,
}

impl Tail {
    /// What was added, up to the last whole line; the unfinished one waits for its end.
    fn news(&mut self, path: &Path) -> std::io::Result<String> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        self.offset += file.read_to_end(&mut self.rest)? as u64;
        let whole = self
            .rest
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        Ok(String::from_utf8_lossy(&lines).into_owned())
    }
}
