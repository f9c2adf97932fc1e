//! Sixty scripts: work that gets nowhere is stopped within the rails, work that moves is not, however alike they look.
//!
//! The scripts are `progress/stuck.txt` and `progress/honest.txt`; how a line is read is in `progress/script.rs`. They run
//! through the real readers of check outputs, gates, fold and `next`.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

mod progress {
    pub(crate) mod evidence;
    pub(crate) mod script;
    pub(crate) mod world;
}

use std::collections::BTreeSet;

use progress::script::{Script, Turn, scripts};
use progress::world::play;

const STUCK: &str = include_str!("progress/stuck.txt");
const HONEST: &str = include_str!("progress/honest.txt");

/// Plays all scripts of a text; what came out differently than it says.
fn differing(text: &str, forever: bool) -> (usize, Vec<String>) {
    let scripts = scripts(text);
    let played = scripts.iter().map(|script| (script, play(script, forever)));
    let differs = played.filter(|(script, played)| played.outcome != script.then).map(|(script, played)| {
        format!("{}: expected {}, came to {}\n{}", script.title, script.then, played.outcome, played.journal)
    });
    (scripts.len(), differs.collect())
}

#[test]
fn what_is_stuck_stops_within_the_rails() {
    let (count, differing) = differing(STUCK, true);
    assert_eq!(count, 30);
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}

#[test]
fn what_moves_is_not_stopped() {
    let (count, differing) = differing(HONEST, false);
    assert_eq!(count, 30);
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}

/// The control: what a simpler detector looks at fails both ways.
#[test]
fn comparing_changes_or_messages_fails_both_ways() {
    let of_change: fn(&Turn) -> String = Turn::change;
    let of_words: fn(&Turn) -> String = Turn::words;
    for (name, look) in [("the same change", of_change), ("the same message", of_words)] {
        let stops = |script: &Script, forever: bool| {
            let rounds = script.unrolled(if forever { 20 } else { 1 });
            rounds.windows(2).any(|pair| !look(&pair[0]).is_empty() && look(&pair[0]) == look(&pair[1]))
        };
        let titles = |text: &str, forever: bool, stopped: bool| -> BTreeSet<String> {
            let of = scripts(text).into_iter().filter(|s| stops(s, forever) == stopped);
            of.map(|s| s.title).collect()
        };
        let (missed, wronged) = (titles(STUCK, true, false), titles(HONEST, false, true));
        assert!(missed.len() >= 5, "{name} misses only {missed:?}");
        assert!(wronged.len() >= 3, "{name} stops only {wronged:?}");
    }
}
