//! A message by its description, read to one leaf for each value.
//!
//! A reader takes the last of two values, merges messages that come twice, keeps the last member of a `oneof` and
//! passes over what it does not know: where two of them could differ, and where something would pass unread, it is
//! refused. Leaves out what the fields mean to whoever serves them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ordain_action::{Scalar, Undecodable};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::form::wire::{Value, Wire, bad};
use crate::form::{DEPTH_MAX, Fields};

/// What begins bytes that are no text, or would look as if they were not.
const ENCODED: &str = "base64:";

/// How the names of fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As their descriptors have them.
    Own,
    /// As JSON has them; what is a text there is one, where a message stands for it: a list of fields, a value by itself.
    Json,
}

/// Where a message stands in another, and how it is written.
#[derive(Debug, Clone, Copy)]
struct At {
    depth: usize,
    spelling: Spelling,
}

/// Reads a message into `fields`, where their path stands.
pub(crate) fn read(
    of: &MessageDescriptor,
    bytes: &[u8],
    fields: &mut Fields,
    spelling: Spelling,
) -> Result<(), Undecodable> {
    members(of, bytes, fields, At { depth: 0, spelling })
}

fn members(of: &MessageDescriptor, bytes: &[u8], fields: &mut Fields, at: At) -> Result<(), Undecodable> {
    if at.depth > DEPTH_MAX {
        return Err(Undecodable::new("nested_too_deep", "the message nests too deep; send it flatter"));
    }
    let (mut seen, mut counts) = (BTreeSet::new(), std::collections::BTreeMap::<u32, usize>::new());
    let mut keys = BTreeSet::new();
    for found in Wire(bytes) {
        let (number, value) = found?;
        let number = u32::try_from(number).map_err(|_| bad("a field has a number that no field has"))?;
        let field = of.get_field(number).ok_or_else(|| unknown(of, number))?;
        if field.is_group() {
            return Err(bad("a field is a group"));
        }
        let mark = match at.spelling {
            Spelling::Own => fields.enter(field.name()),
            Spelling::Json => fields.enter(field.json_name()),
        };
        if field.is_map() {
            let key = entry(&field, value, fields, at)?;
            if !keys.insert((number, key)) {
                return Err(bad("a key of a map is given twice"));
            }
        } else if field.is_list() {
            let count = counts.entry(number).or_default();
            items(&field, value, fields, (count, at))?;
        } else {
            let oneof = field.containing_oneof().map(|oneof| oneof.name().to_owned());
            if !seen.insert((number, None)) || oneof.is_some_and(|name| !seen.insert((0, Some(name)))) {
                return Err(bad("a field, or one that excludes it, is given twice"));
            }
            one(&field.kind(), value, fields, at)?;
        }
        fields.leave(mark);
    }
    Ok(())
}

/// An item of a list, or several numbers that are packed into one value.
fn items(
    field: &FieldDescriptor,
    value: Value<'_>,
    fields: &mut Fields,
    (count, at): (&mut usize, At),
) -> Result<(), Undecodable> {
    let kind = field.kind();
    let mut item = |value: Value<'_>| {
        *count += 1;
        let mark = fields.enter_item(*count);
        let read = one(&kind, value, fields, at);
        fields.leave(mark);
        read
    };
    let (Value::Bytes(packed), Some(width)) = (value, width(&kind)) else { return item(value) };
    let mut packed = Wire(packed);
    while !packed.0.is_empty() {
        item(match width {
            Width::Varint => Value::Number(packed.number()?),
            Width::Four => Value::Four(packed.bytes(4)?.try_into().map_err(|_| other())?),
            Width::Eight => Value::Eight(packed.bytes(8)?.try_into().map_err(|_| other())?),
        })?;
    }
    Ok(())
}

