//! Messages of JSON-RPC 2.0, one or several in a body.
//!
//! Leaves out what methods do (`call.rs`).

use ordain_action::{Scalar, Undecodable};

use crate::form::fields::{clip, folded, segments, unescape};
use crate::form::{Fields, json};

/// The most messages of one batch.
const MESSAGES_MAX: usize = 100;

/// What the protocol names what it is sent with, where that says what is done to what.
const OWN: [&str; 9] =
    ["_meta", "argument", "arguments", "level", "name", "ref", "requestId", "taskId", "uri"];

/// What an answer is sent under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Id {
    Text(String),
    Number(String),
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// It asks for something and is answered, or tells something and is not.
    Asks {
        /// What it asks for.
        method: String,
        /// What it is answered under; none where it only tells.
        id: Option<Id>,
    },
    /// It answers what the server asked.
    Answers,
}

/// One message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// All members but the protocol's own.
    pub(super) members: Fields,
}

/// The messages of a body, and whether they came as a batch.
///
/// # Errors
/// It is no such body, or one of them is none.
pub(super) fn read(body: &[u8]) -> Result<(Vec<Message>, bool), Undecodable> {
    let mut fields = Fields::new();
    json::read(body, &mut fields)?;
    if fields.overflowed() {
        return Err(Undecodable::new("too_many_parameters", "there are too many parameters; send fewer"));
    }
    // Some servers take a member by its letters alone, whatever their case, and some drop what does not show.
    fields.refuse_keys_that_differ_in_case()?;
    if fields.iter().any(|(path, _)| path.contains(char::is_control)) {
        return Err(bad("has a member whose name has a character that does not show"));
    }
    let batch = body.trim_ascii_start().starts_with(b"[");
    if !batch {
        let leaves = fields.iter().map(|(path, value)| (path.to_owned(), value)).collect();
        return Ok((vec![Message::new(leaves)?], false));
    }
    let mut several: Vec<(String, Vec<(String, Scalar<'_>)>)> = Vec::new();
    for (path, value) in fields.iter() {
        let (number, rest) = path.split_once('.').ok_or_else(|| bad("has an item that is no message"))?;
        match several.last_mut() {
            Some((last, leaves)) if last == number => leaves.push((rest.to_owned(), value)),
            _ => several.push((number.to_owned(), vec![(rest.to_owned(), value)])),
        }
    }
    if several.is_empty() || several.len() > MESSAGES_MAX {
        return Err(bad("is a batch of none or of more messages than are read at once"));
    }
    let messages = several.into_iter().map(|(_, leaves)| Message::new(leaves));
    Ok((messages.collect::<Result<_, _>>()?, true))
}

impl Message {
    fn new(leaves: Vec<(String, Scalar<'_>)>) -> Result<Self, Undecodable> {
        let (mut version, mut method, mut id, mut answers, mut failed) = (false, None, None, false, false);
        let mut members = Fields::new();
        for (path, value) in &leaves {
            let first = segments(path).next().map(unescape).unwrap_or_default();
            match (first.as_str(), path.as_str(), value) {
                ("jsonrpc", "jsonrpc", Scalar::Text("2.0")) => version = true,
                ("method", "method", Scalar::Text(text)) => method = Some((*text).to_owned()),
                ("id", "id", Scalar::Text(text)) => id = Some(Id::Text((*text).to_owned())),
                ("id", "id", Scalar::Number(text)) => id = Some(Id::Number((*text).to_owned())),
                ("params", _, _) => {
                    let name = segments(path).nth(1).map(unescape).unwrap_or_default();
                    let own = OWN.into_iter().find(|own| *own != name && folded(own) == folded(&name));
                    if let Some(own) = own {
                        let text = format!("has `{}`, which servers may take for `{own}`", clip(&name));
                        return Err(bad(&text));
                    }
                    members.put_at(path, *value);
                }
                ("result", _, _) => {
                    answers = true;
                    members.put_at(path, *value);
                }
                ("error", _, _) => {
                    failed = true;
                    members.put_at(path, *value);
                }
                (other, _, _) => {
                    return Err(bad(&format!("has a member `{}` that no message has so", clip(other))));
                }
            }
        }
        if !version {
            return Err(bad("is not of JSON-RPC 2.0"));
        }
        let kind = match (method, answers || failed) {
            (Some(method), false) => Kind::Asks { method, id },
            (None, true) if !(answers && failed) && id.is_some() => Kind::Answers,
            _ => return Err(bad("neither asks for one thing nor answers one")),
        };
        Ok(Self { kind, members })
    }

    /// A text among what it is sent with.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.members.get(&format!("params.{name}")) {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// A body that is no message.
pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new("bad_message", format!("the message {what}; send it as the protocol has it"))
}
