//! A patch in blue and orange; `+` and `−` stay, so that it reads without colour. Nothing is left out.

use crate::page::{Page, Tint};

/// Lines of a hunk that are still to come: of the old file, of the new one.
type Rest = (u32, u32);

/// Adds a patch in git's format.
pub(crate) fn diff(page: &mut Page, patch: &str) {
    let mut rest: Rest = (0, 0);
    for line in patch.split_terminator('\n') {
        let tint = tint(line, &mut rest);
        page.tinted(tint, line);
    }
}

/// What a line is follows from the hunk's counts: a removed line `-- x` looks like a header otherwise.
fn tint(line: &str, rest: &mut Rest) -> Tint {
    if *rest != (0, 0) {
        return body(line, rest);
    }
    if let Some(counts) = hunk(line) {
        *rest = counts;
        return Tint::Muted;
    }
    match line.starts_with("diff --git ") {
        true => Tint::Strong,
        false => Tint::Muted,
    }
}

fn body(line: &str, rest: &mut Rest) -> Tint {
    let (old, new, tint) = match line.as_bytes().first() {
        Some(b'+') => (0, 1, Tint::Added),
        Some(b'-') => (1, 0, Tint::Removed),
        Some(b'\\') => (0, 0, Tint::Muted),
        _ => (1, 1, Tint::Plain),
    };
    *rest = (rest.0.saturating_sub(old), rest.1.saturating_sub(new));
    tint
}

/// The counts of `@@ -1,3 +1,4 @@ fn x()`.
fn hunk(line: &str) -> Option<Rest> {
    let mut words = line.strip_prefix("@@ -")?.split(' ');
    let count = |range: &str| range.split_once(',').map_or(Some(1), |(_, n)| n.parse().ok());
    let old = count(words.next()?)?;
    let new = count(words.next()?.strip_prefix('+')?)?;
    Some((old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "\
diff --git a/q.sql b/q.sql
index 1..2 100644
--- a/q.sql
+++ b/q.sql
@@ -1,3 +1,3 @@ top
 select 1;
--- a comment
+++ b
 x\u{1b}[31m
\\ No newline at end of file
@@ -9 +9,0 @@
-gone
";

    fn tints() -> Vec<Tint> {
        let mut rest = (0, 0);
        PATCH.lines().map(|l| tint(l, &mut rest)).collect()
    }

    #[test]
    fn lines_that_look_like_headers_are_told_apart() {
        use Tint::{Added, Muted, Plain, Removed, Strong};
        let expected = [Strong, Muted, Muted, Muted, Muted, Plain, Removed, Added, Plain, Muted, Muted, Removed];
        assert_eq!(tints(), expected);
    }

    #[test]
    fn every_line_is_there_and_harmless() {
        let mut page = Page::new(false);
        diff(&mut page, PATCH);
        assert_eq!(page.text().lines().count(), PATCH.lines().count());
        assert!(page.text().contains("␛[31m") && !page.text().contains('\u{1b}'));
    }
}
