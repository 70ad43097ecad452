//! An object in protobuf, read by the catalogue's table to the same leaves as its JSON gives.
//!
//! The encoder writes what has no pointer in Go even where nothing was said. An empty text, empty bytes and an empty
//! time are therefore as good as absent; numbers and truth values are kept, `0` and `false` too, but for those that the
//! table says mean nothing then; a message without members is `Empty`, as `{}` is. So nothing that JSON says is hidden
//! but a text that is empty on purpose. Leaves out what the members mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ordain_action::{Scalar, Undecodable};
use ordain_catalog::{Form, Message, MessageField, MessageId, Shape};

use super::time;
use crate::form::wire::{Value, Wire, bad};
use crate::form::{DEPTH_MAX, Fields, json};

/// A reader of one object.
pub(super) struct Typed<'f> {
    fields: &'f mut Fields,
    whole: bool,
}

impl<'f> Typed<'f> {
    /// A reader into `fields`, where their path stands.
    pub(super) const fn new(fields: &'f mut Fields) -> Self {
        Self { fields, whole: true }
    }

    /// Reads an object; whether all of its fields were known.
    pub(super) fn read(mut self, message: &Message, bytes: &[u8]) -> Result<bool, Undecodable> {
        self.members(message, bytes, 0)?;
        Ok(self.whole)
    }

    fn members(&mut self, message: &Message, bytes: &[u8], depth: usize) -> Result<(), Undecodable> {
        if depth > DEPTH_MAX {
            return Err(Undecodable::new("nested_too_deep", "the body nests too deep; send it flatter"));
        }
        let mut counts = vec![0_usize; message.fields().len()];
        let mut keys = Vec::new();
        for found in Wire(bytes) {
            let (number, value) = found?;
            let Some((at, field)) = message.field(number) else {
                self.whole = false;
                continue;
            };
            let count = counts.get_mut(at).ok_or_else(twice)?;
            *count += 1;
            if field.shape == Shape::One && *count > 1 {
                return Err(twice());
            }
            let count = *count;
            let Some(name) = field.name.as_deref() else {
                self.inlined(field, value, depth)?;
                continue;
            };
            let mark = self.fields.enter(name);
            match field.shape {
                Shape::One => self.single(field, value, depth)?,
                Shape::List => {
                    let item = self.fields.enter_item(count);
                    self.value(field.form, value, depth + 1)?;
                    self.fields.leave(item);
                }
                Shape::Map => keys.push((at, self.entry(field.form, value, depth)?)),
            }
            self.fields.leave(mark);
        }
        keys.sort_unstable();
        if keys.iter().zip(keys.iter().skip(1)).any(|(one, next)| one == next) {
            return Err(bad("a key of a map is given twice"));
        }
        Ok(())
    }

    /// A message whose members stand among those of the one it is in.
    fn inlined(&mut self, field: &MessageField, value: Value<'_>, depth: usize) -> Result<(), Undecodable> {
        let Form::Message(id) = field.form else { return Err(bad("the table of messages is wrong")) };
        self.members(known(id)?, bytes(value)?, depth + 1)
    }

    /// A field that is there once: nothing, where it is only there since its encoder always writes it.
    fn single(&mut self, field: &MessageField, value: Value<'_>, depth: usize) -> Result<(), Undecodable> {
        let says_nothing = match (field.form, value) {
            (Form::Text | Form::Bytes | Form::Time | Form::MicroTime | Form::Json, Value::Bytes([])) => true,
            (_, Value::Number(0)) => field.zero_is_absent,
            _ => false,
        };
        if says_nothing { Ok(()) } else { self.value(field.form, value, depth) }
    }

