//! A display of a test's own, drawn in memory.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{end, first_line, start_needed};

/// An X server without a screen.
pub(crate) struct Display {
    server: Child,
    /// `:7`.
    pub(crate) name: String,
}

impl Display {
    /// Starts it on a number that is free, and waits until it answers.
    pub(crate) fn start(home: &Path) -> Display {
        let mut command = Command::new("Xvfb");
        // Else it begins anew whenever its last window closes, and refuses whoever comes meanwhile.
        command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]);
        // What it is known by, once the test is over.
        command.env("HOME", home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = start_needed(&mut command, "xvfb");
        let name = format!(":{}", first_line(server.stdout.take().expect("its output"), "Xvfb"));
        Display { server, name }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}
