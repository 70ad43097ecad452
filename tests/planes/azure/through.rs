//! The vendor's SDK through the gate, by TLS, in front of a stub of Resource Manager: what it follows on its own stays on
//! the way through the gate, on a listener as by the egress gateway.
//!
//! Leaves out how a request is read (the room's own cases), and Azure: the stub says that it is one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::harness::{Gate, Setup, said};
use crate::planes::served::{self, Server};

const SUBSCRIPTION: &str = "5a0b2f1c-9d3e-4c77-8f21-6e0d4b3a2c1f";

const CREDENTIALS: &str = "{ token_file = {token} }";

/// What a day's work comes to.
const DAY: &str = "made one\nmade two\nmade three\nmade four\nmade five\nthere True False\n\
                   pages ['five', 'four', 'one', 'three', 'two']\naccount Succeeded\n\
                   pages ['five', 'four', 'one', 'three']\n";

fn stub(base: Option<&str>) -> Option<Server> {
    served::stub("azure/stub.py", base.as_slice())
}

/// A gate in front of it. The subscription is of the team that the tenant is of.
fn gate(stub: &Server, listen: &str) -> Gate {
    let mut setup = Setup { listen: listen.to_owned(), mode: "enforce", ..Setup::default() };
    let owned = format!(
        "apiVersion: ordain/v1\nkind: Account\nmetadata: {{name: subscription}}\n\
         spec: {{plane: azure, account: {SUBSCRIPTION}, owner: platform}}\n---\n\
         apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {{name: dora}}\n\
         spec: {{memberOf: [payments], reads: {{accounts: [acme, {SUBSCRIPTION}]}}}}\n"
    );
    setup.model.push(("subscription.yaml", owned));
    served::gate_with(setup, "azure", &format!("http://{}", stub.address), CREDENTIALS)
}

/// What the SDK says, with the variables that are printed for a client of this actor and nothing else to find.
fn client(gate: &Gate, actor: &str, base: &str, what: &str, more: &[(&str, String)]) -> String {
    let asked = ["-o", "json", "env", "--upstream", "served", "--actor", actor, "--kind", "person"];
    let printed = gate.run(&asked);
    let variables: BTreeMap<String, String> =
        serde_json::from_slice(&printed.stdout).unwrap_or_else(|_| panic!("{}", said(&printed)));
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/azure/client.py");
    let mut command = Command::new("timeout");
    command.arg("90").arg(served::python().unwrap()).arg(script).args([SUBSCRIPTION, base, what]);
    command
        .env("HOME", "/nonexistent")
        .env("REQUESTS_CA_BUNDLE", gate.folder.path().join("state/ca-bundle.pem"));
    said(&command.envs(variables).envs(more.iter().cloned()).output().unwrap())
}

#[test]
fn pages_and_operations_of_azure_stay_on_the_way_through_the_gate() {
    let Some(stub) = stub(None) else { return };
    let gate = gate(&stub, "");
    let base = format!("https://{}", gate.address);
    assert_eq!(client(&gate, "alice", &base, "day", &[]), DAY);
    let denied = client(&gate, "dora", &base, "denied", &[]);
    let lines: Vec<&str> = denied.lines().collect();
    for (line, change) in lines.iter().zip(["create", "delete", "account"]) {
        assert!(
            line.starts_with(&format!("{change} 403 AuthorizationFailed ")) && line.contains("dora"),
            "{denied}"
        );
    }
    assert_eq!(lines.get(3), Some(&"pages ['five', 'four', 'one', 'three']"), "{denied}");
    assert!(!stub.log().contains("six"), "{}", stub.log());
    gate.finish();
}

#[test]
fn by_the_egress_gateway_the_sdk_finds_its_own_host() {
    let Some(stub) = stub(Some("https://management.azure.com")) else { return };
    let gate = gate(&stub, "egress = \"127.0.0.1:0\"\n");
    let proxy = [("HTTPS_PROXY", format!("http://{}", gate.egress())), ("NO_PROXY", "127.0.0.1".to_owned())];
    assert_eq!(client(&gate, "alice", "-", "day", &proxy), DAY);
    gate.finish();
}
