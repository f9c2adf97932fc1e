//! While a run works, logind is asked not to let the computer fall asleep by itself; afterwards it is let go, whatever ended it.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use loopwright_desktop_tests::{Bus, Session, With};
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Stage, wait_for};
use zbus::{Connection, zvariant};

/// What is asked, and the end of a pipe that tells when it is let go.
type Held = Arc<Mutex<Vec<(String, File)>>>;

/// A logind that grants every inhibitor.
struct Logind(Held);

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zvariant::OwnedFd {
        let (read, write): (OwnedFd, OwnedFd) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe");
        rustix::io::ioctl_fionbio(&read, true).expect("it does not block");
        let words = format!("{what} | {who} | {why} | {mode}");
        self.0.lock().expect("ours").push((words, File::from(read)));
        write.into()
    }
}

/// A session whose bus is that of the system too, with a logind and a loop `day` that waits for a file.
fn stage() -> (Session, Held, Connection) {
    let stage = Stage::empty();
    let text = format!(
        "name: day\ntrigger: manual\nsteps:\n  - run: {{name: work, command: \"echo x > begun; sleep 600\"}}\n\
         env: {{STAGE: {}}}\nguardrails: {{max_duration: 10m}}\n",
        stage.mark
    );
    let path = stage.personal_text("day", &text, &[]);
    stage.add(&path.display().to_string(), false);
    let session = Session::around(stage, With { display: false, bus: Bus::Sealed, desktop: "XFCE" });
    let held = Held::default();
    let bus = session.connection();
    let logind = Logind(held.clone());
    session.tokio().block_on(async {
        bus.object_server().at("/org/freedesktop/login1", logind).await.expect("served");
        bus.request_name("org.freedesktop.login1").await.expect("the name");
    });
    (session, held, bus)
}

fn begin(session: &Session) {
    let address = session.bus_address().expect("a bus").to_owned();
    let mut run = session.stage.command(&["run", "day", "--detach", "--json"]);
    let answer = session.stage.ask(run.env("DBUS_SYSTEM_BUS_ADDRESS", address));
    assert_eq!(answer.code, 0, "{answer:?}");
    wait_for("the step to begin", || {
        let folder = fs::read_dir(session.stage.home.join("data/loops")).ok()?.flatten().next()?.path();
        folder.join("state/begun").exists().then_some(())
    });
}

/// Whether the inhibitor is held by anybody still.
fn is_held(held: &Held) -> bool {
    let mut held = held.lock().expect("ours");
    let (_, pipe) = held.first_mut().expect("it was asked");
    matches!(pipe.read(&mut [0; 1]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

fn asked(held: &Held) -> String {
    wait_for("a question", || held.lock().expect("ours").first().map(|(words, _)| words.clone()))
}

/// Waits for the end of the run's processes.
fn over(session: &Session) {
    wait_for("the run's end", || {
        (session.ours("loopwright").is_empty() && session.ours("loopwright-watchdog").is_empty()).then_some(())
    });
}

#[test]
fn a_run_keeps_the_computer_awake_until_its_end() {
    let (session, held, _logind) = stage();
    begin(&session);
    assert_eq!(asked(&held), "idle | Loopwright | the loop day is running | block");
    assert!(is_held(&held));
    session.stage.verb(&["halt", "--reason", "a test"]).exits(0);
    wait_for("it to be let go", || (!is_held(&held)).then_some(()));
    assert_eq!(held.lock().expect("ours").len(), 1, "one run, one inhibitor");
    over(&session);
}

#[test]
fn a_run_whose_processes_were_killed_keeps_nothing() {
    let (session, held, _logind) = stage();
    begin(&session);
    asked(&held);
    // The runner alone: neither watchdog nor box has the inhibitor.
    signal(session.stage.runner(), "KILL");
    wait_for("it to be let go", || (!is_held(&held)).then_some(()));
    session.stage.verb(&["halt", "--reason", "a test"]);
    over(&session);
}

/// Without a logind a run is as good; and the control: nobody asked, so nothing is held.
#[test]
fn without_a_logind_runs_run() {
    let (session, held, _logind) = stage();
    let run = session.stage.verb(&["run", "day", "--detach"]);
    assert_eq!(run.code, 0, "{run:?}");
    wait_for("the step to begin", || {
        let folder = fs::read_dir(session.stage.home.join("data/loops")).ok()?.flatten().next()?.path();
        folder.join("state/begun").exists().then_some(())
    });
    assert!(held.lock().expect("ours").is_empty());
    session.stage.verb(&["halt", "--reason", "a test"]).exits(0);
    over(&session);
}
