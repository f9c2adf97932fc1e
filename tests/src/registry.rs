//! A registry of packages on this machine: files by their paths over HTTP, with a sparse index for cargo and documents for npm.
#![expect(clippy::expect_used, reason = "a helper of tests says what it expected")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Paths and what lies there, and what was asked for.
#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    closed: bool,
}

/// A registry that serves as long as it lives.
pub struct Registry {
    /// Its port on 127.0.0.1.
    pub port: u16,
    shelf: Arc<Mutex<Shelf>>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// An empty one.
    pub fn start() -> Registry {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let shared = Arc::clone(&shelf);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if lock(&shared).closed {
                    return;
                }
                // Who hangs up early asks again.
                let _ = answer(&stream, &shared);
            }
        });
        let registry = Registry { port, shelf, thread: Some(thread) };
        let config = json!({"dl": format!("http://localhost:{port}/crates/{{crate}}-{{version}}.crate")});
        registry.put("/index/config.json", config.to_string().into_bytes());
        registry
    }

    /// The paths that were asked for.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shelf).asked.clone()
    }

    /// Publishes a crate without dependencies whose library is `source`.
    pub fn publish_crate(&self, name: &str, version: &str, source: &str) {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n");
        let top = format!("{name}-{version}");
        let packed = packed(&top, &[("Cargo.toml", &manifest), ("src/lib.rs", source)]);
        let cksum = loopwright_core::hex(&Sha256::digest(&packed));
        self.put(&format!("/crates/{top}.crate"), packed);
        let line = json!({"name": name, "vers": version, "deps": [], "cksum": cksum, "features": {}, "yanked": false});
        // A name of four letters or more lies below its first two and its next two.
        let path = format!("/index/{}/{}/{name}", &name[..2], &name[2..4]);
        let mut index = lock(&self.shelf).files.get(&path).cloned().unwrap_or_default();
        index.extend(format!("{line}\n").into_bytes());
        self.put(&path, index);
    }

    /// Publishes an npm package whose module is `source`.
    pub fn publish_package(&self, name: &str, version: &str, source: &str) {
        let manifest = json!({"name": name, "version": version, "main": "index.js"});
        let packed = packed("package", &[("package.json", &manifest.to_string()), ("index.js", source)]);
        let path = format!("/{name}/-/{name}-{version}.tgz");
        let integrity = integrity(&packed);
        let tarball = format!("http://localhost:{}{path}", self.port);
        self.put(&path, packed);
        let known = lock(&self.shelf).files.get(&format!("/{name}")).cloned();
        let mut document: Value = known
            .map_or_else(|| json!({"name": name, "versions": {}}), |text| serde_json::from_slice(&text).expect("JSON"));
        document["dist-tags"] = json!({"latest": version});
        document["versions"][version] = manifest;
        document["versions"][version]["dist"] = json!({"tarball": tarball, "integrity": integrity});
        self.put(&format!("/{name}"), document.to_string().into_bytes());
    }

    fn put(&self, path: &str, bytes: Vec<u8>) {
        lock(&self.shelf).files.insert(path.to_owned(), bytes);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        lock(&self.shelf).closed = true;
        // Wakes it from its waiting.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(shelf: &Mutex<Shelf>) -> std::sync::MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(stream: &TcpStream, shelf: &Mutex<Shelf>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let found = {
        let mut shelf = lock(shelf);
        shelf.asked.push(path.clone());
        shelf.files.get(&path).cloned()
    };
    let (status, body) = found.map_or_else(|| ("404 Not Found", b"nothing".to_vec()), |body| ("200 OK", body));
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

/// A compressed archive of these files below one folder.
fn packed(top: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(top).join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    output(Command::new("tar").arg("-C").arg(folder.path()).args(["-czf", "-", top]))
}

/// `sha512-…` as npm has it.
fn integrity(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path: &Path = &folder.path().join("bytes");
    fs::write(path, bytes).expect("a file");
    let script = "const c = require('crypto'), f = require('fs'); \
                  process.stdout.write('sha512-' + c.createHash('sha512').update(f.readFileSync(process.argv[1])).digest('base64'))";
    String::from_utf8(output(Command::new("node").arg("-e").arg(script).arg(path))).expect("text")
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
