//! The seam to the disk: segments that are written in place and synced, and small files replaced whole.
//!
//! Leaves out what the bytes mean. Tests put stores behind it that lose what was not synced, or fail.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A place that keeps a ledger's files.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Makes sure that no one else writes here, for as long as what is returned lives.
    ///
    /// # Errors
    /// `WouldBlock` when someone else does; any error of the disk.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;

    /// The names of all files, in no order.
    ///
    /// # Errors
    /// Any error of the disk.
    fn names(&self) -> io::Result<Vec<String>>;

    /// All bytes of a file; `None` when there is no such file.
    ///
    /// # Errors
    /// Any error of the disk.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Writes a small file whole, or not at all. It is durable when this returns.
    ///
    /// # Errors
    /// Any error of the disk; then the old file is as it was.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes a segment of so many zeros, which are really written: a write into them then costs no change
    /// of the file system's own records, and cannot fail for want of space. Durable when this returns.
    ///
    /// # Errors
    /// Any error of the disk.
    fn create(&self, name: &str, zeros: u64) -> io::Result<Box<dyn Segment>>;

    /// Opens a segment that is there.
    ///
    /// # Errors
    /// Any error of the disk.
    fn open(&self, name: &str) -> io::Result<Box<dyn Segment>>;

    /// Gives a file another name. Durable when this returns.
    ///
    /// # Errors
    /// Any error of the disk.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a file away.
    ///
    /// # Errors
    /// Any error of the disk.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file that is written in place.
pub trait Segment: Send + fmt::Debug {
    /// Writes at an offset. Nothing is durable before [`Segment::sync`].
    ///
    /// # Errors
    /// Any error of the disk.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes durable what was written.
    ///
    /// # Errors
    /// Any error of the disk. What was written since the last sync is then in an unknown state, and
    /// another sync would not say so.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to a length. Durable when this returns.
    ///
    /// # Errors
    /// Any error of the disk.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// A directory of the file system.
#[derive(Debug, Clone)]
pub struct FileStorage {
    directory: PathBuf,
}

impl FileStorage {
    /// The directory, which is made when it is not there.
    ///
    /// # Errors
    /// Any error of the disk.
    pub fn new(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Storage for FileStorage {
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.path("lock"))?;
        file.try_lock()?;
        Ok(Box::new(file))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut file = match File::open(self.path(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = self.path(&format!("{name}.new"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.path(name))?;
        self.sync_directory()
    }

    fn create(&self, name: &str, zeros: u64) -> io::Result<Box<dyn Segment>> {
        static PIECE: [u8; 64 * 1024] = [0; 64 * 1024];
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(self.path(name))?;
        let mut left = zeros;
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE.len());
            file.write_all(PIECE.get(..now).unwrap_or(&PIECE))?;
            left = left.saturating_sub(now as u64);
        }
        file.sync_all()?;
        self.sync_directory()?;
        Ok(Box::new(FileSegment(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Segment>> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(name))?;
        Ok(Box::new(FileSegment(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))?;
        self.sync_directory()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }
}

#[derive(Debug)]
struct FileSegment(File);

impl Segment for FileSegment {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)?;
        self.0.sync_all()
    }
}
