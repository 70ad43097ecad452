//! Every method of hvac, as hvac itself sends it, must be read as what its name says.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_VAULT_SWEEP` names a folder of fresh
//! ones. Leaves out parameters, which the room's own cases show.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain_action::{Access, Plane, Reading, Upstream};
use ordain_decode::line::{At, read_request};
use ordain_decode::{Rooms, RoomsConfig, VaultMount};
use serde::Deserialize;

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_hint: String,
}

/// What is wrong with what was read; nothing where it is what was meant.
fn fault(expected: &Expected, reading: &Reading) -> Option<String> {
    let call = match reading {
        Reading::Undecodable { .. } if expected.expect_hint == "refused" => return None,
        Reading::Undecodable { why, .. } => return Some(format!("undecodable {}: {why}", why.reason_code)),
        Reading::Call(call) => call,
    };
    let accesses: Vec<Access> = call.effects.iter().map(|effect| effect.access).collect();
    if accesses.is_empty() {
        return Some("no effect".to_owned());
    }
    let has = |access| accesses.contains(&access);
    let fits = match expected.expect_hint.as_str() {
        "read" => !call.is_change() && call.answer.mints.is_none(),
        "secret" => has(Access::SecretRead),
        "token" => call.answer.mints.is_some() && call.is_change(),
        "delete" => has(Access::Delete),
        "change" => call.is_change(),
        // What is there is looked at first, where a write is a patch.
        "any" => accesses.iter().all(|access| matches!(access, Access::Read | Access::SecretRead)),
        // Each of these was meant to be refused.
        "refused" => false,
        other => return Some(format!("`{other}` says nothing of what is meant")),
    };
    if !fits {
        return Some(format!("{} is read as {accesses:?}", expected.expect_hint));
    }
    let namespace = expected.id.split('/').skip(2).take(2).collect::<Vec<_>>().join("/");
    let within = format!("vault://prod/{}", if namespace == "team-a/dev" { "team-a/dev/" } else { "" });
    let first = call.effects.first().and_then(|effect| effect.resources.first());
    let Some(name) = first.map(|resource| &resource.name) else {
        return Some("an effect touches nothing".to_owned());
    };
    let named = name.starts_with(&within) || name == "vault://prod";
    (!named).then(|| format!("is said to be on `{name}`"))
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_VAULT_SWEEP") {
        let path = Path::new(&folder).join("requests.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh requests has them")));
    }
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/vault/sweep/requests.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

/// What hvac takes for mounted where nobody says otherwise; both sorts of `kv` at one place.
fn mounts() -> Vec<VaultMount> {
    let engines =
        ["ad", "aws", "azure", "consul", "database", "gcp", "ldap", "pki", "rabbitmq", "ssh", "transit"];
    let mut all = Vec::new();
    for (upstream, kv) in [("one", "kv-v1"), ("two", "kv-v2")] {
        for namespace in ["", "team-a/dev/"] {
            let engines = engines.iter().map(|engine| (*engine, *engine)).chain([("secret", kv)]);
            all.extend(engines.map(|(path, kind)| VaultMount {
                upstream: upstream.to_owned(),
                path: format!("{namespace}{path}"),
                kind: kind.to_owned(),
            }));
        }
    }
    all
}

#[test]
fn the_sweep_of_hvac() {
    let rooms =
        Rooms::new(RoomsConfig { vault: mounts(), ..RoomsConfig::default() }).expect("the mounts are read");
    let upstream = |name: &str| Upstream {
        name: name.into(),
        plane: Plane::Vault,
        account: "prod".into(),
        partition: "".into(),
    };
    let (one, two) = (upstream("one"), upstream("two"));
    let (mut faults, mut requests, mut changes) = (Vec::new(), 0, 0);
    for line in source().lines() {
        let line = line.expect("the file is text");
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let upstream = if expected.id.starts_with("KvV1.") { &one } else { &two };
        let (_, reading) =
            read_request(&rooms, At { upstream, served: true }, &line).expect("a line is a request");
        requests += 1;
        changes += usize::from(expected.expect_hint != "read");
        if let Some(fault) = fault(&expected, &reading) {
            faults.push(format!("{}: {fault}", expected.id));
        }
    }
    eprintln!("{requests} requests, {changes} of them changes, {} misread", faults.len());
    assert!(requests >= 1_900, "the sweep has shrunk");
    assert!(faults.is_empty(), "{}", faults.iter().take(40).cloned().collect::<Vec<_>>().join("\n"));
}
