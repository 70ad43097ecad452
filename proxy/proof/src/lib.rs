//! The evidence's form: records, frames, the Merkle tree, checkpoints, proofs and the offline verifier.
//!
//! Leaves out how a record becomes durable (`ordain-evidence`), what it says and why (`ordain-rules`), and
//! every network. Whoever holds a ledger's files, or one proof and a public key, needs nothing but this.
#![warn(clippy::wildcard_enum_match_arm, clippy::iter_over_hash_type)]

pub mod inclusion;
pub mod tiles;
pub mod verify;

pub mod replay;

pub mod frame;
pub mod note;
pub mod record;
pub mod tree;
