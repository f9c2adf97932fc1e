//! `loopwright logs [RUN] [-f]`: what agents and gates wrote, made harmless.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::LogsArgs;
use crate::page::{Page, Tint};

/// What a runner says of itself, beside the outputs of its steps.
const ERR: &str = "runner.err";
/// Longest wait for news; the store wakes us up before.
const PATIENCE: Duration = Duration::from_millis(500);

pub(crate) fn run(args: &LogsArgs, app: &App) -> Result<u8, ApiError> {
    // `last` may become another run while this one is followed.
    let id = api::show(&app.context, &args.run)?.row.id;
    let (mut logs, changes) = (Logs::default(), api::changes(&app.context));
    loop {
        let ended = api::run_row(&app.context, id)?.ended.is_some();
        let files = api::log_files(&app.context, &id.to_string())?;
        if app.output.json() {
            app.output.answer(&files, |_| {})?;
            return Ok(exit::DONE);
        }
        let last_look = ended || !args.follow;
        let mut page = app.output.page();
        for (name, path) in &files {
            logs.news(&mut page, name, path, last_look)?;
        }
        app.output.print(&page);
        if last_look {
            return Ok(exit::DONE);
        }
        changes.wait(PATIENCE);
    }
}

/// How far each file was printed.
#[derive(Default)]
struct Logs {
    read: BTreeMap<PathBuf, Tail>,
    last: Option<PathBuf>,
}

impl Logs {
    /// Adds the lines that a file got since the last look.
    fn news(&mut self, page: &mut Page, name: &str, path: &Path, last_look: bool) -> Result<(), ApiError> {
        let tail = self.read.entry(path.to_owned()).or_default();
        let text = tail.news(path, last_look).map_err(|e| ApiError {
            code: exit::FAILED,
            message: format!("{} can't be read: {e}", path.display()),
            hint: None,
        })?;
        let text = if name == ERR { without_reports(&text) } else { text };
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

/// What the runner itself said, without that it did what it does: whoever reads logs looks for what went wrong.
fn without_reports(text: &str) -> String {
    let report = |line: &&str| line.starts_with('{') && line.contains("\"level\":\"INFO\"");
    text.split_inclusive('\n').filter(|line| !report(line)).collect()
}

/// A file that grows.
#[derive(Default)]
struct Tail {
    offset: u64,
    rest: Vec<u8>,
}

impl Tail {
    /// What was added; an unfinished line waits for its end, unless this is the last look.
    fn news(&mut self, path: &Path, last_look: bool) -> std::io::Result<String> {
        let mut file = api::open_log(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        self.offset += file.read_to_end(&mut self.rest)? as u64;
        let whole = match last_look {
            true => self.rest.len(),
            false => self.rest.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1),
        };
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        Ok(String::from_utf8_lossy(&lines).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runner_reports_is_left_out_and_what_went_wrong_is_not() {
        let text = "{\"level\":\"INFO\",\"x\":1}\n{\"level\":\"WARN\",\"x\":2}\nthread panicked\n";
        assert_eq!(without_reports(text), "{\"level\":\"WARN\",\"x\":2}\nthread panicked\n");
    }

    #[test]
    fn a_line_is_printed_once_and_whole() {
        let path = std::env::temp_dir().join(format!("loopwright-logs-{}", std::process::id()));
        let mut tail = Tail::default();
        let mut news = |content: &[u8], last: bool| {
            std::fs::write(&path, content).expect("a file");
            tail.news(&path, last).expect("readable")
        };
        assert_eq!(news(b"one\ntw", false), "one\n");
        assert_eq!(news(b"one\ntwo\n\xff\xc3", false), "two\n");
        assert_eq!(news(b"one\ntwo\n\xff\xc3\xa4\n", false), "\u{fffd}\u{e4}\n");
        assert_eq!(news(b"one\ntwo\n\xff\xc3\xa4\nend", false), "");
        assert_eq!(news(b"one\ntwo\n\xff\xc3\xa4\nend", true), "end");
        std::fs::remove_file(&path).expect("removed");
    }
}
