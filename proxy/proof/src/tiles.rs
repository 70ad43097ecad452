//! The ledger as C2SP tiles: static files that any transparency-log client can follow.
//!
//! Tiles are derived from the segments, never the other way round. Blobs lie beside them under their
//! hash: the format has no place for them. Leaves out how files are served.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::frame;
use crate::note::{Checkpoint, NoteError, Verifier};
use crate::record;
use crate::replay::{Damage, Entry};
use crate::tree::{Hash, Tree};

/// A full tile has so many hashes, a full bundle so many entries.
const WIDTH: usize = 256;

/// Why tiles cannot be written, or do not verify.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// The disk does not let us.
    #[error("`{path}` cannot be read or written: {error}")]
    Disk {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The checkpoint is not right.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The entries are not those of the checkpoint.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A file is not what the entries make it.
    #[error("`{0}` is not what the entries say it should be; export the ledger again")]
    Differs(String),
}

/// The path of a tile of hashes, below the directory of the export.
#[must_use]
pub fn tile_path(level: usize, index: u64, width: usize) -> String {
    format!("tile/{level}/{}{}", numbered(index), partial(width))
}

/// The path of a bundle of entries.
#[must_use]
pub fn bundle_path(index: u64, width: usize) -> String {
    format!("tile/entries/{}{}", numbered(index), partial(width))
}

/// The path of a blob.
#[must_use]
pub fn blob_path(hash: &Hash) -> String {
    format!("blob/{hash}")
}

/// Groups of three digits, all but the last marked with an `x`.
fn numbered(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn partial(width: usize) -> String {
    if width == WIDTH { String::new() } else { format!(".p/{width}") }
}

/// Writes entries out as tiles, in order.
#[derive(Debug)]
pub struct Export {
    directory: PathBuf,
    tree: Tree,
    bundle: Vec<u8>,
    in_bundle: usize,
    until: u64,
}

impl Export {
    /// Begins an export of the first `until` entries into a directory, which should be empty.
    #[must_use]
    pub fn new(directory: &Path, until: u64) -> Self {
        Self { directory: directory.to_owned(), tree: Tree::new(), bundle: Vec::new(), in_bundle: 0, until }
    }

    /// Adds the next entry; those beyond the end of the export are left out.
    ///
    /// # Errors
    /// [`TileError::Disk`].
    pub fn push(&mut self, entry: &Entry<'_>) -> Result<(), TileError> {
        if self.tree.size() >= self.until {
            return Ok(());
        }
        if let (Some(blob), Some(hash)) = (entry.blob, entry.brief.blob) {
            self.write(&blob_path(&hash), blob)?;
        }
        // INVARIANT: a frame's entry is at most `ENTRY_MAX` long, which fits two bytes.
        let length = u16::try_from(entry.bytes.len()).unwrap_or(u16::MAX);
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry.bytes);
        self.in_bundle += 1;
        self.tree.push(entry.hash);
        if self.in_bundle == WIDTH { self.write_bundle() } else { Ok(()) }
    }

    /// Writes what is left, then the checkpoint, which must be of exactly these entries.
    ///
    /// # Errors
    /// [`TileError`].
    pub fn finish(mut self, checkpoint: &Checkpoint, note: &str) -> Result<(), TileError> {
        let size = self.tree.size();
        if size != checkpoint.size {
            return Err(Damage::Truncated { found: size, signed: checkpoint.size }.into());
        }
        if self.tree.root(size).ok() != Some(checkpoint.root) {
            return Err(Damage::Forked { size }.into());
        }
        if self.in_bundle > 0 {
            self.write_bundle()?;
        }
        for (path, bytes) in tiles(&self.tree) {
            self.write(&path, &bytes)?;
        }
        self.write("checkpoint", note.as_bytes())
    }

    fn write_bundle(&mut self) -> Result<(), TileError> {
        let index = (self.tree.size() - 1) / WIDTH as u64;
        let bundle = std::mem::take(&mut self.bundle);
        let width = std::mem::take(&mut self.in_bundle);
        self.write(&bundle_path(index, width), &bundle)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), TileError> {
        let full = self.directory.join(path);
        let failed = |error| TileError::Disk { path: path.to_owned(), error };
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(&full, bytes).map_err(failed)
    }
}

/// Every tile of a tree, with its path.
fn tiles(tree: &Tree) -> impl Iterator<Item = (String, Vec<u8>)> + '_ {
    let levels = (0..8).take_while(|level| !tree.level(level * 8).is_empty());
    levels.flat_map(|level| {
        let chunks = tree.level(level * 8).chunks(WIDTH).zip(0_u64..);
        chunks.map(move |(hashes, index)| {
            let bytes = hashes.iter().flat_map(|hash| hash.0).collect();
            (tile_path(level, index, hashes.len()), bytes)
        })
    })
}

/// Verifies an export: every entry against the checkpoint, every tile and blob against the entries.
/// Returns the checkpoint.
///
/// # Errors
/// [`TileError`].
pub fn verify(directory: &Path, verifier: &Verifier) -> Result<Checkpoint, TileError> {
    let read = |path: &str| {
        fs::read(directory.join(path)).map_err(|error| TileError::Disk { path: path.to_owned(), error })
    };
    let note = String::from_utf8(read("checkpoint")?).map_err(|_| NoteError::Form("it is not text"))?;
    let checkpoint = verifier.open(&note)?;
    let mut tree = Tree::new();
    let width = WIDTH as u64;
    for index in 0..checkpoint.size.div_ceil(width) {
        let left = checkpoint.size - index * width;
        let count = usize::try_from(left).unwrap_or(WIDTH).min(WIDTH);
        let path = bundle_path(index, count);
        let bundle = read(&path)?;
        let mut rest = bundle.as_slice();
        for _ in 0..count {
            let entry = next_entry(&mut rest).ok_or_else(|| TileError::Differs(path.clone()))?;
            let sequence = tree.size();
            tree.push(Hash::leaf(entry));
            let brief =
                record::brief(entry).map_err(|why| Damage::Statement { sequence, why: why.to_string() })?;
            if let Some(hash) = brief.blob {
                let path = blob_path(&hash);
                if frame::blob_hash(&read(&path)?) != hash {
                    return Err(TileError::Differs(path));
                }
            }
        }
        if !rest.is_empty() {
            return Err(TileError::Differs(path));
        }
    }
    if tree.root(checkpoint.size).ok() != Some(checkpoint.root) {
        return Err(Damage::Forked { size: checkpoint.size }.into());
    }
    for (path, bytes) in tiles(&tree) {
        if read(&path)? != bytes {
            return Err(TileError::Differs(path));
        }
    }
    Ok(checkpoint)
}

fn next_entry<'b>(bundle: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *bundle = rest;
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_format() {
        assert_eq!(tile_path(0, 5, 256), "tile/0/005");
        assert_eq!(tile_path(1, 1_234_067, 256), "tile/1/x001/x234/067");
        assert_eq!(bundle_path(273, 64), "tile/entries/273.p/64");
    }
}
