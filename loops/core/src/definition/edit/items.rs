//! The triggers: one scalar, or a list of them in block or flow form. Only items that differ are touched.

use super::super::yaml::{Entry, Node, Value};
use super::EditError;
use super::patch::Patches;
use super::scalar::styled;

const KEY: &str = "trigger";

/// Changes the triggers `before` of an entry into `wanted`; `flow` = the entry stands in braces.
pub(super) fn change(
    patches: &mut Patches<'_>,
    entry: &Entry,
    flow: bool,
    before: &[String],
    wanted: &[String],
) -> Result<(), EditError> {
    match (&entry.value.value, wanted) {
        (Value::List(items), _) => list(patches, &entry.value, items, before, wanted),
        (_, [one]) => patches.replace(entry, one, flow, KEY),
        _ => several(patches, entry, flow, wanted),
    }
}

/// One scalar becomes a list: a line each, where nothing but blanks stands between key and value.
fn several(patches: &mut Patches<'_>, entry: &Entry, flow: bool, wanted: &[String]) -> Result<(), EditError> {
    let (start, end) = (entry.value.at.start, patches.end_of(&entry.value));
    let gap = &patches.text()[entry.key_at.end..start];
    let (Some(indent), false, ":") = (patches.indent(entry.key_at.start), flow, gap.trim_matches(' ')) else {
        let items: Vec<String> = wanted.iter().map(|item| styled("'", item, true)).collect();
        patches.push(start..end, format!("[{}]", items.join(", ")));
        return Ok(());
    };
    let like = &patches.text()[start..end];
    let eol = patches.line_end();
    let lines: String = wanted.iter().map(|item| format!("{eol}{indent}  - {}", styled(like, item, false))).collect();
    patches.push(start - (gap.len() - gap.trim_end_matches(' ').len())..end, lines);
    Ok(())
}

fn list(
    patches: &mut Patches<'_>,
    node: &Node,
    items: &[Node],
    before: &[String],
    wanted: &[String],
) -> Result<(), EditError> {
    let first = before.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(wanted.len()) - first;
    let last = before.iter().rev().zip(wanted.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (old, new) = (&items[first..items.len() - last], &wanted[first..wanted.len() - last]);
    let flow = patches.is_flow(node);
    for (item, value) in old.iter().zip(new) {
        let at = item.at.start..patches.end_of(item);
        let value = styled(&patches.text()[at.clone()], value, flow);
        patches.push(at, value);
    }
    if let Some(more) = new.get(old.len()..).filter(|more| !more.is_empty()) {
        return add(patches, items, first + old.len(), more, flow);
    }
    // From the end, so that what is cut does not overlap.
    let gone = first + new.len()..first + old.len();
    remove(patches, items, gone, flow)
}

/// Adds items before the one with this index.
fn add(
    patches: &mut Patches<'_>,
    items: &[Node],
    index: usize,
    values: &[String],
    flow: bool,
) -> Result<(), EditError> {
    let (behind, item) = match index.checked_sub(1).and_then(|i| items.get(i)) {
        Some(item) => (true, item),
        None => (false, items.first().ok_or(EditError::Shape(KEY))?),
    };
    let (start, end) = (item.at.start, patches.end_of(item));
    let text = patches.text();
    let values = values.iter().map(|value| styled(&text[start..end], value, flow));
    if flow {
        match behind {
            true => values.for_each(|value| patches.push(end..end, format!(", {value}"))),
            false => values.for_each(|value| patches.push(start..start, format!("{value}, "))),
        }
        return Ok(());
    }
    let dash = dash(patches, item)?;
    let (indent, gap) = (patches.indent(dash).ok_or(EditError::Shape(KEY))?, &text[dash..start]);
    for value in values {
        let line = format!("{indent}{gap}{value}");
        match behind {
            true => patches.line_behind(end, &line),
            false => {
                let eol = patches.line_end();
                patches.push(dash - indent.len()..dash - indent.len(), format!("{line}{eol}"));
            }
        }
    }
    Ok(())
}

fn remove(
    patches: &mut Patches<'_>,
    items: &[Node],
    gone: std::ops::Range<usize>,
    flow: bool,
) -> Result<(), EditError> {
    if gone.is_empty() {
        return Ok(());
    }
    if !flow {
        for item in &items[gone] {
            let at = dash(patches, item)?..patches.end_of(item);
            patches.without_line(at, KEY)?;
        }
        return Ok(());
    }
    let end = patches.end_of(&items[gone.end - 1]);
    match (gone.start.checked_sub(1), items.get(gone.end)) {
        (Some(before), _) => patches.cut(patches.end_of(&items[before])..end, KEY),
        (None, Some(after)) => patches.cut(items[gone.start].at.start..after.at.start, KEY),
        (None, None) => Err(EditError::Shape(KEY)),
    }
}

/// The byte of the dash of an item in block form.
fn dash(patches: &Patches<'_>, item: &Node) -> Result<usize, EditError> {
    let before = patches.text()[..item.at.start].trim_end_matches(' ');
    match before.ends_with('-') {
        true => Ok(before.len() - 1),
        false => Err(EditError::Shape(KEY)),
    }
}
