//! APIs that `OpenAPI` documents describe, behind the gate: PowerDNS with a client of it, Podman with Docker's own,
//! none of which we wrote.
//!
//! Leaves out how a request is read (the room's own cases).

mod sweep;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Gate, eventually, installed, skipped};
use crate::planes::served::{self, REAL, Server};

/// PowerDNS with an empty database; none where it is not installed.
fn powerdns() -> Option<Server> {
    let python = served::python()?;
    let folder = installed("ORDAIN_TEST_POWERDNS")?;
    let libraries = std::fs::read_dir(folder.join("lib")).ok();
    let mut libraries = libraries.into_iter().flatten().map(|entry| entry.unwrap().path());
    let Some(libraries) = libraries.find(|path| path.join("pdns").exists()) else {
        return skipped("the folder of PowerDNS");
    };
    let program = folder.join("sbin/pdns_server");
    let runs = Command::new(&program).arg("--version").env("LD_LIBRARY_PATH", &libraries).output();
    if !runs.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains("PowerDNS")) {
        return skipped("a PowerDNS that runs");
    }
    let schema = folder.join("share/pdns-backend-sqlite3/schema/schema.sqlite3.sql");
    Some(Server::start(|port, folder| {
        let database = folder.join("zones.sqlite3");
        let made =
            "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())";
        let made = Command::new(&python).args(["-c", made]).arg(&database).arg(&schema).status();
        assert!(made.unwrap().success());
        let settings = format!(
            "launch=gsqlite3\ngsqlite3-database={}\nmodule-dir={}\nlocal-address=127.0.0.2\nlocal-port={port}\napi=yes\n\
             api-key={REAL}\nwebserver-address=127.0.0.1\nwebserver-port={port}\nwebserver-loglevel=normal\n\
             loglevel=7\nsocket-dir={}\nsecurity-poll-suffix=\n",
            database.display(),
            libraries.join("pdns").display(),
            folder.display(),
        );
        std::fs::write(folder.join("pdns.conf"), settings).unwrap();
        let mut command = Command::new(&program);
        command.arg(format!("--config-dir={}", folder.display())).args(["--daemon=no", "--guardian=no"]);
        command.env("LD_LIBRARY_PATH", &libraries);
        command
    }))
}

/// Podman, with the API that Docker's clients speak; none where it is not installed.
fn podman() -> Option<Server> {
    served::python()?;
    let program = installed("ORDAIN_TEST_PODMAN")?;
    Some(Server::start(|port, folder| {
        let mut command = Command::new(&program);
        for (option, name) in [
            ("--root", "graph"),
            ("--runroot", "run"),
            ("--tmpdir", "tmp"),
            ("--network-config-dir", "networks"),
        ] {
            command.arg(option).arg(folder.join(name));
        }
        command.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]);
        command.args(["system", "service", "--time", "0", &format!("tcp://127.0.0.1:{port}")]);
        command
    }))
}

/// A gate in front of a server, which reads by that description.
fn gate(server: &Server, name: &str, credentials: &str, mode: &'static str) -> Gate {
    let description = server.folder.path().join("description.yaml");
    std::fs::write(&description, sweep::description(name)).unwrap();
    let settings =
        format!("{credentials}\ndescription = {description:?}\nmethods = {:?}", sweep::methods(name));
    served::gate("openapi", &format!("http://{}", server.address), &settings, mode)
}

/// What a script says.
fn says(name: &str, address: &str, credential: &str, what: &str) -> String {
    let url = format!("http://{address}");
    served::says(&format!("openapi/{name}"), &[&url, credential, what])
}

/// Every line of the one is the other's.
fn same(through: &str, direct: &str) {
    for (through, direct) in through.lines().zip(direct.lines()) {
        assert_eq!(through, direct);
    }
    assert_eq!(through.lines().count(), direct.lines().count(), "{through}");
}

