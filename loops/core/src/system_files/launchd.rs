//! Property lists of launchd (macOS): the tray at login, the scheduler, and the daemon that sets a wake-up.
//!
//! Not proven on a Mac: they are read back by a parser of XML alone.

use chrono::{DateTime, Utc};

use super::{IDENTIFIER, xml};

/// What launchd calls the tray.
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
