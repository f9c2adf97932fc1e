//! What the tests of the desktop share: a session of their own (display, bus, home), a watcher that reads and clicks the
//! tray, a notification server, a driver of windows.
#![expect(clippy::expect_used, reason = "a session fails by panicking, as its tests do")]

mod bus;
mod display;
mod driver;
mod menu;
mod notifications;
mod programs;
mod session;
mod tray;
mod watcher;

pub use bus::Bus;
pub use driver::{END, Window};
pub use menu::{Menu, Row};
pub use notifications::{Manner, Notifications, Shown, forge};
pub use programs::tray_program;
pub use session::{Session, With};
pub use tray::Tray;
pub use watcher::Watcher;

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::Duration;

/// The longest that any state is waited for.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Starts a program that a test can't do without.
///
/// # Panics
/// It is missing; the message names its package.
fn start_needed(command: &mut Command, package: &str) -> Child {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.spawn() {
        Ok(child) => child,
        Err(error) => panic!("{program} can't be started ({error}): apt-get install {package}"),
    }
}

/// The first line that a program prints, which says that it is ready.
///
/// # Panics
/// It ended, or said nothing for [`LIMIT`].
fn first_line(out: impl Read + Send + 'static, who: &str) -> String {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line);
        // Whoever asked may have given up.
        let _ = tell.send(read.map(|_| line));
    });
    let line = told.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{who} says nothing")).expect("its output");
    assert!(!line.trim().is_empty(), "{who} ended before it was ready");
    line.trim().to_owned()
}

/// Ends a child of ours.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
