//! What a change of one key leaves as it is, and what it refuses.

use proptest::prelude::*;

use super::*;

const MINE: &str = "# mine, do not touch\nbudget: [$50/day, $500/month]   # for all of them\n\n# two are enough\n\
                    max_runs: 2 # really\nnotifications:\n    quiet_hours: \"22:00-07:00\"  # I sleep\n    # loud\n    \
                    broken: on\nappearance: 'dark'\n";

fn changed(text: &str, key: &str, value: Option<&str>) -> String {
    change(text, key, value).expect("changed").text
}

#[test]
fn only_the_value_changes() {
    assert_eq!(changed(MINE, "max_runs", Some("4")), MINE.replace("max_runs: 2", "max_runs: 4"));
    assert_eq!(changed(MINE, "appearance", Some("light")), MINE.replace("'dark'", "light"));
    let quiet = changed(MINE, "notifications.quiet_hours", Some("off"));
    assert_eq!(quiet, MINE.replace("\"22:00-07:00\"", "off"));
    let budget = changed(MINE, "budget", Some("[$20/day]"));
    assert_eq!(budget, MINE.replace("[$50/day, $500/month]", "[$20/day]"));
}

#[test]
fn what_stood_there_is_told_as_it_was_written_and_brings_it_back() {
    for (key, value) in [("max_runs", "4"), ("budget", "$9/day"), ("notifications.quiet_hours", "off")] {
        let there = change(MINE, key, Some(value)).expect("changed");
        let back = change(&there.text, key, there.before.as_deref()).expect("back");
        assert_eq!(back.text, MINE, "{key}");
    }
}

#[test]
fn a_key_that_is_missing_gets_a_line_and_loses_it_again() {
    for text in [MINE, "", "# nothing yet\n", "max_runs: 2\r\n"] {
        for (key, value) in [("single_keys", "off"), ("agents", "[codex, claude]"), ("notifications.needs_you", "off")]
        {
            let there = change(text, key, Some(value)).expect("changed");
            assert_eq!(there.before, None);
            assert!(there.text.starts_with(text) || key.starts_with("notifications"), "{text:?} {key}");
            assert_eq!(changed(&there.text, key, None), text, "{text:?} {key}");
        }
    }
    assert_eq!(changed("max_runs: 2", "single_keys", Some("off")), "max_runs: 2\nsingle_keys: off\n");
    assert_eq!(
        changed("max_runs: 2\r\n", "notifications.broken", Some("off")),
        "max_runs: 2\r\nnotifications:\r\n  broken: off\r\n"
    );
}

#[test]
fn ways_to_write_it_are_all_found() {
    let cases = [
        ("notifications: {broken: on}\n", "notifications: {broken: on, needs_you: off}\n"),
        ("notifications: {}\n", "notifications: {needs_you: off}\n"),
        ("notifications:\nmax_runs: 3\n", "notifications:\n  needs_you: off\nmax_runs: 3\n"),
        ("notifications: # mine\n", "notifications: # mine\n  needs_you: off\n"),
        ("notifications:\n  needs_you:\n", "notifications:\n  needs_you: off\n"),
        ("notifications:\n  needs_you: on\n\n# end", "notifications:\n  needs_you: off\n\n# end"),
    ];
    for (text, wanted) in cases {
        assert_eq!(
            change(text, "notifications.needs_you", Some("off")).map(|c| c.text),
            Ok(wanted.to_owned()),
            "{text:?}"
        );
    }
    let list = "budget:\n  - $5/day\n  - $50/month\nmax_runs: 1\n";
    assert_eq!(changed(list, "budget", Some("[$6/day]")), "budget:\n  [$6/day]\nmax_runs: 1\n");
}

#[test]
fn what_it_cannot_do_without_touching_more_is_refused() {
    let refused =
        |text: &str, key: &str, value: Option<&str>| change(text, key, value).expect_err("refused").to_string();
    let told = "`budget` is written in a way that can't be changed here without touching more of the file";
    assert_eq!(refused("budget:\n  - $5/day # for me\n  - $50/month\n", "budget", Some("$6/day")), told);
    assert!(refused("{max_runs: 2}\n", "single_keys", Some("off")).len() > 10);
    assert!(refused("max_runs: 2 # really\n", "max_runs", None).contains("written in a way"));
    assert!(refused("max_runs: 2\n...\n", "single_keys", Some("off")).len() > 10);
}

