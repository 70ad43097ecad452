//! CBOR: what ours accepts, ciborium accepts, with every key once and every value the same.

use std::collections::BTreeSet;

use ciborium::Value as Cbor;
use ordain_decode::form::{Fields, cbor};

use crate::flat::{self, Flat, Value, below, item, written};

/// Reads the bytes twice and compares.
pub fn check(data: &[u8]) {
    kubernetes(data);
    let mut fields = Fields::new();
    if cbor::read(data, &mut fields).is_err() {
        return;
    }
    let mut rest = data;
    let value: Cbor = ciborium::from_reader(&mut rest).expect("ciborium reads what we accept");
    assert!(rest.is_empty(), "{} bytes follow what we accept", rest.len());
    let Some(ours) = flat::of(&fields) else { return };
    let mut theirs = Flat::new();
    flatten(&value, String::new(), true, &mut theirs);
    let theirs = written(theirs);
    assert_eq!(ours.len(), theirs.len(), "{ours:?}\n{theirs:?}");
    for (one, other) in ours.iter().zip(&theirs) {
        assert!(one.0 == other.0 && same(&one.1, &other.1), "{one:?}\n{other:?}");
    }
}

/// The Kubernetes style: text may be written as bytes, bytes carry a tag.
fn kubernetes(data: &[u8]) {
    let mut fields = Fields::new();
    if cbor::read_kubernetes(data, &mut fields).is_err() {
        return;
    }
    let mut rest = data;
    let value: Cbor = ciborium::from_reader(&mut rest).expect("ciborium reads what we accept");
    assert!(rest.is_empty(), "{} bytes follow what we accept", rest.len());
    let value = match value {
        Cbor::Tag(tag, inner) => {
            assert_eq!(tag, 55_799, "an object under another tag was accepted");
            *inner
        }
        other => other,
    };
    let Some(ours) = flat::of(&fields) else { return };
    let mut theirs = Flat::new();
    flatten(&as_text(value), String::new(), true, &mut theirs);
    let theirs = written(theirs);
    assert_eq!(ours.len(), theirs.len(), "{ours:?}\n{theirs:?}");
    for (one, other) in ours.iter().zip(&theirs) {
        assert!(one.0 == other.0 && same(&one.1, &other.1), "{one:?}\n{other:?}");
    }
}

/// The same value with text where bytes stand for it.
fn as_text(value: Cbor) -> Cbor {
    match value {
        Cbor::Bytes(bytes) => Cbor::Text(String::from_utf8(bytes).expect("text is UTF-8")),
        Cbor::Tag(tag, inner) => {
            assert!((21..=23).contains(&tag), "bytes under another tag were accepted");
            *inner
        }
        Cbor::Array(items) => Cbor::Array(items.into_iter().map(as_text).collect()),
        Cbor::Map(members) => {
            Cbor::Map(members.into_iter().map(|(key, value)| (as_text(key), as_text(value))).collect())
        }
        other => other,
    }
}

/// Half and single floats are written by us in their own precision and widened by ciborium.
fn same(ours: &Value, theirs: &Value) -> bool {
    let (Value::Number(one), Value::Number(other)) = (ours, theirs) else { return ours == theirs };
    if one == other {
        return true;
    }
    let (Ok(one), Ok(wide)) = (one.parse::<f64>(), other.parse::<f64>()) else { return false };
    let (narrow, wide_as_narrow) = (ours_as_single(ours), other.parse::<f32>());
    one == wide
        || (one.is_nan() && wide.is_nan())
        || wide_as_narrow.is_ok_and(|single| Some(single) == narrow)
}

fn ours_as_single(value: &Value) -> Option<f32> {
    let Value::Number(text) = value else { return None };
    text.parse().ok()
}

fn flatten(value: &Cbor, path: String, root: bool, flat: &mut Flat) {
    match value {
        Cbor::Integer(number) => flat.push((path, Value::Number(i128::from(*number).to_string()))),
        Cbor::Float(number) => flat.push((path, Value::Number(number.to_string()))),
        Cbor::Bool(truth) => flat.push((path, Value::Bool(*truth))),
        Cbor::Null => flat.push((path, Value::Null)),
        Cbor::Text(text) => flat.push((path, Value::Text(text.clone()))),
        Cbor::Bytes(bytes) => flat.push((path, Value::Text(base64(bytes)))),
        Cbor::Tag(tag, inner) => {
            assert_eq!(*tag, 1, "a tag that no client of the protocol sends was accepted");
            // An empty map at the root is no parameters; below a tag it is a value.
            flatten(inner, path, false, flat);
        }
        Cbor::Array(items) => {
            if items.is_empty() && !root {
                flat.push((path.clone(), Value::Empty));
            }
            for (number, one) in items.iter().enumerate() {
                flatten(one, item(&path, number + 1), false, flat);
            }
        }
        Cbor::Map(members) => {
            if members.is_empty() && !root {
                flat.push((path.clone(), Value::Empty));
            }
            let mut seen = BTreeSet::new();
            for (key, member) in members {
                let Cbor::Text(key) = key else { panic!("a key that is not text was accepted") };
                assert!(seen.insert(key), "a key given twice was accepted");
                flatten(member, below(&path, key), false, flat);
            }
        }
        other => panic!("a kind of value was accepted that the protocol does not use: {other:?}"),
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            if place > three.len() {
                text.push('=');
            } else {
                text.push(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
            }
        }
    }
    text
}
