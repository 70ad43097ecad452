//! Grammars shared by planes: query forms, JSON, XML, YAML, CBOR, protobuf, gzip, paths and templates. All are strict: what
//! two parsers could read in two ways is refused, never guessed at.
//!
//! Leaves out what the parameters mean; every grammar ends in the same flat [`Fields`].

pub mod cbor;
pub mod fields;
pub mod gzip;
pub mod http1;
pub mod json;
pub(crate) mod names;
pub mod percent;
pub mod query;
pub mod uri;
pub(crate) mod wire;
pub mod xml;
pub mod yaml;

pub use fields::Fields;

/// How deep a body may nest. Vendor models stay below twenty.
pub const DEPTH_MAX: usize = 64;

/// Headers by which some servers take another method or path than the request line says.
pub(crate) const REWRITING: [&str; 7] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-prefix",
];
