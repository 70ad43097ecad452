//! Programs that ask the gate for their first credential, as they would a container's: unmodified, and without one of
//! their own.
//!
//! Leaves out a `credential_process` (`running`), and what the calls are judged by.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::egress::{EC2, tunnel_by};
use crate::harness::{Client, Craft, Gate, Key, Reply, Sent, Setup, now, read_reply, said, skipped};
use crate::planes::aws::clients::{before_moto, needed};

/// The variables that `ordain env --container` prints for the agent `robot`, who acts for alice.
fn variables(gate: &Gate, more: &[&str]) -> Vec<(String, String)> {
    let mut arguments = vec!["-o", "json", "env", "--container", "--actor", "robot", "--kind", "agent"];
    arguments.extend(["--on-behalf-of", "person:alice"]);
    arguments.extend(more);
    let printed = gate.run(&arguments);
    assert!(printed.status.success(), "{}", said(&printed));
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let all = printed.as_object().unwrap().iter();
    for (_, value) in all.clone().filter(|(name, _)| *name == "AWS_CONTAINER_AUTHORIZATION_TOKEN") {
        gate.must_not_write(value.as_str().unwrap().rsplit('.').next().unwrap());
    }
    all.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn value<'a>(variables: &'a [(String, String)], name: &str) -> &'a str {
    &variables.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no `{name}`")).1
}

/// Asks for a credential with these headers.
fn ask(gate: &Gate, headers: &[(&str, &str)]) -> Reply {
    let mut stream = TcpStream::connect(gate.admin).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut text = "GET /v1/credentials HTTP/1.1\r\nconnection: close\r\n".to_owned();
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    write!(stream, "{text}\r\n").unwrap();
    read_reply(&mut stream, false).unwrap()
}

/// Asks with a token, as an SDK does.
fn given(gate: &Gate, token: &str) -> Value {
    let reply = ask(gate, &[("host", &gate.admin.to_string()), ("authorization", token)]);
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")), "{}", reply.text());
    let given = serde_json::from_str(&reply.text()).unwrap();
    gate.must_not_write(&field(&given, "SecretAccessKey"));
    gate.must_not_write(&field(&given, "Token"));
    given
}

fn field(given: &Value, name: &str) -> String {
    given[name].as_str().unwrap_or_else(|| panic!("no `{name}`")).to_owned()
}

/// Runs a script with these variables and no others of AWS.
fn python(gate: &Gate, variables: &[(String, String)], script: &str) -> Output {
    Command::new(needed("ORDAIN_TEST_PYTHON"))
        .args(["-c", script])
        .env_clear()
        .env("HOME", gate.folder.path())
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap()
}

