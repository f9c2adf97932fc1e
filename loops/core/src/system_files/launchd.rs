//! Property lists of launchd (macOS): the tray at login, the scheduler, and the daemon that sets a wake-up.
//!
//! Not proven on a Mac: they are read back by a parser of XML alone.

use chrono::{DateTime, Utc};
use roxmltree::{Document, Node, ParsingOptions};

use super::{IDENTIFIER, xml};

/// What launchd calls a part of us: `tray`, `serve`, `wake`.
pub fn label(part: &str) -> String {
    format!("{IDENTIFIER}.{part}")
}

/// The agent that starts these words when the person logs in; `keep` where it is to be started again when it fails.
pub fn agent(part: &str, words: &[String], keep: bool) -> String {
    let keep = if keep { "<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n\t" } else { "" };
    property_list(&format!(
        "<key>Label</key><string>{}</string>\n\t<key>ProgramArguments</key>{}\n\t<key>RunAtLoad</key><true/>\n\t{keep}\
         <key>ProcessType</key><string>Interactive</string>\n\t<key>AbandonProcessGroup</key><true/>\n",
        xml(&label(part)),
        array(words)
    ))
}

/// The words that such a list starts; none where it can't be read.
pub fn words(list: &str) -> Option<Vec<String>> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(list, options).ok()?;
    let key =
        document.descendants().find(|node| node.text() == Some("ProgramArguments") && node.has_tag_name("key"))?;
    let array = key.next_sibling_element().filter(|node| node.has_tag_name("array"))?;
    let word = |node: Node<'_, '_>| node.text().unwrap_or_default().to_owned();
    Some(array.children().filter(|node| node.has_tag_name("string")).map(word).collect())
}

/// The agent that keeps the scheduler running. `home` is what `LOOPWRIGHT_HOME` is, where it is set.
pub fn serve_agent(program: &str, home: Option<&str>) -> String {
    let home = home.map(|home| ["/usr/bin/env".to_owned(), format!("LOOPWRIGHT_HOME={home}")]);
    let words: Vec<String> = home.into_iter().flatten().chain([program.to_owned(), "serve".to_owned()]).collect();
    agent("serve", &words, true)
}

/// The daemon that has the power manager wake the computer once, at this moment. Its clock is that of UTC, so that no
/// change of clocks shifts it.
pub fn wake_daemon(at: DateTime<Utc>) -> String {
    let time = at.format("%m/%d/%y %H:%M:%S").to_string();
    let words = ["/usr/bin/pmset", "schedule", "wake", &time, IDENTIFIER].map(str::to_owned);
    property_list(&format!(
        "<key>Label</key><string>{}</string>\n\t<key>EnvironmentVariables</key><dict><key>TZ</key><string>UTC</string>\
         </dict>\n\t<key>ProgramArguments</key>{}\n\t<key>RunAtLoad</key><true/>\n",
        xml(&label("wake")),
        array(&words)
    ))
}

fn property_list(dict: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n\t{dict}</dict>\n</plist>\n"
    )
}

fn array(words: &[String]) -> String {
    let words: String = words.iter().map(|word| format!("<string>{}</string>", xml(word))).collect();
    format!("<array>{words}</array>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_path_holds_is_read_back() {
        let all = ["/Applications/a b & <c>\"d\"/x", "it's\ttabbed", "ü ]]>", ""].map(str::to_owned);
        assert_eq!(words(&agent("tray", &all, false)).as_deref(), Some(all.as_slice()));
        let home = ["/usr/bin/env", "LOOPWRIGHT_HOME=/h/a b", "/x", "serve"].map(str::to_owned);
        assert_eq!(words(&serve_agent("/x", Some("/h/a b"))).as_deref(), Some(home.as_slice()));
        assert_eq!(words(&serve_agent("/x", None)).as_deref(), Some(&home[2..]));
        assert_eq!(words("<plist><dict><key>Label</key><string>x</string></dict></plist>"), None);
        assert_eq!(words("no list"), None);
    }
}
