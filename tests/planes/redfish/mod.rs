//! sushy-tools, a management controller that is none, behind the gate, and sushy and redfishtool in front of it.
//!
//! Leaves out how a request is read (the room's own cases).

mod sweep;

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{read_reply, said};
use crate::planes::served::{self, Server};

/// The real password, as the server keeps it.
const PASSWORDS: &str = "admin:$2b$04$GsMe8pp3QXlOJTcMwO0Sru24irGw9e1ehEvxcmpue.XOgPi7Kd7hu\n";

fn server() -> Option<Server> {
    let program = served::python()?.with_file_name("sushy-emulator");
    Some(Server::start(|port, folder| {
        let passwords = folder.join("passwords");
        std::fs::write(&passwords, PASSWORDS).unwrap();
        let config = folder.join("emulator.py");
        let settings =
            format!("SUSHY_EMULATOR_AUTH_FILE = {passwords:?}\nSUSHY_EMULATOR_STATE_DIR = {folder:?}\n");
        std::fs::write(&config, settings).unwrap();
        let mut command = Command::new(&program);
        command.arg("--config").arg(config).args(["--fake", "-i", "127.0.0.1", "-p", port]);
        command
    }))
}

const CREDENTIALS: &str = "{ basic = { user = \"admin\", password_file = {token} } }";

/// A file that says to both clients how to sign in: they ask for the root of a service before they do.
fn netrc(base: &str, password: &str) -> tempfile::NamedTempFile {
    let host = base.trim_start_matches("http://").split(':').next().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("machine {host} login admin password {password}\n")).unwrap();
    file
}

fn client(base: &str, password: &str, verb: &str) -> String {
    let file = netrc(base, password);
    client_with(file.path(), base, password, verb)
}

