//! A disk in memory that forgets what was not synced, fails when told to, or lies about syncing.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use ordain_evidence::{Segment, Storage};

/// What a file holds: what survives a power cut, and what a reader sees.
#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    seen: Vec<u8>,
    /// Writes since the last sync, as ranges of `seen`.
    unsynced: Vec<(usize, usize)>,
}

#[derive(Debug, Default)]
struct Inside {
    files: BTreeMap<String, Arc<Mutex<File>>>,
    writes: u64,
    fail_from: Option<(u64, io::ErrorKind)>,
    lies: bool,
    slow: bool,
    locked: bool,
}

/// The disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inside>>);

impl Disk {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.clone())
    }

    /// From now on a sync says that it is done and does nothing.
    pub(crate) fn lie(&self) {
        self.0.lock().unwrap().lies = true;
    }

    /// From now on a sync takes as long as on a bad day.
    pub(crate) fn slow(&self) {
        self.0.lock().unwrap().slow = true;
    }

    /// Every call that writes fails, after `more` further ones.
    pub(crate) fn fail_after(&self, more: u64, kind: io::ErrorKind) {
        let mut inside = self.0.lock().unwrap();
        inside.fail_from = Some((inside.writes + more, kind));
    }

    /// How many calls wrote so far.
    pub(crate) fn writes(&self) -> u64 {
        self.0.lock().unwrap().writes
    }

    /// The disk after a power cut: what was synced, and of the rest each sector or not, as `chance` says.
    pub(crate) fn after_power_cut(&self, mut chance: impl FnMut() -> bool) -> Self {
        const SECTOR: usize = 512;
        let inside = self.0.lock().unwrap();
        let mut files = BTreeMap::new();
        for (name, file) in &inside.files {
            let file = file.lock().unwrap();
            let mut kept = file.durable.clone();
            for (start, end) in &file.unsynced {
                let mut at = *start;
                while at < *end {
                    let stop = ((at / SECTOR + 1) * SECTOR).min(*end);
                    if stop <= kept.len() && chance() {
                        kept[at..stop].copy_from_slice(&file.seen[at..stop]);
                    }
                    at = stop;
                }
            }
            let file = File { durable: kept.clone(), seen: kept, unsynced: Vec::new() };
            files.insert(name.clone(), Arc::new(Mutex::new(file)));
        }
        Self(Arc::new(Mutex::new(Inside { files, ..Inside::default() })))
    }

    /// All files, as a reader sees them.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let inside = self.0.lock().unwrap();
        inside.files.iter().map(|(name, file)| (name.clone(), file.lock().unwrap().seen.clone())).collect()
    }

    /// A disk with these files.
    pub(crate) fn of(contents: BTreeMap<String, Vec<u8>>) -> Self {
        let file = |bytes: Vec<u8>| File { durable: bytes.clone(), seen: bytes, unsynced: Vec::new() };
        let files =
            contents.into_iter().map(|(name, bytes)| (name, Arc::new(Mutex::new(file(bytes))))).collect();
        Self(Arc::new(Mutex::new(Inside { files, ..Inside::default() })))
    }

    fn writing(&self) -> io::Result<()> {
        let mut inside = self.0.lock().unwrap();
        inside.writes += 1;
        match inside.fail_from {
            Some((from, kind)) if inside.writes > from => Err(kind.into()),
            Some(_) | None => Ok(()),
        }
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Arc<Mutex<File>> {
        let file = File { durable: bytes.clone(), seen: bytes, unsynced: Vec::new() };
        let file = Arc::new(Mutex::new(file));
        self.0.lock().unwrap().files.insert(name.to_owned(), Arc::clone(&file));
        file
    }
}

struct Locked(Disk);

impl Drop for Locked {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().locked = false;
    }
}

impl Storage for Disk {
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let mut inside = self.0.lock().unwrap();
        if std::mem::replace(&mut inside.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Locked(self.clone())))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().unwrap().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let inside = self.0.lock().unwrap();
        Ok(inside.files.get(name).map(|file| file.lock().unwrap().seen.clone()))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.writing()?;
        self.put(name, bytes.to_vec());
        Ok(())
    }

    fn create(&self, name: &str, zeros: u64) -> io::Result<Box<dyn Segment>> {
        self.writing()?;
        let file = self.put(name, vec![0; usize::try_from(zeros).unwrap()]);
        Ok(Box::new(Part { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Segment>> {
        let file = self.0.lock().unwrap().files.get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Part { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.writing()?;
        let mut inside = self.0.lock().unwrap();
        let file = inside.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        inside.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().unwrap().files.remove(name);
        Ok(())
    }
}

#[derive(Debug)]
struct Part {
    disk: Disk,
    file: Arc<Mutex<File>>,
}

impl Segment for Part {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.writing()?;
        let mut file = self.file.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let end = start + bytes.len();
        assert!(end <= file.seen.len(), "written beyond what was filled ahead");
        file.seen[start..end].copy_from_slice(bytes);
        file.unsynced.push((start, end));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.writing()?;
        if self.disk.0.lock().unwrap().slow {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        if !self.disk.0.lock().unwrap().lies {
            let mut file = self.file.lock().unwrap();
            let file = &mut *file;
            for (start, end) in file.unsynced.drain(..) {
                file.durable[start..end].copy_from_slice(&file.seen[start..end]);
            }
        }
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.disk.writing()?;
        let mut file = self.file.lock().unwrap();
        let length = usize::try_from(length).unwrap();
        file.seen.truncate(length);
        file.durable.truncate(length);
        file.unsynced.retain(|(_, end)| *end <= length);
        Ok(())
    }
}
