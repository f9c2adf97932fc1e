//! A real window, driven as a person would: WebKitWebDriver over plain HTTP (WebDriver's own JSON, no client library).
//!
//! One driver drives one window at a time, so each has one of its own.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loopwright_tests::nasty::{is_gone, signal};
use serde_json::{Value, json};

use crate::{LIMIT, Session, end, start_needed};

/// The name under which WebDriver gives an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Ctrl, as WebDriver writes it.
const CTRL: char = '\u{e009}';

/// The key End, as WebDriver writes it.
pub const END: char = '\u{e010}';

/// A window of a program under test; it is closed with this.
pub struct Window {
    driver: Child,
    port: u16,
    id: String,
}

impl Window {
    /// Starts a program of the session with these words, and waits until it has a window.
    ///
    /// # Panics
    /// WebKitWebDriver is missing, or no window came; the message names the package or what was answered.
    pub fn open(session: &Session, program: &Path, words: &[&str]) -> Window {
        // Free a moment ago: the driver takes a port only by its number.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
        let mut command = session.command("WebKitWebDriver");
        // Without the second a window is waited for without end.
        command.env("TAURI_AUTOMATION", "true").env("TAURI_WEBVIEW_AUTOMATION", "true");
        let said = tempfile::tempfile().expect("a file for what it says");
        let says = |file: &File| Stdio::from(file.try_clone().expect("a second handle"));
        command.arg(format!("--port={}", free.port())).stdout(says(&said)).stderr(says(&said));
        let driver = start_needed(&mut command, "webkit2gtk-driver");
        let mut window = Window { driver, port: free.port(), id: String::new() };
        until("WebKitWebDriver to listen", || TcpStream::connect(("127.0.0.1", window.port)).ok().map(drop));
        let options = json!({"binary": program, "args": words});
        let wanted = json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}});
        let opened = window.call("POST", "/session", &wanted);
        let opened = opened.unwrap_or_else(|answer| panic!("no window of {words:?}: {answer}\n{}", told(said)));
        window.id = opened["sessionId"].as_str().expect("the driver's name for it").to_owned();
        window
    }

    /// Opens one of the tray's windows.
    ///
    /// # Panics
    /// As [`Window::open`].
    pub fn view(session: &Session, view: &str) -> Window {
        Window::open(session, crate::tray_program(), &["--window", view])
    }

    /// What the body of a function in the page answers.
    ///
    /// # Panics
    /// It threw.
    pub fn run(&self, body: &str) -> Value {
        let answer = self.ask("POST", "/execute/sync", &json!({"script": body, "args": []}));
        answer.unwrap_or_else(|answer| panic!("{body}: {answer}"))
    }

    /// Waits until the body of a function in the page answers something that is neither null nor false.
    ///
    /// # Panics
    /// It does not within [`LIMIT`]; the message has what the page shows.
    pub fn until(&self, body: &str) -> Value {
        let found =
            within(|| Some(self.run(body)).filter(|answer| !matches!(answer, Value::Null | Value::Bool(false))));
        found.unwrap_or_else(|| panic!("waited too long for {body}; the page shows\n{}", self.text("body")))
    }

    /// Waits until the page shows this text.
    ///
    /// # Panics
    /// It does not come within [`LIMIT`].
    pub fn until_shows(&self, text: &str) {
        self.until(&format!("return document.body.innerText.includes({})", json!(text)));
    }

    /// The text of the first element of a selector, as a person sees it.
    ///
    /// # Panics
    /// There is none.
    pub fn text(&self, selector: &str) -> String {
        let text = self.run(&format!("return document.querySelector({}).innerText", json!(selector)));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks the first element of a selector, once it is there.
    ///
    /// # Panics
    /// It can't be clicked.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.ask("POST", &format!("/element/{element}/click"), &json!({})).expect("a click");
    }

    /// Clicks the button or tab that says this, once it can be clicked.
    ///
    /// # Panics
    /// It does not come within [`LIMIT`].
    pub fn press(&self, says: &str) {
        self.until(&format!(
            "const found = [...document.querySelectorAll('button, [role=tab]')]
                 .find((one) => one.innerText.trim().startsWith({}) && !one.disabled);
             if (found) found.click();
             return Boolean(found);",
            json!(says)
        ));
    }

    /// Types into the first element of a selector, once it is there.
    ///
    /// # Panics
    /// It takes no text.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.ask("POST", &format!("/element/{element}/value"), &json!({"text": text})).expect("keys");
    }

    /// Types as a person does, key by key into what has the focus: no two pauses alike, between 110 and 200 ms.
    ///
    /// # Panics
    /// The driver refuses.
    pub fn type_as_a_person(&self, text: &str) {
        let mut pause = 110;
        let keys = text.chars().flat_map(|key| {
            pause = 110 + (pause * 7 + 13) % 91;
            [
                json!({"type": "keyDown", "value": key}),
                json!({"type": "keyUp", "value": key}),
                json!({"type": "pause", "duration": pause}),
            ]
        });
        self.actions(keys.collect());
    }

    /// Presses a key while Ctrl is held.
    ///
    /// # Panics
    /// The driver refuses.
    pub fn press_ctrl(&self, key: char) {
        let step = |kind: &str, key: char| json!({"type": kind, "value": key});
        self.actions(vec![step("keyDown", CTRL), step("keyDown", key), step("keyUp", key), step("keyUp", CTRL)]);
    }

    fn actions(&self, keys: Vec<Value>) {
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": keys}]});
        self.ask("POST", "/actions", &keyboard).expect("keys");
    }

    /// A picture of the page, kept under `target/screens`.
    ///
    /// # Panics
    /// It can't be written.
    pub fn picture(&self, name: &str) -> PathBuf {
        let folder = crate::tray_program().parent().and_then(Path::parent).expect("target").join("screens");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let path = folder.join(name).with_extension("png");
        self.picture_to(&path);
        path
    }

    /// A picture of the page as this file.
    ///
    /// # Panics
    /// It can't be written.
    pub fn picture_to(&self, path: &Path) {
        self.until_drawn();
        let picture = self.ask("GET", "/screenshot", &Value::Null).expect("a picture");
        let file = File::create(path).expect("a file for the picture");
        let mut decode = Command::new("base64").arg("--decode").stdin(Stdio::piped()).stdout(file).spawn();
        let decode = decode.as_mut().expect("base64 starts");
        let mut input = decode.stdin.take().expect("its input");
        input.write_all(picture.as_str().expect("text").as_bytes()).expect("it reads");
        drop(input);
        assert!(decode.wait().expect("it ends").success(), "not base64");
    }

    /// Waits until what the page is now has been drawn: what stands in it is on the screen with the next frame only.
    fn until_drawn(&self) {
        self.run(
            "window.frames_drawn = 0;
             const count = () => ++window.frames_drawn < 3 && requestAnimationFrame(count);
             requestAnimationFrame(count);",
        );
        self.until("return window.frames_drawn >= 3");
    }

    fn element(&self, selector: &str) -> String {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = within(|| self.ask("POST", "/element", &wanted).ok()?[ELEMENT].as_str().map(ToOwned::to_owned));
        found.unwrap_or_else(|| panic!("no {selector}; the page shows\n{}", self.text("body")))
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.call(method, &format!("/session/{}{path}", self.id), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| error.to_string())?;
        // A window that never comes would be waited for without end.
        stream.set_read_timeout(Some(LIMIT)).map_err(|error| error.to_string())?;
        let head = "Host: localhost\r\nContent-Type: application/json\r\nConnection: close";
        let request = format!("{method} {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let mut body: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {answer}"))?;
        if head.starts_with("HTTP/1.1 200") { Ok(body["value"].take()) } else { Err(body.to_string()) }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let shown = child_of(self.driver.id());
        // The window may be gone already.
        let _ = self.ask("DELETE", "", &Value::Null);
        // The driver does not always end the program; one that lives on would be the only one of its view.
        if let Some(pid) = shown {
            signal(pid, "TERM");
            let _ = within(|| is_gone(pid).then_some(()));
        }
        end(&mut self.driver);
    }
}

/// The process that another one started.
fn child_of(pid: u32) -> Option<i32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// What program and driver said.
fn told(mut said: File) -> String {
    let mut text = String::new();
    let read = said.seek(SeekFrom::Start(0)).and_then(|_| said.read_to_string(&mut text));
    read.map_or_else(|error| error.to_string(), |_| text)
}

fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(look).unwrap_or_else(|| panic!("waited too long for {what}"))
}

/// Looks again and again: a page tells nobody outside when it changed.
fn within<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
