//! Proxy authentication: who asks for a tunnel is known before it stands, and signs what comes through it.
//!
//! Leaves out the tunnels themselves (`egress`).

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::egress::{EC2, client, proxy, tunnel_by};
use crate::harness::{Craft, Gate, Key, Setup, read_reply, said};
use crate::planes::aws::clients::{before_moto, needed};
use crate::planes::served;

fn setup() -> Setup {
    Setup {
        listen: "egress = \"127.0.0.1:0\"\n".to_owned(),
        settings: "[egress]\nauthenticate = true\n".to_owned(),
        ..Setup::default()
    }
}

fn basic(key: &Key) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", key.id, key.secret)))
}

/// What a proxy says to a head.
fn answer(gate: &Gate, head: &str) -> (String, Option<String>) {
    let mut stream = proxy(gate);
    stream.write_all(head.as_bytes()).unwrap();
    let reply = read_reply(&mut stream, false).unwrap();
    let challenge = reply.header("proxy-authenticate").map(str::to_owned);
    (format!("{} {}", reply.status, reply.reason()), challenge)
}

#[test]
fn who_asks_says_so_by_an_issued_key() {
    let gate = Gate::start(setup());
    let key = gate.key("alice").clone();
    let other = Key { secret: format!("{}x", key.secret), ..key.clone() };
    let short = Key { secret: key.secret[..5].to_owned(), ..key.clone() };
    let unknown = Key { id: "AKORNOSUCHKEYATALLXX".to_owned(), ..key.clone() };
    let bearer = basic(&key).replace("Basic", "Bearer");
    for (value, expected) in [
        (None, "407 proxy_authentication_missing"),
        (Some(basic(&other)), "407 proxy_credential_refused"),
        (Some(basic(&short)), "407 proxy_credential_refused"),
        (Some(basic(&unknown)), "407 proxy_credential_refused"),
        (Some(bearer), "407 proxy_credential_refused"),
        (Some("Basic !!!".to_owned()), "407 proxy_credential_refused"),
        (Some(String::new()), "407 proxy_credential_refused"),
    ] {
        let line =
            value.as_ref().map_or_else(String::new, |value| format!("proxy-authorization: {value}\r\n"));
        // Who does not say who asks learns nothing of what there is.
        for host in [EC2, "example.com"] {
            let (said, challenge) =
                answer(&gate, &format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}\r\n{line}\r\n"));
            assert_eq!(
                (&*said, challenge.as_deref()),
                (expected, Some("Basic realm=\"ordain\"")),
                "{value:?}"
            );
        }
        let (said, challenge) =
            answer(&gate, &format!("GET http://{EC2}/ HTTP/1.1\r\nhost: {EC2}\r\n{line}\r\n"));
        assert_eq!((&*said, challenge.is_some()), (expected, true), "{value:?}");
    }
    let mine = format!("proxy-authorization: {}\r\n", basic(&key));
    let connect = format!("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n{mine}\r\n");
    assert_eq!(answer(&gate, &connect).0, "403 unknown_host");
    let revoked = gate.run(&["key", "revoke", &key.id]);
    assert!(revoked.status.success(), "{}", said(&revoked));
    crate::harness::eventually("a revoked key asks for nothing", || {
        answer(&gate, &connect).0 == "407 proxy_credential_refused"
    });
    assert!(!gate.log().contains(&key.secret) && !gate.log().contains(&basic(&key)), "no secret is logged");
    gate.finish();
}

#[test]
fn what_comes_through_is_from_who_asked() {
    let gate = Gate::start(setup());
    let ask = |asker: &str, signer: &str| {
        let line = format!("proxy-authorization: {}\r\n", basic(gate.key(asker)));
        let mut stream = tunnel_by(&gate, EC2, &line).expect("a tunnel");
        let body = "Action=DescribeInstances&Version=2016-11-15";
        let craft = Craft::form(&gate.client(signer), "ec2", body).but(|craft| craft.host = EC2.to_owned());
        stream.write_all(&craft.bytes()).unwrap();
        let inside = read_reply(&mut stream, false).unwrap();
        let mut plain = proxy(&gate);
        let head = String::from_utf8(craft.bytes()).unwrap();
        let head = head.replacen("POST / HTTP/1.1\r\n", &format!("POST http://{EC2}/ HTTP/1.1\r\n{line}"), 1);
        plain.write_all(head.as_bytes()).unwrap();
        let plain = read_reply(&mut plain, false).unwrap();
        [inside, plain].map(|reply| format!("{} {}", reply.status, reply.reason()))
    };
    assert_eq!(ask("alice", "alice"), ["200 ", "200 "]);
    assert_eq!(ask("mallory", "alice"), ["403 actor_mismatch", "403 actor_mismatch"]);
    assert_eq!(ask("alice", "mallory"), ["403 actor_mismatch", "403 actor_mismatch"]);
    let arrived = gate.recorder.arrived();
    assert_eq!(arrived.len(), 2);
    assert!(arrived.iter().all(|one| one.header("proxy-authorization").is_none()), "{arrived:?}");
    gate.finish();
}

