//! A window from its start until it can be used, beside an empty window; driven by WebKitWebDriver over plain HTTP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use loopwright_desktop_tests::Session;
use serde_json::{Value, json};

use crate::figures::{Bound, Series};
use crate::process::{began_ms, find};

/// The longest that anything is waited for.
const LIMIT: Duration = Duration::from_secs(60);
/// When the page has something to use, in milliseconds since 1970: not before it was painted.
const USABLE: &str = "const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const main = document.querySelector('main');
    return paint && main && main.textContent.trim() ? performance.timeOrigin + paint.startTime : null;";

/// Measures a window of ours and an empty one, turn by turn.
///
/// # Errors
/// One of them does not come.
pub(crate) fn measure(ours: &Path, bare: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (mut window, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        window.push(usable_after(ours, &["--window", "runs"])?);
        peer.push(usable_after(bare, &["--window"])?);
    }
    let window = Series::of("window: start to usable", "ms", window);
    let peer = Series::of("  peer: an empty window", "ms", peer);
    let bound = Bound::relative("window: start to usable, 2 x an empty window", &window, &peer, 2.0, 0.0);
    Ok((vec![window, peer], vec![bound]))
}

/// From the start of the process until its page was painted and has something in it, in milliseconds.
fn usable_after(program: &Path, words: &[&str]) -> Result<f64> {
    let session = Session::new();
    let driver = Driver::start(&session)?;
    let page = Page::open(&driver, program, words)?;
    let window = find(program, words).context("the window has no process")?;
    let (until, mut empty) = (Instant::now() + LIMIT, 0.0);
    while Instant::now() < until {
        let looked = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3;
        if let Some(painted) = page.run(USABLE)?.as_f64() {
            // What was painted first may have been empty: then the last look at it counts.
            return Ok(f64::max(painted, empty) - began_ms(window)?);
        }
        empty = looked;
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("{} showed nothing to use", program.display())
}

/// WebKitWebDriver on a port of its own; it ends with this.
pub(crate) struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    /// Starts it in a session.
    ///
    /// # Errors
    /// It is missing, or does not listen.
    pub(crate) fn start(session: &Session) -> Result<Driver> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = session.command("/usr/bin/WebKitWebDriver");
        // Without the second a session is waited for without end.
        command.env("TAURI_AUTOMATION", "true").env("TAURI_WEBVIEW_AUTOMATION", "true");
        let child = command.arg(format!("--port={port}")).spawn().context("apt-get install webkit2gtk-driver")?;
        let driver = Driver { child, port };
        let until = Instant::now() + LIMIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(Instant::now() < until, "WebKitWebDriver does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(driver)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).context("waiting for WebKitWebDriver")?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        Ok(serde_json::from_str::<Value>(body)?["value"].take())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A window that is driven; it is closed with this.
pub(crate) struct Page<'a> {
    driver: &'a Driver,
    id: String,
}

impl Page<'_> {
    /// Starts a program and waits until it has a window.
    ///
    /// # Errors
    /// It has none.
    pub(crate) fn open<'a>(driver: &'a Driver, program: &Path, words: &[&str]) -> Result<Page<'a>> {
        let options = json!({"binary": program, "args": words});
        let wanted = json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}});
        let opened = driver.call("POST", "/session", &wanted)?;
        let id = opened["sessionId"].as_str().context("no session")?.to_owned();
        Ok(Page { driver, id })
    }

    /// What the body of a function in the page answers.
    ///
    /// # Errors
    /// It threw.
    pub(crate) fn run(&self, body: &str) -> Result<Value> {
        self.driver.call("POST", &format!("/session/{}/execute/sync", self.id), &json!({"script": body, "args": []}))
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        let _ = self.driver.call("DELETE", &format!("/session/{}", self.id), &Value::Null);
    }
}
