//! Keystone behind the gate, with openstacksdk and openstackclient in front of it: none of them ours.
//!
//! Leaves out how a request is read (the room's own cases) and the services that are not there to be started.

mod baremetal;
mod login;
mod sweep;
mod tokens;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Gate, said, skipped};
use crate::planes::served::{self, Server};

/// A Keystone of its own database.
struct Keystone {
    server: Server,
    token: String,
}

impl Keystone {
    /// None where it is not installed.
    fn start() -> Option<Self> {
        Self::start_with(None)
    }

    /// The same, whose tokens last for so many seconds.
    fn start_with(lasts: Option<u32>) -> Option<Self> {
        let python = served::python()?;
        if !python.with_file_name("keystone-manage").exists() {
            return skipped("Keystone");
        }
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/openstack/keystone.py");
        let server = Server::start(|port, folder| {
            if let Some(lasts) = lasts {
                std::fs::write(folder.join("lasts"), lasts.to_string()).unwrap();
            }
            let mut command = Command::new(&python);
            command.arg(&script).args(["serve", port]).arg(folder);
            command
        });
        // Its database takes its time to make.
        let until = Instant::now() + Duration::from_secs(120);
        let path = server.folder.path().join("token");
        while !path.exists() {
            assert!(Instant::now() < until, "{}", server.log());
            std::thread::sleep(Duration::from_millis(100));
        }
        let token = std::fs::read_to_string(path).unwrap();
        Some(Self { server, token })
    }

    fn base(&self) -> String {
        format!("http://{}", self.server.address)
    }

    fn gate(&self) -> Gate {
        let file = self.server.folder.path().join("token").display().to_string();
        let credentials = format!("{{ header = {{ name = \"x-auth-token\", file = {file:?} }} }}");
        let gate = served::gate("openstack", &self.base(), &credentials, "enforce");
        gate.must_not_write(&self.token);
        gate
    }

    /// What Keystone was asked to change.
    fn changes(&self) -> usize {
        let log = self.server.log();
        let asked = |verb: &str| log.matches(&format!("\"{verb} /")).count();
        ["POST", "PUT", "PATCH", "DELETE"].into_iter().map(asked).sum()
    }
}

fn steps(verb: &str, base: &str, token: &str, steps: &[&str]) -> String {
    let arguments: Vec<&str> = [verb, base, token].into_iter().chain(steps.iter().copied()).collect();
    served::says("openstack/keystone.py", &arguments)
}

#[test]
fn a_day_at_keystone_is_the_same_through_the_gate() {
    let Some(keystone) = Keystone::start() else { return };
    let at_first = keystone.changes();
    let direct = steps("day", &keystone.base(), &keystone.token, &[]);
    let directly = keystone.changes() - at_first;
    assert!(directly >= 18, "{}", keystone.server.log());
    assert!(direct.lines().count() == 17 && !direct.contains("Exception"), "{direct}");
    let gate = keystone.gate();
    let token = gate.bearer("served", "alice", "person");
    let through = steps("day", &format!("http://{}", gate.address), &token, &[]);
    assert_eq!(through, direct);
    assert_eq!(keystone.changes(), at_first + 2 * directly);
    gate.finish();
}

#[test]
fn what_is_denied_never_arrives_and_is_the_librarys_own_error() {
    let Some(keystone) = Keystone::start() else { return };
    let gate = keystone.gate();
    let through = format!("http://{}", gate.address);
    let before = keystone.changes();
    let carol = gate.bearer("served", "carol", "person");
    let denied = steps("try", &through, &carol, &["domains", "project", "user", "role", "group"]);
    let mut lines = denied.lines();
    assert_eq!(lines.next(), Some("domains: ['Default']"), "{denied}");
    for line in lines {
        assert!(
            line.contains("ForbiddenException 403: ") && line.contains("carol may not identity:"),
            "{line}"
        );
    }
    // Of a role on the system the library tells by its answer alone that it was given, and nothing of a refusal.
    assert_eq!(steps("try", &through, &carol, &["admin"]), "admin: None\n");
    // What hands out a credential goes to nobody, whoever asks.
    let alice = gate.bearer("served", "alice", "person");
    for line in steps("try", &through, &alice, &["secret"]).lines() {
        assert!(line.contains("ForbiddenException 403: "), "{line}");
    }
    assert_eq!(keystone.changes(), before, "{}", keystone.server.log());
    gate.finish();
}

#[test]
fn openstackclient_finds_the_gate_by_the_variables_that_are_printed() {
    let Some(keystone) = Keystone::start() else { return };
    let gate = keystone.gate();
    let asked = ["-o", "json", "env", "--upstream", "served", "--actor", "alice", "--kind", "person"];
    let printed = gate.run(&asked);
    let variables: BTreeMap<String, String> =
        serde_json::from_slice(&printed.stdout).unwrap_or_else(|_| panic!("{}", said(&printed)));
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    let openstack = |arguments: &[&str]| {
        let mut command = Command::new("timeout");
        command.arg("60").arg(served::python().unwrap().with_file_name("openstack")).args(arguments);
        command.envs(&variables).env("OS_IDENTITY_API_VERSION", "3").output().unwrap()
    };
    let made = openstack(&["project", "create", "-f", "value", "-c", "name", "shop"]);
    assert!(said(&made).contains("shop") && made.status.success(), "{}", said(&made));
    let listed = openstack(&["project", "list", "-f", "value", "-c", "Name"]);
    let names = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(names.lines().collect::<std::collections::BTreeSet<_>>(), ["admin", "shop"].into());
    gate.finish();
}
