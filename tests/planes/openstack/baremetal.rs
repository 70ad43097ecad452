//! Ironic without Keystone behind the gate, with openstacksdk in front of it: neither of them ours.
//!
//! Leaves out how a request is read (the room's own cases), and metal: the machines only say that they are some.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::planes::served::{self, REAL, Server};

const CREDENTIALS: &str = "{ header = { name = \"x-auth-token\", file = {token} } }";

/// None where it is not installed.
fn ironic() -> Option<Server> {
    let python = served::python()?;
    if !python.with_file_name("ironic-dbsync").exists() {
        eprintln!("skipped: Ironic is not installed");
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/planes/openstack/baremetal.py");
    let server = Server::start_within(Duration::from_secs(120), |port, folder| {
        let mut command = Command::new(&python);
        command.args([script, "serve", port]).arg(folder);
        command
    });
    // It listens before it has somebody who does the work.
    let until = Instant::now() + Duration::from_secs(60);
    while !server.log().contains("Successfully started conductor") {
        assert!(Instant::now() < until, "{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(server)
}

/// What it was asked, as `VERB PATH`.
fn asked(server: &Server) -> Vec<String> {
    let log = server.log();
    // `… ironic.api [… - - - - - -] 127.0.0.1 - GET /v1/nodes - 200 (8.3ms)`
    let told = log.lines().filter_map(|line| line.split_once(" ironic.api [")?.1.split_once("] "));
    told.filter_map(|(_, told)| told.split(" - ").nth(1).map(str::to_owned)).collect()
}

fn changes(server: &Server) -> usize {
    asked(server).iter().filter(|asked| !asked.starts_with("GET ")).count()
}

fn client(verb: &str, base: &str, token: &str) -> String {
    served::says("openstack/baremetal.py", &[verb, base, token])
}

#[test]
fn a_day_at_ironic_is_the_same_through_the_gate() {
    let Some(ironic) = ironic() else { return };
    let base = format!("http://{}", ironic.address);
    let direct = client("day", &base, REAL);
    let directly = changes(&ironic);
    assert!(directly >= 20 && direct.lines().count() == 18 && !direct.contains("Forbidden"), "{direct}");

    let gate = served::gate("openstack", &base, CREDENTIALS, "enforce");
    let token = gate.bearer("served", "alice", "person");
    let before = asked(&ironic).len();
    let through = client("day", &format!("http://{}", gate.address), &token);
    assert_eq!(through, direct);
    assert_eq!(changes(&ironic), 2 * directly);
    // All of it came through the gate, what its answers led to among it.
    assert_eq!(asked(&ironic).len() - before, served::decided(&gate));
    gate.finish();
}

#[test]
fn a_denied_change_never_arrives_at_ironic_and_is_the_librarys_own_error() {
    let Some(ironic) = ironic() else { return };
    let base = format!("http://{}", ironic.address);
    let made = client("made", &base, REAL);
    let before = changes(&ironic);
    assert!(before >= 15, "{made}");
    let gate = served::gate("openstack", &base, CREDENTIALS, "enforce");
    let token = gate.bearer("served", "carol", "person");
    let denied = client("denied", &format!("http://{}", gate.address), &token);
    for line in denied.lines() {
        assert!(line.contains(": ForbiddenException 403: carol may not baremetal:"), "{denied}");
    }
    assert_eq!(denied.lines().count(), 11, "{denied}");
    assert_eq!(changes(&ironic), before, "{}", ironic.log());
    gate.finish();
}
