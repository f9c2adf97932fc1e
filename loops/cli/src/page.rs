//! Text on its way to a terminal: the only place where colours are written and where untrusted text is made harmless.
//!
//! Everything that reaches the terminal goes through a [`Page`], so that no text can bring its own escape sequences.

/// What a piece of text means; colours follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tint {
    /// Ordinary text.
    Plain,
    /// Titles.
    Strong,
    /// What may be skipped when reading.
    Muted,
    /// It runs; also what to type.
    Accent,
    /// Passed.
    Ok,
    /// A person is needed.
    Attention,
    /// Failed or stopped.
    Stop,
    /// A new line of a diff: blue.
    Added,
    /// A removed line of a diff: orange.
    Removed,
}

impl Tint {
    fn code(self) -> &'static str {
        match self {
            Tint::Plain => "",
            Tint::Strong => "1",
            Tint::Muted => "2",
            Tint::Accent | Tint::Added => "38;5;32",
            Tint::Ok => "38;5;35",
            Tint::Attention => "38;5;136",
            Tint::Stop => "38;5;161",
            Tint::Removed => "38;5;166",
        }
    }
}

/// Text under construction.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    colour: bool,
    text: String,
}

impl Page {
    pub(crate) fn new(colour: bool) -> Page {
        let text = String::new();
        Page { colour, text }
    }

    /// Whether colours are written.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// Adds text to the current line; its line breaks are shown, not made.
    pub(crate) fn add(&mut self, tint: Tint, text: &str) -> &mut Page {
        let shown = visible(text);
        match self.colour && tint != Tint::Plain && !shown.is_empty() {
            true => self.text += &format!("\u{1b}[{}m{shown}\u{1b}[0m", tint.code()),
            false => self.text += &shown,
        }
        self
    }

    /// Adds ordinary text to the current line.
    pub(crate) fn say(&mut self, text: &str) -> &mut Page {
        self.add(Tint::Plain, text)
    }

    /// Adds text and fills up with spaces to `width` characters.
    pub(crate) fn cell(&mut self, tint: Tint, text: &str, width: usize) -> &mut Page {
        let fill = width.saturating_sub(visible(text).chars().count());
        self.add(tint, text).say(&" ".repeat(fill))
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// A whole line of ordinary text.
    pub(crate) fn line(&mut self, text: &str) {
        self.say(text).end();
    }

    /// A whole line.
    pub(crate) fn tinted(&mut self, tint: Tint, text: &str) {
        self.add(tint, text).end();
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.end();
    }

    /// Text of several lines, each made harmless.
    pub(crate) fn block(&mut self, text: &str) {
        text.lines().for_each(|l| self.line(l));
    }

    /// Text that is already fit for a terminal: rendered from input that [`masked`] went over.
    pub(crate) fn rendered(&mut self, text: &str) {
        self.text += text;
        self.text.push('\n');
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Untrusted text with everything shown that a terminal would act on or hide; line breaks too.
pub(crate) fn visible(text: &str) -> String {
    if !text.chars().any(acts) {
        return text.to_owned();
    }
    text.chars().map(shown).collect()
}

/// Untrusted text of the same length in bytes, without anything that a terminal would act on or hide but line breaks
/// and tabs: for renderers that work with byte offsets.
pub(crate) fn masked(text: &str) -> String {
    text.chars()
        .map(|c| match (acts(c) && c != '\n', c.len_utf8()) {
            (false, _) => c.to_string(),
            (true, 1) => "?".to_owned(),
            (true, 2) => "·".to_owned(),
            (true, 3) => "\u{fffd}".to_owned(),
            (true, _) => "\u{fffd}?".to_owned(),
        })
        .collect()
}

/// Whether a terminal would act on a character, or hide it. Tabs only move on.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{feff}' | '\u{115f}' | '\u{1160}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{3164}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn shown(c: char) -> String {
    match c {
        _ if !acts(c) => c.to_string(),
        '\u{00}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).map_or_else(String::new, String::from),
        '\u{7f}' => "␡".to_owned(),
        _ => format!("<U+{:04X}>", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "a\u{1b}[2J\r\u{9b}31m\u{202e}b\u{200b}\u{7f}\u{e0041}\nc\u{8}";

    #[test]
    fn no_text_brings_its_own_escapes() {
        for colour in [false, true] {
            let mut page = Page::new(colour);
            page.add(Tint::Stop, EVIL).cell(Tint::Plain, EVIL, 4).say(EVIL);
            page.end();
            page.block(EVIL);
            let ours = page.text().replace("\u{1b}[38;5;161m", "").replace("\u{1b}[0m", "");
            assert!(!ours.chars().any(|c| acts(c) && c != '\n'), "{ours:?}");
        }
        assert!(EVIL.chars().any(|c| acts(c) && c != '\n'), "the control would pass too");
    }

    #[test]
    fn what_is_hidden_is_shown() {
        insta::assert_snapshot!(
            visible(EVIL),
            @"a␛[2J␍<U+009B>31m<U+202E>b<U+200B>␡<U+E0041>␊c␈"
        );
        assert_eq!(visible("grün −3 ✓\tx"), "grün −3 ✓\tx");
    }

    #[test]
    fn every_control_character_is_shown_or_masked() {
        for c in (0..0x11_0000).filter_map(char::from_u32).filter(|c| c.is_control() && *c != '\t') {
            assert!(!visible(&c.to_string()).contains(c), "{c:?}");
            assert!(c == '\n' || !masked(&c.to_string()).contains(c), "{c:?}");
        }
    }

    #[test]
    fn masking_keeps_every_offset() {
        let masked = masked(EVIL);
        assert_eq!(masked.len(), EVIL.len());
        assert_eq!(masked.find('\n'), EVIL.find('\n'));
        assert!(!masked.chars().any(|c| acts(c) && c != '\n'), "{masked:?}");
    }

    #[test]
    fn colours_are_only_written_when_wanted() {
        let text = |colour| {
            let mut page = Page::new(colour);
            page.tinted(Tint::Added, "+x");
            page.text().to_owned()
        };
        assert_eq!(text(false), "+x\n");
        assert_eq!(text(true), "\u{1b}[38;5;32m+x\u{1b}[0m\n");
    }
}
