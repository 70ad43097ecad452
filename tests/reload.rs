//! Settings, certificate and model changed while the gate runs: taken up whole, recorded first, or not at all.
//!
//! Leaves out what each setting does.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};

use crate::harness::{Gate, Sent, Setup, a_change, eventually, said};

/// The gate's own changes of some kinds, as kind and summary.
fn own_changes(gate: &Gate) -> Vec<String> {
    gate.ledger()
        .refresh()
        .iter()
        .filter(|entry| ["mode", "configuration", "model"].contains(&entry.text("what")))
        .map(|entry| format!("{}: {}", entry.text("what"), entry.text("summary")))
        .collect()
}

#[test]
fn a_mode_is_recorded_and_then_in_force() {
    let gate = Gate::start(Setup::default());
    let mallory = gate.client("mallory");
    assert_eq!(mallory.send(&a_change(1)).status, 403);
    gate.edit(|text| text.replace("mode = \"enforce\"", "mode = \"shadow\"") + "\n");
    eventually("the mode goes down", || mallory.send(&a_change(2)).status == 200);
    assert_eq!(own_changes(&gate), ["mode: mode from enforce to shadow: loosened"]);
    // Recorded before anything was let through by it.
    let mut ledger = gate.ledger();
    let entries = ledger.refresh();
    let change = entries.iter().position(|entry| entry.text("what") == "mode").unwrap();
    let shadowed = entries.iter().position(|entry| entry.text("effect") == "shadowed").unwrap();
    assert!(change < shadowed);
    assert!(gate.log().contains("loosened"), "{}", gate.log());
    gate.edit(|text| text.replace("mode = \"shadow\"", "mode = \"enforce\""));
    gate.hang_up();
    eventually("the mode goes up", || mallory.send(&a_change(3)).status == 403);
    assert_eq!(own_changes(&gate)[1..], ["mode: mode from shadow to enforce"]);
    gate.finish();
}

#[test]
fn a_file_with_a_problem_changes_nothing_and_is_said() {
    let gate = Gate::start(Setup::default());
    let written = std::fs::read_to_string(gate.folder.path().join("gate.toml")).unwrap();
    for (broken, why) in [
        (written.replace("mode = \"enforce\"", "mode = \"shadow\"\nmoed = 1"), "unknown key `moed`"),
        (written.replace("mode = \"enforce\"", "mode = \"off\""), "use `shadow`, `warn` or `enforce`"),
        (written.replace("mode = \"enforce\"", "mode = "), "gate.toml"),
        (String::new(), "takes a restart; nothing of them is in force until then"),
        (
            written.replace("mode = \"enforce\"", "mode = \"shadow\"").replace("127.0.0.1:0", "127.0.0.1:1"),
            "`listen.data` from `127.0.0.1:0` to `127.0.0.1:1`",
        ),
        (
            written
                .replace("mode = \"enforce\"", "mode = \"shadow\"")
                .replace("account = \"123456789012\"", "account = \"999999999999\""),
            "is of account `123456789012` and not `999999999999`",
        ),
    ] {
        gate.edit(|_| broken.clone());
        gate.hang_up();
        eventually(why, || gate.log().contains(why));
        assert_eq!(gate.client("mallory").send(&a_change(1)).status, 403, "still in enforce: {why}");
        assert_eq!(gate.admin_page("/readyz/changes").0, 200);
    }
    assert_eq!(own_changes(&gate), Vec::<String>::new());
    // The file that is read is the one that is not taken up: doctor hears of it from the gate.
    gate.edit(|_| written.replace("ordain/test", "ordain/other"));
    gate.hang_up();
    eventually("the origin is refused", || gate.log().contains("ledger.origin"));
    let doctor = said(&gate.run(&["doctor"]));
    assert!(doctor.contains("not taken up") && doctor.contains("ledger.origin"), "{doctor}");
    gate.edit(|_| written.clone());
    gate.hang_up();
    eventually("all is well again", || !said(&gate.run(&["doctor"])).contains("not taken up"));
    gate.finish();
}