/// An entry of a map: its key, as it stands in the path.
fn entry(
    field: &FieldDescriptor,
    value: Value<'_>,
    fields: &mut Fields,
    at: At,
) -> Result<String, Undecodable> {
    let Kind::Message(of) = field.kind() else { return Err(other()) };
    let [mut key, mut held] = [None, None];
    for found in Wire(bytes(value)?) {
        match found? {
            (1, value) if key.is_none() => key = Some(value),
            (2, value) if held.is_none() => held = Some(value),
            _ => return Err(bad("an entry of a map says something twice, or more than a key and a value")),
        }
    }
    let key = match key {
        Some(key) => text_of(&of.map_entry_key_field().kind(), key)?,
        None => default_key(&of.map_entry_key_field().kind()).to_owned(),
    };
    let kind = of.map_entry_value_field().kind();
    let mark = fields.enter(&key);
    match held {
        Some(value) => one(&kind, value, fields, at)?,
        None => absent(&kind, fields),
    }
    fields.leave(mark);
    Ok(key)
}

fn one(kind: &Kind, value: Value<'_>, fields: &mut Fields, at: At) -> Result<(), Undecodable> {
    match kind {
        Kind::Message(of) => {
            let before = fields.len();
            let at = At { depth: at.depth + 1, ..at };
            if at.spelling == Spelling::Json && stands_for_a_value(of) {
                return by_itself(of, bytes(value)?, fields, at);
            }
            members(of, bytes(value)?, fields, at)?;
            if fields.len() == before {
                fields.put(Scalar::Empty);
            }
        }
        Kind::Bool => fields.put(Scalar::Bool(truth(value)?)),
        Kind::String | Kind::Bytes => fields.put(Scalar::Text(&text_of(kind, value)?)),
        Kind::Enum(of) => {
            let number = int32(value)?;
            match of.get_value(number) {
                Some(known) => fields.put(Scalar::Text(known.name())),
                None => fields.put(Scalar::Number(&number.to_string())),
            }
        }
        Kind::Double
        | Kind::Float
        | Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64 => fields.put(Scalar::Number(&text_of(kind, value)?)),
    }
    Ok(())
}

/// Messages that JSON writes as a value.
fn stands_for_a_value(of: &MessageDescriptor) -> bool {
    let scalars = ["Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64"];
    let wraps = |name: &str| name.strip_suffix("Value").is_some_and(|of| scalars.contains(&of));
    of.parent_file().package_name() == "google.protobuf" && (of.name() == "FieldMask" || wraps(of.name()))
}

/// Such a message as that value: the paths of a mask with commas between them, what a wrapper holds.
fn by_itself(of: &MessageDescriptor, bytes: &[u8], fields: &mut Fields, at: At) -> Result<(), Undecodable> {
    let mut inner = Fields::new();
    members(of, bytes, &mut inner, at)?;
    if inner.overflowed() {
        // As many as that are no mask that anybody sends.
        return Err(bad("a list of fields is too long"));
    }
    if of.name() == "FieldMask" {
        let path = |value| if let Scalar::Text(path) = value { Some(camel(path)) } else { None };
        let paths: Vec<String> = inner.iter().filter_map(|(_, value)| path(value)).collect();
        fields.put(Scalar::Text(&paths.join(",")));
        return Ok(());
    }
    match inner.iter().next() {
        Some((_, value)) => fields.put(value),
        None => match of.get_field(1) {
            Some(field) => absent(&field.kind(), fields),
            None => fields.put(Scalar::Empty),
        },
    }
    Ok(())
}

/// As JSON spells the names of Protocol Buffers.
pub(crate) fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut up = false;
    for character in name.chars() {
        match character {
            '_' => up = true,
            other if up => {
                camel.push(other.to_ascii_uppercase());
                up = false;
            }
            other => camel.push(other),
        }
    }
    camel
}

