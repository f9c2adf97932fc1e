//! Texts for Windows: tasks that wake the computer and start the scheduler, and the command that starts the tray at login.
//!
//! Not proven on Windows: they are read back by a parser of XML alone.

use chrono::{DateTime, Utc};

use super::xml;

/// Where a person's programs stand that start at login, below `HKEY_CURRENT_USER`.
pub const RUN_KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
/// Where the system keeps which of them a person switched off, below the same.
pub const APPROVED_KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";
/// The name of our value in both.
pub const RUN_VALUE: &str = "Loopwright";
/// The name of the task that starts the scheduler.
pub const SERVE_TASK: &str = "Loopwright";
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
    let settings = "<WakeToRun>true</WakeToRun><ExecutionTimeLimit>PT1M</ExecutionTimeLimit>";
    task("Wakes the computer for loops of Loopwright", &triggers, "", settings, program, "tick")
}

/// The task that starts the scheduler when this person (`DOMAIN\NAME`) logs in, and again where it failed.
pub fn serve_task(program: &str, person: &str) -> String {
    let person = xml(person);
    let trigger = format!("<LogonTrigger><Enabled>true</Enabled><UserId>{person}</UserId></LogonTrigger>");
    let principals = format!(
        "<Principals><Principal><UserId>{person}</UserId><LogonType>InteractiveToken</LogonType>\
         <RunLevel>LeastPrivilege</RunLevel></Principal></Principals>\n"
    );
    let settings = "<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\
                    <RestartOnFailure><Interval>PT1M</Interval><Count>5</Count></RestartOnFailure>\
                    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>";
    task("Loopwright's scheduler: starts loops at their times", &trigger, &principals, settings, program, "serve")
}

/// A task that also runs on the battery. Its text says UTF-8, as which it is written.
fn task(what: &str, triggers: &str, principals: &str, settings: &str, program: &str, word: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n\
         <RegistrationInfo><Description>{}</Description></RegistrationInfo>\n<Triggers>{triggers}</Triggers>\n\
         {principals}<Settings><DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\
         <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>{settings}</Settings>\n\
         <Actions><Exec><Command>{}</Command><Arguments>{word}</Arguments></Exec></Actions>\n</Task>\n",
        xml(what),
        xml(program)
    )
}

/// The command line that starts these words (the rules of `CommandLineToArgvW`).
pub fn command_line(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// The words of such a command line; none where a quotation mark is not closed.
pub fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' if !quoted => words.extend(word.take()),
            '\\' => {
                let mut slashes = 1;
                while rest.next_if_eq(&'\\').is_some() {
                    slashes += 1;
                }
                let at = word.get_or_insert_default();
                // Before a quotation mark two of them are one, and one that is left over makes it a letter.
                let escapes = rest.peek() == Some(&'"');
                at.push_str(&"\\".repeat(if escapes { slashes / 2 } else { slashes }));
                at.extend(rest.next_if(|_| escapes && slashes % 2 == 1));
            }
            c => {
                let at = word.get_or_insert_default();
                if c == '"' { quoted = !quoted } else { at.push(c) }
            }
        }
    }
    words.extend(word);
    (!quoted && !words.is_empty()).then_some(words)
}

/// Whether what the system keeps of a start says that a person switched it off: its first byte is odd then.
pub fn is_off(approved: &[u8]) -> bool {
    approved.first().is_some_and(|first| first % 2 == 1)
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

    #[test]
    fn whatever_a_path_holds_is_read_back() {
        let nasty = [
            r"C:\Program Files\x.exe",
            r"\\server\a b\",
            r#"q"q"#,
            r#"b\"\\"#,
            "",
            "tab\there",
            "ü'§%PATH%;&|<>^",
            r"\",
        ];
        for word in nasty {
            let all = ["C:\\x.exe", word, "--at-login"].map(str::to_owned);
            assert_eq!(words(&command_line(&all)).as_deref(), Some(all.as_slice()), "{word}");
        }
        assert_eq!(
            words(r"C:\x.exe  plain\").as_deref(),
            Some([r"C:\x.exe".to_owned(), r"plain\".to_owned()].as_slice())
        );
        assert_eq!(words(r#""C:\x.exe"#), None, "it is cut off");
        assert_eq!(words(" "), None);
    }

    #[test]
    fn a_start_that_was_switched_off_is_off() {
        assert!(is_off(&[3, 0, 0, 0, 1]));
        for on in [[2, 0].as_slice(), &[6], &[]] {
            assert!(!is_off(on));
        }
    }
}
