//! The known word that a person probably meant.

/// The known word nearest to `word`, if it is near enough to be a slip (a third of its letters, at least one).
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let letters = word.chars().count();
    let limit = (letters / 3).clamp(usize::from(letters > 1), 4);
    known
        .iter()
        .map(|k| (distance(&word.to_lowercase(), &k.to_lowercase()), *k))
        .filter(|(far, _)| *far <= limit)
        .min_by_key(|(far, _)| *far)
        .map(|(_, k)| k)
}

/// `did you mean X?` or the list of what is known.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(k) => match word.chars().find(|c| c.is_alphabetic() && !c.is_ascii()) {
            Some(strange) => format!("did you mean `{k}`? `{strange}` is U+{:04X}, another letter", u32::from(strange)),
            None => format!("did you mean `{k}`?"),
        },
        None => format!("known here: {}", listed(known)),
    }
}

/// `a`, `b` and `c`, each in backticks.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["max_iterations", "budget", "halt_on", "AND"];
        assert_eq!(nearest("max_iteration", &known), Some("max_iterations"));
        assert_eq!(nearest("bugdet", &known), Some("budget"));
        assert_eq!(nearest("adn", &known), Some("AND"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(suggestion("x", &["a1", "b2", "c3"]), "known here: `a1`, `b2` and `c3`");
    }
}
