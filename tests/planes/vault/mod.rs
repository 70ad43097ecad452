//! hvac in front of the room of Vault.
//!
//! Leaves out a cluster: there is none in the packages that these tests may install, and a stand-in for tokens alone.

mod sweep;
mod tokens;