/// The classes of all effects that were recorded, with the first name of each.
fn recorded(gate: &Gate) -> Vec<(String, String)> {
    let mut ledger = gate.ledger();
    let entries = ledger.refresh();
    let effects =
        entries.iter().filter_map(|entry| entry.says.pointer("/content/whole/reading/call/effects"));
    let text = |effect: &Value, pointer: &str| {
        effect.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    effects
        .filter_map(Value::as_array)
        .flatten()
        .map(|effect| (text(effect, "/access"), text(effect, "/resources/0/name")))
        .collect()
}

const DNS_KEY: &str = "{ header = { name = \"X-API-Key\", file = {token} } }";

#[test]
fn a_client_of_powerdns_does_the_same_through_the_gate_as_without_it() {
    let Some(server) = powerdns() else { return };
    let direct = says("dns.py", &server.address, REAL, "day");
    assert!(direct.contains("make shop.example.") && direct.contains("192.0.2.1"), "{direct}");
    let gate = gate(&server, "powerdns", DNS_KEY, "enforce");
    let token = gate.bearer("served", "alice", "person");
    let through = says("dns.py", &gate.address.to_string(), &token, "day");
    // What cannot be a zone's name is refused before the server can say so.
    let other = |line: &&str| !line.starts_with("other ");
    same(
        &through.lines().filter(other).collect::<Vec<_>>().join("\n"),
        &direct.lines().filter(other).collect::<Vec<_>>().join("\n"),
    );
    let recorded = recorded(&gate);
    let has = |access: &str, name: &str| recorded.contains(&(access.to_owned(), name.to_owned()));
    assert!(has("create", "openapi://acme/zones/shop.example."), "{recorded:?}");
    assert!(has("delete", "openapi://acme/zones/shop.example./www.shop.example."), "{recorded:?}");
    assert!(has("delete", "openapi://acme/zones/shop.example."), "{recorded:?}");
    gate.finish();
}

#[test]
fn what_somebody_may_not_do_to_zones_never_arrives() {
    let Some(server) = powerdns() else { return };
    says("dns.py", &server.address, REAL, "make");
    let before = says("dns.py", &server.address, REAL, "list");
    let gate = gate(&server, "powerdns", DNS_KEY, "enforce");
    let token = gate.bearer("served", "carol", "person");
    let denied = says("dns.py", &gate.address.to_string(), &token, "deny");
    let lines: Vec<&str> = denied.lines().collect();
    assert_eq!(lines[0], "zones ['kept.example.']");
    for (line, begins) in lines[1..].iter().zip(["make", "drop", "drop", "add", "config"]) {
        assert!(line.starts_with(&format!("{begins} PDNSError 403 ")), "{denied}");
    }
    assert!(denied.contains("carol may not zones:deleteZone openapi://acme/zones/kept.example."), "{denied}");
    assert_eq!(lines.len(), 6, "{denied}");
    assert_eq!(says("dns.py", &server.address, REAL, "list"), before);
    gate.finish();
}

#[test]
fn dockers_client_does_the_same_through_the_gate_as_without_it() {
    let Some(server) = podman() else { return };
    let direct = says("engine.py", &server.address, "", "day");
    assert!(direct.contains("make web") && direct.contains("get ('hello', b'hi')"), "{direct}");
    let gate = gate(&server, "docker", "\"none\"", "enforce");
    let token = gate.bearer("served", "alice", "person");
    same(&says("engine.py", &gate.address.to_string(), &token, "day"), &direct);
    let recorded = recorded(&gate);
    let has = |access: &str, name: &str| recorded.contains(&(access.to_owned(), name.to_owned()));
    assert!(has("create", "openapi://acme/containers/web"), "{recorded:?}");
    assert!(!has("execute", "openapi://acme/containers/web"), "{recorded:?}");
    assert!(has("execute", "openapi://acme/containers/strong"), "{recorded:?}");
    let shown: String = gate.ledger().texts().concat();
    assert!(!shown.contains("hunter2"), "what an environment holds is in the ledger");
    gate.finish();
}

#[test]
fn what_somebody_may_not_do_to_containers_never_arrives() {
    let Some(server) = podman() else { return };
    assert_eq!(says("engine.py", &server.address, "", "make"), "True web\n");
    let before = says("engine.py", &server.address, "", "list");
    let gate = gate(&server, "docker", "\"none\"", "enforce");
    let token = gate.bearer("served", "carol", "person");
    let denied = says("engine.py", &gate.address.to_string(), &token, "deny");
    let lines: Vec<&str> = denied.lines().collect();
    assert_eq!(lines[0], "list ['web']");
    for line in &lines[1..] {
        assert!(line.contains(" APIError 403 carol may not "), "{denied}");
    }
    assert_eq!(lines.len(), 10, "{denied}");
    assert_eq!(says("engine.py", &server.address, "", "list"), before);
    gate.finish();
}

#[test]
fn what_a_description_says_is_not_said_anew_while_the_gate_runs() {
    let Some(server) = powerdns() else { return };
    let gate = gate(&server, "powerdns", DNS_KEY, "enforce");
    gate.edit(|text| text.replace("openapi/powerdns.toml", "openapi/docker.toml"));
    gate.hang_up();
    eventually("it is said", || gate.log().contains("`upstream.descriptors, upstream.description"));
    assert!(gate.log().contains("which takes a restart"));
    gate.finish();
}

/// A file that does not fit its description is told of before anything is served.
#[test]
fn a_description_and_what_is_said_of_it_have_to_fit() {
    assert!(Path::new(&sweep::methods("docker")).exists());
    let described =
        ordain::api::described("x", sweep::description("powerdns"), Some(&sweep::methods("docker")));
    let config = ordain_decode::RoomsConfig {
        openapi: vec![described.unwrap()],
        ..ordain_decode::RoomsConfig::default()
    };
    let why = ordain_decode::Rooms::new(config).unwrap_err().to_string();
    assert!(why.starts_with("the API of the upstream `x` cannot be read: `"), "{why}");
    assert!(why.ends_with("name one by its `operationId` or as `METHOD /path`"), "{why}");
}
