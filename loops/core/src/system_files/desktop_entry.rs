//! The entry by which a Linux desktop starts the tray at login (Desktop Entry Specification 1.5).

/// The entry that starts these words: a program by its whole path, and its arguments.
pub fn autostart(words: &[String]) -> String {
    let program =
        words.iter().find(|word| word.starts_with('/') && !word.ends_with("/env")).cloned().unwrap_or_default();
    format!(
        "[Desktop Entry]\nType=Application\nVersion=1.5\nName=Loopwright\nComment=Runs loops of coding agents\n\
         Icon=loopwright\nTryExec={}\nExec={}\nTerminal=false\nCategories=Development;\nNoDisplay=true\n\
         X-GNOME-Autostart-enabled=true\n",
        value(&program),
        exec(words)
    )
}

/// The value of `Exec`: each word quoted, field codes escaped, and all of it escaped once more as a value of the file.
pub fn exec(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    value(&quoted.join(" "))
}

/// The words of an `Exec` line of such an entry; none where it has none that can be read.
pub fn words(entry: &str) -> Option<Vec<String>> {
    let line = entry.lines().find_map(|line| line.strip_prefix("Exec="))?;
    let mut words = Vec::new();
    let text = unescape(line);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.peek().copied() {
        match c {
            ' ' => drop(rest.next()),
            _ => words.push(word(&mut rest)?),
        }
    }
    (!words.is_empty()).then_some(words)
}

/// Whether the person or the desktop switched this entry off without removing it.
pub fn is_off(entry: &str) -> bool {
    let says = |key: &str, value: &str| {
        let of =
            |line: &str| line.strip_prefix(key)?.trim_start().strip_prefix('=').map(|v| v.trim().to_ascii_lowercase());
        entry.lines().find_map(of).as_deref() == Some(value)
    };
    says("Hidden", "true") || says("X-GNOME-Autostart-enabled", "false")
}

/// One word, quoted or plain.
fn word(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let quoted = rest.next_if_eq(&'"').is_some();
    let mut word = String::new();
    loop {
        match rest.next() {
            Some('"') if quoted => return Some(word),
            Some('\\') if quoted => word.push(rest.next()?),
            Some('%') => word.push(rest.next_if_eq(&'%')?),
            Some(' ') if !quoted => return Some(word),
            Some(c) => word.push(c),
            None => return (!quoted).then_some(word),
        }
    }
}

fn quote(word: &str) -> String {
    let mut out = String::from('"');
    for c in word.chars() {
        match c {
            '"' | '`' | '$' | '\\' => out.extend(['\\', c]),
            '%' => out.push_str("%%"),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A text as a value of the file.
fn value(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    // A blank at the beginning would be lost.
    escaped.strip_prefix(' ').map_or_else(|| escaped.clone(), |rest| format!("\\s{rest}"))
}

fn unescape(value: &str) -> String {
    let (mut out, mut rest) = (String::new(), value.chars());
    while let Some(c) = rest.next() {
        match (c, if c == '\\' { rest.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('s')) => out.push(' '),
            ('\\', Some(other)) => out.push(other),
            (c, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_path_holds_is_read_back() {
        let nasty =
            ["/opt/a b/x", "/o/$HOME", "/o/100%f", "/o/q\"q", "/o/b\\s", "/o/`id`", "/o/new\nline", "/o/ü'§;&|<>~"];
        for path in nasty {
            let words = vec![path.to_owned(), "--home".to_owned(), "a b".to_owned()];
            assert_eq!(super::words(&autostart(&words)), Some(words.clone()), "{path}");
        }
        assert_eq!(exec(&["/a b/$x%".to_owned()]), "\"/a b/\\\\$x%%\"");
    }

    #[test]
    fn an_entry_that_a_desktop_switched_off_is_off() {
        let entry = autostart(&["/usr/bin/x".to_owned()]);
        assert!(!is_off(&entry));
        assert!(is_off(&entry.replace("enabled=true", "enabled=false")));
        assert!(is_off(&format!("{entry}Hidden=true\n")));
    }

    #[test]
    fn an_entry_that_is_cut_off_has_no_words() {
        assert_eq!(words("[Desktop Entry]\nExec=\"/opt/a"), None);
        assert_eq!(words("[Desktop Entry]\nExec="), None);
        assert_eq!(words("[Desktop Entry]\nName=x"), None);
        assert_eq!(words("Exec=/opt/%f/x"), None);
        assert_eq!(words("Exec=/usr/bin/plain --x"), Some(vec!["/usr/bin/plain".to_owned(), "--x".to_owned()]));
    }
}
