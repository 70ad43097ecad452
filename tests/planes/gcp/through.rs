//! Google's own libraries through the gate, by TLS, in front of servers of Google's APIs that others wrote: a day's work is the
//! same as without the gate, on a listener as by the egress gateway, and what is denied never arrives.
//!
//! Leaves out how a request is read (the room's own cases), and Google: no server here is.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::harness::{Gate, Setup, said};
use crate::planes::served::{self, Server};

const CREDENTIALS: &str = "{ token_file = {token} }";

/// What a day of buckets comes to at `drongo`.
const BUCKETS: &str = "bucket: EU\n\
                       buckets: ['orders']\n\
                       small: (9, 'text/plain', '+zTB1g==')\n\
                       described: {'of': 'alice'}\n\
                       large: 525288\n\
                       begun: (200, '4')\n\
                       listed: [('2026/begun.bin', 4), ('2026/described.json', 2), ('2026/large.bin', 525288), ('2026/small.txt', 9)]\n\
                       below: ([], ['2026/'])\n\
                       read: True\n\
                       part: b'bicycle'\n\
                       labelled: {'of': 'web'}\n\
                       copied: kept/small.txt\n\
                       policy: ['roles/storage.objectViewer']\n\
                       missing: NotFound 404\n\
                       removed: ['2026/begun.bin', '2026/large.bin', '2026/small.txt', 'kept/small.txt']\n\
                       gone: []\n";

/// None where it is not installed.
fn server(which: &str) -> Option<Server> {
    let python = served::python()?;
    let module = if which == "storage" { "gcp_storage_emulator" } else { which };
    let there =
        Command::new(&python).args(["-c", &format!("import {module}, google.cloud.storage")]).output();
    if !there.unwrap().status.success() {
        eprintln!("skipped: `{module}` is not installed");
        return None;
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/planes/gcp/servers.py");
    Some(Server::start(|port, _| {
        let mut command = Command::new(&python);
        command.args([path, which, port]);
        command
    }))
}

/// The requests that a server was asked to change something by.
fn changes(server: &Server) -> Vec<String> {
    let log = server.log();
    let change = |line: &&str| {
        ["\"POST ", "\"PUT ", "\"PATCH ", "\"DELETE "].iter().any(|verb| line.starts_with(verb))
    };
    log.lines().filter(change).map(str::to_owned).collect()
}

/// How many requests a server was asked.
fn asked(server: &Server) -> usize {
    server.log().lines().filter(|line| line.starts_with('"')).count()
}

/// A gate in front of it. The project is of the team that the organization is of, and `dora` may read it.
fn gate(server: &Server, listen: &str) -> Gate {
    let mut setup = Setup { listen: listen.to_owned(), mode: "enforce", ..Setup::default() };
    let owned = "apiVersion: ordain/v1\nkind: Account\nmetadata: {name: shop}\n\
                 spec: {plane: gcp, account: shop, owner: platform}\n---\n\
                 apiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: dora}\n\
                 spec: {memberOf: [payments], reads: {accounts: [acme, shop]}}\n";
    setup.model.push(("shop.yaml", owned.to_owned()));
    served::gate_with(setup, "gcp", &format!("http://{}", server.address), CREDENTIALS)
}

/// A gate that is asked under a name of its own.
fn listener(server: &Server) -> (Gate, String) {
    let gate = gate(server, "names = [\"gate.example\"]\n");
    let how = format!("gate.example:{}", gate.address.port());
    (gate, how)
}

/// A gate that is taken for a proxy.
fn egress(server: &Server) -> Gate {
    gate(server, "egress = \"127.0.0.1:0\"\n")
}

/// What the libraries say with the variables that are printed for a client of this actor and nothing else to find.
fn through(gate: &Gate, actor: &str, how: &str, what: &str, day: &str) -> String {
    let mut asked = vec!["-o", "json", "env", "--upstream", "served", "--actor", actor, "--kind", "person"];
    if how == "-" {
        asked.push("--proxy");
    }
    let printed = gate.run(&asked);
    let mut variables: BTreeMap<String, String> =
        serde_json::from_slice(&printed.stdout).unwrap_or_else(|_| panic!("{}", said(&printed)));
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    if how != "-" {
        let bundle = gate.folder.path().join("state/ca-bundle.pem").display().to_string();
        for name in ["REQUESTS_CA_BUNDLE", "HTTPLIB2_CA_CERTS"] {
            variables.insert(name.to_owned(), bundle.clone());
        }
    }
    client(how, what, day, &variables)
}

fn client(how: &str, what: &str, day: &str, variables: &BTreeMap<String, String>) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/gcp/client.py");
    let mut command = Command::new("timeout");
    command.arg("90").arg(served::python().unwrap()).arg(script).args([how, what, day]);
    command.env("HOME", "/nonexistent").env_remove("GOOGLE_APPLICATION_CREDENTIALS");
    // The libraries say of the tests' Python that it will be old one day.
    command.env("PYTHONWARNINGS", "ignore").envs(variables);
    said(&command.output().unwrap())
}

