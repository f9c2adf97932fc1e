//! What the tests of the desktop share: a session of their own (display, bus, home), a watcher that reads and clicks the
//! tray, a notification server, a driver of windows.
