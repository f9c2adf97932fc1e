//! What a run step was granted, by the whole program: paths at their own places, hosts by way of the proxy, and no more.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use loopwright_tests::stage::{Stage, events, outcomes};
use serde_json::Value;

/// A loop of one step with these grants.
fn granted(stage: &Stage, command: &str, grants: &str) -> String {
    let step = format!("\x20 - run: {{name: fetch, command: {command:?}{grants}}}\n");
    let text = format!(
        "name: day\ntrigger: manual\nsteps:\n{step}env: {{STAGE: {}}}\nguardrails: {{max_duration: 1h}}\n",
        stage.mark
    );
    stage.personal_text("day", &text, &[]).display().to_string()
}

fn notes(run: &Value, topic: &str) -> Vec<String> {
    let all = events(run, "noted").into_iter().filter(|note| note["topic"] == topic);
    all.map(|note| note["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A host that answers every request with `hello`.
fn web() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    port
}

#[test]
fn paths_are_seen_at_their_own_places_and_written_only_where_it_says() {
    let stage = Stage::granting();
    let (photos, backups) = (stage.person().join("photos"), stage.person().join("backups"));
    for folder in [&photos, &backups] {
        fs::create_dir(folder).expect("a folder");
    }
    fs::write(photos.join("a"), "picture").expect("a file");
    let person = stage.person().display().to_string();
    // What it refuses is said elsewhere, so that the last line is the list's.
    let refused = format!("! (echo x > {person}/photos/b) 2>&-");
    let copy = format!("cp {person}/photos/a {person}/backups/a; {refused}; ls -A {person}");
    let path = granted(&stage, &copy, ", read: [~/photos], write: [~/backups]");
    stage.add(&path, false);
    stage.run("day").exits(0);
    assert_eq!(fs::read_to_string(backups.join("a")).expect("the copy"), "picture");
    assert!(!photos.join("b").exists());
    assert_eq!(outcomes(&stage.last(), "ran")[0]["last"], "photos", "{}", stage.last());
}

/// The negative control: without the grant the same step finds nothing there.
#[test]
fn without_a_grant_there_is_nothing() {
    let stage = Stage::granting();
    fs::create_dir(stage.person().join("photos")).expect("a folder");
    let path = granted(&stage, &format!("ls {}/photos", stage.person().display()), "");
    stage.add(&path, false);
    stage.run("day").exits(1);
}

#[test]
fn a_grant_that_cannot_stand_is_named_by_check_and_fails_its_step() {
    let stage = Stage::granting();
    fs::create_dir(stage.person().join(".ssh")).expect("a folder");
    std::os::unix::fs::symlink(stage.person().join(".ssh"), stage.person().join("keys")).expect("a link");
    for (grant, why) in [(", read: [~/keys]", "by a link"), (", read: [~/absent]", "can't be found")] {
        let path = granted(&stage, "true", grant);
        let said = stage.verb(&["check", &path]).exits(0).json()["diagnostics"].to_string();
        assert!(said.contains(why), "{said}");
    }
    stage.add(&granted(&stage, "true", ", read: [~/keys]"), false);
    stage.run("day").exits(1);
    let failed = stage.last()["row"]["end"].to_string();
    assert!(failed.contains("by a link"), "{failed}");
}

#[test]
fn a_granted_host_is_reached_and_every_other_is_told() {
    let stage = Stage::granting();
    let (port, other) = (web(), web());
    let fetch = format!("curl -sSf http://localhost:{port}/ > got; curl -sS http://localhost:{other}/ > refused; true");
    let path = granted(&stage, &fetch, &format!(", network: ['localhost:{port}']"));
    stage.add(&path, false);
    stage.run("day").exits(0);
    let run = stage.last();
    let folder = fs::read_dir(stage.home.join("data/loops")).expect("loops").flatten().next().expect("a loop").path();
    let got = |name: &str| fs::read_to_string(folder.join("state").join(name)).expect("a file");
    assert_eq!(got("got"), "hello");
    assert!(got("refused").contains("not among the hosts"), "{}", got("refused"));
    assert_eq!(notes(&run, "network-refused"), [format!("fetch asked for localhost:{other}, and was refused")]);
    assert!(notes(&run, "network")[0].starts_with("fetch sent "), "{run}");
}
