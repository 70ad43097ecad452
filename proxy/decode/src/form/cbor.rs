//! CBOR as the Smithy RPC v2 protocol and the Kubernetes API write it: maps with text keys, each key once, one value,
//! no tags but those of the protocol.
//!
//! Leaves out big numbers, which no client of either sends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minicbor::Decoder;
use minicbor::data::{Tag, Type};
use ordain_action::{Scalar, Undecodable};

use super::DEPTH_MAX;
use super::fields::{Fields, duplicate};

/// The tag of a time in seconds, the only one the protocol uses.
const EPOCH_SECONDS: u64 = 1;

/// The tags of bytes that Kubernetes writes as text elsewhere: as base64url, base64 or hexadecimal digits.
const WRITTEN_AS_TEXT: [u64; 3] = [21, 22, 23];

/// The tag that says that what follows is CBOR.
const SELF_DESCRIBED: u64 = 55_799;

/// Whose CBOR it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Text is text, and bytes are bytes.
    Smithy,
    /// Text may be written as bytes; bytes that are none carry a tag.
    Kubernetes,
}

/// Reads one CBOR value of the Smithy protocol into `fields`, where their path stands.
///
/// # Errors
/// Anything that is not exactly one value of the kinds the protocol uses.
pub fn read(body: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    whole(&mut Decoder::new(body), Style::Smithy, body.len(), fields)
}

/// Reads one CBOR object of the Kubernetes API into `fields`, where their path stands.
///
/// # Errors
/// Anything that is not exactly one map of the kinds of values that the API uses.
pub fn read_kubernetes(body: &[u8], fields: &mut Fields) -> Result<(), Undecodable> {
    let mut decoder = Decoder::new(body);
    if decoder.datatype().map_err(broken)? == Type::Tag
        && decoder.tag().map_err(broken)? != Tag::new(SELF_DESCRIBED)
    {
        return Err(bad("there is an unknown tag"));
    }
    if !matches!(decoder.datatype().map_err(broken)?, Type::Map | Type::MapIndef) {
        return Err(bad("there is no object"));
    }
    whole(&mut decoder, Style::Kubernetes, body.len(), fields)
}

fn whole(
    decoder: &mut Decoder<'_>,
    style: Style,
    length: usize,
    fields: &mut Fields,
) -> Result<(), Undecodable> {
    value(decoder, style, fields, 0)?;
    if decoder.position() < length {
        return Err(bad("something follows the value"));
    }
    Ok(())
}

fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_cbor", format!("{what} in the CBOR body; send one valid value"))
}

fn broken(_: minicbor::decode::Error) -> Undecodable {
    bad("something is cut short or damaged")
}

fn value(
    decoder: &mut Decoder<'_>,
    style: Style,
    fields: &mut Fields,
    depth: usize,
) -> Result<(), Undecodable> {
    if depth > DEPTH_MAX {
        return Err(Undecodable::new("nested_too_deep", "the body nests too deep; send it flatter"));
    }
    match decoder.datatype().map_err(broken)? {
        Type::Bool => fields.put(Scalar::Bool(decoder.bool().map_err(broken)?)),
        Type::Null => {
            decoder.null().map_err(broken)?;
            fields.put(Scalar::Null);
        }
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => {
            fields.put(Scalar::Number(&decoder.int().map_err(broken)?.to_string()));
        }
        Type::F16 => fields.put(Scalar::Number(&decoder.f16().map_err(broken)?.to_string())),
        Type::F32 => fields.put(Scalar::Number(&decoder.f32().map_err(broken)?.to_string())),
        Type::F64 => fields.put(Scalar::Number(&decoder.f64().map_err(broken)?.to_string())),
        Type::Bytes | Type::BytesIndef if style == Style::Smithy => {
            fields.put(Scalar::Text(&STANDARD.encode(bytes(decoder)?)));
        }
        Type::Bytes | Type::BytesIndef | Type::String | Type::StringIndef => {
            let text = text(decoder, style)?;
            fields.put(Scalar::Text(&text));
        }
        Type::Array | Type::ArrayIndef => list(decoder, style, fields, depth)?,
        Type::Map | Type::MapIndef => map(decoder, style, fields, depth)?,
        Type::Tag => tagged(decoder, style, fields, depth)?,
        Type::Undefined | Type::Simple | Type::Break | Type::Unknown(_) => {
            return Err(bad("there is a kind of value that the protocol does not use"));
        }
    }
    Ok(())
}

