//! Evidence before the change, whatever happens: clients that vanish, a program that is killed, a disk that fails.
//!
//! Leaves out the ledger's own form, which `ordain-proof` and `ordain-evidence` show alone.

mod disconnect;
mod disk;
mod kill;
mod order;
