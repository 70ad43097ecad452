//! An `OpenAPI` document: read strictly, with its references followed.
//!
//! Leaves out what its operations are (`operation.rs`), and references to other files.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How many references lead from one to the next at most.
const REFERENCES_MAX: usize = 32;

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    root: Value,
    /// Swagger 2, and not `OpenAPI` 3.
    pub(super) is_swagger: bool,
}

impl Document {
    /// Reads JSON, or YAML.
    ///
    /// # Errors
    /// It is neither, or no such document.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| "the description is not UTF-8; save it in UTF-8".to_owned())?;
        let read = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            yaml_serde::from_str(text).map(|Once(root)| Once(merged(root))).map_err(|error| error.to_string())
        };
        let Once(root) = read.map_err(|why| {
            format!("the description cannot be read: {why}; give OpenAPI 3 or Swagger 2, as YAML or JSON")
        })?;
        let version =
            |key: &str| root.get(key).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        let is_swagger = match (version("swagger"), version("openapi")) {
            (Some(version), None) if version.starts_with("2.") => true,
            (None, Some(version)) if version.starts_with("3.") => false,
            _ => {
                return Err(
                    "the description says neither `swagger: \"2.0\"` nor `openapi: 3.x`; give one that does"
                        .to_owned(),
                );
            }
        };
        Ok(Self { root, is_swagger })
    }

    /// A member of the document itself.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.root.get(key)
    }

    /// What a node is, or what it refers to.
    ///
    /// # Errors
    /// It refers to what is not there, or not in this file.
    pub(super) fn resolve<'d>(&'d self, node: &'d Value) -> Result<&'d Value, String> {
        let mut node = node;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = node.get("$ref").and_then(Value::as_str) else { return Ok(node) };
            let pointer = reference.strip_prefix('#').ok_or_else(|| {
                format!("`{reference}` is in another file; put all of the description into one")
            })?;
            let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
            node = self.root.pointer(&pointer).ok_or_else(|| {
                format!("`{reference}` refers to nothing; add it, or take the reference out")
            })?;
        }
        Err("references lead in a circle; take one of them out".to_owned())
    }
}

/// A value of YAML with what `<<` takes from elsewhere in the place of that: what an object says itself stands above it.
fn merged(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(merged).collect()),
        Value::Object(members) => {
            let mut all: Map<String, Value> =
                members.into_iter().map(|(key, value)| (key, merged(value))).collect();
            let others = match all.remove("<<") {
                Some(Value::Array(others)) => others,
                Some(other) => vec![other],
                None => Vec::new(),
            };
            for other in others {
                if let Value::Object(other) = other {
                    for (key, value) in other {
                        all.entry(key).or_insert(value);
                    }
                }
            }
            Value::Object(all)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// A value whose objects have each key once.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Once)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((key, Once(value))) = members.next_entry::<String, Once>()? {
            if all.contains_key(&key) {
                return Err(serde::de::Error::custom(format!("`{key}` is given twice")));
            }
            all.insert(key, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_strictly() {
        for (text, expected) in [
            ("swagger: '2.0'\nx: {200: a}", "ok"),
            ("openapi: 3.1.0", "ok"),
            ("{\"openapi\": \"3.0.3\", \"x\": 1.5, \"y\": [null, true, -1]}", "ok"),
            ("openapi: 3.1.0\npaths: {}\npaths: {}", "`paths` is given twice"),
            ("{\"openapi\": \"3.0.3\", \"a\": {\"b\": 1, \"b\": 2}}", "`b` is given twice"),
            ("openapi: '4'", "neither"),
            ("swagger: '2.0'\nopenapi: 3.0.0", "neither"),
            ("[", "cannot be read"),
        ] {
            let shown = Document::read(text.as_bytes()).map_or_else(|why| why, |_| "ok".to_owned());
            assert!(shown.contains(expected), "{text}: {shown}");
        }
    }

    #[test]
    fn what_is_taken_from_elsewhere_is_below_what_an_object_says_itself() {
        let text = "openapi: 3.0.0\na: &a {x: 1, y: {<<: {z: 3}}}\nb: {<<: *a, x: 2}\nc: {<<: [{p: 1}, {p: 2, q: 3}]}";
        let document = Document::read(text.as_bytes()).unwrap();
        let of = |key: &str| document.get(key).unwrap().to_string();
        assert_eq!(
            (of("b"), of("c")),
            ("{\"x\":2,\"y\":{\"z\":3}}".to_owned(), "{\"p\":1,\"q\":3}".to_owned())
        );
    }

    #[test]
    fn references_are_followed_within_the_file() {
        let text = "openapi: 3.0.0\na: {b/c: {d: 1}}\nr: {$ref: '#/a/b~1c'}\no: {$ref: 'other.yaml#/a'}\n\
                    n: {$ref: '#/nothing'}\nl: {$ref: '#/l'}";
        let document = Document::read(text.as_bytes()).unwrap();
        let of = |key: &str| document.resolve(document.get(key).unwrap()).map(ToString::to_string);
        assert_eq!(of("r").unwrap(), "{\"d\":1}");
        assert!(of("o").unwrap_err().contains("another file"));
        assert!(of("n").unwrap_err().contains("refers to nothing"));
        assert!(of("l").unwrap_err().contains("in a circle"));
    }
}
