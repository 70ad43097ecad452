//! One folder a control plane: its operations on the wire, its own clients through the gate.
//!
//! Leaves out what is the same for every plane.

pub(crate) mod aws;
mod azure;
mod github;
mod gcp;
mod grpc;
mod keycloak;
pub(crate) mod kubernetes;
mod mcp;
mod okta;
mod openapi;
mod redfish;
mod openstack;
mod scim;
pub(crate) mod served;
mod sweeps;
mod vault;
mod restconf;
mod scim;
pub(crate) mod served;
pub(crate) mod swept;
