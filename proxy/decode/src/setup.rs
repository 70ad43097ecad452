//! What rooms are set up with.
//!
//! Leaves out the rooms.

use ordain_action::{Access, Level};

/// What rooms have to know before the first request.
#[derive(Clone, Default)]
pub struct RoomsConfig {
    /// The key under which secrets become tokens: the same secret is the same token, and nothing else shows.
    pub token_key: [u8; 32],
    /// Our own names, without ports and in lower case: a request to one of them came by a reverse listener.
    pub own_hosts: Vec<String>,
    /// Operations beyond those built in, in the catalogue's own text form.
    pub aws_overlay: Option<String>,
    /// The APIs over gRPC.
    pub grpc: Vec<GrpcApi>,
}

/// An API over gRPC, as its operators describe it.
#[derive(Clone, Default)]
pub struct GrpcApi {
    /// The upstream that it is served by.
    pub upstream: String,
    /// Its descriptors with all that they import: a `google.protobuf.FileDescriptorSet`.
    pub descriptors: Vec<u8>,
    /// What its methods do.
    pub methods: Vec<GrpcMethod>,
}

/// What a method of an API over gRPC does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcMethod {
    /// The method as `package.Service/Method`, or `package.Service/*` for those of which nothing else is said.
    pub name: String,
    /// The class of its effect.
    pub access: Access,
    /// Infrastructure or data.
    pub level: Level,
    /// What it touches; the API as a whole where nothing is named.
    pub resources: Vec<GrpcResource>,
    /// Fields that hold secrets, by their paths in the message.
    pub secrets: Vec<String>,
    /// Its answer hands out a credential of the API.
    pub mints: bool,
}

/// How a message names what its call touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcResource {
    /// The type, for example `key`.
    pub kind: String,
    /// The name, with fields of the message in braces, for example `{project}/{name}`.
    pub name: String,
    /// Fields that make it all resources of the type, where they say something.
    pub all_if: Vec<String>,
}

impl std::fmt::Debug for GrpcApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrpcApi").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RoomsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoomsConfig").field("own_hosts", &self.own_hosts).finish_non_exhaustive()
    }
}

/// A room cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomsError {
    /// The overlay has a fault, which the text names with its line.
    #[error("the catalogue overlay cannot be used: {0}")]
    Overlay(String),
    /// An API over gRPC cannot be read by what describes it.
    #[error("the API of the upstream `{upstream}` cannot be read: {why}")]
    Api {
        /// The upstream.
        upstream: String,
        /// What is wrong, and with what.
        why: String,
    },
}
