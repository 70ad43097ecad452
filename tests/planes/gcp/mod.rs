//! Google Cloud: every request that Google's own Python client makes.
//!
//! Leaves out servers: nothing is sent.

mod sweep;