#[test]
fn a_script_without_a_credential_is_given_one_as_the_agent_it_is() {
    let gate = before_moto(Setup::default());
    let script = "import boto3\n\
        c = boto3.client('sqs'); print(c.create_queue(QueueName='asked-of-the-gate')['QueueUrl'])\n\
        print(len(boto3.client('ec2').describe_instances()['Reservations']))";
    let path = gate.folder.path().join("token").display().to_string();
    let (shown, in_file) = (variables(&gate, &[]), variables(&gate, &["--token-file", &path]));
    assert!(in_file.iter().all(|(name, _)| name != "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    for variables in [&shown, &in_file] {
        assert!(variables.iter().all(|(name, _)| name != "AWS_ACCESS_KEY_ID"), "{variables:?}");
        let ran = python(&gate, variables, script);
        assert!(ran.status.success() && said(&ran).contains("asked-of-the-gate"), "{}", said(&ran));
    }
    let mut ledger = gate.ledger();
    let entries = ledger.refresh();
    let decision = entries.iter().find(|entry| entry.is_decision()).expect("it was judged");
    let actor = decision.says["content"].to_string();
    assert!(actor.contains("robot") && actor.contains("alice"), "{actor}");
    let position = |words: &str| entries.iter().position(|entry| entry.text("summary").contains(words));
    let gave = position("give a key pair that ends by itself to agent robot").expect("it is in the ledger");
    let judged = entries.iter().position(|entry| entry.is_decision()).unwrap();
    assert!(position("create a token that is exchanged").unwrap() < gave && gave < judged);
    gate.finish();
}

/// The SDK's clock is put on, so that what it holds is about to end.
#[test]
fn a_client_asks_anew_before_the_end_and_a_revoked_token_gives_nothing_more() {
    let gate = before_moto(Setup::default());
    let variables = variables(&gate, &[]);
    let script = "import boto3, datetime, subprocess, sys\n\
        s = boto3.Session(); ec2 = s.client('ec2'); held = s.get_credentials()\n\
        first = held.access_key; ec2.describe_instances()\n\
        print(first, flush=True); sys.stdin.readline()\n\
        real = held._time_fetcher\n\
        held._time_fetcher = lambda: real() + datetime.timedelta(minutes=50)\n\
        ec2.describe_instances(); print(held.access_key, flush=True)";
    let mut child = Command::new(needed("ORDAIN_TEST_PYTHON"))
        .args(["-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let first = lines.next().unwrap().unwrap();
    // What it holds is ended, so that the next call works only with another one.
    assert!(gate.run(&["key", "revoke", &first]).status.success());
    child.stdin.take().unwrap().write_all(b"on\n").unwrap();
    let second = lines.next().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
    assert!(first.starts_with("ASOR") && second.starts_with("ASOR") && first != second, "{first} {second}");
    let token = value(&variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    let id = token.split('.').nth(1).unwrap();
    assert!(gate.run(&["key", "revoke", id]).status.success());
    let ran = python(&gate, &variables, "import boto3; boto3.client('ec2').describe_instances()");
    assert!(!ran.status.success(), "{}", said(&ran));
    gate.finish();
}

#[test]
fn a_pair_lasts_an_hour_at_most_is_worth_nothing_without_its_session_token_and_ends_with_the_token() {
    let gate = Gate::start(Setup::default());
    let variables = variables(&gate, &[]);
    let at = format!("http://{}/v1/credentials", gate.admin);
    assert_eq!(value(&variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI"), at);
    let token = value(&variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    let pair = given(&gate, token);
    assert_eq!(given(&gate, token), pair, "it is given again while it has time left");
    let ends: jiff::Timestamp = field(&pair, "Expiration").parse().unwrap();
    let left = ends.duration_since(now()).as_mins();
    assert!((58..=60).contains(&left), "{left}");
    let key = Key { id: field(&pair, "AccessKeyId"), secret: field(&pair, "SecretAccessKey") };
    let read = |session: Option<&str>| {
        let mut sent = Sent::ec2("DescribeInstances");
        sent.headers.extend(session.map(|session| ("x-amz-security-token", session.to_owned())));
        Client::new(gate.address, &key).send(&sent)
    };
    let session = field(&pair, "Token");
    assert_eq!(read(Some(&session)).status, 200);
    for stolen in [None, Some("another")] {
        let reply = read(stolen);
        assert_eq!((reply.status, reply.reason()), (403, "invalid_token"), "{}", reply.text());
    }
    let id = token.split('.').nth(1).unwrap();
    assert!(gate.run(&["key", "revoke", id]).status.success());
    assert_eq!(read(Some(&session)).reason(), "key_revoked");
    let reply = ask(&gate, &[("host", &gate.admin.to_string()), ("authorization", token)]);
    assert_eq!(reply.status, 403, "{}", reply.text());
    gate.finish();
}

/// Headers, and the status and the word they are answered with.
type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);

#[test]
fn nothing_is_given_without_the_token_by_another_name_or_to_a_page() {
    let gate = Gate::start(Setup::default());
    let variables = variables(&gate, &[]);
    let token = value(&variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    let own = gate.admin.to_string();
    let local = format!("localhost:{}", gate.admin.port());
    let rebound = format!("rebound.example:{}", gate.admin.port());
    let end = token.rsplit('.').next().unwrap();
    let other = token.replace(end, &"A".repeat(43));
    let operator = std::fs::read_to_string(gate.folder.path().join("state/admin.token")).unwrap();
    let cases: [Case<'_>; 9] = [
        (&[("host", &own)], 401, "token_missing"),
        (&[("host", &own), ("authorization", token), ("authorization", token)], 401, "token_missing"),
        (&[("host", &own), ("authorization", &other)], 403, "unknown_token"),
        (&[("host", &own), ("authorization", operator.trim())], 403, "unknown_token"),
        (&[("host", &rebound), ("authorization", token)], 403, "foreign_host"),
        (&[("host", "127.0.0.1"), ("authorization", token)], 403, "foreign_host"),
        (&[("authorization", token)], 403, "foreign_host"),
        (&[("host", &own), ("authorization", token), ("origin", "http://page")], 403, "foreign_origin"),
        (&[("host", &own), ("authorization", token), ("origin", "null")], 403, "foreign_origin"),
    ];
    for (headers, status, code) in cases {
        let reply = ask(&gate, headers);
        let told: Value = serde_json::from_str(&reply.text()).unwrap_or_default();
        assert_eq!(
            (reply.status, told["code"].as_str()),
            (status, Some(code)),
            "{headers:?}: {}",
            reply.text()
        );
        assert!(told["message"].is_string() && !reply.text().contains(end), "{}", reply.text());
        assert!(reply.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("access-control")));
    }
    // Who guesses is slowed down, and who holds the token is not.
    let guess = || ask(&gate, &[("host", &own), ("authorization", &other)]).status;
    assert!((0..40).any(|_| guess() == 429), "forty guesses in a moment were all looked at");
    for host in [&own, &local] {
        assert_eq!(ask(&gate, &[("host", host), ("authorization", token)]).status, 200);
    }
    // It is a credential nowhere else.
    let mut sent = Sent::ec2("DescribeInstances");
    sent.headers.push(("x-amz-security-token", token.to_owned()));
    assert_ne!(gate.client("robot").send(&sent).status, 200);
    gate.finish();
}

#[test]
fn a_token_is_presented_so_often_and_another_is_not_slowed_down_for_it() {
    let gate = Gate::start(Setup::default());
    let (one, other) = (variables(&gate, &[]), variables(&gate, &[]));
    let token =
        |variables: &[(String, String)]| value(variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN").to_owned();
    let own = gate.admin.to_string();
    let ask = |token: &str| ask(&gate, &[("host", &own), ("authorization", token)]).status;
    let (one, other) = (token(&one), token(&other));
    assert_ne!(one, other);
    assert_eq!((ask(&one), ask(&other)), (200, 200));
    let slowed =
        (0..200).find(|_| ask(&one) == 429).expect("two hundred times in a moment, and never slowed down");
    assert!(slowed >= 10, "slowed down after {slowed}");
    assert_eq!(ask(&other), 200);
    gate.finish();
}

#[test]
fn nothing_is_given_to_another_machine() {
    // Nothing is sent: the system only says by which address of this machine it would be.
    let route = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let own = route.connect("192.0.2.1:9").and_then(|()| route.local_addr());
    let Some(own) = own.ok().map(|own| own.ip()).or_else(|| skipped("an address of the network")) else {
        return;
    };
    let environment = vec![("ORDAIN_LISTEN_ADMIN", "0.0.0.0:0".to_owned())];
    let mut gate = Gate::start(Setup { environment, ..Setup::default() });
    let port = gate.admin.port();
    gate.admin = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let variables = variables(&gate, &[]);
    let token = value(&variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN").to_owned();
    let local = gate.admin.to_string();
    let headers = [("host", local.as_str()), ("authorization", token.as_str())];
    assert_eq!(ask(&gate, &headers).status, 200);
    gate.admin.set_ip(own);
    let reply = ask(&gate, &headers);
    assert!(reply.status == 403 && reply.text().contains("foreign_peer"), "{}", reply.text());
    gate.finish();
}

/// Its end is what a proxy's client knows beside its id. It shows who asks there, as any key of ours does, and no more.
#[test]
fn a_token_shows_a_proxy_who_asks_and_signs_nothing() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let gate = Gate::start(Setup {
        listen: "egress = \"127.0.0.1:0\"\n".to_owned(),
        settings: "[egress]\nauthenticate = true\n".to_owned(),
        ..Setup::default()
    });
    let variables = variables(&gate, &[]);
    let token = value(&variables, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    let (id, end) = token.strip_prefix("ordain.").unwrap().split_once('.').unwrap();
    let line = |name: &str, password: &str| {
        format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("{name}:{password}")))
    };
    let send = |client: &Client, session: Option<&str>| {
        let craft = Craft::form(client, "ec2", "Action=DescribeInstances&Version=2016-11-15")
            .but(|craft| craft.host = EC2.to_owned());
        let craft = match session {
            Some(session) => craft.adding("x-amz-security-token", session),
            None => craft,
        };
        let mut tunnel = tunnel_by(&gate, EC2, &line(id, end)).unwrap();
        tunnel.write_all(&craft.bytes()).unwrap();
        read_reply(&mut tunnel, false).unwrap()
    };
    // It acts for alice, whom nothing that robot signs by itself is for.
    for actor in ["alice", "robot", "mallory"] {
        let reply = send(&gate.client(actor), None);
        assert_eq!((reply.status, reply.reason()), (403, "actor_mismatch"), "{actor}: {}", reply.text());
    }
    let pair = given(&gate, token);
    let key = Key { id: field(&pair, "AccessKeyId"), secret: field(&pair, "SecretAccessKey") };
    let same = send(&Client::new(gate.address, &key), Some(&field(&pair, "Token")));
    assert_eq!(same.status, 200, "{}", same.text());
    for (name, password) in [(id, "another"), (id, token), ("x", end)] {
        assert!(tunnel_by(&gate, EC2, &line(name, password)).is_err(), "{name}");
    }
    assert!(gate.run(&["key", "revoke", id]).status.success());
    assert!(tunnel_by(&gate, EC2, &line(id, end)).is_err(), "revoked");
    gate.finish();
}

#[test]
fn a_run_is_given_its_credential_so_where_that_is_asked_for() {
    let gate = Gate::start(Setup::default());
    let words =
        ["run", "--actor", "robot", "--on-behalf-of", "person:alice", "--credentials", "endpoint", "--"];
    let ran = gate.run_in(
        &[
            ("AWS_ACCESS_KEY_ID", "AKIAOFSOMEBODY000000"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/elsewhere"),
        ],
        &[&words[..], &["env"]].concat(),
    );
    let text = said(&ran);
    let token = text.lines().find_map(|line| line.strip_prefix("AWS_CONTAINER_AUTHORIZATION_TOKEN="));
    let token = token.unwrap_or_else(|| panic!("no token in: {text}"));
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
        assert!(!text.contains(name), "`{name}` in: {text}");
    }
    assert!(text.contains("AWS_SHARED_CREDENTIALS_FILE=/dev/null"), "{text}");
    let reply = ask(&gate, &[("host", &gate.admin.to_string()), ("authorization", token)]);
    assert_eq!(reply.status, 403, "it ended with the run: {}", reply.text());
    gate.finish();
}
