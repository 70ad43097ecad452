//! A change that is denied, as a plane's own client has it: an error of authorization of the client's own type, after one
//! request (of sushy's sessions after two, whoever refuses), of which nothing arrives. The same change of somebody who may
//! arrives once.
//!
//! Leaves out why it is denied, and servers of the planes: a stub, which says that it is one, takes whatever comes.

use std::path::Path;
use std::process::Command;

use crate::harness::{Gate, Setup, said};
use crate::planes::served::{self, Server};

/// One client of one plane, and one change that it asks for.
#[derive(Clone, Copy)]
struct Row {
    plane: &'static str,
    /// What `client.py` calls it.
    client: &'static str,
    /// As the settings file has them.
    credentials: &'static str,
    /// The account that is changed, where it is below the upstream's.
    account: &'static str,
    /// It is asked as a proxy, and not as a server.
    is_proxy: bool,
    /// What arrives of the change where it may.
    change: &'static str,
    operation: &'static str,
    /// What the client's error begins with: its class, the status that it has where it has one, and its text.
    error: &'static str,
    /// How often the client asks.
    sent: usize,
}

/// What most rows have.
const ROW: Row = Row {
    plane: "",
    client: "",
    credentials: "{ token_file = {token} }",
    account: "acme",
    is_proxy: false,
    change: "",
    operation: "",
    error: "",
    sent: 1,
};

impl Row {
    /// A gate in front of a stub, which is asked by TLS.
    fn gate(self, stub: &Server) -> Gate {
        let listen = if self.is_proxy { "egress = \"127.0.0.1:0\"\n".to_owned() } else { String::new() };
        let mut setup = Setup { listen, mode: "enforce", ..Setup::default() };
        if self.account != "acme" {
            let owned = format!(
                "apiVersion: ordain/v1\nkind: Account\nmetadata: {{name: below}}\n\
                 spec: {{plane: {}, account: {}, owner: platform}}\n",
                self.plane, self.account
            );
            setup.model.push(("below.yaml", owned));
        }
        served::gate_with(setup, self.plane, &format!("http://{}", stub.address), self.credentials)
    }

    /// What the client says of its change, asked for with a token of this actor.
    fn asked(self, gate: &Gate, actor: &str) -> String {
        let token = gate.bearer("served", actor, "person");
        gate.must_not_write(&token);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/denials/client.py");
        let mut command = Command::new("timeout");
        command.arg("90").arg(served::python().unwrap()).arg(script);
        command.args([self.client, &format!("https://{}", gate.address), &token]);
        let trusted = gate.folder.path().join("state/ca-bundle.pem");
        for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPLIB2_CA_CERTS"] {
            command.env(variable, &trusted);
        }
        if self.is_proxy {
            command.env("HTTPS_PROXY", format!("http://{}", gate.egress()));
        }
        said(&command.env("HOME", "/nonexistent").env("NETRC", "/dev/null").output().unwrap())
    }

    /// How often the change arrived.
    fn arrived(self, stub: &Server) -> usize {
        let log = stub.log();
        log.lines().filter(|line| line.strip_prefix("came ") == Some(self.change)).count()
    }

    #[track_caller]
    fn check(self) {
        let Some(stub) = served::stub("denials/stub.py", &[]) else { return };
        let gate = self.gate(&stub);
        let told = self.asked(&gate, "carol");
        assert!(told.starts_with(self.error), "{told}\n{}", gate.log());
        assert!(told.contains("belongs to `platform`") && told.contains("ordain decision "), "{told}");
        self.was_refused(&gate);
        assert_eq!(self.arrived(&stub), 0, "{}", stub.log());
        assert_eq!(self.asked(&gate, "alice"), "done\n", "{}", gate.log());
        assert_eq!(self.arrived(&stub), 1, "{}", stub.log());
        self.was_refused(&gate);
        gate.finish();
    }

    /// The gate's own count of what it was asked and refused: an entry of the ledger each, and nothing beside those.
    #[track_caller]
    fn was_refused(self, gate: &Gate) {
        let mut ledger = gate.ledger();
        let refused = ledger.refresh().iter().filter(|entry| entry.text("effect") == "refused");
        let operation = |names: &mut Vec<String>| {
            // What one request does in several ways is one operation.
            names.dedup();
            names.join(" ")
        };
        let operations: Vec<String> = refused.map(|entry| operation(&mut entry.operations())).collect();
        assert_eq!(operations, vec![self.operation; self.sent], "{}", gate.log());
        let told = gate.log().matches("\"message\":\"refused\"").count();
        assert_eq!(told, self.sent, "{}", gate.log());
    }
}

/// It tries a 403 again by itself, where that looks like a limit.
#[test]
fn pygithub_raises_its_exception_once() {
    Row {
        plane: "github",
        client: "github",
        change: "DELETE /repos/acme/web",
        operation: "repos:repos/delete",
        error: "github.GithubException.GithubException 403 carol may not repos/delete ",
        ..ROW
    }
    .check();
}

