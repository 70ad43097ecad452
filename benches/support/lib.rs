//! Shared by the benchmarks: a load that can be held to a rate, a bare proxy to compare with, CPU time.
//!
//! Leaves out what is compared with what, and why: see each benchmark's head.

pub mod bare;
pub mod cpu;
pub mod load;
pub mod peers;
pub mod running;
pub mod sink;
pub mod watch;