    /// An entry of a map: its key.
    fn entry<'b>(&mut self, form: Form, value: Value<'b>, depth: usize) -> Result<&'b str, Undecodable> {
        let [key, value, _] = self.parts(bytes(value)?)?;
        let key = key.map_or(Ok(""), text)?;
        let mark = self.fields.enter(key);
        self.value(form, value.unwrap_or(Value::Bytes(&[])), depth + 1)?;
        self.fields.leave(mark);
        Ok(key)
    }

    fn value(&mut self, form: Form, value: Value<'_>, depth: usize) -> Result<(), Undecodable> {
        match form {
            Form::Text => self.fields.put(Scalar::Text(text(value)?)),
            Form::Bool => self.fields.put(Scalar::Bool(truth(value)?)),
            Form::Int32 => self.fields.put(Scalar::Number(&int32(value)?.to_string())),
            Form::Int64 => self.fields.put(Scalar::Number(&int64(value)?.to_string())),
            Form::Double => self.fields.put(Scalar::Number(&double(value)?.to_string())),
            Form::Bytes => self.fields.put(Scalar::Text(&STANDARD.encode(bytes(value)?))),
            Form::Quantity => {
                let [quantity, ..] = self.parts(bytes(value)?)?;
                let text = quantity.map_or(Ok(""), text)?;
                self.fields.put(Scalar::Text(if text.is_empty() { "0" } else { text }));
            }
            Form::Time | Form::MicroTime => self.time(form, bytes(value)?)?,
            Form::IntOrString => self.int_or_string(bytes(value)?)?,
            Form::Json => {
                let [raw, ..] = self.parts(bytes(value)?)?;
                self.json(raw.map_or(Ok([].as_slice()), bytes)?)?;
            }
            Form::Texts => self.texts(bytes(value)?, 1)?,
            Form::SchemaOrList(id) | Form::SchemaOrBool(id) | Form::SchemaOrTexts(id) => {
                self.schema(form, id, bytes(value)?, depth)?;
            }
            Form::Message(id) => self.message(id, bytes(value)?, depth)?,
        }
        Ok(())
    }

    fn message(&mut self, id: MessageId, bytes: &[u8], depth: usize) -> Result<(), Undecodable> {
        let before = self.fields.len();
        self.members(known(id)?, bytes, depth + 1)?;
        if self.fields.len() == before {
            self.fields.put(Scalar::Empty);
        }
        Ok(())
    }

    /// The fields of a small message by their numbers, from one on, each there once at most.
    fn parts<'b>(&mut self, bytes: &'b [u8]) -> Result<[Option<Value<'b>>; 3], Undecodable> {
        let mut parts = [None; 3];
        for found in Wire(bytes) {
            let (number, value) = found?;
            let at = usize::try_from(number - 1).unwrap_or(usize::MAX);
            match parts.get_mut(at) {
                Some(Some(_)) => return Err(twice()),
                Some(part @ None) => *part = Some(value),
                None => self.whole = false,
            }
        }
        Ok(parts)
    }

    fn time(&mut self, form: Form, bytes: &[u8]) -> Result<(), Undecodable> {
        if bytes.is_empty() {
            self.fields.put(Scalar::Null);
            return Ok(());
        }
        let [seconds, nanos, _] = self.parts(bytes)?;
        let seconds = seconds.map_or(Ok(0), int64)?;
        let nanos = nanos.map_or(Ok(0), int32)?;
        let micros = u32::try_from(nanos / 1000).ok().filter(|_| (0..1_000_000_000).contains(&nanos));
        let text = micros
            .and_then(|micros| time::rfc3339(seconds, (form == Form::MicroTime).then_some(micros)))
            .ok_or_else(|| bad("a time is none"))?;
        self.fields.put(Scalar::Text(&text));
        Ok(())
    }

    fn int_or_string(&mut self, bytes: &[u8]) -> Result<(), Undecodable> {
        let [kind, number, written] = self.parts(bytes)?;
        let kind = kind.map_or(Ok(0), int64)?;
        let number = number.map_or(Ok(0), int32)?;
        let written = written.map_or(Ok(""), text)?;
        match (kind, number, written) {
            (0, number, "") => self.fields.put(Scalar::Number(&number.to_string())),
            (1, 0, written) => self.fields.put(Scalar::Text(written)),
            _ => return Err(bad("what is a number or a text is both")),
        }
        Ok(())
    }

    /// What bytes say in JSON; no bytes are `null`.
    fn json(&mut self, raw: &[u8]) -> Result<(), Undecodable> {
        if raw.is_empty() {
            self.fields.put(Scalar::Null);
            return Ok(());
        }
        let before = self.fields.len();
        json::read(raw, self.fields)?;
        if self.fields.len() == before {
            self.fields.put(Scalar::Empty);
        }
        Ok(())
    }

    /// The texts of a field that is repeated, and nothing else.
    fn texts(&mut self, bytes: &[u8], number: u64) -> Result<(), Undecodable> {
        let mut count = 0;
        for found in Wire(bytes) {
            let (at, value) = found?;
            if at != number {
                self.whole = false;
                continue;
            }
            count += 1;
            let item = self.fields.enter_item(count);
            self.fields.put(Scalar::Text(text(value)?));
            self.fields.leave(item);
        }
        if count == 0 {
            self.fields.put(Scalar::Empty);
        }
        Ok(())
    }

    /// A schema, or what stands in its place.
    fn schema(&mut self, form: Form, id: MessageId, bytes: &[u8], depth: usize) -> Result<(), Undecodable> {
        let (schema_at, other_at) = if matches!(form, Form::SchemaOrBool(_)) { (2, 1) } else { (1, 2) };
        let (mut schema, mut allows, mut count) = (None, None, 0);
        for found in Wire(bytes) {
            let (number, value) = found?;
            if number == schema_at {
                if schema.replace(self::bytes(value)?).is_some() {
                    return Err(twice());
                }
            } else if number != other_at {
                self.whole = false;
            } else if matches!(form, Form::SchemaOrBool(_)) {
                if allows.replace(truth(value)?).is_some() {
                    return Err(twice());
                }
            } else {
                count += 1;
                let item = self.fields.enter_item(count);
                let form = if matches!(form, Form::SchemaOrList(_)) { Form::Message(id) } else { Form::Text };
                self.value(form, value, depth + 1)?;
                self.fields.leave(item);
            }
        }
        match schema {
            Some(_) if count > 0 => Err(bad("a schema is a list too")),
            Some(schema) => self.message(id, schema, depth),
            None if count > 0 => Ok(()),
            None if matches!(form, Form::SchemaOrBool(_)) => {
                self.fields.put(Scalar::Bool(allows.unwrap_or_default()));
                Ok(())
            }
            None => {
                self.fields.put(Scalar::Null);
                Ok(())
            }
        }
    }
}

