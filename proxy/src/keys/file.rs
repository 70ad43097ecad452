//! The file that keeps issued keys: a line is added for every change, and the last line of an id counts.
//!
//! Several processes may write: each takes the lock, reads what the others added, and adds its own line. Leaves out
//! what a line means.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::KeyError;

/// How far the file was read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Position {
    inode: u64,
    offset: u64,
}

/// Lines that were read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The file is another one than before: what was known is replaced.
    pub(super) anew: bool,
    /// The lines that are new.
    pub(super) lines: Vec<String>,
}

/// The file, and how far it was read.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
    lock: PathBuf,
    position: Position,
}

/// The right to write, until it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Locked(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl KeyFile {
    pub(super) fn new(directory: &Path) -> Self {
        Self::named(directory, "keys")
    }

    /// One of the same form that keeps something else.
    pub(super) fn named(directory: &Path, name: &str) -> Self {
        Self {
            path: directory.join(format!("{name}.jsonl")),
            lock: directory.join(format!("{name}.lock")),
            position: Position::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the right to write.
    pub(super) fn lock(&self) -> Result<Locked, KeyError> {
        let file = private().create(true).truncate(false).open(&self.lock);
        let file = file.map_err(|source| KeyError::io(&self.lock, source))?;
        file.lock().map_err(|source| KeyError::io(&self.lock, source))?;
        Ok(Locked(file))
    }

    /// Reads what was added since the last time. A line without an end is not there yet.
    pub(super) fn read(&mut self) -> Result<Read, KeyError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                let anew = self.position != Position::default();
                self.position = Position::default();
                return Ok(Read { anew, lines: Vec::new() });
            }
            Err(source) => return Err(KeyError::io(&self.path, source)),
        };
        let failed = |source| KeyError::io(&self.path, source);
        let metadata = file.metadata().map_err(failed)?;
        let anew = metadata.ino() != self.position.inode || metadata.size() < self.position.offset;
        if !anew && metadata.size() == self.position.offset {
            return Ok(Read::default());
        }
        let start = if anew { 0 } else { self.position.offset };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_to_end(&mut bytes)).map_err(failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        bytes.truncate(whole);
        // Bytes that are no text become a line that is no record, and only that line is refused.
        let lines = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        self.position = Position { inode: metadata.ino(), offset: start + whole as u64 };
        Ok(Read { anew, lines })
    }

    /// Adds a line; it is on disk when this returns. Only under the lock, and after everything was read.
    pub(super) fn append(&mut self, _locked: &Locked, line: &str) -> Result<(), KeyError> {
        let failed = |source| KeyError::io(&self.path, source);
        let new = !self.path.exists();
        let mut file = private().create(true).truncate(false).open(&self.path).map_err(failed)?;
        // What a process that died in the middle left behind, or one whose disk was full.
        file.set_len(self.position.offset).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let text = format!("{line}\n");
        file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)?;
        if new {
            self.sync_directory()?;
        }
        let inode = file.metadata().map_err(failed)?.ino();
        self.position = Position { inode, offset: self.position.offset + text.len() as u64 };
        Ok(())
    }

    /// Replaces the file by one with these lines only.
    pub(super) fn replace(&mut self, _locked: &Locked, lines: &[String]) -> Result<(), KeyError> {
        let draft = self.path.with_extension("draft");
        let failed = |source| KeyError::io(&draft, source);
        let mut file = private().create(true).truncate(true).open(&draft).map_err(failed)?;
        let mut text = lines.join("\n");
        text.push('\n');
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&draft, &self.path).map_err(failed)?;
        let inode = file.metadata().map_err(failed)?.ino();
        self.position = Position { inode, offset: text.len() as u64 };
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<(), KeyError> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| KeyError::io(directory, source))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}
