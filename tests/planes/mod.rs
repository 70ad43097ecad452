//! One folder a control plane: its operations on the wire, its own clients through the gate.
//!
//! Leaves out what is the same for every plane.

pub(crate) mod aws;
mod azure;
mod denials;
mod gcp;
mod github;
mod graph;
mod grpc;
mod identities;
mod keycloak;
pub(crate) mod kubernetes;
mod mcp;
mod okta;
mod openapi;
mod openstack;
mod panos;
mod redfish;
mod restconf;
mod scim;
pub(crate) mod served;
mod sessions;
mod signing_in;
mod sweeps;
mod unknown;
mod vault;
mod vsphere;
