//! What rooms are set up with.
//!
//! Leaves out the rooms.

use ordain_action::{Access, Level, Role};

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
    /// The servers of tools.
    pub mcp: Vec<McpServer>,
    /// The APIs that `OpenAPI` documents describe.
    pub openapi: Vec<OpenApi>,
    /// What is mounted in clusters of Vault; of a cluster that none is said of, what every new one has.
    pub vault: Vec<VaultMount>,
}

/// What is mounted somewhere in a cluster of Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultMount {
    /// The upstream that it is served by.
    pub upstream: String,
    /// The path of the mount, its namespace before it, for example `team/kv`.
    pub path: String,
    /// The type, as `vault secrets list` has it; `kv-v1` and `kv-v2` are two.
    pub kind: String,
}

/// An API over gRPC, as its operators describe it.
#[derive(Clone, Default)]
pub struct GrpcApi {
    /// The upstream that it is served by.
    pub upstream: String,
    /// Its descriptors with all that they import: a `google.protobuf.FileDescriptorSet`.
    pub descriptors: Vec<u8>,
    /// What its methods do.
    pub methods: Vec<ApiMethod>,
}

/// A server of tools, as its operators describe it.
#[derive(Clone, Default)]
pub struct McpServer {
    /// The upstream that it is served by.
    pub upstream: String,
    /// The list of its tools: what it answers to `tools/list`, as JSON. None where nothing is said of any.
    pub tools: Option<Vec<u8>>,
    /// What its tools do, each under its name.
    pub methods: Vec<ApiMethod>,
}

/// An API that an `OpenAPI` document describes, and what its operators say of it.
#[derive(Clone, Default)]
pub struct OpenApi {
    /// The upstream that it is served by.
    pub upstream: String,
    /// The document: `OpenAPI` 3 or Swagger 2, in YAML or JSON.
    pub document: Vec<u8>,
    /// What its operations do.
    pub methods: Vec<ApiMethod>,
    /// The paths before those of the document, in place of what it says itself.
    pub bases: Option<Vec<String>>,
    /// Paths of the document whose labels hold slashes, with `+` behind those labels.
    pub greedy: Vec<String>,
    /// Parameters of queries that the document does not have, and that change nothing of what an operation does.
    pub query: Vec<String>,
}

/// What a method of an API does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiMethod {
    /// The method. Over gRPC `package.Service/Method`, or `package.Service/*` for those of which nothing else is
    /// said; by `OpenAPI` its `operationId`, or `METHOD /path/{label}` as the document has it.
    pub name: String,
    /// The class of its effect.
    pub access: Access,
    /// Infrastructure or data.
    pub level: Level,
    /// What it touches; the API as a whole where nothing is named over gRPC, and what the path names by `OpenAPI`.
    pub resources: Vec<ApiResource>,
    /// Effects that it has besides, by what a request says.
    pub also: Vec<ApiEffect>,
    /// Fields that hold secrets, by their paths in the message.
    pub secrets: Vec<String>,
    /// Its answer hands out a credential of the API.
    pub mints: bool,
    /// The connection may become a stream of the caller's. Over gRPC the descriptors say so.
    pub stream: bool,
}

/// How a request names what its call touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResource {
    /// The type, for example `key`.
    pub kind: String,
    /// The name, with fields of the request in braces, for example `{project}/{name}`; `*` for all of the type.
    /// Behind a field may stand how it is spelled, where the API takes several spellings for one thing:
    /// `{zone|domain}` for a domain in lower case with its last dot, `{id|abbreviated}` for a name or a number that
    /// may be cut short.
    pub name: String,
    /// Fields that make it all resources of the type, where they say something.
    pub all_if: Vec<String>,
    /// The part it plays.
    pub role: Role,
}

/// An effect that a method has by what a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiEffect {
    /// Its class.
    pub access: Access,
    /// The field that says it; none where the method always has it.
    pub field: Option<String>,
    /// What it says then, in any case, with `*` at the end of the beginning of one; where nothing is named anything but
    /// nothing, `false` and an empty list.
    pub values: Vec<String>,
}

impl std::fmt::Debug for GrpcApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrpcApi").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for McpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpServer").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OpenApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenApi").field("upstream", &self.upstream).finish_non_exhaustive()
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
