//! Requests to control planes, read exactly; denials in their own words.
//!
//! Leaves out rules, evidence, sockets, the clock and logging: bytes in, a [`ordain_action::Call`] out.
#![warn(clippy::wildcard_enum_match_arm)]

mod about;
mod answer;
mod aws;
mod azure;
mod contract;
mod described;
pub mod form;
mod front;
mod gcp;
mod github;
mod graph;
mod grpc;
mod head;
mod keycloak;
mod kubernetes;
pub mod line;
mod mcp;
mod okta;
mod openapi;
mod openstack;
mod panos;
mod redfish;
mod refusal;
mod rest;
mod restconf;
mod room;
mod rooms;
mod scim;
mod setup;
mod tokens;
mod unknown;
mod vault;
mod vsphere;

pub use about::About;
pub use answer::{
    AnswerHead, AnswerRead, Events, Expiration, KeyPairReplacement, MintedCredentials, MintedKeyPair,
    MintedToken, Misplaced, Replacement, TokenPlace, TokenReplacement,
};
pub use contract::{Api, Destination, Leads, NativeResponse, Needs};
pub use front::{Front, Session};
pub use head::{Head, WayIn};
pub use kubernetes::Withholding;
pub use refusal::refusal;
pub use room::{Card, Claim};
pub use rooms::{Rooms, card};
pub use setup::{
    ApiEffect, ApiMethod, ApiResource, GrpcApi, McpServer, OpenApi, RoomsConfig, RoomsError, VaultMount,
};

#[cfg(test)]
mod compliance;
