//! Upstreams that each actor's own credential goes on to: weaker, said so, and never with anything of ours.
//!
//! The cluster is the stub of `identity`. Leaves out how an actor is shown, which is tried there.

use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Answer, Reply, Setup, eventually, said};
use crate::identity::Cluster;

const OWN: &str = "a-token-that-only-the-cluster-knows";

fn cluster(change: impl FnOnce(&mut Setup)) -> Cluster {
    Cluster::start_with("pass_through = true", |setup| {
        setup.secrets.push(OWN);
        change(setup);
    })
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// The credentials of the requests that arrived for `target`.
fn arrived(cluster: &Cluster, target: &str) -> Vec<String> {
    let all = cluster.stub.arrived();
    let those = all.iter().filter(|one| one.target == target);
    those.map(|one| one.header("authorization").unwrap_or("none").to_owned()).collect()
}

fn post(cluster: &Cluster, path: &str, headers: &str, body: &Value) -> Reply {
    let stream = TcpStream::connect(cluster.gate.address).unwrap();
    cluster.sent(stream, &format!("POST {path}"), headers, &body.to_string())
}

/// An issued token for `robot`.
fn issued(cluster: &Cluster) -> String {
    cluster.gate.bearer("live", "robot", "agent")
}

const LIST: &str = "/api/v1/namespaces";

#[test]
fn a_token_that_shows_its_holder_goes_on_and_is_told_of_in_evidence() {
    let cluster = cluster(|_| {});
    let token = cluster.token(&json!({}));
    let read = cluster.ask(&bearer(&token));
    assert_eq!(read.status, 200, "{}", read.text());
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b"}});
    let made = post(&cluster, "/api/v1/namespaces/shop/configmaps", &bearer(&token), &map);
    assert_eq!(made.status, 200, "{}", made.text());
    for target in [LIST, "/api/v1/namespaces/shop/configmaps"] {
        assert_eq!(arrived(&cluster, target), [format!("Bearer {token}")], "{target}");
    }
    let id = made.header("ordain-decision-id").unwrap();
    let told = said(&cluster.gate.run(&["explain", id]));
    assert!(told.contains("pipeline acme/shop (proven)"), "{told}");
    assert!(told.contains("whose own credential goes on"), "{told}");
    let written = cluster.gate.ledger().texts().join("\n") + &cluster.gate.log();
    assert!(!written.contains(&token), "{written}");
    cluster.gate.finish();
}

#[test]
fn a_token_that_says_nothing_here_goes_on_for_whom_the_connection_shows() {
    let cluster = cluster(|_| {});
    let read = cluster.on_socket_with(&bearer(OWN));
    assert_eq!(read.status, 200, "{}", read.text());
    let certified = cluster.over_tls_with(&cluster.clients, "spiffe://acme/runner", &bearer(OWN)).unwrap();
    assert_eq!(certified.status, 200, "{}", certified.text());
    assert_eq!(arrived(&cluster, LIST), vec![format!("Bearer {OWN}"); 2]);
    // Whoever nothing shows is nobody, whatever the cluster would make of the token.
    let nobody = cluster.ask(&bearer(OWN));
    assert_eq!(nobody.status, 401, "{}", nobody.text());
    let stranger = cluster.over_tls_with(&cluster.clients, "spiffe://other/runner", &bearer(OWN)).unwrap();
    assert_eq!(stranger.status, 401, "{}", stranger.text());
    // A token that could show somebody and does not is not passed over.
    let over = cluster.token(&json!({"exp": 1}));
    let ended = cluster.on_socket_with(&bearer(&over));
    assert_eq!(ended.status, 401, "{}", ended.text());
    assert!(cluster.gate.run(&["actor", "revoke", "robot"]).status.success());
    let revoked = cluster.on_socket_with(&bearer(OWN));
    assert!(revoked.text().contains("is revoked"), "{}", revoked.text());
    assert_eq!(arrived(&cluster, LIST).len(), 2);
    cluster.gate.finish();
}

#[test]
fn nothing_of_ours_leaves_in_its_place() {
    let cluster = cluster(|_| {});
    let token = issued(&cluster);
    let (key, end) = (cluster.gate.key("alice"), token.rsplit('.').next().unwrap());
    let told = |reply: &Reply, reason: &str| {
        assert_eq!(reply.status, 401, "{}", reply.text());
        eventually(reason, || cluster.gate.log().contains(&format!("\"reason_code\":\"{reason}\"")));
    };
    told(&cluster.ask(&bearer(&token)), "issued_credential");
    let before = cluster.gate.log().matches("issued_credential").count();
    let ours = [key.id.as_str(), &key.secret, end, &format!("x{token}")];
    for text in ours {
        told(&cluster.on_socket_with(&bearer(text)), "issued_credential");
    }
    assert_eq!(cluster.gate.log().matches("issued_credential").count(), before + ours.len());
    told(&cluster.on_socket_with(""), "own_credential_missing");
    // What the connection is said to end with is not taken out behind our back.
    let stripped = cluster.on_socket_with(&format!("{}connection: authorization\r\n", bearer(OWN)));
    assert_ne!(stripped.status, 200, "{}", stripped.text());
    assert_eq!(arrived(&cluster, LIST), Vec::<String>::new());
    cluster.gate.finish();
}

#[test]
fn it_goes_to_that_upstream_and_no_other() {
    let cluster = Cluster::start_with("pass_through = true\nnames = [\"own.example\"]", |setup| {
        let held = setup
            .upstream
            .replace("name = \"live\"", "name = \"held\"")
            .replace("pass_through = true\nnames = [\"own.example\"]", "names = [\"held.example\"]");
        let held = held.split("[[identity").next().unwrap().to_owned();
        setup.upstream = setup.upstream.replace("[\"live\"]", "[\"live\", \"held\"]") + &held;
        let of = "\n---\napiVersion: ordain/v1\nkind: Account\nmetadata: {name: held}\nspec: {plane: kubernetes, account: held, owner: platform}\n";
        setup.model[0].1.push_str(of);
    });
    let token = cluster.token(&json!({}));
    for (name, expected) in [
        ("own.example", format!("Bearer {token}")),
        ("held.example", "Bearer the-real-token-of-the-gate".into()),
    ] {
        let line = format!("GET /api/v1/nodes?at={name}");
        let stream = TcpStream::connect(cluster.gate.address).unwrap();
        let reply = raw(stream, &line, name, &bearer(&token));
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(arrived(&cluster, &format!("/api/v1/nodes?at={name}")), [expected]);
    }
    cluster.gate.finish();
}

fn raw(mut stream: TcpStream, line: &str, host: &str, headers: &str) -> Reply {
    use std::io::Write as _;
    write!(stream, "{line} HTTP/1.1\r\nhost: {host}\r\n{headers}connection: close\r\n\r\n").unwrap();
    crate::harness::read_reply(&mut stream, false).unwrap()
}

#[test]
fn whoever_asks_the_proxy_is_shown_by_that() {
    let cluster = cluster(|setup| setup.listen.push_str("egress = \"127.0.0.1:0\"\n"));
    let token = issued(&cluster);
    let (id, end) = token.strip_prefix("ordain.").unwrap().split_once('.').unwrap();
    let asker = STANDARD.encode(format!("{id}:{end}"));
    let at = cluster.stub.address.to_string();
    let line = format!("GET http://{at}{LIST}");
    let ask = |asker: &str| {
        let stream = TcpStream::connect(cluster.gate.egress()).unwrap();
        raw(stream, &line, &at, &format!("{}{asker}", bearer(OWN)))
    };
    let reply = ask(&format!("proxy-authorization: Basic {asker}\r\n"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(ask("").status, 401, "nobody asked");
    let all = cluster.stub.arrived();
    let all: Vec<_> = all.iter().filter(|one| one.target == LIST).collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].header("authorization"), Some(format!("Bearer {OWN}").as_str()));
    assert!(!format!("{all:?}").contains(end) && !format!("{all:?}").contains(&asker));
    cluster.gate.finish();
}

#[test]
fn a_token_that_is_handed_out_is_exchanged_all_the_same() {
    let cluster = cluster(|setup| {
        setup.mode = "shadow";
        setup.secrets.push("the-real-token-of-the-account");
    });
    cluster.stub.answer(|request| {
        let body = if request.target.ends_with("/token") {
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {"name": "robot"},
                "spec": {"audiences": ["x"], "expirationSeconds": 3600},
                "status": {"token": "the-real-token-of-the-account", "expirationTimestamp": "2099-01-01T00:00:00Z"}})
        } else {
            json!({"kind": "NamespaceList", "apiVersion": "v1", "items": []})
        };
        Answer::With("content-type", "application/json".to_owned(), body.to_string())
    });
    let asks = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["x"]}});
    let path = "/api/v1/namespaces/ci/serviceaccounts/robot/token";
    let own = bearer(&cluster.token(&json!({})));
    let made = post(&cluster, path, &own, &asks);
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(!made.text().contains("the-real-token-of-the-account"), "{}", made.text());
    let answer: Value = serde_json::from_str(&made.text()).unwrap();
    let given = answer["status"]["token"].as_str().unwrap();
    assert!(given.starts_with("ordain."), "{given}");
    // What stands behind it stays in the gate, and is what goes on for it.
    let read = cluster.ask(&bearer(given));
    assert_eq!(read.status, 200, "{}", read.text());
    assert_eq!(arrived(&cluster, LIST), ["Bearer the-real-token-of-the-account"]);
    cluster.gate.finish();
}