fn known(id: MessageId) -> Result<&'static Message, Undecodable> {
    ordain_catalog::messages().get(id).ok_or_else(|| bad("the table of messages is wrong"))
}

fn twice() -> Undecodable {
    bad("a field is given twice")
}

fn bytes(value: Value<'_>) -> Result<&[u8], Undecodable> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        Value::Number(_) | Value::Eight(_) | Value::Four(_) => {
            Err(bad("a field has another kind than it should"))
        }
    }
}

fn text(value: Value<'_>) -> Result<&str, Undecodable> {
    std::str::from_utf8(bytes(value)?).map_err(|_| bad("a text is not UTF-8"))
}

fn int64(value: Value<'_>) -> Result<i64, Undecodable> {
    match value {
        Value::Number(number) => Ok(number.cast_signed()),
        Value::Bytes(_) | Value::Eight(_) | Value::Four(_) => {
            Err(bad("a field has another kind than it should"))
        }
    }
}

fn int32(value: Value<'_>) -> Result<i32, Undecodable> {
    i32::try_from(int64(value)?).map_err(|_| bad("a number is greater than there is room for"))
}

fn truth(value: Value<'_>) -> Result<bool, Undecodable> {
    match int64(value)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(bad("a truth value is none")),
    }
}

fn double(value: Value<'_>) -> Result<f64, Undecodable> {
    match value {
        Value::Eight(bytes) => Some(f64::from_le_bytes(bytes)).filter(|number| number.is_finite()),
        Value::Number(_) | Value::Bytes(_) | Value::Four(_) => None,
    }
    .ok_or_else(|| bad("a number is none"))
}
