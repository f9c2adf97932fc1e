//! `notifications:` of the settings: quiet hours, what breaks them, what is never told.

use super::clock;
use super::faults::Faults;
use super::fields::Fields;
use super::values::{choice, phrase};
use super::yaml::{Node, Value};
use crate::notice::{Group, NoticeSettings};
use crate::timing::QuietHours;

const KEYS: [&str; 3] = ["quiet", "through", "off"];
const QUIET: &str = "quiet: \"20:00-08:00\"";
const GROUPS: [(&str, Group); 6] = [
    ("ready", Group::Ready),
    ("handed_over", Group::HandedOver),
    ("budget", Group::Budget),
    ("credentials", Group::Credentials),
    ("failures", Group::Failures),
    ("missed", Group::Missed),
];

/// Reads the mapping; what is missing in it is as usual.
pub(super) fn read(node: &Node, faults: &mut Faults<'_>) -> Option<NoticeSettings> {
    let fields = Fields::of(node, "notifications", node.at.clone(), &KEYS, faults)?;
    let usual = NoticeSettings::default();
    let quiet = fields.get("quiet").map_or(Some(usual.quiet), |node| quiet(node, faults));
    let through = fields.get("through").map_or(Some(Vec::new()), |node| groups(node, "through: [missed]", faults));
    let off = fields.get("off").map_or(Some(Vec::new()), |node| groups(node, "off: [failures]", faults));
    Some(NoticeSettings { quiet: quiet?, through: through?, off: off? })
}

/// `20:00-08:00`, or `none`.
fn quiet(node: &Node, faults: &mut Faults<'_>) -> Option<Option<QuietHours>> {
    if matches!(&node.value, Value::Scalar(text) if text == "none") {
        return Some(None);
    }
    let (from, to) = phrase(node, QUIET, faults, clock::span)?;
    Some(Some(QuietHours { from, to }))
}

fn groups(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<Vec<Group>> {
    match &node.value {
        Value::Empty => Some(Vec::new()),
        Value::List(items) => items.iter().map(|item| choice(item, &GROUPS, example, faults)).collect(),
        _ => choice(node, &GROUPS, example, faults).map(|group| vec![group]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings;
    use super::*;

    fn told(text: &str) -> NoticeSettings {
        settings::read(text.as_bytes()).expect("valid").notices
    }

    #[test]
    fn what_is_not_set_is_as_usual() {
        assert_eq!(told(""), NoticeSettings::default());
        assert_eq!(told("max_runs: 2\n"), NoticeSettings::default());
        let set = told("notifications:\n  quiet: 22:30-06:00\n  through: [missed, ready]\n  off: failures\n");
        assert_eq!(set.quiet.map(|q| (q.from.to_string(), q.to.to_string())), Some(("22:30:00".into(), "06:00:00".into())));
        assert_eq!((set.through, set.off), (vec![Group::Missed, Group::Ready], vec![Group::Failures]));
        assert_eq!(told("notifications: {quiet: none}\n").quiet, None);
    }

    #[test]
    fn faults_have_their_place() {
        for (text, column, says) in [
            ("notifications: {quiet: 20-8}\n", 24, "20"),
            ("notifications: {of: [failures]}\n", 17, "`notifications` has no key `of`"),
            ("notifications: {off: [failure]}\n", 23, "`failure` is none of"),
        ] {
            let faults = settings::read(text.as_bytes()).expect_err("refused");
            assert_eq!(faults[0].span.column, column, "{faults:?}");
            assert!(faults[0].message.contains(says) && faults[0].help.is_some(), "{faults:?}");
        }
    }
}
