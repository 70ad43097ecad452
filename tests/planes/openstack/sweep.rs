//! Every method of openstacksdk's proxies, as the library itself sends it, must be read as what its own words say.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_OPENSTACK_SWEEP` names a folder of
//! fresh ones. Leaves out parameters, which the room's own cases show.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain_action::{Plane, Upstream};
use ordain_decode::line::{At, decode_line_at};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_service: String,
    expect_collection: String,
    expect_hint: String,
}

/// What the decoder says of it.
#[derive(Deserialize)]
struct Decoded {
    id: String,
    #[serde(default)]
    effects: Vec<DecodedEffect>,
    undecodable: Option<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    reason_code: String,
}

#[derive(Deserialize)]
struct DecodedEffect {
    service: String,
    operation: String,
    access: String,
    resources: Vec<DecodedResource>,
}

#[derive(Deserialize)]
struct DecodedResource {
    r#type: String,
}

/// Requests that no service has, by the services' own packages, or that name another credential.
const REFUSED: [(&str, &str); 13] = [
    // The token that is asked about is another credential; the sweep leaves its header out.
    ("identity.check_token", "unknown_operation"),
    ("identity.revoke_token", "unknown_operation"),
    ("identity.validate_token", "unknown_operation"),
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

/// What became of a request.
enum Outcome {
    Exact,
    Stricter,
    Refused,
    Wrong(String),
}

fn outcome(expected: &Expected, decoded: &Decoded) -> Outcome {
    assert_eq!(expected.id, decoded.id, "answers come in the order of the requests");
    let method = expected.id.split('/').next().unwrap();
    if let Some(why) = &decoded.undecodable {
        let known = REFUSED.contains(&(method, why.reason_code.as_str())) || method == MISNAMED;
        return if known {
            Outcome::Refused
        } else {
            Outcome::Wrong(format!("undecodable: {}", why.reason_code))
        };
    }
    let Some(first) = decoded.effects.first() else { return Outcome::Wrong("no effect".to_owned()) };
    if first.service != expected.expect_service {
        return Outcome::Wrong(format!("read as {}", first.service));
    }
    if decoded.effects.iter().any(|effect| effect.resources.is_empty()) {
        return Outcome::Wrong("an effect touches nothing".to_owned());
    }
    if !is_about(first, &expected.expect_collection) {
        let kinds: Vec<&str> = first.resources.iter().map(|resource| resource.r#type.as_str()).collect();
        return Outcome::Wrong(format!(
            "{} on {kinds:?} and not {}",
            first.operation, expected.expect_collection
        ));
    }
    let reads = decoded.effects.iter().all(|effect| effect.access == "read");
    match (expected.expect_hint.as_str(), reads) {
        ("change", true) => Outcome::Wrong("a change is read as a read".to_owned()),
        ("read", false) if STRICTER.contains(&method) => Outcome::Stricter,
        ("read", false) => Outcome::Wrong(format!("a read is read as {}", first.access)),
        _ => Outcome::Exact,
    }
}

/// Whether the operation, or what it touches, is of the collection that the resource's class has.
fn is_about(effect: &DecodedEffect, collection: &str) -> bool {
    let plain = |word: &str| word.replace('_', "-").to_lowercase();
    let Some(last) = collection.rsplit('/').find(|word| !word.is_empty()) else { return true };
    let operation = effect.operation.split([':', '/']);
    let kinds = effect.resources.iter().flat_map(|resource| resource.r#type.split([':', '/']));
    operation.chain(kinds).any(|word| plain(word) == plain(last))
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_OPENSTACK_SWEEP") {
        let path = Path::new(&folder).join("requests.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh requests has them")));
    }
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/openstack/sweep/requests.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

#[test]
fn the_sweep_of_openstacksdk() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream = Upstream {
        name: "default".into(),
        plane: Plane::Openstack,
        account: "cloud1".into(),
        partition: "".into(),
    };
    let (mut answer, mut wrong) = (String::new(), Vec::new());
    let (mut requests, mut exact, mut stricter, mut refused) = (0, 0, 0, 0);
    let mut methods = BTreeSet::new();
    for line in source().lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line_at(&rooms, At { upstream: &upstream, served: true }, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        requests += 1;
        methods.insert(expected.id.split('/').next().map(str::to_owned));
        match outcome(&expected, &decoded) {
            Outcome::Exact => exact += 1,
            Outcome::Stricter => stricter += 1,
            Outcome::Refused => refused += 1,
            Outcome::Wrong(why) => wrong.push(format!("{}: {why}", expected.id)),
        }
    }
    eprintln!(
        "{requests} requests of {} methods: {exact} exact, {stricter} held for more than a read, {refused} refused, \
         {} misread",
        methods.len(),
        wrong.len()
    );
    assert!(requests >= 2_000 && methods.len() >= 1_000, "the sweep has shrunk");
    assert!(wrong.is_empty(), "{}", wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
