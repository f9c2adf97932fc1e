//! Drawing the icon and the menu.

use anyhow::{Context as _, Result};
use loopwright_core::desk::{Act, Desk, Ink, Line};
use loopwright_engine::api::{self, Context};
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Wry};

use super::ICON;
use crate::desktop;

include!(concat!(env!("OUT_DIR"), "/icons.rs"));

/// Any kind of entry.
type Entry = Box<dyn IsMenuItem<Wry>>;

/// The ink that the settings, or this desktop, ask for.
pub(super) fn ink(context: &Context) -> Ink {
    let named = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    Ink::of(api::tray_icon(context), &named, desktop::prefers_dark())
}

/// Draws what differs: the icon in this ink, the menu.
///
/// # Errors
/// There is no icon, or it can't be drawn.
pub(super) fn draw(app: &AppHandle, desk: &Desk, ink: Option<Ink>, menu: bool) -> Result<()> {
    let icon = app.tray_by_id(ICON).context("the icon is gone")?;
    if menu {
        let entries = entries(app, &desk.menu)?;
        icon.set_menu(Some(Menu::with_items(app, &borrowed(&entries))?))?;
    }
    if let Some(ink) = ink {
        icon.set_icon(Some(picture(app, desk, ink)?))?;
        // macOS colours it by itself. Linux has no place for the words: the first line of the menu says them.
        icon.set_icon_as_template(cfg!(target_os = "macos"))?;
        icon.set_tooltip(Some(&desk.title))?;
    }
    Ok(())
}

fn picture(app: &AppHandle, desk: &Desk, ink: Ink) -> Result<Image<'static>> {
    let dense = app.primary_monitor().ok().flatten().is_some_and(|monitor| monitor.scale_factor() > 1.0);
    let ink = if cfg!(target_os = "macos") { Ink::Dark } else { ink };
    let name = format!("{}-{}-{}", desk.sign.picture(), ink.word(), if dense { 44 } else { 22 });
    let bytes = png(&name).with_context(|| format!("there is no icon {name}"))?;
    Ok(Image::from_bytes(bytes)?)
}

fn entries(app: &AppHandle, lines: &[Line]) -> Result<Vec<Entry>> {
    lines.iter().map(|line| entry(app, line)).collect()
}

fn entry(app: &AppHandle, line: &Line) -> Result<Entry> {
    const NO_KEY: Option<&str> = None;
    Ok(match line {
        Line::Between => Box::new(PredefinedMenuItem::separator(app)?),
        Line::Says(text) => Box::new(MenuItem::new(app, literal(text), false, NO_KEY)?),
        Line::Does(text, act) => Box::new(MenuItem::with_id(app, id(act)?, literal(text), true, NO_KEY)?),
        Line::Ticks(text, ticked, act) => {
            Box::new(CheckMenuItem::with_id(app, id(act)?, literal(text), true, *ticked, NO_KEY)?)
        }
        Line::Leads(text, under) => {
            let under = entries(app, under)?;
            Box::new(Submenu::with_items(app, literal(text), true, &borrowed(&under))?)
        }
    })
}

fn borrowed(entries: &[Entry]) -> Vec<&dyn IsMenuItem<Wry>> {
    entries.iter().map(|entry| &**entry).collect()
}

/// An entry carries what it does.
fn id(act: &Act) -> Result<String> {
    serde_json::to_string(act).context("writing down what an entry does")
}

/// No letter of a title is a key.
fn literal(text: &str) -> String {
    text.replace('&', "&&")
}
