//! Texts for Windows: a task that wakes the computer, and the command that starts the tray at login.
//!
//! Not proven on Windows: they are read back by a parser of XML alone.

use chrono::{DateTime, Utc};

use super::xml;

/// Where a person's programs stand that start at login, below `HKEY_CURRENT_USER`.
pub const RUN_KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
/// The name of our value there.
pub const RUN_VALUE: &str = "Loopwright";
/// The most triggers that one task may have.
const MOST_TRIGGERS: usize = 48;

/// A task that wakes the computer at these moments, for a program that ends at once.
pub fn wake_task(times: &[DateTime<Utc>], program: &str) -> String {
    let trigger = |at: &DateTime<Utc>| {
        format!(
            "<TimeTrigger><StartBoundary>{}</StartBoundary><Enabled>true</Enabled></TimeTrigger>",
            at.format("%Y-%m-%dT%H:%M:%SZ")
        )
    };
    let triggers: String = times.iter().take(MOST_TRIGGERS).map(trigger).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n\
         <RegistrationInfo><Description>Wakes the computer for loops of Loopwright</Description></RegistrationInfo>\n\
         <Triggers>{triggers}</Triggers>\n\
         <Settings><DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\
         <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries><WakeToRun>true</WakeToRun>\
         <ExecutionTimeLimit>PT1M</ExecutionTimeLimit></Settings>\n\
         <Actions><Exec><Command>{}</Command><Arguments>tick</Arguments></Exec></Actions>\n</Task>\n",
        xml(program)
    )
}

/// The command line that starts these words (the rules of `CommandLineToArgvW`).
pub fn command_line(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let (mut out, mut slashes) = (String::from('"'), 0);
    for c in word.chars() {
        match c {
            '\\' => slashes += 1,
            '"' => {
                out.push_str(&"\\".repeat(slashes + 1));
                slashes = 0;
            }
            _ => slashes = 0,
        }
        out.push(c);
    }
    // Those before the closing quotation mark would escape it.
    out + &"\\".repeat(slashes) + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_windows_reads_them() {
        let line = |words: &[&str]| command_line(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(line(&[r"C:\Program Files\x.exe", "a b"]), r#""C:\Program Files\x.exe" "a b""#);
        assert_eq!(line(&[r"C:\ends\"]), r#""C:\ends\\""#);
        assert_eq!(line(&[r#"a\"b"#]), r#""a\\\"b""#);
    }
}
