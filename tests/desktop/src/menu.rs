//! A menu as a panel gets it, as text.

use std::collections::HashMap;
use std::fmt;

use zbus::zvariant::{OwnedValue, Structure, Value};

/// One entry of a menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What the panel calls it.
    pub id: i32,
    /// What stands there.
    pub label: String,
    /// A line between groups.
    pub separator: bool,
    /// Whether it can be clicked.
    pub enabled: bool,
    /// Whether it is ticked; none = it can't be.
    pub ticked: Option<bool>,
    /// Its submenu.
    pub under: Vec<Row>,
}

/// A menu. As text, `( )` stands around what can't be clicked, `▸` behind what leads on, `──` for a line between groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    /// From the top.
    pub rows: Vec<Row>,
}

/// `(ia{sv}av)` of com.canonical.dbusmenu.
pub(crate) type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Menu {
    /// That of a whole layout.
    pub(crate) fn of(root: Layout) -> Menu {
        Menu { rows: Row::of(root).under }
    }

    /// The entry to which these labels lead, one below the other.
    pub fn find(&self, labels: &[&str]) -> Option<&Row> {
        let (last, above) = labels.split_last()?;
        let mut rows = &self.rows;
        for label in above {
            rows = &rows.iter().find(|row| row.label == *label && !row.under.is_empty())?.under;
        }
        rows.iter().find(|row| row.label == *last)
    }

    /// Whether an entry with this label is there at the top.
    pub fn has(&self, label: &str) -> bool {
        self.find(&[label]).is_some()
    }
}

impl Row {
    fn of((id, properties, children): Layout) -> Row {
        let text = |name: &str| properties.get(name).and_then(|value| value.downcast_ref::<&str>().ok());
        let truth = |name: &str| properties.get(name).and_then(|value| value.downcast_ref::<bool>().ok());
        let state = properties.get("toggle-state").and_then(|value| value.downcast_ref::<i32>().ok());
        let ticks = text("toggle-type").is_some_and(|kind| !kind.is_empty());
        Row {
            id,
            // A panel underlines the letter behind one `_`; two of them are one.
            label: text("label").unwrap_or_default().replace("__", "_"),
            separator: text("type") == Some("separator"),
            enabled: truth("enabled").unwrap_or(true),
            ticked: ticks.then_some(state == Some(1)),
            under: children.into_iter().filter_map(child).collect(),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let label = match (self.separator, self.enabled) {
            (true, _) => "──".to_owned(),
            (false, true) => self.label.clone(),
            (false, false) => format!("({})", self.label),
        };
        let tick = match self.ticked {
            Some(true) => "  [✓]",
            Some(false) => "  [ ]",
            None => "",
        };
        let leads = if self.under.is_empty() { "" } else { " ▸" };
        writeln!(f, "{indent}{label}{leads}{tick}")?;
        self.under.iter().try_for_each(|row| row.write(f, &format!("{indent}  ")))
    }
}

/// A child comes as a variant that holds a structure.
fn child(value: OwnedValue) -> Option<Row> {
    let mut value = Value::from(value);
    while let Value::Value(inner) = value {
        value = *inner;
    }
    let structure = Structure::try_from(value).ok()?;
    let mut fields = structure.into_fields().into_iter();
    let id = i32::try_from(fields.next()?).ok()?;
    let properties = HashMap::<String, OwnedValue>::try_from(fields.next()?).ok()?;
    let children = Vec::<OwnedValue>::try_from(fields.next()?).ok()?;
    Some(Row::of((id, properties, children)))
}

impl fmt::Display for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|row| row.write(f, ""))
    }
}
