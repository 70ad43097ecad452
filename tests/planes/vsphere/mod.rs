//! The simulator of a vCenter behind the gate, with pyvmomi and govmomi in front of it: none of them ours.
//!
//! Leaves out how a request is read (the room's own cases), and vCenters: the simulator stands for one.

mod login;
mod sweep;

use std::process::Command;

use crate::harness::{Gate, installed, said, skipped, variable};
use crate::planes::served::{self, Server};

/// The password that the simulator takes.
const PASSWORD: &str = "a-real-password-that-stays-outside";

/// A simulator, and a session of each of its APIs.
struct Simulator {
    server: Server,
}

impl Simulator {
    /// None where it is not installed, or its client is not.
    fn start() -> Option<Self> {
        let program = installed("ORDAIN_TEST_VCSIM")
            .filter(|path| path.exists())
            .or_else(|| skipped("the simulator of vSphere"))?;
        let python = served::python()?;
        let has = Command::new(&python).args(["-c", "import pyVmomi"]).output().unwrap();
        if !has.status.success() {
            return skipped("pyvmomi");
        }
        let server = Server::start(|port, _| {
            let mut command = Command::new(&program);
            command.args([&format!("127.0.0.1:{port}"), PASSWORD]);
            command
        });
        let simulator = Self { server };
        let file = simulator.file("session");
        let made = simulator.client(&simulator.server.address, PASSWORD, &["session", &file]);
        assert_eq!(made, "", "{}", simulator.server.log());
        Some(simulator)
    }

    fn file(&self, name: &str) -> String {
        self.server.folder.path().join(name).display().to_string()
    }

    /// The session itself.
    fn session(&self) -> String {
        let cookie = std::fs::read_to_string(self.file("session")).unwrap();
        cookie.split_once('=').unwrap().1.trim_matches('"').to_owned()
    }

    /// A gate in front of it that has the session of vim25, or that of the older REST API.
    fn gate(&self, header: &str, file: &str) -> Gate {
        let file = self.file(file);
        let credentials = format!("{{ header = {{ name = {header:?}, file = {file:?} }} }}");
        let base = format!("http://{}", self.server.address);
        // Nothing is asked of it at start, so that nothing tells of it.
        let gate = served::gate_alone("vsphere", &base, &credentials, "enforce");
        gate.must_not_write(&self.session());
        gate
    }

    /// One that signs in itself, for clients that do.
    fn gate_that_signs_in(&self) -> Gate {
        let file = self.file("password");
        std::fs::write(&file, PASSWORD).unwrap();
        let login = format!("{{ vsphere = {{ user = \"user\", password_file = {file:?} }} }}");
        let credentials = format!("{login}\nsign_in = true");
        let base = format!("http://{}", self.server.address);
        let gate = served::gate("vsphere", &base, &credentials, "enforce");
        gate.must_not_write(PASSWORD);
        gate
    }

    fn client(&self, address: &str, token: &str, what: &[&str]) -> String {
        let python = served::python().unwrap();
        let arguments = [&[address, token], what].concat();
        said(&served::script(&python, "vsphere/client.py", &arguments))
    }
}

#[test]
fn a_tour_of_pyvmomi_is_the_same_through_the_gate() {
    let Some(direct) = Simulator::start() else { return };
    let session = direct.session();
    let without = direct.client(&direct.server.address, &session, &["tour"]);
    assert!(without.contains("destroy: success") && without.contains("cpus: 2"), "{without}");
    let behind = Simulator::start().unwrap();
    let gate = behind.gate("Cookie", "session");
    let token = gate.bearer("served", "alice", "person");
    let through = behind.client(&gate.address.to_string(), &token, &["tour"]);
    assert_eq!(through, without, "{}", gate.log());
    gate.finish();
}

#[test]
fn a_denied_change_never_arrives_and_is_the_clients_own_fault() {
    let Some(simulator) = Simulator::start() else { return };
    let gate = simulator.gate("Cookie", "session");
    let token = gate.bearer("served", "carol", "person");
    let answers = simulator.client(&gate.address.to_string(), &token, &["changes"]);
    for change in ["off", "destroy", "reconfigure", "folder", "role", "program"] {
        let answer = answers.lines().find(|line| line.starts_with(&format!("{change}: ")));
        let answer = answer.unwrap_or_else(|| panic!("{answers}"));
        assert!(answer.contains("NoPermission: ") && answer.contains("acme"), "{answer}");
    }
    assert!(
        answers.contains("logout: vim.fault.NoPermission: ") && answers.contains("the gate's own"),
        "{answers}"
    );
    let on = simulator.client(&simulator.server.address, &simulator.session(), &["power", "DC0_H0_VM0"]);
    assert_eq!(on.trim(), "poweredOn");
    gate.finish();
}

