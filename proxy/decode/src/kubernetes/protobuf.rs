//! Objects in protobuf: in full where the catalogue knows the kind (`typed.rs`), else to what they are called: kind,
//! version, name, namespace, labels, annotations.
//!
//! The server takes the last of two values, cuts field numbers down to 32 bits and merges messages that come twice;
//! what it could read in another way than it stands is refused. Leaves out the rest of an object of an unknown kind,
//! whose fields have no names on the wire: it counts as unseen.

use ordain_action::{Scalar, Undecodable};

use super::typed::Typed;
use crate::form::Fields;
use crate::form::wire::{Value, Wire, bad, only_text};

/// What stands in evidence for all that is not read.
const READ_IN_PART: &str = "a protobuf body is read to its name, labels and annotations alone";

/// What every such body begins with.
pub(super) const MAGIC: &[u8] = b"k8s\0";

/// Texts of an object's metadata, by their numbers (`k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto`).
const TEXTS: [(u64, &str); 5] =
    [(1, "name"), (2, "generateName"), (3, "namespace"), (5, "uid"), (6, "resourceVersion")];

/// The number of a status's reason.
const REASON: u64 = 4;

/// Maps of an object's metadata.
const MAPS: [(u64, &str); 2] = [(11, "labels"), (12, "annotations")];

/// Some of the object is newer than the catalogue.
const NEWER: &str = "the protobuf body has a field that is not known here; send JSON";

/// Reads an object into `fields`, where their path stands, as its JSON would be read. What is told is why some of it
/// was not.
pub(super) fn read(body: &[u8], fields: &mut Fields) -> Result<Option<&'static str>, Undecodable> {
    let (kind, object) = opened(body)?;
    let said = (only_text(kind, 1)?.unwrap_or_default(), only_text(kind, 2)?.unwrap_or_default());
    let Some(message) = ordain_catalog::messages().of(said.0, said.1) else {
        called(kind, object, fields)?;
        return Ok(Some(READ_IN_PART));
    };
    put(fields, &["apiVersion"], said.0);
    put(fields, &["kind"], said.1);
    let whole = Typed::new(fields).read(message, object)?;
    Ok((!whole).then_some(NEWER))
}

/// Reads what an object is called into `fields`, where their path stands.
pub(super) fn read_called(body: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    let (kind, object) = opened(body)?;
    called(kind, object, fields)
}

fn called(kind: &[u8], object: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    for (number, name) in [(1, "apiVersion"), (2, "kind")] {
        if let Some(text) = only_text(kind, number)? {
            put(fields, &[name], text);
        }
    }
    let is_options = fields.text("kind") == Some("DeleteOptions");
    let mut meta = None;
    for field in Wire(object) {
        match field? {
            (1, Value::Bytes(bytes)) if meta.is_none() && !is_options => meta = Some(bytes),
            (1, _) if !is_options => return Err(bad("its metadata is not there once")),
            _ => {}
        }
    }
    metadata(meta.unwrap_or_default(), fields)
}

/// The reason of a `Status`, which is what the server answers where something failed.
pub(super) fn reason(body: &[u8]) -> Option<&str> {
    let (kind, status) = opened(body).ok()?;
    if only_text(kind, 2).ok()? != Some("Status") {
        return None;
    }
    only_text(status, REASON).ok()?
}

/// The kind and the object in an envelope.
fn opened(body: &[u8]) -> Result<(&[u8], &[u8]), Undecodable> {
    let envelope = body.strip_prefix(MAGIC).ok_or_else(|| bad("it does not begin as one"))?;
    let [mut kind, mut object] = [None, None];
    for field in Wire(envelope) {
        match field? {
            (1, Value::Bytes(bytes)) if kind.is_none() => kind = Some(bytes),
            (2, Value::Bytes(bytes)) if object.is_none() => object = Some(bytes),
            // An encoding of the object within, and its media type: empty unless it is another form.
            (3 | 4, Value::Bytes([])) => {}
            (1..=4, _) => return Err(bad("its envelope says something twice, or has another form within")),
            _ => return Err(bad("its envelope has a field that is not known")),
        }
    }
    Ok((kind.unwrap_or_default(), object.unwrap_or_default()))
}

