//! The tray as a panel shows it: read and clicked on a bus of its own.

use loopwright_desktop_tests::Session;

#[test]
fn the_menu_is_read_and_clicked() {
    let session = Session::new();
    let watcher = session.watcher();
    let mut tray = session.tray();
    watcher.wait_for_icon();
    let menu = watcher.until_has("Quit Loopwright");
    assert!(menu.has("Review"), "{menu}");
    watcher.click(&["Quit Loopwright"]);
    assert!(tray.ended().success(), "{}", tray.said());
}
