//! Azure Resource Manager.
//!
//! Leaves out every other plane.

mod sweep;
mod through;
