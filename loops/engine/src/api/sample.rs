//! The sample: a small project with three findings, and a loop whose agents replay recorded answers. It shows one loop from its
//! findings to an approval without a key, a network or a cost, and touches no repository of the person's.

use std::fs::{self, File};
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::{AddRequest, ApiError, Confirm, Context, LoopView, RunRow, StartRequest, add, run, runs};
use crate::git::plant;
use crate::home::private_dir;
use crate::os;

/// The sample's loop.
pub(super) const NAME: &str = "sample";
/// The folder of its project.
const PROJECT: &str = "shop-api";

/// A file of the project, at its place.
macro_rules! file {
    ($path:literal) => {
        ($path, include_str!(concat!("../../../sample/shop-api/", $path)))
    };
}

const FILES: [(&str, &str); 8] = [
    file!("README.md"),
    file!("src/total.awk"),
    file!("src/receipt.awk"),
    file!("tests/run.sh"),
    file!("tests/total.test"),
    file!("tests/receipt.test"),
    file!(".loopwright/issues/1-total-on-the-receipt.md"),
    file!(".loopwright/issues/2-members.md"),
];

/// The sample as it lies on this computer.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SampleView {
    /// Its repository.
    pub repo: String,
    /// Its loop, which makes pull requests there.
    pub registered: LoopView,
}

/// Makes the sample's repository and registers its loop. What is there already is left as it is.
///
/// # Errors
/// It can't be written, or another loop has its name.
pub fn sample(context: &Context) -> Result<SampleView, ApiError> {
    let folder = context.home.data.join("sample");
    let repo = folder.join(PROJECT);
    private_dir(&folder)?;
    // Two windows, or two clicks, may ask at once: the second finds what the first made.
    let making = File::create(folder.join("lock")).context("opening the sample's lock")?;
    making.lock().context("waiting for the sample to be made")?;
    if !repo.exists() {
        make(&folder, &repo)?;
    }
    let request = AddRequest {
        target: NAME.to_owned(),
        repo: Some(repo.clone()),
        name: None,
        ship: true,
        confirm: Confirm::Person,
    };
    let view = add(context, request)?;
    let registered =
        view.registered.context("the sample's loop is not valid here; `loopwright check sample` says why")?;
    Ok(SampleView { repo: repo.display().to_string(), registered })
}

/// Makes the sample and starts a run of it.
///
/// # Errors
/// As [`sample`]; it is halted, it runs already, or the sandbox is missing: nothing was started then.
pub fn try_sample(context: &Context) -> Result<RunRow, ApiError> {
    let name = sample(context)?.registered.name;
    let run = run::start(context, StartRequest { name, ship: false, finding: None })?;
    runs::run_row(context, run)
}

/// Whole or not at all: it gets its name when it is complete.
fn make(folder: &Path, repo: &Path) -> anyhow::Result<()> {
    let new = tempfile::Builder::new().prefix(".new-").tempdir_in(folder).context("making a folder for the sample")?;
    for (path, text) in FILES {
        let path = new.path().join(path);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        os::set_program(&path, text.starts_with("#!"))?;
    }
    plant(new.path(), "shop-api: orders, receipts and two wishes")?;
    fs::rename(new.path(), repo).with_context(|| format!("making {}", repo.display()))
}
