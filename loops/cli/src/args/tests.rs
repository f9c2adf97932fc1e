//! The command line hangs together, and each verb explains itself.

use clap::CommandFactory;
use loopwright_core::exit;

use super::*;

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_user_verb_has_an_example() {
    for verb in Cli::command().get_subcommands() {
        let help = verb.get_after_help().map(ToString::to_string);
        let example = help.is_some_and(|h| h.contains("Example: loopwright "));
        assert!(example || verb.is_hide_set(), "{}", verb.get_name());
    }
}

#[test]
fn the_help_ends_with_every_exit_code() {
    let help = Cli::command().render_long_help().to_string();
    let (_, table) = help.split_once("Exit codes:").expect("the table");
    for code in [
        exit::DONE,
        exit::FAILED,
        exit::USAGE,
        exit::INVALID_LOOP,
        exit::HALTED,
        exit::BUDGET,
        exit::NO_PROGRESS,
        exit::ITERATION_CAP,
        exit::TIME,
        exit::NOTHING,
        exit::WAITS,
        exit::INTERNAL,
    ] {
        assert!(table.contains(&format!("\n{code:>4}  ")), "{code}");
    }
}

#[test]
fn a_tree_needs_twelve_digits() {
    let parse = |tree: &str| Cli::try_parse_from(["loopwright", "approve", "x", "--tree", tree]);
    assert!(parse("0123456789ab").is_ok());
    for bad in ["0123456789a", "0123456789ag", ""] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_halt_has_one_level() {
    let both = ["loopwright", "halt", "--loop", "a", "--run", "b"];
    assert!(Cli::try_parse_from(both).is_err());
    assert!(Cli::try_parse_from(&both[..4]).is_ok());
}
