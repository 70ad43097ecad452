//! Every request that the clients of Graph build must be read as what the client calls it.
//!
//! The requests are made by `sweep.py` and kept compressed in `sweep/`; `ORDAIN_TEST_GRAPH_SWEEP` names a folder of fresh
//! ones. Leaves out what bodies add, which the room's own cases show.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ordain_action::{Plane, Upstream};
use ordain_decode::line::{At, decode_line_at};
use ordain_decode::{Rooms, RoomsConfig};
use serde::Deserialize;

/// What `sweep.py` says of a request.
#[derive(Deserialize)]
struct Expected {
    id: String,
    method: String,
    /// The names that the client was walked through, without underscores; those of a batch line by line.
    expect: String,
    /// `read`, `change`, `may_read` where the description says that it looks, `refused`, or `batch`.
    hint: String,
    /// An id that has to be in a resource's name.
    name: String,
}

/// What the decoder says of it.
#[derive(Deserialize)]
struct Decoded {
    id: String,
    #[serde(default)]
    plane: String,
    #[serde(default)]
    effects: Vec<DecodedEffect>,
    undecodable: Option<Undecodable>,
}

#[derive(Deserialize)]
struct DecodedEffect {
    operation: String,
    access: String,
    resources: Vec<DecodedResource>,
}

#[derive(Deserialize)]
struct DecodedResource {
    name: String,
    #[serde(default)]
    pattern: bool,
}

#[derive(Deserialize)]
struct Undecodable {
    reason_code: String,
}

/// Whether an operation is what the client calls it, where verbs are left out that only things have.
fn is_called(operation: &str, expected: &Expected) -> bool {
    let verbs: &[&str] = match expected.method.as_str() {
        "GET" => &["/get", "/list"],
        "POST" => &["/create"],
        "PATCH" => &["/update"],
        "PUT" => &["/put"],
        _ => &["/delete"],
    };
    let wanted = expected.expect.to_lowercase();
    let bare = verbs.iter().find_map(|verb| operation.strip_suffix(verb));
    // What is called has no verb; what it is given by default stands in the client's name for it.
    let given = wanted
        .strip_prefix(&plain(operation))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("with"));
    bare.is_some_and(|bare| plain(bare) == wanted) || given
}

/// A name as the client's names are compared: what is a value of OData's is a content there.
fn plain(name: &str) -> String {
    let name = name.to_lowercase().replace("$value", "content").replace("microsoft", "");
    name.replace(['$', '_', '.'], "")
}

/// What is wrong with what was read; nothing where it is what was meant.
fn fault(expected: &Expected, decoded: &Decoded) -> Option<String> {
    assert_eq!(expected.id, decoded.id, "answers come in the order of the requests");
    if let Some(why) = &decoded.undecodable {
        // The clients reach whoever the credential is in another way as well.
        let own = expected.hint == "change" && expected.id.contains(".education.me.");
        let meant = why.reason_code == "own_account"
            && (own || matches!(expected.hint.as_str(), "refused" | "may_read"));
        return (!meant).then(|| format!("undecodable: {}", why.reason_code));
    }
    if decoded.plane != "graph" {
        return Some(format!("taken for `{}`", decoded.plane));
    }
    if decoded.effects.iter().any(|effect| effect.resources.is_empty()) {
        return Some("an effect touches nothing".to_owned());
    }
    if expected.hint == "batch" {
        return batch(expected, decoded);
    }
    let mut called = decoded.effects.iter().map(|effect| effect.operation.as_str());
    if let Some(other) = called.find(|one| !is_called(one, expected)) {
        return Some(format!("read as {other}"));
    }
    let accesses: Vec<&str> = decoded.effects.iter().map(|effect| effect.access.as_str()).collect();
    let reads = accesses.iter().all(|access| *access == "read");
    match expected.hint.as_str() {
        "change" if reads => return Some("a change is read as a read".to_owned()),
        "read" if !reads && accesses != ["secret_read"] => {
            return Some(format!("a read is read as {}", accesses.join(", ")));
        }
        "refused" => return Some("a change of whoever the gate is was read".to_owned()),
        _ => {}
    }
    let mut resources = decoded.effects.iter().flat_map(|effect| &effect.resources);
    let named = resources.any(|one| one.pattern || one.name.contains(&expected.name));
    (!named).then(|| format!("`{}` is not named", expected.name))
}

/// The requests of a batch, each by its own name, in their order.
fn batch(expected: &Expected, decoded: &Decoded) -> Option<String> {
    let mut effects = decoded.effects.iter().peekable();
    for wanted in expected.expect.to_lowercase().lines() {
        let mut seen = false;
        while let Some(effect) = effects.peek() {
            let operation = plain(&effect.operation);
            let verb = operation.strip_prefix(wanted).unwrap_or("?");
            if !matches!(verb, "" | "/get" | "/list" | "/create" | "/update" | "/put" | "/delete") {
                break;
            }
            seen = true;
            effects.next();
        }
        // Two in a row of one name are taken for one.
        if !seen && !expected.expect.to_lowercase().matches(wanted).count().gt(&1) {
            return Some(format!("`{wanted}` is not read where it stands"));
        }
    }
    effects.peek().map(|effect| format!("`{}` is read and was not asked for", effect.operation))
}

/// The requests: fresh ones where a folder of them is named, else those kept beside this file.
fn source() -> Box<dyn BufRead> {
    if let Some(folder) = crate::harness::variable("ORDAIN_TEST_GRAPH_SWEEP") {
        let path = Path::new(&folder).join("requests.jsonl");
        return Box::new(BufReader::new(File::open(path).expect("the folder of fresh requests has them")));
    }
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/planes/graph/sweep/requests.jsonl.zst");
    let file = File::open(path).expect("the sweep is kept beside this file");
    let plain: Box<dyn Read> = Box::new(zstd::Decoder::new(file).expect("it is a zstd stream"));
    Box::new(BufReader::new(plain))
}

#[test]
fn the_sweep_of_the_python_clients() {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let upstream =
        Upstream { name: "entra".into(), plane: Plane::Graph, account: "acme".into(), partition: "".into() };
    let at = At { upstream: &upstream, served: true };
    let (mut answer, mut faults, mut requests, mut read_by_post) = (String::new(), Vec::new(), 0, 0);
    for line in source().lines() {
        let line = line.expect("the file is text");
        answer.clear();
        decode_line_at(&rooms, at, &line, &mut answer);
        let expected: Expected = serde_json::from_str(&line).expect("the sweep is JSON lines");
        let decoded: Decoded = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
        requests += 1;
        read_by_post += usize::from(
            expected.method == "POST" && decoded.effects.iter().all(|effect| effect.access == "read"),
        );
        if let Some(fault) = fault(&expected, &decoded) {
            faults.push(format!("{}: {fault}", expected.id));
        }
    }
    eprintln!("graph: {requests} requests, {} misread, {read_by_post} POSTs that look", faults.len());
    assert!(requests >= 46_000, "the sweep has shrunk: {requests}");
    assert!(faults.is_empty(), "{}", faults.iter().take(40).cloned().collect::<Vec<_>>().join("\n"));
}