/// A day's work on one of the servers is the same on a listener of the gate's.
#[track_caller]
fn is_the_same_on_a_listener(which: &str, what: &str, fewest: usize) -> Option<(String, Vec<String>)> {
    let server = server(which)?;
    let at_first = client(&format!("http://{}", server.address), what, "day", &BTreeMap::new());
    let asked = changes(&server);
    assert!(asked.len() >= fewest && !at_first.contains("403"), "{at_first}\n{}", server.log());
    assert!(at_first.lines().all(|line| line.contains(": ")) && at_first.lines().count() >= 12, "{at_first}");

    let behind = self::server(which).unwrap();
    let (gate, how) = listener(&behind);
    assert_eq!(through(&gate, "alice", &how, what, "day"), at_first, "{}", gate.log());
    assert_eq!(changes(&behind).len(), asked.len(), "{}", behind.log());
    // All of it came through the gate, what its answers led to among it.
    assert_eq!(self::asked(&behind), served::decided(&gate), "{}", behind.log());
    gate.finish();
    Some((at_first, asked))
}

/// The same, and by the egress gateway.
#[track_caller]
fn is_the_same(which: &str, what: &str, fewest: usize) {
    let Some((at_first, asked)) = is_the_same_on_a_listener(which, what, fewest) else { return };
    let behind = server(which).unwrap();
    let gate = egress(&behind);
    assert_eq!(through(&gate, "alice", "-", what, "day"), at_first, "{}", gate.log());
    assert_eq!(changes(&behind), asked);
    gate.finish();
}

/// Whoever may only read is told so by an error of the library's own, and nothing arrives.
#[track_caller]
fn is_denied(which: &str, what: &str, error: &str) {
    let Some(server) = server(which) else { return };
    let made = client(&format!("http://{}", server.address), what, "made", &BTreeMap::new());
    let before = changes(&server);
    assert!(before.len() >= 6, "{made}");
    let (listener, how) = listener(&server);
    for (gate, how) in [(listener, how.as_str()), (egress(&server), "-")] {
        let denied = through(&gate, "dora", how, what, "denied");
        for line in denied.lines() {
            let (_, told) = line.split_once(": ").unwrap_or_default();
            assert!(told.starts_with(error) && told.contains("dora may not "), "{denied}\n{}", gate.log());
        }
        assert!(denied.lines().count() >= 6, "{denied}");
        assert_eq!(changes(&server), before, "{how}");
        gate.finish();
    }
}

#[test]
fn a_day_of_machines_is_the_same_through_the_gate() {
    is_the_same("gcplocal", "compute", 11);
}

#[test]
fn a_day_of_buckets_is_the_same_through_the_gate() {
    // What it names in its answers is the host that it was asked at: by the egress gateway a client would leave the gate.
    drop(is_the_same_on_a_listener("storage", "storage", 14));
}

#[test]
fn where_a_server_names_googles_own_hosts_an_upload_in_parts_stays_on_the_way_through_the_gate() {
    let Some(server) = server("drongo") else { return };
    let (listener, how) = listener(&server);
    let gates = [(listener, how.as_str()), (egress(&server), "-")];
    for (gate, how) in gates {
        assert_eq!(through(&gate, "alice", how, "storage", "day"), BUCKETS, "{}", gate.log());
        let parts = server.log().matches("\"PUT /upload/storage/v1/b/orders/o?").count();
        assert!(parts >= 4, "{}", server.log());
        gate.finish();
    }
}

#[test]
fn a_day_of_other_services_is_the_same_through_the_gate() {
    is_the_same("drongo", "services", 14);
}

#[test]
fn a_denied_change_of_machines_never_arrives_and_is_the_librarys_own_error() {
    is_denied("gcplocal", "compute", "HttpError 403 ");
}

#[test]
fn a_denied_change_of_buckets_never_arrives_and_is_the_librarys_own_error() {
    is_denied("storage", "storage", "Forbidden 403 ");
}

#[test]
fn a_denied_change_of_other_services_never_arrives_and_is_the_librarys_own_error() {
    is_denied("drongo", "services", "HttpError 403 ");
}