fn client_with(netrc: &Path, base: &str, password: &str, verb: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/redfish/client.py");
    let mut command = Command::new("timeout");
    command.arg("90").arg(served::python().unwrap()).arg(script).args([base, "admin", password, verb]);
    said(&command.env("NETRC", netrc).stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_tour_of_sushy_is_the_same_through_the_gate() {
    let Some(server) = server() else { return };
    let direct = client(&format!("http://{}", server.address), served::REAL, "tour");
    assert!(direct.contains("boot: done") && direct.contains("BootSource.PXE"), "{direct}");
    let other = self::server().unwrap();
    let gate = served::gate("redfish", &format!("http://{}", other.address), CREDENTIALS, "enforce");
    let token = gate.bearer("served", "alice", "person");
    let through = client(&format!("http://{}", gate.address), &token, "tour");
    for (through, direct) in through.lines().zip(direct.lines()) {
        assert_eq!(through, direct);
    }
    assert_eq!(through, direct);
    gate.finish();
}

#[test]
fn a_denied_change_never_arrives_and_is_the_clients_own_error() {
    let Some(server) = server() else { return };
    let gate = served::gate("redfish", &format!("http://{}", server.address), CREDENTIALS, "enforce");
    let token = gate.bearer("served", "carol", "person");
    let base = format!("http://{}", gate.address);
    // Of what it asks to eject, sushy tells nobody that it was refused.
    assert_eq!(client(&base, &token, "eject"), "eject: done\n");
    for change in ["off", "boot", "led", "media", "update", "clock"] {
        let answer = client(&base, &token, change);
        let expected = format!("{change}: AccessError 403 Base.1.18.InsufficientPrivilege: ");
        assert!(answer.starts_with(&expected) && answer.contains("acme"), "{answer}");
    }
    let log = server.log();
    assert!(log.contains("GET /redfish/v1/Systems"), "{log}");
    assert!(!log.contains("POST") && !log.contains("PATCH"), "{log}");
    gate.finish();
}

const SIGNS_IN: &str = "{ basic = { user = \"admin\", password_file = {token} } }\nsign_in = true";

/// A name and a password are all that a client has, and it has a session of ours for them.
#[test]
fn clients_sign_in_with_a_token_as_the_password() {
    let Some(server) = server() else { return };
    let direct = client(&format!("http://{}", server.address), served::REAL, "tour");
    let other = self::server().unwrap();
    let gate = served::gate("redfish", &format!("http://{}", other.address), SIGNS_IN, "enforce");
    let base = format!("http://{}", gate.address);
    let nothing = Path::new("/dev/null");
    let through = client_with(nothing, &base, &gate.bearer("served", "alice", "person"), "signed-in");
    assert_eq!(through, direct, "{}", gate.log());
    let carol = gate.bearer("served", "carol", "person");
    let refused = client_with(nothing, &base, &carol, "off");
    assert!(refused.starts_with("off: AccessError 403 "), "{refused}");
    let mut tool = Command::new("timeout");
    tool.arg("60").arg(served::python().unwrap().with_file_name("redfishtool"));
    tool.args(["-r", &gate.address.to_string(), "-u", "admin", "-p", &carol, "-S", "Never", "-A", "Basic"]);
    let shown = said(&tool.args(["Systems", "-F", "list"]).env("NETRC", nothing).output().unwrap());
    assert!(shown.contains("27946b59-9e44-4fa7-8e91-f3527a1ef094"), "{shown}\n{}", gate.log());
    assert!(!other.log().contains("SessionService/Sessions"), "{}", other.log());
    gate.finish();
}

#[test]
fn a_session_is_not_handed_out() {
    let Some(server) = server() else { return };
    let gate = served::gate("redfish", &format!("http://{}", server.address), CREDENTIALS, "enforce");
    let token = gate.bearer("served", "alice", "person");
    let request = format!(
        "POST /redfish/v1/SessionService/Sessions/ HTTP/1.1\r\nhost: {}\r\nx-auth-token: {token}\r\n\
         content-type: application/json\r\ncontent-length: 35\r\nconnection: close\r\n\r\n\
         {{\"UserName\":\"admin\",\"Password\":\"x\"}}",
        gate.address
    );
    let mut stream = TcpStream::connect(gate.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let answer = read_reply(&mut stream, false).unwrap();
    assert_eq!((answer.status, answer.reason()), (403, "custody_leak"), "{}", answer.text());
    assert!(answer.text().contains("Base.1.18.InsufficientPrivilege"), "{}", answer.text());
    assert!(!server.log().contains("POST"), "{}", server.log());
    gate.finish();
}

#[test]
fn redfishtool_reads_and_switches_through_the_gate() {
    let Some(server) = server() else { return };
    let gate = served::gate("redfish", &format!("http://{}", server.address), CREDENTIALS, "enforce");
    let tool = |actor: &str, arguments: &[&str]| {
        let token = gate.bearer("served", actor, "person");
        let mut command = Command::new("timeout");
        command.arg("60").arg(served::python().unwrap().with_file_name("redfishtool"));
        command.args([
            "-r",
            &gate.address.to_string(),
            "-u",
            "admin",
            "-p",
            &token,
            "-S",
            "Never",
            "-A",
            "Basic",
        ]);
        let file = netrc(&gate.address.to_string(), &token);
        said(&command.args(arguments).env("NETRC", file.path()).output().unwrap())
    };
    let shown = tool("alice", &["Systems", "-F", "list"]);
    assert!(shown.contains("27946b59-9e44-4fa7-8e91-f3527a1ef094"), "{shown}\n{}", gate.log());
    let refused = tool("carol", &["Systems", "-F", "reset", "On"]);
    assert!(refused.contains("403"), "{refused}");
    assert!(!server.log().contains("POST"), "{}", server.log());
    drop(tool("alice", &["Systems", "-F", "reset", "On"]));
    // The server paints what is no 200.
    let log = server.log();
    let reset =
        log.lines().find(|line| line.contains("POST") && line.contains("Actions/ComputerSystem.Reset"));
    assert!(reset.is_some_and(|line| line.contains(" 204 ")), "{log}");
    gate.finish();
}
