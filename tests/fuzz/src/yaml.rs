//! YAML: what ours accepts, an independent reader reads as the same one map.

use ordain_decode::form::{Fields, yaml};
use yaml_serde::Value as Theirs;

use crate::flat::{self, Flat, Value, below, item, written};

/// Reads the bytes twice and compares.
pub fn check(data: &[u8]) {
    let mut fields = Fields::new();
    if yaml::read(data, &mut fields).is_err() {
        return;
    }
    let theirs: Theirs = yaml_serde::from_slice(data).expect("another reader reads what we accept");
    let mut flattened = Flat::new();
    flatten(String::new(), true, &theirs, &mut flattened);
    let Some(ours) = flat::of(&fields) else { return };
    let flattened = written(flattened);
    assert_eq!(ours.len(), flattened.len(), "{ours:?}\n{flattened:?}");
    for (one, other) in ours.iter().zip(&flattened) {
        assert!(one.0 == other.0 && same(&one.1, &other.1), "{one:?}\n{other:?}");
    }
}

/// The other reader writes a number of its own.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(one), Value::Number(other)) => one.parse::<f64>() == other.parse::<f64>(),
        (one, other) => one == other,
    }
}

fn flatten(path: String, root: bool, value: &Theirs, flat: &mut Flat) {
    let value = match value {
        Theirs::Null => Value::Null,
        Theirs::Bool(truth) => Value::Bool(*truth),
        Theirs::Number(number) => Value::Number(number.to_string()),
        Theirs::String(text) => Value::Text(text.clone()),
        Theirs::Sequence(items) if items.is_empty() => Value::Empty,
        Theirs::Sequence(items) => {
            for (at, one) in items.iter().enumerate() {
                flatten(item(&path, at + 1), false, one, flat);
            }
            return;
        }
        Theirs::Mapping(members) if members.is_empty() && root => return,
        Theirs::Mapping(members) if members.is_empty() => Value::Empty,
        Theirs::Mapping(members) => {
            for (key, member) in members {
                flatten(below(&path, key.as_str().expect("keys are text")), false, member, flat);
            }
            return;
        }
        Theirs::Tagged(_) => panic!("a tag was accepted"),
    };
    flat.push((path, value));
}
