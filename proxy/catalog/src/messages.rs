//! The messages of the Kubernetes API: which field of which message has which number, name in JSON and type.
//!
//! Leaves out reading a message, and what its fields mean.

use std::collections::BTreeMap;

/// The message in which the schema of a custom resource is written.
const SCHEMA: &str = "apiextensions.v1.JsonSchemaProps";

/// A message of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageId(usize);

/// How often a field is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Once at most.
    One,
    /// As often as the list has items.
    List,
    /// As often as the map has keys, which are texts.
    Map,
}

/// What a field holds, and how JSON writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A truth value.
    Bool,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits.
    Int64,
    /// A number with a fraction.
    Double,
    /// Bytes: base64 in JSON.
    Bytes,
    /// A quantity: its text in JSON.
    Quantity,
    /// A time in whole seconds: RFC 3339 in JSON.
    Time,
    /// A time in microseconds: RFC 3339 in JSON.
    MicroTime,
    /// A number or a text.
    IntOrString,
    /// JSON in bytes: what they say in JSON.
    Json,
    /// A message that is a list of texts in JSON.
    Texts,
    /// A schema, or a list of them.
    SchemaOrList(MessageId),
    /// A schema, or whether anything is allowed.
    SchemaOrBool(MessageId),
    /// A schema, or a list of texts.
    SchemaOrTexts(MessageId),
    /// A message.
    Message(MessageId),
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageField {
    /// Its number on the wire.
    pub number: u64,
    /// Its name in JSON; `None` where its members stand among those of the message it is in.
    pub name: Option<Box<str>>,
    /// How often it is there.
    pub shape: Shape,
    /// What it holds.
    pub form: Form,
    /// Zero is what is written where nothing was said.
    pub zero_is_absent: bool,
}

/// One message: its fields in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    fields: Vec<MessageField>,
}

impl Message {
    /// The field with a number, and its place among the fields.
    #[must_use]
    pub fn field(&self, number: u64) -> Option<(usize, &MessageField)> {
        let at = self.fields.binary_search_by_key(&number, |field| field.number).ok()?;
        Some((at, self.fields.get(at)?))
    }

    /// All fields.
    #[must_use]
    pub fn fields(&self) -> &[MessageField] {
        &self.fields
    }
}

/// All messages that are known, and of which objects they are.
#[derive(Debug, Default)]
pub struct Messages {
    messages: Vec<Message>,
    kinds: BTreeMap<(Box<str>, Box<str>), MessageId>,
}

impl Messages {
    /// Reads the table; `None` where a line of it cannot be read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let blocks = || text.split("\n\n").filter(|block| !block.starts_with('#'));
        let head = |block: &'_ str| block.lines().next().unwrap_or_default().to_owned();
        let mut ids = BTreeMap::new();
        let mut kinds = BTreeMap::new();
        for (at, block) in blocks().enumerate() {
            let head = head(block);
            let (name, object) = head.split_once(" = ").map_or((&*head, None), |(name, of)| (name, Some(of)));
            if let Some(object) = object {
                let (version, kind) = object.split_once(' ')?;
                kinds.insert((version.into(), kind.into()), MessageId(at));
            }
            if ids.insert(name.to_owned(), MessageId(at)).is_some() {
                return None;
            }
        }
        let mut messages = Vec::with_capacity(ids.len());
        for block in blocks() {
            let fields: Option<Vec<_>> = block.lines().skip(1).map(|line| field(&ids, line)).collect();
            let fields = fields?;
            if fields.iter().zip(fields.iter().skip(1)).any(|(one, next)| one.number >= next.number) {
                return None;
            }
            messages.push(Message { fields });
        }
        Some(Self { messages, kinds })
    }

    /// The message of an object, by its version and kind.
    #[must_use]
    pub fn of(&self, version: &str, kind: &str) -> Option<&Message> {
        let found = |version: &str| self.kinds.get(&(version.into(), kind.into()));
        self.get(*found(version).or_else(|| found("*"))?)
    }

    /// A message that a field holds.
    #[must_use]
    pub fn get(&self, id: MessageId) -> Option<&Message> {
        self.messages.get(id.0)
    }

    /// How many objects are known.
    #[must_use]
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }
}

fn field(ids: &BTreeMap<String, MessageId>, line: &str) -> Option<MessageField> {
    let mut words = line.split(' ');
    let (number, name, form) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let (form, zero_is_absent) = form.strip_suffix('?').map_or((form, false), |form| (form, true));
    let (shape, form) = if let Some(form) = form.strip_prefix("[]") {
        (Shape::List, form)
    } else if let Some(form) = form.strip_prefix("{}") {
        (Shape::Map, form)
    } else {
        (Shape::One, form)
    };
    let schema = ids.get(SCHEMA).copied();
    let form = match form {
        "string" => Form::Text,
        "bool" => Form::Bool,
        "int32" => Form::Int32,
        "int64" => Form::Int64,
        "double" => Form::Double,
        "bytes" => Form::Bytes,
        "quantity" => Form::Quantity,
        "time" => Form::Time,
        "microtime" => Form::MicroTime,
        "int-or-string" => Form::IntOrString,
        "json" => Form::Json,
        "texts" => Form::Texts,
        "schema-or-list" => Form::SchemaOrList(schema?),
        "schema-or-bool" => Form::SchemaOrBool(schema?),
        "schema-or-texts" => Form::SchemaOrTexts(schema?),
        message => Form::Message(*ids.get(message)?),
    };
    let name = (name != "-").then(|| name.into());
    let number = number.parse().ok()?;
    Some(MessageField { number, name, shape, form, zero_is_absent })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages;

    #[test]
    fn the_whole_table_is_read() {
        let table = messages();
        assert!(table.kinds() > 80, "{}", table.kinds());
        let pod = table.of("v1", "Pod").unwrap();
        let names: Vec<_> = pod.fields().iter().filter_map(|field| field.name.as_deref()).collect();
        assert_eq!(names, ["metadata", "spec", "status"]);
        let Form::Message(spec) = pod.field(2).unwrap().1.form else { panic!("a message") };
        let host = table.get(spec).unwrap().field(13).unwrap().1;
        assert_eq!((host.name.as_deref(), host.form), (Some("hostIPC"), Form::Bool));
        assert!(table.of("apps/v1", "DeleteOptions").is_some() && table.of("v1", "Deployment").is_none());
    }

    #[test]
    fn a_line_that_says_nothing_known_is_no_table() {
        for text in [
            "a.B = v1 B\n1 x string\n1 y string",
            "a.B\n1 x a.C",
            "a.B = v1\n1 x string",
            "a.B\n1 x",
            "a.B\n\na.B",
        ] {
            assert!(Messages::parse(text).is_none(), "{text}");
        }
    }
}
