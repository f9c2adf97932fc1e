//! `simulate`: a story on a virtual clock, told with each of its rails alone. Nothing is read or written.

use loopwright_core::exit;
pub use loopwright_core::simulate::Simulation;
use loopwright_core::simulate::{self, STORIES};

use super::ApiError;

/// Tells a story.
///
/// # Errors
/// There is no such story.
pub fn simulate(story: &str) -> Result<Simulation, ApiError> {
    simulate::simulate(story).ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("there is no story `{story}`"))
            .hint(format!("the stories are: {}", STORIES.join(", ")))
    })
}
