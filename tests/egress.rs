//! The egress gateway: clients that take the gate for their HTTP proxy, raw ones and real ones.
//!
//! Leaves out how a tunnel is asked for, which the listener's own tests try, and the certificates' form.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::harness::{Craft, Gate, Reply, Setup, eventually, read_reply, said, variable};
use crate::planes::aws::clients::{before_moto, needed};

pub(crate) const EC2: &str = "ec2.us-east-1.amazonaws.com";

fn setup() -> Setup {
    Setup { listen: "egress = \"127.0.0.1:0\"\n".to_owned(), ..Setup::default() }
}

fn bundle(gate: &Gate) -> PathBuf {
    gate.folder.path().join("state/ca-bundle.pem")
}

pub(crate) fn proxy(gate: &Gate) -> TcpStream {
    let stream = TcpStream::connect(gate.egress()).expect("the egress gateway listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Opens a tunnel and shakes hands in it, trusting what the gate tells clients to trust.
fn tunnel(gate: &Gate, host: &str) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    tunnel_by(gate, host, "")
}

/// The same, with more lines of the head.
pub(crate) fn tunnel_by(
    gate: &Gate,
    host: &str,
    lines: &str,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut stream = proxy(gate);
    write!(stream, "CONNECT {host}:443 HTTP/1.0\r\n{lines}\r\n")?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(std::io::Error::other(String::from_utf8_lossy(&answer).into_owned()));
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(bundle(gate)).unwrap() {
        drop(roots.add(certificate.unwrap()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(session, stream);
    stream.flush()?;
    Ok(stream)
}

/// A request of an actor, and the three ways in which it may come.
fn ways(gate: &Gate, actor: &str, call: &str) -> [(&'static str, Reply); 3] {
    let craft = |host: &str| {
        let body = format!("Action={call}&Version=2016-11-15");
        Craft::form(&gate.client(actor), "ec2", &body).but(|craft| craft.host = host.to_owned())
    };
    let mut reverse = TcpStream::connect(gate.address).unwrap();
    reverse.write_all(&craft(&gate.address.to_string()).bytes()).unwrap();
    let mut forward = proxy(gate);
    let path = String::from_utf8(craft(EC2).bytes()).unwrap();
    let whole = path.replacen("POST / ", &format!("POST http://{EC2}/ "), 1);
    forward.write_all(whole.as_bytes()).unwrap();
    let mut inside = tunnel(gate, EC2).expect("a tunnel");
    inside.write_all(&craft(EC2).bytes()).unwrap();
    [
        ("reverse", read_reply(&mut reverse, false).unwrap()),
        ("forward", read_reply(&mut forward, false).unwrap()),
        ("tunnel", read_reply(&mut inside, false).unwrap()),
    ]
}

/// Calls of actors, and how each is decided whatever way it comes by.
pub(crate) const DECIDED: [(&str, &str, &str); 5] = [
    ("alice", "DescribeInstances", "200 "),
    ("alice", "StopInstances&InstanceId.1=i-00000000000000001", "200 "),
    ("mallory", "StopInstances&InstanceId.1=i-00000000000000001", "403 not_owner"),
    (
        "alice",
        "AuthorizeSecurityGroupIngress&GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
        "403 world_open_admin_port",
    ),
    ("alice", "NoSuchOperation", "403 unknown_operation"),
];

#[test]
fn one_request_is_decided_alike_by_all_ways_in() {
    let gate = Gate::start(setup());
    for (actor, call, expected) in DECIDED {
        let before = gate.recorder.arrived().len();
        let all = ways(&gate, actor, call);
        let shown: Vec<String> =
            all.iter().map(|(way, reply)| format!("{way} {} {}", reply.status, reply.reason())).collect();
        let found: Vec<String> =
            all.iter().map(|(_, reply)| format!("{} {}", reply.status, reply.reason())).collect();
        assert!(found.iter().all(|one| *one == found[0]), "`{call}` of {actor}: {shown:?}");
        assert_eq!(found[0], expected, "`{call}` of {actor}");
        let arrived = gate.recorder.arrived();
        let arrived: Vec<String> =
            arrived[before..].iter().map(|one| format!("{} {}", one.target, one.body_text())).collect();
        assert_eq!(arrived.len(), if expected.starts_with("200") { 3 } else { 0 }, "{arrived:?}");
        assert!(arrived.iter().all(|one| *one == arrived[0]), "{arrived:?}");
    }
    gate.finish();
}

#[test]
fn nothing_else_is_let_through() {
    let gate = Gate::start(setup());
    let refused = |head: String| {
        let mut stream = proxy(&gate);
        stream.write_all(head.as_bytes()).unwrap();
        let reply = read_reply(&mut stream, false).unwrap();
        format!("{} {}", reply.status, reply.reason())
    };
    let recorder = gate.recorder.address;
    for (target, expected) in [
        ("example.com:443".to_owned(), "403 unknown_host"),
        ("169.254.169.254:443".to_owned(), "403 unknown_host"),
        (recorder.to_string(), "403 unknown_host"),
        (gate.address.to_string(), "403 unknown_host"),
        (format!("{EC2}:22"), "403 tunnel_port"),
        ("amazonaws.com.evil.example:443".to_owned(), "403 unknown_host"),
    ] {
        assert_eq!(
            refused(format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n")),
            expected,
            "{target}"
        );
    }
    let url = format!("GET http://{recorder}/ HTTP/1.1\r\nhost: {recorder}\r\n\r\n");
    assert_eq!(refused(url), "400 unknown_host");
    // A name below the provider's that is none of its endpoints but a customer's, and fronting: another host than the tunnel's.
    let ask = |host: &str, inside: &str| {
        let mut stream = tunnel(&gate, host).unwrap();
        let craft = Craft::form(
            &gate.client("alice"),
            "ec2",
            "Action=StopInstances&InstanceId.1=i-1&Version=2016-11-15",
        )
        .but(|craft| craft.host = inside.to_owned());
        stream.write_all(&craft.bytes()).unwrap();
        let reply = read_reply(&mut stream, false).unwrap();
        format!("{} {}", reply.status, reply.reason())
    };
    assert_eq!(
        ask("mine.us-east-1.elb.amazonaws.com", "mine.us-east-1.elb.amazonaws.com"),
        "403 unknown_host"
    );
    assert_eq!(ask(EC2, "iam.amazonaws.com"), "421 host_disagrees");
    assert_eq!(ask("iam.amazonaws.com", EC2), "421 host_disagrees");
    assert_eq!(ask(EC2, &gate.address.to_string()), "421 host_disagrees");
    // What was signed for one host is nothing for another.
    let mut stream = tunnel(&gate, "ec2.eu-west-1.amazonaws.com").unwrap();
    let craft = Craft::form(&gate.client("alice"), "ec2", "Action=DescribeInstances&Version=2016-11-15")
        .but(|craft| craft.host = EC2.to_owned());
    let moved = String::from_utf8(craft.bytes()).unwrap().replace(EC2, "ec2.eu-west-1.amazonaws.com");
    stream.write_all(moved.as_bytes()).unwrap();
    assert_eq!(read_reply(&mut stream, false).unwrap().reason(), "signature_mismatch");
    assert!(gate.recorder.arrived().is_empty());
    let (_, metrics) = gate.admin_page("/metrics");
    assert!(metrics.contains("ordain_refused_total{reason_code=\"unknown_host\"}"), "{metrics}");
    gate.finish();
}

/// What `ordain env --proxy` prints, as variables of a client.
fn variables(gate: &Gate) -> BTreeMap<String, String> {
    let printed = gate.run(&["-o", "json", "env", "--proxy", "--actor", "alice"]);
    assert!(printed.status.success(), "{}", said(&printed));
    let mut all: BTreeMap<String, String> = serde_json::from_slice(&printed.stdout).unwrap();
    // The settings say port 0, which is where it listens only until the system has chosen.
    let address = format!("http://{}", gate.egress());
    for value in all.values_mut().filter(|value| value.starts_with("http://")) {
        value.clone_from(&address);
    }
    all
}

pub(crate) fn client(program: &str, variables: &BTreeMap<String, String>, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .envs(variables)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("`{program}` does not start: {error}"))
}

/// Version 1 of the AWS CLI ignores an endpoint variable for some services. A proxy it takes for all.
#[test]
fn the_aws_cli_is_judged_where_it_ignores_an_endpoint() {
    let gate = before_moto(setup());
    let variables = variables(&gate);
    let aws = |arguments: &[&str]| client(&needed("ORDAIN_TEST_AWS"), &variables, arguments);
    for call in [
        &["sts", "get-caller-identity"][..],
        &["ec2", "describe-instances"],
        &["sqs", "list-queues"],
        &["rds", "describe-db-instances"],
        &["s3api", "list-buckets"],
        &["s3", "mb", "s3://egress-of-the-test"],
        &["sqs", "create-queue", "--queue-name", "of-the-test"],
    ] {
        let done = aws(call);
        assert!(done.status.success(), "{call:?}: {}", said(&done));
    }
    let denied =
        aws(&["rds", "delete-db-instance", "--db-instance-identifier", "none", "--skip-final-snapshot"]);
    assert!(!said(&denied).is_empty() && !denied.status.success());
    let decided: Vec<String> = gate
        .ledger()
        .refresh()
        .iter()
        .filter(|entry| entry.is_decision())
        .map(|entry| {
            entry.says["content"]["whole"]["reading"]["call"]["effects"][0]["operation"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    for operation in ["CreateBucket", "CreateQueue", "DeleteDBInstance"] {
        assert!(decided.iter().any(|one| one == operation), "`{operation}` was not judged: {decided:?}");
    }
    gate.finish();
}

/// curl shakes hands by OpenSSL, which honours what the authority is held to.
#[test]
fn curl_trusts_what_the_gate_says_and_nothing_without_it() {
    let gate = Gate::start(setup());
    let key = gate.key("alice").clone();
    let user = format!("{}:{}", key.id, key.secret);
    let url = format!("https://{EC2}/?Action=DescribeInstances&Version=2016-11-15");
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
    let all = variables(&gate);
    for http in ["--http1.1", "--http2"] {
        let done = client("curl", &all, &[&signed[..], &[http]].concat());
        assert_eq!(String::from_utf8_lossy(&done.stdout), "200", "{http}: {}", said(&done));
    }
    assert_eq!(gate.recorder.arrived().len(), 2);
    let mut without = all;
    for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        without.remove(name);
    }
    let done = client("curl", &without, &signed);
    assert_eq!(done.status.code(), Some(60), "no certificate of ours is trusted by itself: {}", said(&done));
    gate.finish();
}

/// Who has signed the certificate in a tunnel, by the authority's own bytes.
fn signer(gate: &Gate) -> Vec<u8> {
    let mut stream = tunnel(gate, EC2).unwrap();
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream.conn.peer_certificates().unwrap()[1].to_vec()
}

#[test]
fn another_authority_signs_once_clients_could_learn_of_it() {
    let gate = Gate::start(setup());
    let first = signer(&gate);
    let shown = |state: &str| {
        let printed = gate.run(&["-o", "json", "ca", "show"]);
        let all: Vec<serde_json::Value> = serde_json::from_slice(&printed.stdout).unwrap();
        all.iter().filter(|one| one["state"] == state).count()
    };
    assert_eq!((shown("signs"), shown("coming")), (1, 0));
    let again = gate.run(&["ca", "create"]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    let rotated = gate.run(&["ca", "rotate"]);
    assert!(rotated.status.success(), "{}", said(&rotated));
    assert_eq!((shown("signs"), shown("coming")), (1, 1));
    let exported = gate.run(&["ca", "export"]);
    let exported = String::from_utf8(exported.stdout).unwrap();
    assert_eq!(exported.matches("BEGIN CERTIFICATE").count(), 2, "both are trusted before the new one signs");
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(signer(&gate), first, "its turn has not come");
    let rotated = gate.run(&["ca", "rotate", "--signs-in-hours", "0"]);
    assert!(rotated.status.success(), "{}", said(&rotated));
    eventually("the running gate takes it up", || signer(&gate) != first);
    assert_eq!((shown("signs"), shown("coming"), shown("trusted")), (1, 1, 1));
    let recorded = gate
        .ledger()
        .refresh()
        .iter()
        .filter(|entry| entry.says.to_string().contains("certificate authority"))
        .count();
    assert_eq!(recorded, 3, "each is in the ledger");
    let kept = std::fs::read_to_string(gate.folder.path().join("state/authorities.jsonl")).unwrap();
    assert!(!kept.contains("PRIVATE"), "keys are sealed");
    use std::os::unix::fs::PermissionsExt as _;
    let mode =
        std::fs::metadata(gate.folder.path().join("state/authorities.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    gate.finish();
}

#[test]
fn an_authority_that_was_taken_away_is_trusted_no_more() {
    let gate = Gate::start(setup());
    let file = gate.folder.path().join("state/authorities.jsonl");
    let first = gate.run(&["ca", "export"]).stdout;
    let first = String::from_utf8(first).unwrap().replace(char::is_whitespace, "");
    // As in a shell that has evaluated `ordain env --proxy`.
    let shell = [("SSL_CERT_FILE", bundle(&gate).display().to_string())];
    let shell: Vec<(&str, &str)> = shell.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let rotated = gate.run_in(&shell, &["ca", "rotate", "--signs-in-hours", "0"]);
    assert!(rotated.status.success(), "{}", said(&rotated));
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, kept.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let rotated = gate.run_in(&shell, &["ca", "rotate"]);
    assert!(rotated.status.success(), "{}", said(&rotated));
    let trusted = std::fs::read_to_string(bundle(&gate)).unwrap().replace(char::is_whitespace, "");
    assert!(!trusted.contains(&first), "it was taken away");
    gate.finish();
}

#[test]
fn authorities_that_are_lost_stay_in_force_and_are_said() {
    let gate = Gate::start(setup());
    let first = signer(&gate);
    let file = gate.folder.path().join("state/authorities.jsonl");
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    eventually("it is said", || gate.log().contains("no certificate authority is kept any more"));
    assert_eq!(signer(&gate), first);
    std::fs::write(&file, kept).unwrap();
    eventually("it is mended", || gate.log().contains("right again"));
    assert_eq!(signer(&gate), first);
    gate.finish();
}

#[test]
fn doctor_says_when_an_authority_ends_and_no_other_follows() {
    let gate = Gate::start(setup());
    let found = || {
        let printed = gate.run(&["-o", "json", "doctor"]);
        let all: Vec<serde_json::Value> = serde_json::from_slice(&printed.stdout).unwrap();
        let one = all.iter().find(|one| one["what"] == "authority").expect("doctor looks at it").clone();
        (one["ok"].as_bool().unwrap(), one["detail"].as_str().unwrap().to_owned())
    };
    let (well, detail) = found();
    assert!(well && detail.starts_with("signs until "), "{detail}");
    let short = gate.run(&["ca", "rotate", "--days", "20", "--signs-in-hours", "0"]);
    assert!(short.status.success(), "{}", said(&short));
    // The first one lasts longer, and signs again once this one has ended.
    let (well, detail) = found();
    assert!(well, "{detail}");
    let path = gate.folder.path().join("state/authorities.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{}\n", text.lines().last().unwrap())).unwrap();
    let (well, detail) = found();
    assert!(!well && detail.contains("run `ordain ca rotate`"), "{detail}");
    std::fs::write(&path, text).unwrap();
    gate.finish();
}

#[test]
fn a_file_of_authorities_that_was_changed_is_refused() {
    let mut gate = Gate::start(setup());
    assert!(gate.stop());
    let path = gate.folder.path().join("state/authorities.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let other = text.replacen("\"key\":\"", "\"key\":\"AAAA", 1);
    std::fs::write(&path, other).unwrap();
    let refused = gate.run(&["serve"]);
    let words = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{words}");
    assert!(words.contains("line 1: the authority cannot be used"), "{words}");
    std::fs::write(&path, text).unwrap();
    gate.finish();
}

#[test]
fn without_a_gateway_there_is_no_proxy_to_name() {
    let gate = Gate::start(Setup::default());
    let printed = gate.run(&["env", "--proxy"]);
    assert_eq!(printed.status.code(), Some(2));
    assert!(said(&printed).contains("configure `listen.egress`"), "{}", said(&printed));
    assert!(variable("ORDAIN_LISTEN_EGRESS").is_none());
    gate.finish();
}

#[test]
fn doctor_takes_no_listener_of_ours_for_an_upstream() {
    let gate = Gate::start(setup());
    gate.edit(|text| {
        let text = text.replace("egress = \"127.0.0.1:0\"", "egress = \"127.0.0.1:9\"");
        text + "\n[[upstream]]\nname = \"loop\"\nplane = \"aws\"\nendpoint = \"http://127.0.0.1:9\"\n"
    });
    let printed = said(&gate.run(&["doctor"]));
    assert!(printed.contains("this gate itself"), "{printed}");
    gate.finish();
}
