//! The Merkle tree of RFC 6962: its root as entries come, and proofs that others can check.
//!
//! Leaves out where hashes are kept (`tiles.rs`) and who signs a root (`note.rs`).

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A node of the tree: a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Hash {
    /// The root of a tree without entries.
    #[must_use]
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// The hash of an entry.
    #[must_use]
    pub fn leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// The hash of two nodes.
    #[must_use]
    pub fn node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
    }
}

/// What must be kept of a tree to add entries and to know its root: one hash a set bit of its size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// How many entries there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry's hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        let mut full = self.size;
        while full & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                node = Hash::node(&left, &node);
            }
            full >>= 1;
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| Hash::node(&left, &right));
        joined.unwrap_or_else(Hash::empty)
    }
}

/// A whole tree: every complete subtree's hash, so that a proof reads hashes and computes few.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

/// An index or size that the tree does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree has {size} entries, fewer than asked for; ask for at most as many")]
pub struct OutOfTree {
    /// How many entries there are.
    pub size: u64,
}

impl Tree {
    /// The tree without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// How many entries there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The hashes of all complete subtrees of 2^`level` entries, from the first on.
    #[must_use]
    pub fn level(&self, level: usize) -> &[Hash] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// Adds an entry's hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        let mut level = 0;
        loop {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else { return };
            row.push(node);
            match row.as_slice() {
                [.., left, right] if row.len() % 2 == 0 => node = Hash::node(left, right),
                _ => return,
            }
            level += 1;
        }
    }

    /// The root of the tree's first `size` entries.
    ///
    /// # Errors
    /// [`OutOfTree`] when there are fewer.
    pub fn root(&self, size: u64) -> Result<Hash, OutOfTree> {
        if size == 0 { Ok(Hash::empty()) } else { self.range(0, size) }
    }

    /// The proof that the entry at `index` is among the first `size`, nearest sibling first.
    ///
    /// # Errors
    /// [`OutOfTree`] when the tree or its first `size` entries do not have the entry.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, OutOfTree> {
        if index >= size || size > self.size() {
            return Err(OutOfTree { size: self.size() });
        }
        let mut path = Vec::new();
        let (mut start, mut length) = (0, size);
        while length > 1 {
            let left = split(length);
            if index - start < left {
                path.push(self.range(start + left, length - left)?);
                length = left;
            } else {
                path.push(self.range(start, left)?);
                start += left;
                length -= left;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// The proof that the first `old` entries are the start of the first `new` ones.
    ///
    /// # Errors
    /// [`OutOfTree`] when `old` is zero or more than `new`, or the tree has fewer than `new`.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, OutOfTree> {
        if old == 0 || old > new || new > self.size() {
            return Err(OutOfTree { size: self.size() });
        }
        let mut path = Vec::new();
        let (mut start, mut length, mut wanted) = (0, new, old);
        // Whether the subtree at hand is still the old tree as a whole, which the verifier knows.
        let mut whole = true;
        while wanted != length {
            let left = split(length);
            if wanted <= left {
                path.push(self.range(start + left, length - left)?);
                length = left;
            } else {
                path.push(self.range(start, left)?);
                start += left;
                length -= left;
                wanted -= left;
                whole = false;
            }
        }
        if !whole {
            path.push(self.range(start, length)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The root of the `length` entries from `start`, which must begin where a subtree does.
    fn range(&self, start: u64, length: u64) -> Result<Hash, OutOfTree> {
        let missing = OutOfTree { size: self.size() };
        if length == 0 {
            return Err(missing);
        }
        // The complete subtrees the range falls into, largest first, joined from the right.
        let mut peaks = Vec::new();
        let mut at = start;
        for level in (0..u64::BITS).rev().filter(|level| length & (1 << level) != 0) {
            let row = self.level(level as usize);
            let index = usize::try_from(at >> level).map_err(|_| missing)?;
            peaks.push(*row.get(index).ok_or(missing)?);
            at += 1 << level;
        }
        peaks.into_iter().rev().reduce(|right, left| Hash::node(&left, &right)).ok_or(missing)
    }
}

/// The largest power of two smaller than `length`, which is at least two.
fn split(length: u64) -> u64 {
    1 << (u64::BITS - 1 - (length - 1).leading_zeros())
}

/// Whether `proof` shows that `leaf` is the entry at `index` of the tree of `size` entries with `root`.
#[must_use]
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, root: Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut node = leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = Hash::node(sibling, &node);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node = Hash::node(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && node == root
}

/// Whether `proof` shows that the tree of `old` entries is the start of the tree of `new` entries.
#[must_use]
pub fn verify_consistency(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size > new_size {
        return false;
    }
    if old_size == new_size {
        return proof.is_empty() && old_root == new_root;
    }
    if old_size == 0 {
        return proof.is_empty() && old_root == Hash::empty();
    }
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let mut steps = proof.iter();
    // A tree of 2^n entries is itself the first node, and is not repeated in the proof.
    let first = if old_size.is_power_of_two() { Some(&old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut old_node, mut new_node) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_node = Hash::node(step, &old_node);
            new_node = Hash::node(step, &new_node);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_node = Hash::node(&new_node, step);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_node == old_root && new_node == new_root
}
