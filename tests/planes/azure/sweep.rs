//! Every method of the management libraries for Python, as those libraries send it, must be read as what its name and its
//! URL template say.
//!
//! The requests are made by `sweep.py`. Leaves out resources and parameters, which the room's own cases show.

use std::collections::{BTreeMap, BTreeSet};

use ordain_action::Plane;
use serde::Deserialize;

use crate::planes::sweeps::{self, Decoded, Effect, Reader, ensure};

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
    expect_service: String,
    expect_operation: String,
    expect_hint: String,
}

/// An operation by its whole name.
fn name(effect: &Effect) -> String {
    format!("{}/{}", effect.service, effect.operation)
}

fn check(expected: &Expected, decoded: &Decoded) -> Result<(), String> {
    let read = name(decoded.first()?);
    let meant = format!("{}/{}", expected.expect_service, expected.expect_operation);
    // The libraries spell one name in several ways, which are the same to the plane.
    ensure(read.eq_ignore_ascii_case(&meant), || format!("read as {read}, not {meant}"))?;
    let is_more = MORE_THAN_A_READ.iter().any(|(name, _)| read.eq_ignore_ascii_case(name));
    if expected.expect_hint == "read" && is_more { Ok(()) } else { decoded.fits(&expected.expect_hint) }
}

#[test]
fn the_sweep_of_the_management_libraries() {
    let mut methods = BTreeSet::new();
    let mut spelled: BTreeMap<String, String> = BTreeMap::new();
    let reader = Reader::new(Plane::Azure, "contoso.example");
    let swept = reader.sweep(sweeps::requests(Plane::Azure), |expected, decoded| {
        for name in decoded.effects.iter().map(name) {
            let known = spelled.entry(name.to_lowercase()).or_insert_with(|| name.clone());
            assert_eq!(*known, name, "an operation has one spelling");
        }
        methods.insert(decoded.id.rsplit_once('/').map(|(method, _)| method.to_owned()));
        check(expected, decoded)
    });
    sweeps::at_least(2_500, methods.len(), "methods");
    swept.holds(3_700);
}
