//! Tokens of a cluster by hvac: what it hands out stays in the gate, and ends and is renewed with ours.
//!
//! The cluster is a stand-in (`cluster.py`): none is in the packages that these tests may install.

use std::process::Command;

use jiff::Timestamp;

use crate::harness::{Gate, now, said};
use crate::planes::served::{self, REAL, Server};

fn cluster() -> Option<Server> {
    let python = served::python()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/planes/vault/cluster.py");
    Some(Server::start(|port, _| {
        let mut command = Command::new(&python);
        command.args([script, port, REAL]);
        command
    }))
}

fn gate(cluster: &Server) -> Gate {
    let credentials = "{ header = { name = \"x-vault-token\", file = {token} } }";
    let gate = served::gate("vault", &format!("http://{}", cluster.address), credentials, "enforce");
    gate.must_not_write("hvs.REAL");
    gate
}

fn day(base: &str, token: &str) -> (Vec<String>, String) {
    let output = served::script(&served::python().unwrap(), "vault/tokens.py", &[base, token]);
    assert!(output.status.success(), "{}", said(&output));
    let all = String::from_utf8(output.stdout).unwrap();
    let (own, day): (Vec<&str>, Vec<&str>) = all.lines().partition(|line| line.starts_with('#'));
    (day.into_iter().map(str::to_owned).collect(), own.join("\n"))
}

/// Whose tokens the cluster was asked with.
fn asked(cluster: &Server) -> Vec<String> {
    cluster.log().lines().filter(|line| line.starts_with('"')).map(str::to_owned).collect()
}

#[test]
fn a_day_with_tokens_is_the_same_through_the_gate() {
    let Some(cluster) = cluster() else { return };
    let (direct, own) = day(&format!("http://{}", cluster.address), REAL);
    assert_eq!(own.lines().next(), Some("# tokens begin with [\"hvs\"]"));
    let directly = asked(&cluster);
    let gate = gate(&cluster);
    let before = asked(&cluster).len();
    let token = gate.bearer("served", "alice", "person");
    let (through, own) = day(&format!("http://{}", gate.address), &token);
    assert_eq!(own, "# tokens begin with [\"ordain\"]\n# of the cluster's own 0");
    let differs: Vec<(&String, &String)> =
        direct.iter().zip(&through).filter(|(one, other)| one != other).collect();
    let [(lasting, withheld), (over, ended), (childless, gone)] = differs.as_slice() else {
        panic!("{differs:?} {}", gate.log())
    };
    // What has no end is withheld; and what has ended is nobody's here, whom Vault says no to in the same way.
    assert_eq!(*lasting, "lasting: 0");
    assert!(withheld.starts_with("lasting: Forbidden permission denied: the answer hands out"), "{withheld}");
    assert_eq!(
        [over.as_str(), childless.as_str()],
        ["over: Forbidden permission denied", "childless: Forbidden permission denied"]
    );
    for (ended, step) in [(ended, "over"), (gone, "childless")] {
        assert!(ended.starts_with(&format!("{step}: ")) && ended.contains("revoked"), "{ended}");
    }
    // The cluster was asked with the same tokens, but for what had ended.
    let through: Vec<String> = asked(&cluster).split_off(before);
    let directly: Vec<String> =
        directly.into_iter().filter(|line| !line.ends_with("nobody") || line.contains("login")).collect();
    assert_eq!(through, directly);
    gate.finish();
}

#[test]
fn what_is_the_gates_own_is_neither_shown_nor_ended() {
    let Some(cluster) = cluster() else { return };
    let gate = gate(&cluster);
    let before = asked(&cluster).len();
    let alice = gate.bearer("served", "alice", "person");
    for (asked, body) in [
        ("GET /v1/auth/token/lookup-self", ""),
        ("POST /v1/auth/token/renew-self", "{}"),
        ("POST /v1/auth/token/revoke-self", ""),
        // Whoever says what it will be knows it.
        ("POST /v1/auth/token/create", "{\"id\":\"a-token-of-ones-own\"}"),
        ("POST /v1/auth/token/create", "{\"ID\":\"a-token-of-ones-own\"}"),
    ] {
        let refused = served::ask(&gate, &alice, asked, body);
        assert_eq!((refused.status, refused.reason()), (403, "custody_leak"), "{asked}");
    }
    assert_eq!(asked(&cluster).len(), before, "{}", cluster.log());
    gate.finish();
}

#[test]
fn what_is_renewed_ends_with_the_real_one() {
    let Some(cluster) = cluster() else { return };
    let gate = gate(&cluster);
    let alice = gate.bearer("served", "alice", "person");
    let made = served::ask(&gate, &alice, "POST /v1/auth/token/create", "{\"ttl\":\"1h\"}");
    let body: serde_json::Value =
        serde_json::from_slice(&made.body).unwrap_or_else(|_| panic!("{}", made.text()));
    let minted = body["auth"]["client_token"].as_str().unwrap();
    let lasts = || {
        let listed = gate.run(&["-o", "json", "key", "list"]);
        let keys: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
        let states = keys.iter().filter_map(|key| key["state"].as_str()?.strip_prefix("session until "));
        let ends: Vec<Timestamp> = states.map(|end| end.parse().unwrap()).collect();
        let [end] = ends.as_slice() else { panic!("{keys:?}") };
        end.duration_since(now()).as_mins()
    };
    assert!((55..=60).contains(&lasts()), "{}", lasts());
    let renewed = served::ask(&gate, minted, "POST /v1/auth/token/renew-self", "{}");
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    assert!((115..=120).contains(&lasts()), "{}", lasts());
    gate.finish();
}
