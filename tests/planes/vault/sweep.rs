//! Every method of hvac, as hvac itself sends it, must be read as what its name says.
//!
//! The requests are made by `sweep.py`. Leaves out parameters, which the room's own cases show.

use ordain_action::{Access, Plane, Reading};
use ordain_decode::{Rooms, RoomsConfig, VaultMount};
use serde::Deserialize;

use crate::planes::sweeps::{self, Reader, Swept, ensure};

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    expect_hint: String,
}

fn check(expected: &Expected, reading: &Reading) -> Result<(), String> {
    let call = match reading {
        Reading::Undecodable { why, .. } => return Err(format!("undecodable {}: {why}", why.reason_code)),
        Reading::Call(call) => call,
    };
    let accesses: Vec<Access> = call.effects.iter().map(|effect| effect.access).collect();
    ensure(!accesses.is_empty(), || "no effect".to_owned())?;
    let has = |access| accesses.contains(&access);
    let fits = match expected.expect_hint.as_str() {
        "read" => !call.is_change() && call.answer.mints.is_none(),
        "secret" => has(Access::SecretRead),
        "token" => call.answer.mints.is_some() && call.is_change(),
        "delete" => has(Access::Delete),
        "change" => call.is_change(),
        // What is there is looked at first, where a write is a patch.
        "any" => accesses.iter().all(|access| matches!(access, Access::Read | Access::SecretRead)),
        other => return Err(format!("`{other}` says nothing of what is meant")),
    };
    ensure(fits, || format!("{} is read as {accesses:?}", expected.expect_hint))?;
    let namespace = expected.id.split('/').skip(2).take(2).collect::<Vec<_>>().join("/");
    let within = format!("vault://prod/{}", if namespace == "team-a/dev" { "team-a/dev/" } else { "" });
    let first = call.effects.first().and_then(|effect| effect.resources.first());
    let Some(name) = first.map(|resource| &resource.name) else {
        return Err("an effect touches nothing".to_owned());
    };
    let named = name.starts_with(&within) || name == "vault://prod";
    ensure(named, || format!("is said to be on `{name}`"))
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

fn reader(upstream: &str) -> Reader {
    let config = RoomsConfig { vault: mounts(), ..RoomsConfig::default() };
    let rooms = Rooms::new(config).expect("the mounts are read");
    let mut reader = Reader { rooms, ..Reader::new(Plane::Vault, "prod") };
    reader.upstream.name = upstream.into();
    reader
}

#[test]
fn the_sweep_of_hvac() {
    let (one, two) = (reader("one"), reader("two"));
    let (mut swept, mut changes) = (Swept::default(), 0);
    for line in sweeps::requests(Plane::Vault) {
        let expected: Expected = sweeps::parsed(&line);
        let reader = if expected.id.starts_with("KvV1.") { &one } else { &two };
        changes += usize::from(expected.expect_hint != "read");
        swept.add(&expected.id, check(&expected, &reader.reading(&line)));
    }
    eprintln!("{changes} changes");
    swept.holds(1_900);
}
