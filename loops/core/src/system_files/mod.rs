//! What other programs of the system are given to read: units of systemd, property lists of launchd, tasks of Windows, entries
//! of desktops. Texts alone; nothing is written or installed here.
//!
//! Paths may hold whatever a file system allows: each format has its own way of quoting, and each is read back by tests.

pub mod desktop_entry;
pub mod launchd;
pub mod systemd;
pub mod windows;

/// The identifier under which systems know the program.
pub const IDENTIFIER: &str = "dev.loopwright.Loopwright";

/// A text within XML.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to say most of these, and line breaks would be read as other ones.
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(c))),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