#[test]
fn govmomi_looks_and_changes_through_the_gate() {
    let Some(simulator) = Simulator::start() else { return };
    let gate = simulator.gate("Cookie", "session");
    let client = |actor: &str| {
        let token = gate.bearer("served", actor, "person");
        let mut command = Command::new("timeout");
        command.arg("60").arg(variable("ORDAIN_TEST_VCSIM").unwrap());
        said(&command.args(["client", &gate.address.to_string(), &token]).output().unwrap())
    };
    let own = client("alice");
    assert_eq!(own, "found: /DC0/vm/DC0_H0_VM0\noff: done\non: done\nreconfigure: done\n", "{}", gate.log());
    let others = client("carol");
    assert!(others.starts_with("found: /DC0/vm/DC0_H0_VM0\noff: types.NoPermission: "), "{others}");
    assert_eq!(others.matches("types.NoPermission: ").count(), 3, "{others}");
    gate.finish();
}

#[test]
fn what_cannot_be_read_never_arrives() {
    let Some(simulator) = Simulator::start() else { return };
    let gate = simulator.gate("Cookie", "session");
    let token = gate.bearer("served", "alice", "person");
    let answers = simulator.client(&gate.address.to_string(), &token, &["spoiled"]);
    assert_eq!(answers.lines().filter(|line| line.contains("<NoPermissionFault")).count(), 4, "{answers}");
    let on = simulator.client(&simulator.server.address, &simulator.session(), &["power", "DC0_H0_VM0"]);
    assert_eq!(on.trim(), "poweredOn");
    gate.finish();
}

#[test]
fn a_session_is_not_handed_out() {
    let Some(simulator) = Simulator::start() else { return };
    let gate = simulator.gate("Cookie", "session");
    let token = gate.bearer("served", "alice", "person");
    let answer = simulator.client(&gate.address.to_string(), &token, &["login"]);
    assert!(
        answer.starts_with("login: vim.fault.NoPermission: ") && answer.contains("real credential"),
        "{answer}"
    );
    gate.finish();
}

/// Neither a cookie nor a header of its own: what scripts have, with the token as the password.
#[test]
fn clients_sign_in_with_a_token_as_the_password() {
    let Some(direct) = Simulator::start() else { return };
    let without = direct.client(&direct.server.address, &direct.session(), &["tour"]);
    let behind = Simulator::start().unwrap();
    let gate = behind.gate_that_signs_in();
    let address = gate.address.to_string();
    let token = gate.bearer("served", "alice", "person");
    let through = behind.client(&address, &token, &["signed-in"]);
    let (tour, rest) = through.split_at(through.find("wrong: ").unwrap_or(through.len()));
    assert_eq!(tour, without, "{through}\n{}", gate.log());
    let lines: Vec<&str> = rest.lines().collect();
    assert!(lines[0].starts_with("wrong: vim.fault.NotAuthenticated: the password is no token"), "{rest}");
    assert_eq!(lines[1..], ["out: Datacenters", "rest: 200"], "{rest}");
    let carol = gate.bearer("served", "carol", "person");
    let mut command = Command::new("timeout");
    command.arg("60").arg(variable("ORDAIN_TEST_VCSIM").unwrap());
    let others = said(&command.args(["login", &address, &carol]).output().unwrap());
    assert!(others.starts_with("found: /DC0/vm/DC0_H0_VM0\noff: types.NoPermission: "), "{others}");
    gate.finish();
}

#[test]
fn the_older_rest_api_reads_and_changes_through_the_gate() {
    let Some(simulator) = Simulator::start() else { return };
    let gate = simulator.gate("vmware-api-session-id", "session-rest");
    let answers = |actor| {
        simulator.client(&gate.address.to_string(), &gate.bearer("served", actor, "person"), &["rest"])
    };
    let own = answers("alice");
    for line in ["whose: ", "category: made", "categories: 1", "gone: "] {
        assert!(own.lines().any(|own| own.starts_with(line)), "{own}");
    }
    for refused in ["session: 403: ", "end: "] {
        let line = own.lines().find(|line| line.starts_with(refused)).unwrap_or_else(|| panic!("{own}"));
        assert!(line.contains("com.vmware.vapi.std.errors.") || line.contains("error_type"), "{own}");
    }
    let others = answers("carol");
    assert!(others.contains("category: 403: ") && others.contains("errors.unauthorized"), "{others}");
    gate.finish();
}