#[test]
fn limits_and_upstreams_are_taken_up_together() {
    let gate = Gate::start(Setup::default());
    let long = Sent::form(
        "iam",
        &format!("Action=ListUsers&Version=2010-05-08&PathPrefix=%2F{}", "a".repeat(4_000)),
    );
    assert_eq!(gate.client("alice").send(&long).status, 200);
    gate.edit(|text| {
        text.replace("[[upstream]]", "[limits]\nbody = 1024\n[[upstream]]")
            + "\n[[upstream]]\nname = \"second\"\nplane = \"aws\"\nmode = \"warn\"\nendpoint = \"http://127.0.0.1:9\"\n\
               credentials = { file = \"/nowhere\" }\n"
    });
    eventually("the body is too long", || gate.client("alice").send(&long).status == 413);
    assert_eq!(gate.client("alice").send(&a_change(1)).status, 200, "the known upstream is as it was");
    assert_eq!(gate.recorder.own_questions().len(), 1, "and is not verified again");
    assert_eq!(
        own_changes(&gate),
        [
            "configuration: add upstream `second` in warn mode: loosened, with `endpoint` `http://127.0.0.1:9/`, `credentials` `file /nowhere`",
            "configuration: `limits.body` from 16777216 to 1024"
        ]
    );
    gate.finish();
}

#[test]
fn a_new_certificate_is_served_to_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let first = certificate(folder.path());
    let file = |name: &str| folder.path().join(name);
    let settings =
        format!("[listen.tls]\ncertificate = {:?}\nkey = {:?}\n", file("cert.pem"), file("key.pem"));
    let gate = Gate::start(Setup { settings, ..Setup::default() });
    let mut kept = handshake(&gate, &first).expect("the first certificate is served");
    std::fs::write(file("cert.pem"), "half of a certificate").unwrap();
    eventually("a bad certificate is said", || gate.log().contains("cert.pem"));
    assert!(handshake(&gate, &first).is_ok(), "and changes nothing");
    let second = certificate(folder.path());
    eventually("the second certificate is served", || handshake(&gate, &second).is_ok());
    assert!(handshake(&gate, &first).is_err());
    use std::io::{Read, Write};
    write!(kept, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    drop(kept.read_to_string(&mut answer));
    assert!(answer.starts_with("HTTP/1.1 4"), "connections from before go on: {answer}");
    let changes = own_changes(&gate);
    assert!(
        changes.len() == 1 && changes[0].starts_with("configuration: serve the certificate"),
        "{changes:?}"
    );
    gate.finish();
}

/// Writes a certificate of `localhost`, and gives it to clients to trust.
fn certificate(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

type Tls = rustls::StreamOwned<rustls::ClientConnection, TcpStream>;

fn handshake(gate: &Gate, trusted: &CertificateDer<'static>) -> std::io::Result<Tls> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(gate.address)?);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

#[test]
fn a_key_that_was_replaced_is_seen_when_told_to_look() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let write = |id: &str| {
        let text = format!("[profile gate]\naws_access_key_id = {id}\naws_secret_access_key = a-secret\n");
        std::fs::write(&config, text).unwrap();
    };
    write("AKIAFIRST");
    let gate = Gate::start(Setup {
        credentials: Some("{ profile = \"gate\" }".to_owned()),
        environment: vec![("AWS_CONFIG_FILE", config.display().to_string())],
        ..Setup::default()
    });
    let read = || {
        gate.client("alice").send(&Sent::ec2("DescribeInstances"));
        gate.recorder.arrived().last().unwrap().signed_with()
    };
    assert_eq!(read(), "AKIAFIRST");
    write("AKIASECOND");
    assert_eq!(read(), "AKIAFIRST");
    gate.hang_up();
    eventually("the second key is used", || read() == "AKIASECOND");
    gate.finish();
}
