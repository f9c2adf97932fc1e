//! Loops that start one another in a circle by `after`: they would go on for ever. A pure function of who follows whom.
//!
//! Which loops are registered is the engine's to know.

use std::collections::{BTreeMap, BTreeSet};

use crate::timing::{Timing, Trigger};

/// The loops after which this one starts.
pub fn after(timing: &Timing) -> Vec<String> {
    let named = timing.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::After { name, .. } => Some(name.clone()),
        _ => None,
    });
    named.collect()
}

/// The circle in which loops would start one another with `name`, from it back to it; none if there is none.
/// `follows` names for each loop those after which it starts.
pub fn circle(name: &str, follows: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![name.to_owned()]];
    while let Some(way) = ways.pop() {
        for before in way.last().and_then(|last| follows.get(last)).into_iter().flatten() {
            let longer = [way.clone(), vec![before.clone()]].concat();
            if before == name {
                // From the first to start to the last.
                return Some(longer.into_iter().rev().collect());
            }
            if seen.insert(before.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_and_named_in_order() {
        let follows = |pairs: &[(&str, &[&str])]| {
            let pair = |(name, before): &(&str, &[&str])| {
                ((*name).to_owned(), before.iter().map(|one| (*one).to_owned()).collect())
            };
            pairs.iter().map(pair).collect::<BTreeMap<String, Vec<String>>>()
        };
        let found = |pairs: &[(&str, &[&str])]| circle("a", &follows(pairs)).map(|names| names.join(" > "));
        assert_eq!(found(&[("a", &["c"]), ("b", &["a"]), ("c", &["b"])]).as_deref(), Some("a > b > c > a"));
        assert_eq!(found(&[("a", &["a"])]).as_deref(), Some("a > a"));
        assert_eq!(found(&[("a", &["x", "b"]), ("x", &["y"]), ("b", &["a"])]).as_deref(), Some("a > b > a"));
        assert_eq!(found(&[("a", &["b"]), ("b", &["c"])]), None, "the control: a chain");
        assert_eq!(found(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]), None, "the circle of others");
        assert_eq!(found(&[]), None);
    }
}