/// A value that is no message, as a text.
fn text_of(kind: &Kind, value: Value<'_>) -> Result<String, Undecodable> {
    Ok(match (kind, value) {
        (Kind::String, value) => {
            std::str::from_utf8(bytes(value)?).map_err(|_| bad("a text is not UTF-8"))?.to_owned()
        }
        (Kind::Bytes, value) => {
            let bytes = bytes(value)?;
            match std::str::from_utf8(bytes) {
                Ok(text) if !text.starts_with(ENCODED) && !text.contains(char::is_control) => text.to_owned(),
                Ok(_) | Err(_) => format!("{ENCODED}{}", STANDARD.encode(bytes)),
            }
        }
        (Kind::Bool, value) => truth(value)?.to_string(),
        (Kind::Int32, value) => int32(value)?.to_string(),
        (Kind::Int64, Value::Number(number)) => number.cast_signed().to_string(),
        (Kind::Uint32, Value::Number(number)) => narrow(number)?.to_string(),
        (Kind::Uint64, Value::Number(number)) => number.to_string(),
        (Kind::Sint32, Value::Number(number)) => zigzag(u64::from(narrow(number)?)).to_string(),
        (Kind::Sint64, Value::Number(number)) => zigzag(number).to_string(),
        (Kind::Fixed32, Value::Four(four)) => u32::from_le_bytes(four).to_string(),
        (Kind::Sfixed32, Value::Four(four)) => i32::from_le_bytes(four).to_string(),
        (Kind::Float, Value::Four(four)) => f32::from_le_bytes(four).to_string(),
        (Kind::Fixed64, Value::Eight(eight)) => u64::from_le_bytes(eight).to_string(),
        (Kind::Sfixed64, Value::Eight(eight)) => i64::from_le_bytes(eight).to_string(),
        (Kind::Double, Value::Eight(eight)) => f64::from_le_bytes(eight).to_string(),
        _ => return Err(other()),
    })
}

/// The value of an entry that says none.
fn absent(kind: &Kind, fields: &mut Fields) {
    match kind {
        Kind::Message(_) => fields.put(Scalar::Empty),
        Kind::Bool => fields.put(Scalar::Bool(false)),
        Kind::String | Kind::Bytes => fields.put(Scalar::Text("")),
        Kind::Enum(of) => fields.put(Scalar::Text(of.default_value().name())),
        Kind::Double
        | Kind::Float
        | Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64 => fields.put(Scalar::Number("0")),
    }
}

/// What a key is where an entry says none.
const fn default_key(kind: &Kind) -> &'static str {
    if matches!(kind, Kind::String) {
        return "";
    }
    if matches!(kind, Kind::Bool) { "false" } else { "0" }
}

enum Width {
    Varint,
    Four,
    Eight,
}

/// How numbers of a kind are packed; none where they are not.
const fn width(kind: &Kind) -> Option<Width> {
    match kind {
        Kind::String | Kind::Bytes | Kind::Message(_) => None,
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => Some(Width::Four),
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => Some(Width::Eight),
        Kind::Bool
        | Kind::Enum(_)
        | Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64 => Some(Width::Varint),
    }
}

fn bytes(value: Value<'_>) -> Result<&[u8], Undecodable> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        Value::Number(_) | Value::Eight(_) | Value::Four(_) => Err(other()),
    }
}

/// A number whose sign fills all 64 bits, as writers do; readers cut off what is more.
fn int32(value: Value<'_>) -> Result<i32, Undecodable> {
    let Value::Number(number) = value else { return Err(other()) };
    i32::try_from(number.cast_signed()).map_err(|_| too_great())
}

fn narrow(number: u64) -> Result<u32, Undecodable> {
    u32::try_from(number).map_err(|_| too_great())
}

const fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

fn truth(value: Value<'_>) -> Result<bool, Undecodable> {
    match value {
        Value::Number(0) => Ok(false),
        Value::Number(1) => Ok(true),
        Value::Number(_) | Value::Bytes(_) | Value::Eight(_) | Value::Four(_) => {
            Err(bad("a truth value is none"))
        }
    }
}

fn other() -> Undecodable {
    bad("a field has another kind than it should")
}

fn too_great() -> Undecodable {
    bad("a number is greater than there is room for")
}

fn unknown(of: &MessageDescriptor, number: u32) -> Undecodable {
    let text = format!(
        "`{}` has no field {number} in the descriptors; give the gate those of the API's present version",
        of.full_name()
    );
    Undecodable::new("unknown_field", text)
}
