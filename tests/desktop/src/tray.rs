//! A tray that was started by a test.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};

use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Stage, wait_for};

use crate::end;

/// The tray's process, or another one of its program; it is ended with this.
pub struct Tray {
    child: Child,
    out: PathBuf,
}

impl Tray {
    /// Starts a command of the tray's program; what it prints is kept.
    ///
    /// # Panics
    /// It can't be started.
    pub fn start(mut command: Command, stage: &Stage) -> Tray {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let out = stage.beside(&format!("tray-{}.out", NEXT.fetch_add(1, Ordering::Relaxed)));
        let file = File::create(&out).expect("a file for its output");
        let child = command.stdout(file.try_clone().expect("a file")).stderr(file).spawn();
        Tray { child: child.expect("the tray starts"), out }
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process number")
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Everything that it printed so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.out).expect("its output")
    }

    /// Whether it lives.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits until it ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        wait_for("the tray to end", || self.child.try_wait().expect("a child"))
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}
