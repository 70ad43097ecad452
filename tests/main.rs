//! Everything from outside, in one binary: the program is started as a user starts it, and asked over sockets.
//!
//! Leaves out what one package can show alone; that stands beside the package's own code.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test that cannot go on must stop and say where"
)]

mod asking;
mod attacks;
mod blueprints;
mod break_glass;
mod cases;
mod census;
mod chain;
mod chaining;
mod changes;
mod container;
mod counted;
mod credentials;
mod data_path;
mod egress;
mod evidence;
mod freezes;
mod harness;
mod holds;
mod identity;
mod imports;
mod isolated;
mod logins;
mod models;
mod notices;
mod own_holds;
mod pass_through;
mod passing;
mod planes;
mod recipes;
mod reload;
mod replay;
mod running;
mod start;
mod tidy;
mod transparent;
mod verbs;
mod way_through;
