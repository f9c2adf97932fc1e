//! The log of a process that lives long: JSON lines in a file that begins anew before it grows large.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// A file that is longer is put aside for a new one; the one that was aside before is gone.
const LONGEST: u64 = 1 << 20;

/// Writes what is traced from now on to a file, which is made with its folder known to be there.
///
/// # Errors
/// The file can't be opened.
pub(crate) fn to_file(path: PathBuf) -> io::Result<()> {
    let log = Log::open(path)?;
    let filter = EnvFilter::try_from_env("LOOPWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(Mutex::new(log)).init();
    Ok(())
}

/// A file that lines are added to.
struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    fn open(path: PathBuf) -> io::Result<Log> {
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let length = file.metadata()?.len();
        Ok(Log { path, file, length })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("log.1"))?;
        *self = Log::open(std::mem::take(&mut self.path))?;
        Ok(())
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.length > LONGEST {
            self.begin_anew()?;
        }
        let written = self.file.write(line)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_begins_anew_and_the_last_one_is_kept() {
        let folder = std::env::temp_dir().join(format!("lw-log-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("serve.log");
        let mut log = Log::open(path.clone()).expect("opened");
        log.write_all(&vec![b'x'; 1 << 20]).expect("written");
        log.write_all(b"y\n").expect("written");
        assert!(!folder.join("serve.log.1").exists(), "not yet: the control");
        log.write_all(b"z\n").expect("written");
        assert_eq!(fs::read(&path).expect("a log"), b"z\n");
        assert!(fs::read(folder.join("serve.log.1")).expect("the last one").ends_with(b"xy\n"));
        fs::remove_dir_all(folder).expect("removed");
    }
}
