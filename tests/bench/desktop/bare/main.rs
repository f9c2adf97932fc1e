//! The peer of the bench: the least that is a tray of Tauri, and with `--window` the least that is a window of it.

use tauri::menu::MenuBuilder;
use tauri::tray::TrayIconBuilder;
use tauri::{RunEvent, WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    let shows_window = std::env::args().any(|argument| argument == "--window");
    let app = tauri::Builder::default()
        .setup(move |app| {
            if shows_window {
                WebviewWindowBuilder::new(app, "empty", WebviewUrl::App("index.html".into())).build()?;
                return Ok(());
            }
            let menu = MenuBuilder::new(app).text("quit", "Quit").build()?;
            let mut tray = TrayIconBuilder::with_id("bare").menu(&menu);
            if let Some(icon) = app.default_window_icon() {
                tray = tray.icon(icon.clone());
            }
            tray.on_menu_event(|app, _| app.exit(0)).build(app)?;
            Ok(())
        })
        .build(tauri::generate_context!("../tests/bench/desktop/bare/tauri.conf.json"))?;
    app.run(move |_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event
            && !shows_window
        {
            api.prevent_exit();
        }
    });
    Ok(())
}
