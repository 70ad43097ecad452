//! Microsoft Graph: every request that Microsoft's own Python clients build, and one of them through the gate.
//!
//! Leaves out a server of the plane: nobody runs Graph in a test.

mod client;
mod sweep;
