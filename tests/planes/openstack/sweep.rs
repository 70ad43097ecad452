//! Every method of openstacksdk's proxies, as the library itself sends it, must be read as what its own words say.
//!
//! The requests are made by `sweep.py`. Leaves out parameters, which the room's own cases show.

use std::collections::BTreeSet;

use ordain_action::Plane;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Effect, Reader, Refusal, ensure};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_service: String,
    expect_collection: String,
    expect_hint: String,
}

/// Requests that no service has, by the services' own packages, or that name nothing.
const REFUSED: [(&str, &str); 13] = [
    // The sweep leaves out the header that names the token.
    ("identity.check_token", "unread_header"),
    ("identity.revoke_token", "unread_header"),
    ("identity.validate_token", "unread_header"),
    // No path of Neutron.
    ("network.add_gateway_to_router", "unknown_operation"),
    ("network.remove_gateway_from_router", "unknown_operation"),
    // The library leaves the id out.
    ("network.delete_listener", "unknown_operation"),
    ("network.update_listener", "unknown_operation"),
    // Cinder takes it by `POST`.
    ("block_storage.cleanup_service_workers", "unknown_operation"),
    // Backups of Cinder have no such path.
    ("block_storage.delete_backup_metadata", "unknown_operation"),
    ("block_storage.fetch_backup_metadata", "unknown_operation"),
    ("block_storage.get_backup_metadata", "unknown_operation"),
    ("block_storage.set_backup_metadata", "unknown_operation"),
    // The library exports where it means to import.
    ("block_storage.import_backup", "unknown_operation"),
];

/// The library's own name for the action is none of Cinder's.
const MISNAMED: &str = "block_storage.failover_group_replication";

/// What the library calls by words of a read, and hands out a secret, or acts.
const STRICTER: [&str; 17] = [
    "baremetal.get_node_console",
    "block_storage.attachments",
    "block_storage.get_attachment",
    "block_storage.get_service_log_levels",
    "compute.get_server_console_url",
    "compute.get_server_password",
    "compute.validate_console_auth_token",
    "identity.credentials",
    "identity.find_credential",
    "identity.get_credential",
    "image.image_locations",
    "network.find_vpn_ipsec_site_connection",
    "network.get_auto_allocated_topology",
    "network.get_vpn_ipsec_site_connection",
    "network.vpn_ipsec_site_connections",
    "block_storage.find_attachment",
    "identity.update_credential",
];

/// What is not read as the library's words have it, and is meant to be.
#[derive(Default)]
struct Tally {
    stricter: usize,
    refused: usize,
}

impl Tally {
    fn check(&mut self, expected: &Expected, decoded: &Decoded) -> Result<(), String> {
        let method = expected.id.split('/').next().unwrap();
        let known = |why: &Refusal| REFUSED.contains(&(method, why.reason_code.as_str()));
        if decoded.undecodable.as_ref().is_some_and(|why| known(why) || method == MISNAMED) {
            self.refused += 1;
            return Ok(());
        }
        let first = decoded.first()?;
        let meant = (&expected.expect_service, &expected.expect_collection);
        ensure(first.service == *meant.0, || format!("read as {}", first.service))?;
        ensure(is_about(first, meant.1), || {
            let kinds: Vec<&str> = first.resources.iter().map(|resource| resource.r#type.as_str()).collect();
            format!("{} on {kinds:?} and not {}", first.operation, meant.1)
        })?;
        if expected.expect_hint == "read" && !decoded.is_read() && STRICTER.contains(&method) {
            self.stricter += 1;
            return Ok(());
        }
        decoded.fits(&expected.expect_hint)
    }
}

/// Whether the operation, or what it touches, is of the collection that the resource's class has.
fn is_about(effect: &Effect, collection: &str) -> bool {
    let plain = |word: &str| word.replace('_', "-").to_lowercase();
    let Some(last) = collection.rsplit('/').find(|word| !word.is_empty()) else { return true };
    let operation = effect.operation.split([':', '/']);
    let kinds = effect.resources.iter().flat_map(|resource| resource.r#type.split([':', '/']));
    operation.chain(kinds).any(|word| plain(word) == plain(last))
}

#[test]
fn the_sweep_of_openstacksdk() {
    let (mut tally, mut methods) = (Tally::default(), BTreeSet::new());
    let reader = Reader::new(Plane::Openstack, "cloud1");
    let swept = reader.sweep(sweeps::requests(Plane::Openstack), |expected: &Expected, decoded| {
        methods.insert(expected.id.split('/').next().map(str::to_owned));
        tally.check(expected, decoded)
    });
    eprintln!("{} held for more than a read, {} refused", tally.stricter, tally.refused);
    sweeps::at_least(1_000, methods.len(), "methods");
    swept.holds(2_000);
}
