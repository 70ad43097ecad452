//! A program whose network is its own, with the gate in it and nothing else (`ordain run --isolate`).
//!
//! `ordain run` starts this program once more (`ordain isolated`), with a [`Link`] in place of its standard input. That
//! one leaves the caller's user and network namespace and listens, in its own, on the very addresses of the gate that
//! the program's variables name. It hands the listening sockets back, shuts what else leads out, and becomes the
//! program: process, terminal, signals and exit code are as they would have been. `ordain run` stays outside and passes
//! on what is connected to there.
//!
//! Leaves out which addresses a program needs (`cli`), and files: what the machine keeps in them, Unix sockets among it,
//! stays in reach (SECURITY.md).

mod inside;
mod link;
mod loopback;
mod outside;
mod refused;
mod relay;
mod shut;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use inside::enter;
pub use link::Link;
pub use outside::{check_streams, settle};
pub use relay::{Door, Relays};

/// What is to be set up inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// A file that takes the place of `/etc/hosts` there, for names that nobody could be asked about.
    pub hosts: Option<PathBuf>,
}

/// What is said inside, to the one outside.
#[derive(Debug, Serialize, Deserialize)]
enum Said {
    /// The namespaces are left; who is who in the new one is for the one outside to write.
    Apart,
    /// With the listening sockets, in the plan's order. What follows is the program itself, or `Failed`.
    Listening,
    /// Why there will be no program.
    Failed(String),
}
