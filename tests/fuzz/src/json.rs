//! JSON: what ours accepts, serde_json accepts, with every key once and every value the same.

use std::collections::BTreeSet;
use std::fmt;

use ordain_decode::form::{Fields, json};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::flat::{self, Flat, Value, below, item, written};

/// Reads the bytes twice and compares.
pub fn check(data: &[u8]) {
    let mut fields = Fields::new();
    if json::read(data, &mut fields).is_err() {
        return;
    }
    // serde_json hands a number on as a map with this key: a body that has it would be taken for one.
    let own_key = b"$serde_json::private::Number";
    if data.windows(own_key.len()).any(|window| window == own_key) {
        return;
    }
    let mut theirs = Flat::new();
    let mut reader = serde_json::Deserializer::from_slice(data);
    let seed = At { path: String::new(), root: true, flat: &mut theirs };
    seed.deserialize(&mut reader).expect("serde_json reads what we accept");
    reader.end().expect("nothing follows what we accept");
    let Some(ours) = flat::of(&fields) else { return };
    let theirs = written(theirs);
    assert_eq!(ours.len(), theirs.len(), "{ours:?}\n{theirs:?}");
    for (one, other) in ours.iter().zip(&theirs) {
        assert!(one.0 == other.0 && same(&one.1, &other.1), "{one:?}\n{other:?}");
    }
}

/// serde_json hands small whole numbers on by value and writes an exponent in one way.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (one == "-0" && other == "0") || signed_exponent(one) == signed_exponent(other)
        }
        (one, other) => one == other,
    }
}

fn signed_exponent(number: &str) -> String {
    let number = number.replace('E', "e");
    match number.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with(['+', '-']) => format!("{digits}e+{exponent}"),
        Some(_) | None => number,
    }
}

struct At<'f> {
    path: String,
    root: bool,
    flat: &'f mut Flat,
}

impl At<'_> {
    fn put(self, value: Value) {
        self.flat.push((self.path, value));
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.put(Value::Bool(truth));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.put(Value::Number(number.to_string()));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.put(Value::Number(number.to_string()));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        // The only whole number that is handed on as this one.
        assert!(number == 0.0, "a number was rounded");
        self.put(Value::Number("0".to_owned()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(Value::Null);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.put(Value::Text(text.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0;
        loop {
            let path = item(&self.path, number + 1);
            let seed = At { path, root: false, flat: &mut *self.flat };
            if items.next_element_seed(seed)?.is_none() {
                break;
            }
            number += 1;
        }
        if number == 0 && !self.root {
            self.put(Value::Empty);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = members.next_key::<String>()? {
            if key == "$serde_json::private::Number" {
                let number: String = members.next_value()?;
                self.put(Value::Number(number));
                return Ok(());
            }
            let path = below(&self.path, &key);
            members.next_value_seed(At { path, root: false, flat: &mut *self.flat })?;
            assert!(seen.insert(key), "a key given twice was accepted");
        }
        if seen.is_empty() && !self.root {
            self.put(Value::Empty);
        }
        Ok(())
    }
}
