//! The commands of the windows: one line each over `engine::api`. Which window may ask for which stands in `capabilities/`;
//! their names, in `build.rs`; their arguments and answers, in `ui/src/lib/backend`.

pub(crate) mod loops;
pub(crate) mod review;
pub(crate) mod runs;
pub(crate) mod settings;
pub(crate) mod shared;
pub(crate) mod spend;
pub(crate) mod welcome;

use loopwright_core::exit;
use loopwright_engine::api::{ApiError, Context};

/// Asks the engine on a thread of its own, because it is synchronous: a window never waits for a disk.
pub(crate) async fn ask<T: Send + 'static>(
    verb: impl FnOnce(&Context) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let asked = tauri::async_runtime::spawn_blocking(move || verb(&Context::open()?.by("window")));
    asked.await.unwrap_or_else(|error| Err(ApiError::new(exit::INTERNAL, error)))
}
