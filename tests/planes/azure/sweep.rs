//! Every method of the management libraries for Python, as those libraries send it, must be read as what its name and its
//! URL template say.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_AZURE_SWEEP` names a folder of fresh
//! ones. Leaves out resources and parameters, which the room's own cases show.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain_action::{Plane, Upstream};
use ordain_decode::line::{At, decode_line_at};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What the library calls a read, and is more: an answer with a secret in it, or something that is done.
const MORE_THAN_A_READ: [(&str, &str); 21] = [
    ("Microsoft.Compute/locations/logAnalytics/getRequestRateByInterval/action", "writes into a container"),
    ("Microsoft.Compute/locations/logAnalytics/getThrottledRequests/action", "writes into a container"),
    ("Microsoft.ContainerService/managedClusters/accessProfiles/listCredential/action", "a kubeconfig"),
    ("Microsoft.Network/connections/sharedkey/read", "a key"),
    ("Microsoft.Network/expressRouteCircuits/authorizations/read", "keys"),
    ("Microsoft.Network/expressRoutePorts/authorizations/read", "keys"),
    ("Microsoft.Network/networkVirtualAppliances/getBootDiagnosticLogs/action", "writes into a container"),
    ("Microsoft.Network/networkWatchers/connectivityCheck/action", "sends traffic"),
    ("Microsoft.Network/networkWatchers/troubleshoot/action", "writes into a container"),
    ("Microsoft.Network/p2svpnGateways/getP2sVpnConnectionHealthDetailed/action", "writes into a container"),
    (
        "Microsoft.Network/virtualNetworkGateways/getvpnprofilepackageurl/action",
        "an address that opens a package",
    ),
    ("Microsoft.Network/virtualWans/vpnConfiguration/action", "writes into a container"),
    ("Microsoft.Network/virtualWans/vpnServerConfigurations/action", "not known to have no secret"),
    ("Microsoft.Network/vpnGateways/vpnConnections/vpnLinkConnections/sharedKeys/read", "keys"),
    ("Microsoft.Resources/deploymentStacksWhatIfResults/whatIf/action", "writes its result"),
    (
        "Microsoft.Sql/managedInstances/databases/vulnerabilityAssessments/scans/export/action",
        "writes into a container",
    ),
    ("Microsoft.Sql/servers/databases/export/action", "writes into a container"),
    (
        "Microsoft.Sql/servers/databases/vulnerabilityAssessments/scans/export/action",
        "writes into a container",
    ),
    (
        "Microsoft.Storage/storageAccounts/blobAccessPointConfigurations/testExistingConnection/action",
        "connects to somewhere",
    ),
    ("Microsoft.Storage/storageAccounts/connectors/testExistingConnection/action", "connects to somewhere"),
    (
        "Microsoft.Storage/storageAccounts/testBlobAccessPointConfigurationProposedConnection/action",
        "connects to somewhere",
    ),
];

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_service: String,
    expect_operation: String,
    expect_hint: String,
}

/// What the decoder says of it.
#[derive(Deserialize)]
struct Decoded {
    id: String,
    #[serde(default)]
    plane: String,
    #[serde(default)]
    effects: Vec<DecodedEffect>,
    undecodable: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct DecodedEffect {
    service: String,
    operation: String,
    access: String,
    resources: Vec<serde_json::Value>,
}

/// What is wrong with what was read; nothing where it is what was meant.
fn fault(expected: &Expected, decoded: &Decoded) -> Option<String> {
    assert_eq!(expected.id, decoded.id, "answers come in the order of the requests");
    if let Some(why) = &decoded.undecodable {
        return Some(format!("undecodable: {why}"));
    }
    if decoded.plane != "azure" {
        return Some(format!("taken for `{}`", decoded.plane));
    }
    let Some(first) = decoded.effects.first() else { return Some("no effect".to_owned()) };
    let read = format!("{}/{}", first.service, first.operation);
    let meant = format!("{}/{}", expected.expect_service, expected.expect_operation);
    // The libraries spell one name in several ways, which are the same to the plane.
    if !read.eq_ignore_ascii_case(&meant) {
        return Some(format!("read as {read}, not {meant}"));
    }
    let reads = decoded.effects.iter().all(|effect| effect.access == "read");
    match (expected.expect_hint.as_str(), reads) {
        ("change", true) => return Some("a change is read as a read".to_owned()),
        ("read", false) if !MORE_THAN_A_READ.iter().any(|(name, _)| read.eq_ignore_ascii_case(name)) => {
            return Some(format!("a read is read as {}", first.access));
        }
        ("change", false) | ("read", _) => {}
        (other, _) => return Some(format!("`{other}` says nothing of what is meant")),
    }
    let bare = decoded.effects.iter().any(|effect| effect.resources.is_empty());
    bare.then(|| "an effect touches nothing".to_owned())
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_AZURE_SWEEP") {
        let path = Path::new(&folder).join("requests.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh requests has them")));
    }
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/azure/sweep/requests.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

#[test]
fn the_sweep_of_the_management_libraries() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream = Upstream {
        name: "default".into(),
        plane: Plane::Azure,
        account: "contoso.example".into(),
        partition: "".into(),
    };
    let at = At { upstream: &upstream, served: true };
    let (mut answer, mut faults) = (String::new(), Vec::new());
    let (mut requests, mut methods) = (0, BTreeSet::new());
    let mut spelled: BTreeMap<String, String> = BTreeMap::new();
    for line in source().lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line_at(&rooms, at, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        requests += 1;
        if let Some(fault) = fault(&expected, &decoded) {
            faults.push(format!("{}: {fault}", expected.id));
        }
        for effect in &decoded.effects {
            let name = format!("{}/{}", effect.service, effect.operation);
            let known = spelled.entry(name.to_lowercase()).or_insert_with(|| name.clone());
            assert_eq!(*known, name, "an operation has one spelling");
        }
        methods.insert(expected.id.rsplit_once('/').map(|(method, _)| method.to_owned()));
    }
    eprintln!("{requests} requests of {} methods, {} misread", methods.len(), faults.len());
    assert!(requests >= 3_700 && methods.len() >= 2_500, "the sweep has shrunk");
    assert!(faults.is_empty(), "{}", faults.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
