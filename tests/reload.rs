//! Settings, certificate and model changed while the gate runs: taken up whole, recorded first, or not at all.
//!
//! Leaves out what each setting does.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};

use crate::harness::{Gate, Recorder, Sent, Setup, a_change, eventually, read_reply, said};

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
            "configuration: add upstream `second` in warn mode: loosened, with `plane` `aws`, `endpoint` `http://127.0.0.1:9/`, `credentials` `file /nowhere`",
            "configuration: `limits.body` from 16777216 to 1024"
        ]
    );
    gate.finish();
}

/// A change of which the head and the beginning of the body were sent, and what is left of it.
fn begun(gate: &Gate) -> (TcpStream, Vec<u8>) {
    let client = gate.client("alice");
    let (mut bytes, body) = client.bytes(&a_change(1));
    let (first, rest) = body.split_at(10);
    bytes.extend_from_slice(first);
    let mut stream = client.connect().unwrap();
    stream.write_all(&bytes).unwrap();
    (stream, rest.to_vec())
}

/// The keys that signed the changes that arrived.
fn signers(recorder: &Recorder) -> Vec<String> {
    let changes = recorder.arrived().into_iter().filter(|one| one.body_text().contains("StopInstances"));
    changes.map(|one| one.signed_with()).collect()
}

#[test]
fn a_body_that_ends_after_its_upstream_moved_leaves_for_one_place_with_the_key_of_that_place() {
    let gate = Gate::start(Setup::default());
    let second = Recorder::start();
    let real = gate.folder.path().join("second");
    std::fs::write(&real, "AKIASECOND\na-second-secret\n").unwrap();
    let (mut stream, rest) = begun(&gate);
    gate.edit(|text| {
        text.replace(&gate.recorder.address.to_string(), &second.address.to_string())
            .replace(&format!("{:?}", gate.folder.path().join("real")), &format!("{real:?}"))
    });
    gate.hang_up();
    let read = Sent::ec2("DescribeInstances");
    eventually("the upstream has moved", || {
        assert_eq!(gate.client("alice").send(&read).status, 200);
        !second.arrived().is_empty()
    });
    stream.write_all(&rest).unwrap();
    assert_eq!(read_reply(&mut stream, false).unwrap().status, 200);
    assert_eq!((signers(&gate.recorder), signers(&second)), (vec![], vec!["AKIASECOND".to_owned()]));
    gate.finish();
}

#[test]
fn a_body_that_ends_after_its_upstream_became_another_account_leaves_for_neither() {
    let gate = Gate::start(Setup::default());
    let second = Recorder::start();
    second.is_foreign("AKIASECOND");
    let real = gate.folder.path().join("second");
    std::fs::write(&real, "AKIASECOND\na-second-secret\n").unwrap();
    let (mut stream, rest) = begun(&gate);
    // A name stays with its account, so that it is gone for a while and then comes back as another's.
    gate.edit(|text| text.replace("name = \"default\"", "name = \"for-a-while\""));
    gate.hang_up();
    eventually("it is gone", || own_changes(&gate).iter().any(|change| change.contains("`for-a-while`")));
    gate.edit(|text| {
        text.replace("name = \"for-a-while\"", "name = \"default\"")
            .replace("account = \"123456789012\"", "account = \"999999999999\"")
            .replace(&gate.recorder.address.to_string(), &second.address.to_string())
            .replace(&format!("{:?}", gate.folder.path().join("real")), &format!("{real:?}"))
    });
    gate.hang_up();
    let read = Sent::ec2("DescribeInstances");
    // Nobody may read there; that it says so means that it is in force.
    eventually("it is another's", || gate.client("alice").send(&read).reason() == "outside_read_scope");
    stream.write_all(&rest).unwrap();
    let reply = read_reply(&mut stream, false).unwrap();
    assert_eq!((reply.status, reply.reason()), (502, "no_credential"), "{}", reply.text());
    assert_eq!((signers(&gate.recorder), signers(&second)), (vec![], vec![]));
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
    use std::io::Read as _;
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

/// With one core one thread serves, and it has other things to do than to read a large model.
#[test]
fn nobody_waits_while_a_large_model_is_read() {
    use std::fmt::Write as _;
    use std::time::{Duration, Instant};

    let under = ["taskset", "--cpu-list", "0"].map(str::to_owned).to_vec();
    let gate = Gate::start(Setup { under, ..Setup::default() });
    let mut large = String::new();
    for at in 0..20_000 {
        write!(
            large,
            "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {{name: r{at}}}\n\
             spec: {{type: instance, owner: platform}}\n---\n"
        )
        .unwrap();
    }
    std::fs::write(gate.folder.path().join("model/large.yaml"), large).unwrap();
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    while !gate.log().contains("reloaded") {
        assert!(begun.elapsed() < Duration::from_secs(120), "{}", gate.log());
        let asked = Instant::now();
        assert_eq!(gate.admin_page("/healthz").0, 200);
        longest = longest.max(asked.elapsed());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(longest < Duration::from_secs(1), "somebody waited for {longest:?}");
    gate.finish();
}