#[test]
fn a_value_can_be_nothing_but_a_value() {
    for value in ["off\nmax_runs: 9", "off # now", "", " off", "[off", "off\r", "{a: b}: c", "&a off", "- off"] {
        assert!(change("", "single_keys", Some(value)).is_err(), "{value:?}");
    }
    assert!(change("", "max_runs", Some("99")).expect_err("refused").to_string().contains("outside"));
    assert!(change("", "nothing", Some("1")).expect_err("refused").to_string().contains("has no key"));
    assert!(change("max_runs: [", "single_keys", Some("off")).is_err());
}

/// The way in which everybody does it, and which loses what a person wrote.
fn written_anew(text: &str, key: &str, value: &str) -> String {
    let mut lines: Vec<String> =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with(&format!("{key}:")));
    lines.push(format!("{key}: {value}"));
    lines.join("\n") + "\n"
}

/// The lines of which none holds the key.
fn others<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with(&format!("{key}:"))).collect()
}

#[test]
fn control_writing_it_out_anew_loses_comments() {
    let anew = written_anew(MINE, "max_runs", "4");
    assert!(settings::read(anew.as_bytes()).is_err() || others(&anew, "max_runs") != others(MINE, "max_runs"));
    assert_eq!(others(&changed(MINE, "max_runs", Some("4")), "max_runs"), others(MINE, "max_runs"));
}

fn files() -> impl Strategy<Value = String> {
    let comment = "( # [a-z:,\\[\\]]{0,8})?";
    let budget =
        prop_oneof![Just("$5/day"), Just("[$5/day, $50/month]"), Just("[ $5/day ,$50/month, ]"), Just("\"$5/day\"")];
    let line = prop_oneof![
        (budget, comment).prop_map(|(value, comment)| format!("budget: {value}{comment}")),
        (1_u8..9, comment).prop_map(|(value, comment)| format!("max_runs:  {value}{comment}")),
        comment.prop_map(|comment| format!("appearance: 'dark'{comment}")),
        (comment, comment)
            .prop_map(|(a, b)| format!("notifications:{a}\n   broken: off{b}\n   # ü\n   quiet_hours: off")),
        Just("agents: [claude, codex]".to_owned()),
        Just("single_keys: \"on\"".to_owned()),
    ];
    let between = prop_oneof![Just(""), Just("\n"), Just("# — a note: [x]\n"), Just("   \n")];
    (prop::collection::vec((line, between), 0..6), any::<bool>(), any::<bool>()).prop_map(|(lines, crlf, end)| {
        let mut seen = Vec::new();
        let mut text = String::new();
        for (line, between) in lines {
            let key = line.split(':').next().unwrap_or_default().to_owned();
            if !seen.contains(&key) {
                seen.push(key);
                text += &format!("{between}{line}\n");
            }
        }
        let text = if end { text } else { text.trim_end_matches('\n').to_owned() };
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

proptest! {
    /// Whatever file it is: the bytes around the value are those that were there, and the old value brings the file back.
    #[test]
    fn every_other_byte_stays(text in files(), at in 0_usize..6) {
        let (key, value) = [
            ("budget", "[$7/day, $70/month]"),
            ("max_runs", "3"),
            ("appearance", "light"),
            ("notifications.broken", "on"),
            ("notifications.needs_you", "off"),
            ("agents", "[codex]"),
        ][at];
        let there = change(&text, key, Some(value)).expect("changed");
        let short = key.rsplit('.').next().unwrap_or(key);
        // A file that did not end with a line break has one now; a mapping that was not there has its own line.
        let but = |text: &str| -> String {
            let kept: String = others(text, short).concat();
            kept.trim_end().trim_end_matches("notifications:").trim_end().to_owned()
        };
        let (before, after) = (but(&text), but(&there.text));
        prop_assert_eq!(before, after);
        let back = change(&there.text, key, there.before.as_deref()).expect("back").text;
        prop_assert_eq!(back.trim_end_matches(['\r', '\n']), text.trim_end_matches(['\r', '\n']));
    }
}