#[test]
fn okta_returns_its_error_once() {
    Row {
        plane: "okta",
        client: "okta",
        change: "DELETE /api/v1/groups/00g1",
        operation: "group:group/deleteGroup",
        error: "okta.errors.okta_api_error.OktaAPIError 403 Okta HTTP 403 E0000006 carol may not ",
        ..ROW
    }
    .check();
}

#[test]
fn okta_raises_its_exception_once() {
    Row {
        plane: "okta",
        client: "okta_raising",
        change: "DELETE /api/v1/groups/00g1",
        operation: "group:group/deleteGroup",
        error: "okta.exceptions.exceptions.OktaAPIException - {'errorCode': 'E0000006', ",
        ..ROW
    }
    .check();
}

#[test]
fn python_keycloak_raises_its_error_once() {
    Row {
        plane: "keycloak",
        client: "keycloak",
        change: "DELETE /admin/realms/acme/users/7",
        operation: "users:users/delete",
        error: "keycloak.exceptions.KeycloakDeleteError 403 403: ",
        ..ROW
    }
    .check();
}

#[test]
fn the_automation_api_raises_unauthorized_once() {
    Row {
        plane: "vsphere",
        client: "vsphere",
        credentials: "{ header = { name = \"vmware-api-session-id\", file = {token} } }",
        change: "POST /rest/vcenter/vm/vm-42/power/stop",
        operation: "vcenter.vm.power:vcenter.vm.power/stop",
        error: "com.vmware.vapi.std.errors_client.Unauthorized - ",
        ..ROW
    }
    .check();
}

#[test]
fn scim2_client_raises_forbidden_once() {
    Row {
        plane: "scim",
        client: "scim",
        change: "DELETE /Users/7",
        operation: "Users:delete",
        error: "scim2_models.exceptions.ForbiddenException 403 carol may not ",
        ..ROW
    }
    .check();
}

#[test]
fn hvac_raises_forbidden_once() {
    Row {
        plane: "vault",
        client: "vault",
        credentials: "{ header = { name = \"x-vault-token\", file = {token} } }",
        change: "DELETE /v1/secret/metadata/shop",
        operation: "secret:delete/metadata",
        error: "hvac.exceptions.Forbidden - permission denied: carol may not ",
        ..ROW
    }
    .check();
}

#[test]
fn openstacksdk_raises_forbidden_once() {
    Row {
        plane: "openstack",
        client: "openstack",
        credentials: "{ header = { name = \"x-auth-token\", file = {token} } }",
        change: "DELETE /identity/v3/projects/7",
        operation: "identity:projects:delete",
        error: "openstack.exceptions.ForbiddenException 403 ForbiddenException: 403: ",
        ..ROW
    }
    .check();
}

#[test]
fn azure_raises_authorization_failed_once() {
    Row {
        plane: "azure",
        client: "azure",
        account: "5a0b2f1c-9d3e-4c77-8f21-6e0d4b3a2c1f",
        change: "DELETE /subscriptions/5a0b2f1c-9d3e-4c77-8f21-6e0d4b3a2c1f/resourcegroups/web",
        operation: "Microsoft.Resources:subscriptions/resourceGroups/delete",
        error: "azure.core.exceptions.HttpResponseError 403 (AuthorizationFailed) The client 'carol' ",
        ..ROW
    }
    .check();
}

/// Of what is refused it tries again what looks like a limit.
#[test]
fn googleapiclient_raises_its_error_once() {
    Row {
        plane: "gcp",
        client: "google",
        account: "shop",
        is_proxy: true,
        change: "DELETE /compute/v1/projects/shop/zones/us-central1-a/instances/web",
        operation: "compute:instances.delete",
        error: "googleapiclient.errors.HttpError 403 <HttpError 403 ",
        ..ROW
    }
    .check();
}

#[test]
fn sushy_raises_access_error_once() {
    Row {
        plane: "redfish",
        client: "redfish_basic",
        credentials: "{ basic = { user = \"admin\", password_file = {token} } }\nsign_in = true",
        change: "POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
        operation: "Systems:ComputerSystem.Reset",
        error: "sushy.exceptions.AccessError 403 HTTP POST ",
        ..ROW
    }
    .check();
}

/// Whatever is refused to a session of its own it takes for one that has ended: it signs in and asks once more, at any server.
#[test]
fn sushy_signs_in_again_before_it_raises_access_error() {
    Row {
        plane: "redfish",
        client: "redfish",
        credentials: "{ basic = { user = \"admin\", password_file = {token} } }\nsign_in = true",
        change: "POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
        operation: "Systems:ComputerSystem.Reset",
        error: "sushy.exceptions.AccessError 403 HTTP POST ",
        sent: 2,
        ..ROW
    }
    .check();
}
