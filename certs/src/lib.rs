//! Our certificate authority for TLS interception, held to names, and the leaf certificates minted from it.
//!
//! Text in, text out: no files, no sockets, no tasks, no clock. An [`Authority`] may name the hosts its
//! [`Constraints`] permit, whoever has its key; [`Authorities`] are the one that signs now and those that clients
//! trust beside it; [`Leaves`] mints what a tunnel shows to its client. Leaves out where keys are sealed and how
//! clients are told what to trust.

mod authority;
mod constraints;
mod host;
mod key;
mod leaf;
mod rotate;
mod trust;
mod tunnel;

pub use authority::{AUTHORITY_MAX, Authority, CreateError, ReadError};
pub use constraints::{ConstraintError, Constraints};
pub use host::{Host, HostError};
pub use leaf::{LEAF_MAX, LeafError, Leaves};
pub use rotate::{AddError, Authorities, NoneSigns};
pub use trust::{Certificate, CertificateError, Fingerprint};
pub use tunnel::Resolver;