#[test]
fn what_is_printed_for_a_client_says_who_asks() {
    let gate = before_moto(setup());
    let printed = gate.run(&["-o", "json", "env", "--proxy", "--actor", "alice"]);
    assert!(printed.status.success(), "{}", said(&printed));
    let variables: BTreeMap<String, String> = serde_json::from_slice(&printed.stdout).unwrap();
    let key = gate.key("alice");
    assert!(
        variables["HTTPS_PROXY"].starts_with(&format!("http://{}:", key.id)),
        "{}",
        variables["HTTPS_PROXY"]
    );
    let ran = client(
        &needed("ORDAIN_TEST_AWS"),
        &variables,
        &["sqs", "create-queue", "--queue-name", "asked-by-alice"],
    );
    assert!(ran.status.success(), "{}", said(&ran));
    let url = format!("https://{EC2}/?Action=DescribeInstances&Version=2016-11-15");
    let user = format!("{}:{}", key.id, key.secret);
    let signed = [
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--aws-sigv4",
        "aws:amz:us-east-1:ec2",
        "-u",
        &user,
        &url,
    ];
    // The same without a name and a password.
    let mut nobody = variables;
    for value in nobody.values_mut().filter(|value| value.contains('@')) {
        *value = format!("http://{}", value.split('@').nth(1).unwrap());
    }
    assert!(said(&client("curl", &nobody, &signed)).contains("407"));
    gate.finish();
}

#[test]
fn who_has_to_say_so_is_taken_up_while_the_gate_runs() {
    let gate = Gate::start(setup());
    let connect = "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n";
    assert_eq!(answer(&gate, connect).0, "407 proxy_authentication_missing");
    gate.edit(|text| text.replace("authenticate = true", "authenticate = false"));
    crate::harness::eventually("nobody has to any more", || answer(&gate, connect).0 == "403 unknown_host");
    let recorded =
        |words: &str| gate.ledger().refresh().iter().any(|entry| entry.says.to_string().contains(words));
    assert!(recorded("`egress.authenticate` from true to false, the gateway lets more through: loosened"));
    gate.edit(|text| text.replace("authenticate = false", "pass = [\"example.com\"]"));
    crate::harness::eventually("a host is let through", || {
        recorded("`egress.pass` from none to example.com, the gateway lets more through: loosened")
    });
    // Its name stands for nothing here, or for something outside: either way it is no unknown host any more.
    crate::harness::eventually("it is asked for", || answer(&gate, connect).0 != "403 unknown_host");
    gate.edit(|text| text.replace("\"example.com\"", "\"*.amazonaws.com\""));
    crate::harness::eventually("what cannot be let through is said", || {
        gate.log().contains("what goes there is judged")
    });
    gate.edit(|text| text.replace("\"*.amazonaws.com\"", ""));
    gate.finish();
}

#[test]
fn what_is_printed_for_a_client_of_another_plane_names_the_proxy_and_says_who_asks() {
    let gate = served::gate_with(setup(), "gcp", "http://127.0.0.1:9", "{ token_file = {token} }");
    let asked =
        ["-o", "json", "env", "--proxy", "--upstream", "served", "--actor", "alice", "--kind", "person"];
    let printed = gate.run(&asked);
    assert!(printed.status.success(), "{}", said(&printed));
    let variables: BTreeMap<String, String> = serde_json::from_slice(&printed.stdout).unwrap();
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    assert!(variables["GCE_METADATA_HOST"].ends_with(&variables["ORDAIN_TOKEN"]), "{variables:?}");
    let bundle = gate.folder.path().join("state/ca-bundle.pem").display().to_string();
    for name in ["REQUESTS_CA_BUNDLE", "HTTPLIB2_CA_CERTS", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"] {
        assert_eq!(variables.get(name), Some(&bundle), "{name}");
    }
    let url = variables["HTTPS_PROXY"].strip_prefix("http://").unwrap();
    let (who, at) = url.split_once('@').unwrap_or_else(|| panic!("{url}"));
    assert_eq!(at, gate.egress().to_string());
    let head = |lines: &str| {
        format!(
            "CONNECT storage.googleapis.com:443 HTTP/1.1\r\nhost: storage.googleapis.com:443\r\n{lines}\r\n"
        )
    };
    let shown = format!("proxy-authorization: Basic {}\r\n", STANDARD.encode(who));
    assert_eq!(answer(&gate, &head(&shown)).0, "200 ");
    assert!(answer(&gate, &head("")).0.starts_with("407 "));
    // Without the way through the proxy there is nothing of it.
    let printed = gate.run(&[&asked[..3], &asked[4..]].concat());
    let variables: BTreeMap<String, String> = serde_json::from_slice(&printed.stdout).unwrap();
    gate.must_not_write(&variables["ORDAIN_TOKEN"]);
    assert!(!variables.contains_key("HTTPS_PROXY") && variables.contains_key("GCE_METADATA_HOST"));
    gate.finish();
}
