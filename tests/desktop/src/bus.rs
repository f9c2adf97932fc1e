//! A session bus of a test's own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{end, first_line, start_needed};

/// Which bus a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    /// One on which nothing is started by being called: what a test does not offer is not there.
    Sealed,
    /// The computer's ordinary one, on which calling a name starts what is installed for it.
    Ordinary,
    /// None.
    Absent,
}

/// Nothing can be activated, everybody may own every name.
const SEALED: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><keep_umask/>
  <listen>unix:dir=FOLDER</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"#;

/// A bus that runs.
pub(crate) struct RunningBus {
    daemon: Child,
    /// What `DBUS_SESSION_BUS_ADDRESS` is to be.
    pub(crate) address: String,
}

impl RunningBus {
    /// Starts one whose socket lies in `runtime`, and waits until it answers.
    pub(crate) fn start(which: Bus, runtime: &Path, environment: &[(String, String)]) -> Option<RunningBus> {
        let mut command = Command::new("dbus-daemon");
        match which {
            Bus::Absent => return None,
            Bus::Ordinary => command.arg("--session").arg(format!("--address=unix:dir={}", runtime.display())),
            Bus::Sealed => {
                let config = runtime.join("bus.conf");
                let text = SEALED.replace("FOLDER", &runtime.display().to_string());
                fs::write(&config, text).expect("a configuration of the bus");
                command.arg(format!("--config-file={}", config.display()))
            }
        };
        command.args(["--nofork", "--nopidfile", "--print-address=1"]);
        command.env_clear().envs(environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut daemon = start_needed(&mut command, "dbus-daemon");
        let address = first_line(daemon.stdout.take().expect("its output"), "dbus-daemon");
        Some(RunningBus { daemon, address })
    }
}

impl Drop for RunningBus {
    fn drop(&mut self) {
        end(&mut self.daemon);
    }
}
