//! Record format, Merkle tree, checkpoints and proofs.
