//! What holds at the end of every test: every change that arrived was admitted, recorded before it arrived, and
//! arrived once. A read may be asked once more.
//!
//! What arrived is decoded again here, from the upstream's side. Leaves out why something was admitted.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use ordain_decode::line::decode_line;
use ordain_decode::{Rooms, RoomsConfig};
use serde_json::Value;

use super::ledger::{Entry, LedgerView};
use super::recorder::Arrived;

/// Checks all that arrived against the ledger.
pub(crate) fn check_arrived(arrived: &[Arrived], ledger: &mut LedgerView) {
    let rooms = Rooms::new(RoomsConfig::default()).expect("the built-in rooms load");
    let mut seen = BTreeMap::new();
    for one in arrived {
        assert!(
            one.header("authorization").is_some_and(|value| value.contains("AWS4-HMAC-SHA256")),
            "{one:?}"
        );
        let decision = one.decision.as_deref().and_then(|id| ledger.decision(id));
        let operations = operations(&rooms, one);
        match decision {
            Some(entry) => admitted(one, &entry, &operations),
            None => assert!(operations.reads, "a change arrived that no entry admits: {one:?}"),
        }
        if let Some(id) = &one.decision {
            let times = seen.entry(id.clone()).or_insert(0);
            *times += 1;
            let most = if operations.reads { 2 } else { 1 };
            assert!(*times <= most, "decision {id} arrived {times} times");
        }
    }
}

fn admitted(one: &Arrived, entry: &Entry, operations: &Operations) {
    let effect = entry.text("effect");
    assert!(
        ["admitted", "shadowed", "pass_through", "read"].contains(&effect),
        "`{effect}` arrived: {one:?}"
    );
    assert!(one.recorded_before, "it arrived before its entry was written: {one:?}");
    assert_eq!(entry.says["head"]["method"], one.method, "another method arrived than was judged");
    if !entry.has_blob && !operations.names.is_empty() && !entry.operations().is_empty() {
        assert_eq!(
            entry.operations(),
            operations.names,
            "another operation arrived than was judged: {one:?}"
        );
    }
}

/// Every decision that let something leave has exactly one outcome.
pub(crate) fn check_outcomes(ledger: &mut LedgerView) {
    let entries = ledger.refresh();
    let mut open = BTreeSet::new();
    for entry in entries {
        if entry.is_decision() && entry.text("effect") != "refused" && entry.text("effect") != "read" {
            open.insert(entry.text("id").to_owned());
        }
        if entry.is_outcome() {
            let id = entry.text("decision");
            assert!(open.remove(id), "an outcome without a decision, or a second one: {id}");
        }
    }
    assert!(open.is_empty(), "{} decisions have no outcome, such as {:?}", open.len(), open.first());
}

#[derive(Debug, Default)]
struct Operations {
    names: Vec<String>,
    reads: bool,
}

/// What the upstream would make of what arrived.
fn operations(rooms: &Rooms, one: &Arrived) -> Operations {
    let headers: Vec<[&str; 2]> =
        one.headers.iter().map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    let host = one.header("host").unwrap_or("127.0.0.1");
    let line = serde_json::json!({
        "id": "arrived",
        "method": one.method,
        "url": format!("http://{host}{}", one.target),
        "headers": headers,
        "body_b64": base64::engine::general_purpose::STANDARD.encode(&one.body),
    });
    let mut answer = String::new();
    decode_line(rooms, &line.to_string(), &mut answer);
    let answer: Value = serde_json::from_str(&answer).expect("the decoder writes JSON lines");
    let effects = answer["effects"].as_array().cloned().unwrap_or_default();
    let word = |effect: &Value, name: &str| effect[name].as_str().unwrap_or_default().to_owned();
    Operations {
        names: effects
            .iter()
            .map(|effect| format!("{}:{}", word(effect, "service"), word(effect, "operation")))
            .collect(),
        reads: !effects.is_empty() && effects.iter().all(|effect| word(effect, "access") == "read"),
    }
}
