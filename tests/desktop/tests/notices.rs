//! Notifications: what is shown, what a click does, and what no forged click does (S4), with real runs on a real bus.
//!
//! Whoever tells is a small program of these tests, which needs no display; the tray itself hosts the same in
//! `the_tray_tells_and_approves`.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_desktop_tests::{Manner, Notifications, Session, Shown, With, forge};
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Scope, Stage, programs, wait_for};
use serde_json::Value;

/// An issue that a loop finds.
const ISSUE: &str = "---\ntitle: TITLE\nstate: open\nauthor: una\n---\nIt is wrong.\n";

/// Works on every finding but the second, on which it sits.
const MAKER: &str = "#!/bin/sh
case \"$LOOPWRIGHT_FINDING_TITLE\" in *Second*) sleep 98765 ;; esac
echo 1 >> NOTES
echo '{\"loopwright\": {\"model\": \"model-a\"}}'
";

const CHECKER: &str = "#!/bin/sh
echo '{\"loopwright\": {\"model\": \"model-b\", \"verdict\": {\"accepted\": true}}}'
";

/// A stage with one pull request that waits, small, green and accepted by an independent checker.
fn ready(title: &str) -> Stage {
    let stage = Stage::empty();
    stage.write("README.md", "A small project.\n");
    stage.write(".loopwright/issues/1-first.md", &ISSUE.replace("TITLE", title));
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    stage.commit("one");
    // Whenever these tests run, it is no quiet hour.
    std::fs::create_dir_all(stage.home.join("config")).expect("a folder");
    let set = "notifications: {quiet_hours: off}\n";
    std::fs::write(stage.home.join("config/settings.yaml"), set).expect("settings");
    let text = format!(
        "name: work
repo: {:?}
trigger: manual
steps:
  - discover: {{run: open_issues, write_to: state/triage.md}}
  - act: {{for_each: finding in state/triage.md, spawn: maker(finding)}}
  - verify: {{agent: checker, check: tests_pass AND diff_reasonable}}
  - ship: {{if: verified, run: open_pr}}
agents:
  maker: {{command: [./maker.sh], price: $0, model: model-a, vendor: v1}}
  checker: {{command: [./checker.sh], price: $0, model: model-b, vendor: v2}}
checks: {{tests_pass: [\"true\"]}}
guardrails: {{max_iterations: 1, budget: $5/run, halt_on: no_progress(2)}}
env: {{STAGE: {}}}
",
        stage.repo, stage.mark
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", MAKER), ("checker.sh", CHECKER)]);
    stage.add(&path.display().to_string(), true);
    stage.run("work").exits(21);
    assert_eq!(stage.reviews()[0]["needs_person"], false, "it may be approved unread");
    stage
}

/// A session without a display.
fn session(stage: Stage) -> Session {
    Session::around(stage, With { display: false, ..With::default() })
}

/// Starts whoever tells, in a process of its own; it ends with the session.
fn teller(session: &mut Session) -> i32 {
    let mut command = session.command(env!("CARGO_BIN_EXE_teller"));
    // Its input stays open as long as this test lives.
    let pid = session.start(command.stdin(std::process::Stdio::piped()));
    i32::try_from(pid).expect("a process number")
}

/// The only pull request as it stands.
fn row(session: &Session) -> Value {
    session.stage.verb(&["reviews", "--all"]).exits(0).json()[0].clone()
}

fn is(session: &Session, state: &str) -> bool {
    row(session)["state"] == state
}

/// Lets the tray look again: it does not watch the clock of this test.
fn poke(session: &Session) {
    std::fs::write(session.stage.home.join("state/opened"), "again").expect("a file");
}

/// Waits until whoever told has written down that it did: one that dies before leaves an unknown outcome.
fn written_down(session: &Session, shown: &Shown) {
    let sql = "SELECT EXISTS (SELECT 1 FROM notices WHERE number = ?1 AND sent_at IS NOT NULL)";
    wait_for("what was sent to be written down", || {
        let there: bool = session.stage.database().query_row(sql, [shown.number], |r| r.get(0)).expect("a row");
        there.then_some(())
    });
}

/// What the approval may change.
fn scope(session: &Session) -> Scope {
    let id = row(session)["id"].as_str().expect("an id").to_owned();
    session.stage.scope(&session.stage.review(&id))
}

/// The change is in the repository, and nothing else is.
fn landed(session: &Session, scope: &Scope) {
    let notes = std::fs::read_to_string(session.stage.repo.join("NOTES"));
    assert_eq!(notes.expect("the change").trim(), "1");
    assert_eq!(session.stage.beyond(scope), Vec::<String>::new());
    session.stage.remember();
}

/// Waits for the notification of the pull request.
fn announced(server: &Notifications) -> Shown {
    server.wait_for("Ready: ")
}

#[test]
fn a_click_on_approve_merges_what_was_announced_and_no_forged_one_does() {
    let mut session = session(ready("Fix the <b>parser</b> & its \u{202e}tests"));
    let server = session.notifications(Manner::default());
    let _serve = session.stage.serve();
    let first = teller(&mut session);
    let shown = announced(&server);
    assert_eq!(shown.keys(), ["default", "approve", "later", "halt-loop"], "{shown:?}");
    assert!(shown.title.starts_with("Ready: Issue #1: Fix the <b>parser</b> & its"), "text stays text: {shown:?}");
    assert!(shown.body.starts_with("work · 2 gates passed, checker accepts · +1 −0, $0.00"), "{shown:?}");
    assert_eq!((shown.hints["urgency"].as_str(), shown.hints["transient"].as_str()), ("1", "false"));
    assert!(!shown.hints["desktop-entry"].is_empty() && shown.hints["category"].contains("needs-you"), "{shown:?}");

    forged(&session, &server, &shown);
    // The server's own click comes after all of them, and is heard after all of them.
    server.click(shown.number, "later");
    wait_for("the pull request to be put off", || row(&session)["later_until"].is_string().then_some(()));
    assert!(is(&session, "open"), "nothing that was forged was done");
    assert_eq!(server.all().len(), 1, "and nothing was answered: {:?}", server.all());

    // An hour later it comes back once, and another process hears the click on what this one shows.
    session.stage.put_clock_and_pass(3700, 0);
    poke(&session);
    let shown = announced(&server);
    written_down(&session, &shown);
    signal(first, "KILL");
    teller(&mut session);
    wait_for("the other one to listen", || (server.asked().len() > 1).then_some(()));
    server.click(shown.number, "approve");
    let answer = server.wait_for("Merging in 20 s: ");
    assert_eq!(answer.hints["transient"], "true");
    assert!(answer.body.contains("into main of shop, the tree you were shown · recorded as unread"), "{answer:?}");
    assert!(is(&session, "approved"));
    let scope = scope(&session);
    server.click(shown.number, "approve");
    session.stage.put_clock_and_pass(3725, 0);
    wait_for("the merge", || is(&session, "merged").then_some(()));
    server.wait_until_closed(answer.number);
    landed(&session, &scope);
}

/// Whatever looks like a click and is none.
fn forged(session: &Session, server: &Notifications, shown: &Shown) {
    let other = session.connection();
    let tray = server.asked()[0].clone();
    let naive = Naive::listen(session);
    for key in ["approve", "halt-loop", "later", "default"] {
        for to in [None, Some(tray.as_str())] {
            forge(&other, session.tokio(), to, shown.number, key);
        }
    }
    for _ in 0..50 {
        forge(&other, session.tokio(), None, shown.number, "approve");
    }
    assert_eq!(naive.first(), (shown.number, "approve".to_owned()), "the control: who looks at no sender takes it");
    // The server itself, with numbers and keys that nobody drew.
    for (number, key) in
        [(shown.number + 7, "approve"), (0, "approve"), (shown.number, "undo"), (shown.number, "merge")]
    {
        server.click(number, key);
    }
}

/// A listener as they are often written: it subscribes to the signal, and asks not who sent it.
struct Naive(std::sync::mpsc::Receiver<(u32, String)>);

impl Naive {
    fn listen(session: &Session) -> Naive {
        use zbus::{MatchRule, MessageStream, message::Type};
        let (tell, told) = std::sync::mpsc::channel();
        let connection = session.connection();
        let stream = session.tokio().block_on(async {
            let rule = MatchRule::builder().msg_type(Type::Signal).interface("org.freedesktop.Notifications");
            let rule = rule.expect("a name").member("ActionInvoked").expect("a name").build();
            MessageStream::for_match_rule(rule, &connection, Some(256)).await.expect("it listens")
        });
        session.tokio().spawn(async move {
            let (_connection, mut stream) = (connection, stream);
            while let Some(Ok(message)) = futures_lite::StreamExt::next(&mut stream).await {
                let Ok(heard) = message.body().deserialize() else { continue };
                if tell.send(heard).is_err() {
                    return;
                }
            }
        });
        Naive(told)
    }

    fn first(&self) -> (u32, String) {
        self.0.recv_timeout(loopwright_desktop_tests::LIMIT).expect("it hears the forged signal")
    }
}

#[test]
fn halt_from_a_notification_ends_a_running_agent() {
    let stage = ready("Fix the parser");
    stage.write(".loopwright/issues/2-second.md", &ISSUE.replace("TITLE", "Second thing"));
    stage.commit("two");
    let mut session = session(stage);
    let server = session.notifications(Manner::default());
    teller(&mut session);
    let shown = announced(&server);
    let run = session.stage.start(&["run", "work"]);
    session.stage.wait_for_process("98765");
    server.click(shown.number, "halt-loop");
    let answer = server.wait_for("work is halted");
    assert!(answer.body.starts_with("1 run stopped in "), "{answer:?}");
    assert!(session.stage.with("98765").is_empty(), "the agent is gone");
    run.end().exits(10);
    assert_eq!(answer.keys(), ["default", "resume"]);
    session.stage.verb(&["resume", "--loop", "work", "--reason", "seen"]).exits(0);
    server.wait_until_closed(answer.number);
}

#[test]
fn a_click_that_comes_before_the_number_counts_and_what_is_decided_elsewhere_is_withdrawn() {
    let mut session = session(ready("Fix the parser"));
    // No server yet: it waits, and is told as soon as one is there.
    teller(&mut session);
    let server = session.notifications(Manner { at_once: Some("later"), ..Manner::default() });
    wait_for("the pull request to be put off", || row(&session)["later_until"].is_string().then_some(()));
    server.end();
    let id = row(&session)["id"].as_str().expect("an id").to_owned();
    let server = session.notifications(Manner { buttons: false, markup: false, ..Manner::default() });
    // An hour later it comes back once, without buttons: this server draws none.
    session.stage.put_clock(3700, 0);
    poke(&session);
    let shown = announced(&server);
    assert_eq!(shown.keys(), Vec::<&str>::new(), "{shown:?}");
    session.stage.verb(&["reject", &id, "--reason", "not now"]).exits(0);
    server.wait_until_closed(shown.number);
    server.click(shown.number, "approve");
    assert!(is(&session, "rejected"));
}

#[test]
fn the_tray_tells_and_approves() {
    let session = Session::around(ready("Fix the parser"), With::default());
    let watcher = session.watcher();
    let server = session.notifications(Manner::default());
    let mut tray = session.tray();
    watcher.wait_for_icon();
    let shown = announced(&server);
    written_down(&session, &shown);
    tray.signal("KILL");
    tray.ended();
    let _tray = session.tray();
    wait_for("the other tray to listen", || (server.asked().len() > 1).then_some(()));
    server.click(shown.number, "approve");
    server.wait_for("Merging in 20 s: ");
    assert!(is(&session, "approved"));
    let scope = scope(&session);
    session.stage.put_clock(25, 0);
    session.stage.verb(&["tick"]);
    wait_for("the merge", || is(&session, "merged").then_some(()));
    landed(&session, &scope);
}

#[test]
fn where_no_tray_lives_the_scheduler_tells_after_a_minute_and_without_buttons() {
    let session = session(ready("Fix the parser"));
    let server = session.notifications(Manner::default());
    let serve = |session: &Session| {
        let mut command = session.command(&programs().loopwright);
        let serving = session.stage.serve_by(command.args(["serve", "--json"]));
        wait_for("a first pass", || session.stage.beat().filter(|beat| beat.pid == serving.pid()));
        serving
    };
    // Before the desktop program was opened once, nothing is told at all.
    let serving = serve(&session);
    session.stage.put_clock_and_pass(100, 0);
    session.stage.put_clock_and_pass(200, 0);
    assert!(server.all().is_empty(), "nobody ever opened it");
    poke(&session);
    session.stage.put_clock_and_pass(230, 0);
    session.stage.put_clock_and_pass(260, 0);
    assert!(server.all().is_empty(), "a tray may come yet");
    session.stage.put_clock_and_pass(320, 0);
    let shown = announced(&server);
    assert_eq!(shown.keys(), Vec::<&str>::new(), "nobody would hear a click: {shown:?}");
    server.click(shown.number, "approve");
    session.stage.put_clock_and_pass(500, 0);
    assert_eq!(server.all().len(), 1, "it is told once: {:?}", server.all());
    assert!(is(&session, "open"), "and no click of it acts");
    drop(serving);
}
