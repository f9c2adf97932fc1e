//! Whole-binary tests: what they share. The tests themselves are in `tests/`.

pub mod dice;
pub mod faults;
pub mod nasty;
pub mod power;
pub mod stage;

/// Says in a test's output how many cases it ran, and with which seed.
#[expect(clippy::print_stdout, reason = "the output of a test is where its figures are looked for")]
pub fn tell(text: &str) {
    println!("{text}");
}
