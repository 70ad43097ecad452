//! A second reader of the ledger's segments, written from the form alone and sharing no code with the first.
//!
//! Reads what the file system shows while the gate writes: an entry is there once its frame is whole. Leaves out
//! hashes and proofs, which `ordain ledger verify` checks.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

const MARK: &[u8; 4] = b"ORD1";
const HEAD: usize = 56;

/// One entry: what sort it is and what it says.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) sort: String,
    pub(crate) says: Value,
    /// What was too long for the entry, as a whole frame before it.
    pub(crate) has_blob: bool,
}

impl Entry {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.says[field].as_str().unwrap_or_default()
    }

    pub(crate) fn is_decision(&self) -> bool {
        self.sort == "decision"
    }

    pub(crate) fn is_outcome(&self) -> bool {
        self.sort == "outcome"
    }

    /// The operations of a decision, as the plane's own permissions in order.
    pub(crate) fn operations(&self) -> Vec<String> {
        let effects = &self.says["content"]["whole"]["reading"]["call"]["effects"];
        let effects = effects.as_array().cloned().unwrap_or_default();
        effects
            .iter()
            .map(|effect| {
                let word = |name: &str| effect[name].as_str().unwrap_or_default().to_owned();
                format!("{}:{}", word("service"), word("operation"))
            })
            .collect()
    }
}

/// What has been read so far.
#[derive(Debug)]
pub(crate) struct LedgerView {
    directory: PathBuf,
    offsets: BTreeMap<PathBuf, u64>,
    entries: Vec<Entry>,
    blobs: Vec<Vec<u8>>,
    blob: bool,
}

impl LedgerView {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            offsets: BTreeMap::new(),
            entries: Vec::new(),
            blobs: Vec::new(),
            blob: false,
        }
    }

    /// Reads on; returns all entries there are.
    pub(crate) fn refresh(&mut self) -> &[Entry] {
        for path in segments(&self.directory) {
            let mut offset = self.offsets.get(&path).copied().unwrap_or(0);
            let Ok(file) = File::open(&path) else { continue };
            while let Some((kind, bytes)) = frame(&file, offset) {
                offset += (HEAD + bytes.len()) as u64;
                if kind == b'B' {
                    self.blob = true;
                    self.blobs.push(bytes);
                    continue;
                }
                let Ok(statement) = serde_json::from_slice::<Value>(&bytes) else {
                    // The rest of this frame is still being written.
                    offset -= (HEAD + bytes.len()) as u64;
                    break;
                };
                let sort = statement["predicateType"].as_str().unwrap_or_default();
                let sort = sort.rsplit(':').nth(1).unwrap_or_default().to_owned();
                let has_blob = std::mem::take(&mut self.blob);
                self.entries.push(Entry { sort, says: statement["predicate"].clone(), has_blob });
            }
            self.offsets.insert(path, offset);
        }
        &self.entries
    }

    /// All that is written, as text: entries as they are, and what was too long for one unpacked.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        self.refresh();
        let entries = self.entries.iter().map(|entry| entry.says.to_string());
        let unpacked = |blob: &Vec<u8>| {
            // Behind a salt (zstd, RFC 8878 section 3.1.1).
            let at =
                blob.windows(4).position(|part| part == [0x28, 0xb5, 0x2f, 0xfd]).expect("a packed blob");
            let plain = zstd::decode_all(&blob[at..]).expect("a blob that unpacks");
            String::from_utf8_lossy(&plain).into_owned()
        };
        entries.chain(self.blobs.iter().map(unpacked)).collect()
    }

    /// The decision of this name, as far as it is written now.
    pub(crate) fn decision(&mut self, id: &str) -> Option<Entry> {
        self.refresh().iter().rev().find(|entry| entry.is_decision() && entry.text("id") == id).cloned()
    }
}

/// Files that begin with a frame, in the order of their names.
fn segments(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(listed) = std::fs::read_dir(&folder) else { continue };
        for path in listed.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut mark = [0; 4];
            let begins = File::open(&path).and_then(|file| file.read_exact_at(&mut mark, 0));
            if begins.is_ok() && &mark == MARK {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn frame(file: &File, offset: u64) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, offset).ok()?;
    if &head[..4] != MARK {
        return None;
    }
    let length = u32::from_be_bytes(head[4..8].try_into().unwrap()) as usize;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset + HEAD as u64).ok()?;
    Some((head[16], bytes))
}
