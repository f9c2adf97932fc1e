//! Whole-binary tests: what they share. The tests themselves are in `tests/`.

pub mod book;
pub mod crash;
pub mod dice;
pub mod faults;
pub mod nasty;
pub mod power;
pub mod registry;
pub mod stage;

/// A temporary folder whose syncs cost nothing, where the system has such a place.
///
/// # Panics
/// It can't be made.
#[expect(clippy::expect_used, reason = "tests fail by panicking")]
pub fn in_memory() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("lw-").tempdir_in(place).expect("a temporary folder")
}

/// Says in a test's output how many cases it ran, and with which seed.
#[expect(clippy::print_stdout, reason = "the output of a test is where its figures are looked for")]
pub fn tell(text: &str) {
    println!("{text}");
}
