//! `loopwright schema`: the schema is JSON already, with `--json` or without.

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;

pub(crate) fn run(app: &App) -> Result<u8, ApiError> {
    let mut page = app.output.page();
    page.block(&api::schema());
    app.output.print(&page);
    Ok(exit::DONE)
}
