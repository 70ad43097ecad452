//! APIs that their operators describe, as a configuration has them.
//!
//! Leaves out reading what describes them (`api.rs`).

use std::path::PathBuf;

use ordain_action::Plane;

use super::ConfigError;
use super::upstream::{Reach, mounts, named, not_of, reach, shown};
use crate::settings;

/// An API over gRPC: what it is, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcUpstream {
    /// Its descriptors.
    pub descriptors: PathBuf,
    /// What its methods do.
    pub methods: Option<PathBuf>,
    /// Where it is, and with which credential.
    pub reach: Reach,
}

/// An API that an `OpenAPI` document describes: what it is, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenApiUpstream {
    /// The document.
    pub description: PathBuf,
    /// What its operations do.
    pub methods: Option<PathBuf>,
    /// Where it is, and with which credential.
    pub reach: Reach,
}

/// An API over gRPC.
pub(super) fn grpc(written: &settings::Upstream) -> Result<GrpcUpstream, ConfigError> {
    let key = |field: &str| format!("`{field}` of upstream `{}`", written.name);
    named(written)?;
    let others = [
        ("region", written.region.clone()),
        ("role", written.role.clone()),
        ("uid", written.uid.clone()),
        ("description", shown(written.description.as_ref())),
        ("mounts", mounts(written)),
    ];
    not_of("grpc", written, others)?;
    if written.pass_through {
        let fix = "an API over gRPC is sent the gate's own credential; take it out";
        return Err(ConfigError::new(key("pass_through"), "true", fix));
    }
    let missing = |field: &str, fix: &str| ConfigError::new(key(field), "", fix);
    let descriptors = written.descriptors.clone().ok_or_else(|| {
        missing(
            "descriptors",
            "give the API's descriptors, as `buf build` or `protoc --descriptor_set_out` write them",
        )
    })?;
    Ok(GrpcUpstream { descriptors, methods: written.methods.clone(), reach: reach(Plane::Grpc, written)? })
}

/// An API that an `OpenAPI` document describes.
pub(super) fn openapi(written: &settings::Upstream) -> Result<OpenApiUpstream, ConfigError> {
    let key = |field: &str| format!("`{field}` of upstream `{}`", written.name);
    named(written)?;
    let others = [
        ("region", written.region.clone()),
        ("role", written.role.clone()),
        ("uid", written.uid.clone()),
        ("descriptors", shown(written.descriptors.as_ref())),
        ("mounts", mounts(written)),
    ];
    not_of("openapi", written, others)?;
    if written.pass_through {
        let fix = "a described API is sent the gate's own credential; take it out";
        return Err(ConfigError::new(key("pass_through"), "true", fix));
    }
    let description = written.description.clone().ok_or_else(|| {
        let fix = "give the API's description, OpenAPI 3 or Swagger 2 in one file of YAML or JSON";
        ConfigError::new(key("description"), "", fix)
    })?;
    let reach = reach(Plane::Openapi, written)?;
    Ok(OpenApiUpstream { description, methods: written.methods.clone(), reach })
}
