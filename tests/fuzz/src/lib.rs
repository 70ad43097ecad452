//! What must hold for any bytes at all, one module a fuzz target: what one of our readers accepts, an independent
//! reader reads the same.
//!
//! A module's `check` takes the fuzzer's bytes and panics where the property does not hold; that is how a fuzzer
//! is told. Leaves out how many bytes are tried (`run`), and what was found before: that stands as a case beside
//! the code it was found in.

mod again;
pub mod answer;
pub mod cbor;
pub mod chunks;
pub mod cluster;
pub mod connect;
pub mod flat;
pub mod frame;
pub mod grpc;
pub mod guard;
pub mod json;
pub mod model;
pub mod partiql;
pub mod plane;
pub mod protobuf;
pub mod query;
pub mod request;
pub mod room;
pub mod signature;
pub mod vendor;
pub mod withheld;
pub mod xml;
pub mod yaml;
