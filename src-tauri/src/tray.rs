//! The tray: an icon and a menu, and no webview.

use anyhow::Result;
use tauri::menu::MenuBuilder;
use tauri::tray::TrayIconBuilder;
use tauri::{Manager as _, RunEvent};

use crate::{notices, window};

/// Shows the tray until a person quits it.
pub(crate) fn run() -> Result<()> {
    let app = tauri::Builder::default()
        .setup(|app| {
            let menu = MenuBuilder::new(app).text("review", "Review").text("quit", "Quit Loopwright").build()?;
            let mut tray = TrayIconBuilder::with_id("main").title("Loopwright").menu(&menu);
            if let Some(icon) = app.default_window_icon() {
                tray = tray.icon(icon.clone());
            }
            tray.on_menu_event(|app, event| match event.id().as_ref() {
                "quit" => app.exit(0),
                view => {
                    let _ = window::open(view, None);
                }
            })
            .build(app)?;
            // After the icon: whoever waits for that waits no longer for this.
            app.manage(notices::begin());
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        }
    });
    Ok(())
}
