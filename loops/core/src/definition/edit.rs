//! Changes when a loop starts in the text of its file: by byte spans, and only those of keys that differ. Comments, order,
//! quoting, line ends, block or flow form stay as they are.
//!
//! What can't be changed so is refused; nothing is ever written anew. What the form of a window says is in
//! [`super::form`].

mod items;
mod patch;
mod scalar;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::faults::Faults;
use super::read::read;
use super::yaml::{self, Entry, Value};
use super::{Definition, duration};
use crate::timing::{CatchUp, QuietHours, Timing};
use patch::Patches;
use scalar::styled;

/// The keys of a loop's timing, in the order in which new ones are written.
const ORDER: [&str; 9] =
    ["trigger", "timezone", "zone", "wake", "catch_up", "overlap", "jitter", "quiet_hours", "battery"];

/// Why a text can't be changed by its spans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no valid loop.
    #[error("the file has faults, so the form can't change it; correct them in the YAML tab")]
    Invalid,
    /// A key is written in a way that leaves no place for the change.
    #[error("`{0}` is written in a way that the form can't change; change it in the YAML tab")]
    Shape(&'static str),
    /// The changed text would not say what was asked for.
    #[error("the form can't say this in this file without touching more of it; write it in the YAML tab")]
    Unlike,
}

/// The text with another timing, and everything else byte for byte as it was.
///
/// # Errors
/// The text is no valid loop, or it can't be changed so.
pub fn retime(text: &str, wanted: &Timing) -> Result<String, EditError> {
    let before = read(text).definition.ok_or(EditError::Invalid)?;
    if before.timing == *wanted {
        return Ok(text.to_owned());
    }
    let changed = patched(text, &before.timing, wanted)?;
    let asked = Definition { timing: wanted.clone(), ..before };
    match read(&changed).definition {
        Some(after) if after == asked => Ok(changed),
        _ => Err(EditError::Unlike),
    }
}

fn patched(text: &str, before: &Timing, wanted: &Timing) -> Result<String, EditError> {
    let mut faults = Faults::new(text);
    let root = yaml::tree(text, &mut faults).ok_or(EditError::Invalid)?;
    let Value::Map(entries) = &root.value else { return Err(EditError::Invalid) };
    let mut edit = Edit { entries, patches: Patches::of(text), flow: text[root.at.start..].starts_with('{') };
    edit.timing(before, wanted)?;
    Ok(edit.patches.apply())
}

/// The changes of one mapping of the file: its top, or `catch_up`.
struct Edit<'t, 'n> {
    entries: &'n [Entry],
    patches: Patches<'t>,
    /// Whether it stands in braces.
    flow: bool,
}

impl<'n> Edit<'_, 'n> {
    fn timing(&mut self, before: &Timing, wanted: &Timing) -> Result<(), EditError> {
        if before.triggers != wanted.triggers {
            let entry = self.entry("trigger").ok_or(EditError::Invalid)?;
            let triggers = |timing: &Timing| timing.triggers.iter().map(ToString::to_string).collect::<Vec<_>>();
            items::change(&mut self.patches, entry, self.flow, &triggers(before), &triggers(wanted))?;
        }
        if before.zone != wanted.zone {
            let key = if self.entry("zone").is_some() { "zone" } else { "timezone" };
            self.put(key, wanted.zone.map(|zone| zone.name().to_owned()))?;
        }
        if before.wake != wanted.wake {
            self.put("wake", Some(wanted.wake.to_string()))?;
        }
        if before.catch_up != wanted.catch_up {
            self.catch_up(before.catch_up, wanted.catch_up)?;
        }
        if before.overlap != wanted.overlap {
            self.put("overlap", Some(wanted.overlap.to_string()))?;
        }
        if before.jitter_s != wanted.jitter_s {
            self.put("jitter", Some(wanted.jitter_s).filter(|s| *s > 0).map(duration))?;
        }
        if before.quiet_hours != wanted.quiet_hours {
            self.put("quiet_hours", wanted.quiet_hours.as_ref().map(QuietHours::to_string))?;
        }
        if before.battery != wanted.battery {
            self.put("battery", Some(wanted.battery.to_string()))?;
        }
        Ok(())
    }

    fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Gives a key a value, or takes it out.
    fn put(&mut self, key: &'static str, value: Option<String>) -> Result<(), EditError> {
        match (self.entry(key), value) {
            (Some(entry), Some(value)) => self.patches.replace(entry, &value, self.flow, key),
            (Some(entry), None) => self.take_out(entry, key),
            (None, Some(value)) => self.add(key, &styled("", &value, self.flow)),
            (None, None) => Ok(()),
        }
    }

    /// Adds a key behind the one that it usually follows.
    fn add(&mut self, key: &'static str, value: &str) -> Result<(), EditError> {
        let rank = |key: &str| ORDER.iter().position(|known| *known == key);
        let own = rank(key).ok_or(EditError::Shape("trigger"))?;
        let before = self.entries.iter().filter(|entry| rank(&entry.key).is_some_and(|rank| rank < own));
        let anchor = before.max_by_key(|entry| rank(&entry.key)).ok_or(EditError::Shape(key))?;
        self.patches.behind(anchor, &format!("{key}: {value}"), self.flow, key)
    }

    fn take_out(&mut self, entry: &Entry, key: &'static str) -> Result<(), EditError> {
        if !self.flow {
            return self.patches.without_line(entry.key_at.start..self.patches.end_of(&entry.value), key);
        }
        let at = self.entries.iter().position(|other| other.key_at == entry.key_at).ok_or(EditError::Invalid)?;
        let end = self.patches.end_of(&entry.value);
        let cut: Range<usize> = match (at.checked_sub(1).and_then(|i| self.entries.get(i)), self.entries.get(at + 1)) {
            (Some(before), _) => self.patches.end_of(&before.value)..end,
            (None, Some(after)) => entry.key_at.start..after.key_at.start,
            (None, None) => return Err(EditError::Shape(key)),
        };
        self.patches.cut(cut, key)
    }

    /// `catch_up`, as a word or as a mapping of two.
    fn catch_up(&mut self, before: CatchUp, wanted: CatchUp) -> Result<(), EditError> {
        const KEY: &str = "catch_up";
        let (how, within) = (wanted.how.to_string(), duration(wanted.within_s));
        let both = format!("{{how: {how}, within: {within}}}");
        let default = CatchUp::default().within_s;
        let Some(entry) = self.entry(KEY) else {
            let value = if wanted.within_s == default { how } else { both };
            return self.add(KEY, &value);
        };
        let Value::Map(inner) = &entry.value.value else {
            let same = before.within_s == wanted.within_s;
            return match same {
                true => self.patches.replace(entry, &how, self.flow, KEY),
                false => self.patches.overwrite(entry, &both, KEY),
            };
        };
        let flow = self.patches.is_flow(&entry.value);
        let parts = [("how", how, before.how != wanted.how), ("within", within, before.within_s != wanted.within_s)];
        for (key, value, _) in parts.into_iter().filter(|(.., differs)| *differs) {
            match (inner.iter().find(|part| part.key == key), inner.last()) {
                (Some(part), _) => self.patches.replace(part, &value, flow, KEY)?,
                (None, Some(last)) => self.patches.behind(last, &format!("{key}: {value}"), flow, KEY)?,
                (None, None) => return Err(EditError::Shape(KEY)),
            }
        }
        Ok(())
    }
}