fn tagged(
    decoder: &mut Decoder<'_>,
    style: Style,
    fields: &mut Fields,
    depth: usize,
) -> Result<(), Undecodable> {
    let tag = decoder.tag().map_err(broken)?.as_u64();
    if style == Style::Smithy && tag == EPOCH_SECONDS {
        return value(decoder, style, fields, depth + 1);
    }
    let is_bytes = matches!(decoder.datatype().map_err(broken)?, Type::Bytes | Type::BytesIndef);
    if style == Style::Smithy || !is_bytes || !WRITTEN_AS_TEXT.contains(&tag) {
        return Err(bad("there is an unknown tag"));
    }
    fields.put(Scalar::Text(&STANDARD.encode(bytes(decoder)?)));
    Ok(())
}

fn bytes(decoder: &mut Decoder<'_>) -> Result<Vec<u8>, Undecodable> {
    let mut bytes = Vec::new();
    for chunk in decoder.bytes_iter().map_err(broken)? {
        bytes.extend_from_slice(chunk.map_err(broken)?);
    }
    Ok(bytes)
}

fn text(decoder: &mut Decoder<'_>, style: Style) -> Result<String, Undecodable> {
    if style == Style::Kubernetes
        && matches!(decoder.datatype().map_err(broken)?, Type::Bytes | Type::BytesIndef)
    {
        return String::from_utf8(bytes(decoder)?).map_err(|_| bad("a text is not UTF-8"));
    }
    let mut text = String::new();
    for chunk in decoder.str_iter().map_err(broken)? {
        text.push_str(chunk.map_err(broken)?);
    }
    Ok(text)
}

/// Whether another item follows: by the count where one is declared, by the break otherwise.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, Undecodable> {
    match left {
        Some(0) => Ok(false),
        Some(count) => {
            *count -= 1;
            Ok(true)
        }
        None if decoder.datatype().map_err(broken)? == Type::Break => {
            decoder.skip().map_err(broken)?;
            Ok(false)
        }
        None => Ok(true),
    }
}

fn list(
    decoder: &mut Decoder<'_>,
    style: Style,
    fields: &mut Fields,
    depth: usize,
) -> Result<(), Undecodable> {
    let mut left = decoder.array().map_err(broken)?;
    let mut count = 0;
    while more(decoder, &mut left)? {
        count += 1;
        let mark = fields.enter_item(count);
        value(decoder, style, fields, depth + 1)?;
        fields.leave(mark);
    }
    if count == 0 && depth > 0 {
        fields.put(Scalar::Empty);
    }
    Ok(())
}