#[test]
fn whom_it_acts_as_is_judged_as_ever() {
    let cluster = cluster(|_| {});
    let token = bearer(&cluster.token(&json!({})));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b"}});
    let path = "/api/v1/namespaces/shop/configmaps";
    let made = post(&cluster, path, &format!("{token}impersonate-user: admin\r\n"), &map);
    assert_eq!(made.status, 200, "{}", made.text());
    let told = said(&cluster.gate.run(&["explain", made.header("ordain-decision-id").unwrap()]));
    assert!(told.contains("impersonate"), "{told}");
    let all = cluster.stub.arrived();
    let there = all.iter().find(|one| one.target == path).unwrap();
    assert_eq!(there.header("impersonate-user"), Some("admin"));
    cluster.gate.finish();
}

#[test]
fn it_is_said_to_be_weaker_wherever_it_is_said() {
    const WEAKER: &str = "each actor's own credential goes on to the upstream `live` (`pass_through`): whoever holds one can go round the gate";
    let cluster = cluster(|_| {});
    let doctor = cluster.gate.run(&["-o", "json", "doctor"]);
    assert_eq!(doctor.status.code(), Some(1), "{}", said(&doctor));
    let found: Vec<Value> = serde_json::from_slice(&doctor.stdout).unwrap();
    let custody: Vec<_> = found.iter().filter(|one| one["what"] == "custody").collect();
    assert_eq!(custody.len(), 1, "{found:?}");
    assert_eq!(
        (&custody[0]["ok"], custody[0]["detail"].as_str()),
        (&json!(false), Some(&*format!("WEAKER: {WEAKER}")))
    );
    assert!(cluster.gate.log().contains(&format!("WEAKER: {WEAKER}")), "{}", cluster.gate.log());
    // Taken back, it is in force once it is recorded, and so is what is weaker again.
    let token = bearer(&cluster.token(&json!({})));
    let last = |cluster: &Cluster| {
        let read = cluster.ask(&token);
        // What was claimed under the settings before and leaves under those after it goes with no credential at all.
        let between = read.status == 502 && read.text().contains("no real credential");
        assert!(between || read.status == 200, "{} {}", read.status, read.text());
        arrived(cluster, LIST).pop().unwrap()
    };
    cluster.gate.edit(|settings| settings.replace("pass_through = true", "pass_through = false"));
    cluster.gate.hang_up();
    eventually("the gate's own", || last(&cluster) == "Bearer the-real-token-of-the-gate");
    cluster.gate.edit(|settings| settings.replace("pass_through = false", "pass_through = true"));
    cluster.gate.hang_up();
    eventually("the actor's own", || last(&cluster) == token.trim().split_once(": ").unwrap().1);
    let changes = cluster.gate.ledger().texts().join("\n");
    assert!(changes.contains("upstream `live`: `pass_through` from `` to `true`: loosened"), "{changes}");
    assert!(changes.contains("upstream `live`: `pass_through` from `true` to ``\""), "{changes}");
    cluster.gate.finish();
}