fn metadata(meta: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    for (number, name) in TEXTS {
        if let Some(text) = only_text(meta, number)? {
            put(fields, &["metadata", name], text);
        }
    }
    for (number, name) in MAPS {
        let mut keys: Vec<&str> = Vec::new();
        for field in Wire(meta) {
            let (found, value) = field?;
            if found != number {
                continue;
            }
            let Value::Bytes(entry) = value else { return Err(bad("a map has another kind of entries")) };
            let key = only_text(entry, 1)?.unwrap_or_default();
            if keys.contains(&key) {
                return Err(bad("a label or an annotation is given twice"));
            }
            keys.push(key);
            put(fields, &["metadata", name, key], only_text(entry, 2)?.unwrap_or_default());
        }
    }
    Ok(())
}

fn put(fields: &mut Fields, path: &[&str], text: &str) {
    let marks: Vec<_> = path.iter().map(|part| fields.enter(part)).collect();
    fields.put(Scalar::Text(text));
    for mark in marks.into_iter().rev() {
        fields.leave(mark);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn object(meta: &[u8], rest: &[u8]) -> Vec<u8> {
        let kind = [field(1, b"v1"), field(2, b"Pod")].concat();
        let raw = [field(1, meta), rest.to_vec()].concat();
        [MAGIC, &field(1, &kind), &field(2, &raw), &field(3, b""), &field(4, b"")].concat()
    }

    fn show(body: &[u8]) -> String {
        let mut fields = Fields::new();
        match read(body, &mut fields) {
            Ok(_) => fields.iter().map(|(path, value)| format!("{path}={value:?} ")).collect(),
            Err(why) => why.text,
        }
    }

    #[test]
    fn an_object_is_known_by_what_it_is_called() {
        let label = [field(1, b"a.b"), field(2, b"c")].concat();
        let meta = [field(1, b"web"), field(3, b"shop"), field(11, &label)].concat();
        let mut fields = Fields::new();
        read_called(&object(&meta, &field(2, b"\x0a\x00")), &mut fields).unwrap();
        let said: String = fields.iter().map(|(path, value)| format!("{path}={value:?} ")).collect();
        assert_eq!(
            said,
            "apiVersion=Text(\"v1\") kind=Text(\"Pod\") metadata.name=Text(\"web\") \
             metadata.namespace=Text(\"shop\") metadata.labels.a\\.b=Text(\"c\") "
        );
    }

    #[test]
    fn what_the_server_could_read_otherwise_is_refused() {
        let meta = field(1, b"web");
        let twice = [meta.clone(), field(1, b"bank")].concat();
        // The number of a field that is 1 again when it is cut down to 32 bits.
        let alias = [0x8a, 0x80, 0x80, 0x80, 0x80, 0x01, 0x01, b'x'];
        let long = [0x8a, 0x00, 0x01, b'x'];
        let label = field(11, &field(1, b"a"));
        for body in [
            object(&twice, b""),
            object(&meta, &field(1, &meta)),
            object(&[meta.as_slice(), &alias].concat(), b""),
            object(&[meta.as_slice(), &long].concat(), b""),
            object(&[label.clone(), label].concat(), b""),
            object(&[0x0a, 0x02, b'x'], b""),
            object(&[0x08, 0x01], b""),
            object(&[0x0b], b""),
            object(&[0x0a, 0x01, 0xff], b""),
            [object(&meta, b""), field(1, b"")].concat(),
            [object(&meta, b""), field(4, b"x")].concat(),
            [object(&meta, b""), field(9, b"x")].concat(),
            b"k8t\0".to_vec(),
        ] {
            let said = show(&body);
            assert!(said.starts_with("the protobuf body cannot be read exactly"), "{body:x?}: {said}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
            let _ = read(&[MAGIC, &bytes].concat(), &mut Fields::new());
        }
    }
}