fn map(
    decoder: &mut Decoder<'_>,
    style: Style,
    fields: &mut Fields,
    depth: usize,
) -> Result<(), Undecodable> {
    let mut left = decoder.map().map_err(broken)?;
    let mut keys = Vec::new();
    while more(decoder, &mut left)? {
        let kind = decoder.datatype().map_err(broken)?;
        let in_bytes = style == Style::Kubernetes && matches!(kind, Type::Bytes | Type::BytesIndef);
        if !in_bytes && !matches!(kind, Type::String | Type::StringIndef) {
            return Err(bad("a key is not text"));
        }
        let key = text(decoder, style)?;
        let mark = fields.enter(&key);
        value(decoder, style, fields, depth + 1)?;
        fields.leave(mark);
        keys.push(key);
    }
    if keys.is_empty() && depth > 0 {
        fields.put(Scalar::Empty);
    }
    keys.sort_unstable();
    match keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one == next) {
        Some((key, _)) => Err(duplicate(key)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::form::fields::shown;

    fn show(body: &[u8]) -> String {
        shown(|fields| read(body, fields))
    }

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(body: &[u8], expected: Expect) {
        expected.assert_eq(&show(body));
    }

    #[test]
    fn definite_and_indefinite_maps_read_alike() {
        let definite = b"\xa2\x61a\x01\x61b\x82\xf5\xa0";
        let indefinite = b"\xbf\x61a\x01\x61b\x9f\xf5\xbf\xff\xff\xff";
        assert_eq!(show(definite), show(indefinite));
        check(
            definite,
            expect![[r#"
            a=Number("1")
            b.1=Bool(true)
            b.2=Empty
        "#]],
        );
        check(
            b"\xa1\x61t\xc1\x1a\x65\x00\x00\x00",
            expect![[r#"
            t=Number("1694498816")
        "#]],
        );
        check(
            b"\xa1\x61d\x43abc",
            expect![[r#"
            d=Text("YWJj")
        "#]],
        );
    }

    #[test]
    fn what_is_not_exactly_one_clean_value_is_refused() {
        check(b"\xa2\x61a\x01\x61a\x02", expect!["duplicate_parameter: `a` is given twice; send it once"]);
        check(
            b"\xa1\x61a\x01\x00",
            expect!["bad_cbor: something follows the value in the CBOR body; send one valid value"],
        );
        check(b"\xa1\x01\x01", expect!["bad_cbor: a key is not text in the CBOR body; send one valid value"]);
        check(
            b"\xa1\x61a",
            expect!["bad_cbor: something is cut short or damaged in the CBOR body; send one valid value"],
        );
        check(
            b"\xa1\x61a\xc2\x41\x01",
            expect!["bad_cbor: there is an unknown tag in the CBOR body; send one valid value"],
        );
        check(&[0x81; 200], expect!["nested_too_deep: the body nests too deep; send it flatter"]);
        check(&[0xc1; 200], expect!["nested_too_deep: the body nests too deep; send it flatter"]);
    }

    fn show_kubernetes(body: &[u8]) -> String {
        let mut fields = Fields::new();
        match read_kubernetes(body, &mut fields) {
            Ok(()) => fields.iter().map(|(path, value)| format!("{path}={value:?} ")).collect(),
            Err(why) => why.reason_code.to_owned(),
        }
    }

    #[test]
    fn kubernetes_writes_text_as_bytes_and_bytes_under_a_tag() {
        let object = b"\xd9\xd9\xf7\xa3\x41a\x42xy\x61b\x61z\x41c\xd6\x43abc";
        assert_eq!(show_kubernetes(object), "a=Text(\"xy\") b=Text(\"z\") c=Text(\"YWJj\") ");
        assert_eq!(show_kubernetes(&object[3..]), show_kubernetes(object));
        for body in [
            b"\xa2\x41a\x01\x61a\x02".as_slice(),
            b"\x81\x01",
            b"\xa1\x41a\xc1\x01",
            b"\xa1\x41a\xd6\x61b",
            b"\xa1\x41a\x41\xff",
            b"\xa1\x41a\xc2\x41\x01",
            b"\xd9\xd9\xf7\xd9\xd9\xf7\xa0",
            b"\xa0\x00",
        ] {
            let said = show_kubernetes(body);
            assert!(matches!(&*said, "bad_cbor" | "duplicate_parameter"), "{body:x?}: {said}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
            let _ = read(&bytes, &mut Fields::new());
            let _ = read_kubernetes(&bytes, &mut Fields::new());
        }

        #[test]
        fn what_is_written_is_read(pairs in prop::collection::btree_map("[a-z]{1,4}", any::<i64>(), 0..8)) {
            let body = minicbor::to_vec(&pairs).unwrap();
            let expected: String = pairs.iter().map(|(key, number)| format!("{key}=Number(\"{number}\")\n")).collect();
            prop_assert_eq!(show(&body), expected);
        }
    }
}
