//! Characters that are not seen or reorder what is: one list for all that is shown, stored or sent.
//!
//! What becomes of such a character is not here: it goes, or something visible stands for it, as the place needs it.

/// Tells whether a character is a control, or invisible, or reorders what stands beside it.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
                | 0x2028..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
                | 0xfff0..=0xfffb | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check, review, triage};

    /// One of each kind; a space would be no harm, and these are none.
    const HIDDEN: [char; 18] = [
        '\u{7}',
        '\u{9b}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{17b4}',
        '\u{180e}',
        '\u{200b}',
        '\u{200f}',
        '\u{202e}',
        '\u{2066}',
        '\u{2800}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e0041}',
    ];

    #[test]
    fn every_place_means_the_same_characters() {
        for c in HIDDEN {
            let text = format!("a{c}b");
            assert!(is_hidden(c), "{c:?}");
            for shown in [
                triage::plain(&text, 80),
                check::text::clean(text.as_bytes()),
                check::text::line(&text),
                review::harmless::line(&text, 80),
                review::harmless::commit_line(&text, 80),
                review::harmless::markdown(&text, 80),
            ] {
                assert!(!shown.contains(c), "{c:?} is left in {shown:?}");
            }
        }
    }

    #[test]
    fn letters_of_every_script_are_seen() {
        assert!(!"naïve → 数 ﷺ עברית हिन्दी 한국어 ✅ ½".chars().any(is_hidden));
    }
}
