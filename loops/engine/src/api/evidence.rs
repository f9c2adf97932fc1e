//! What a gate wrote when it judged a pull request, page by page.

use std::io::{Read as _, Seek as _, SeekFrom};

use anyhow::Context as _;
use loopwright_core::check::text;
use loopwright_core::{exit, lease};
use serde::Serialize;

use super::{ApiError, Context, open_log, reviews};
use crate::store::runs;

/// Bytes of a page.
const PAGE: u64 = 64 * 1024;

/// A page of kept output.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct EvidencePage {
    /// Its text, without what only a terminal understands (untrusted).
    pub text: String,
    /// Where the next page begins, in bytes; none = this is the last one.
    pub next: Option<u64>,
    /// Bytes of the whole output.
    pub size: u64,
}

/// A page of the output that one of a pull request's gates left, from a byte on.
///
/// # Errors
/// No gate of it has this output, or it is no longer kept.
pub fn evidence(context: &Context, typed: &str, sha256: &str, from: u64) -> Result<EvidencePage, ApiError> {
    let store = context.store()?;
    let record = reviews::find(&store, typed)?;
    let (verdict, _, _) = runs::attempt(store.read(), &record.attempt)?;
    let named = verdict.is_some_and(|v| v.gates.iter().any(|gate| gate.evidence.as_deref() == Some(sha256)));
    // A name of 64 digits leads nowhere else.
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    if !named || !is_hash {
        return Err(ApiError::new(exit::USAGE, "no gate of this pull request left that output"));
    }
    let run = runs::of_attempt(store.read(), &record.attempt)?;
    let path = context.home.run(run).join(lease::EVIDENCE).join(sha256);
    let gone = |error| {
        ApiError::new(exit::FAILED, format!("can't read the output of this gate: {error}"))
            .hint("its answer is kept with the pull request; another run writes a new output")
    };
    let mut file = open_log(&path).map_err(gone)?;
    let size = file.metadata().map_err(gone)?.len();
    file.seek(SeekFrom::Start(from)).map_err(gone)?;
    let mut bytes = Vec::new();
    file.take(PAGE).read_to_end(&mut bytes).map_err(gone)?;
    let read = whole_lines(&bytes, from, size);
    let next = (from + read < size && read > 0).then_some(from + read);
    let page = bytes.get(..usize::try_from(read).context("a page")?).unwrap_or_default();
    Ok(EvidencePage { text: text::clean(page), next, size })
}

/// How many bytes of a page are whole lines, so that no character is cut; all of it, where a line is longer than a page.
fn whole_lines(bytes: &[u8], from: u64, size: u64) -> u64 {
    let all = bytes.len() as u64;
    if from + all >= size {
        return all;
    }
    bytes.iter().rposition(|b| *b == b'\n').map_or(all, |at| at as u64 + 1)
}
