//! How an API says no: as its document says that errors are, and else as RFC 9457 has it.
//!
//! Leaves out when to deny.

use ordain_action::Denial;
use serde_json::{Value, json};

use super::document::Document;
use super::schema::Shape;
use crate::contract::NativeResponse;
use crate::rest;

/// The members in which clients look for the sentence of an error, the first first.
const MEMBERS: [&str; 5] = ["message", "error", "detail", "msg", "reason"];

/// Where the sentence of an error stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Refuses {
    /// The document does not say.
    #[default]
    Unsaid,
    /// In a member.
    Member(&'static str),
    /// In a member of the object `error`.
    Within(&'static str),
}

impl Refuses {
    /// What an operation says of its errors: of that of being forbidden, else of any.
    ///
    /// # Errors
    /// A reference leads nowhere.
    pub(super) fn of(document: &Document, operation: &Value) -> Result<Self, String> {
        let Some(responses) = operation.get("responses").and_then(Value::as_object) else {
            return Ok(Self::Unsaid);
        };
        let errors = responses.keys().filter(|status| status.starts_with(['4', '5'])).map(String::as_str);
        for status in ["403", "4XX", "default"].into_iter().chain(errors) {
            let Some(response) = responses.get(status) else { continue };
            let response = document.resolve(response)?;
            let content = response.get("content").and_then(Value::as_object).into_iter().flatten();
            let json =
                content.filter(|(media, _)| media.contains("json")).find_map(|(_, of)| of.get("schema"));
            let Some(schema) = response.get("schema").or(json) else { continue };
            let found = Self::in_shape(&Shape::of(document, schema));
            if found != Self::Unsaid {
                return Ok(found);
            }
        }
        Ok(Self::Unsaid)
    }

    fn in_shape(shape: &Shape<'_>) -> Self {
        let text = |shape: &Shape<'_>| MEMBERS.into_iter().find(|name| shape.member(name).is_text());
        if let Some(name) = text(shape) {
            return Self::Member(name);
        }
        text(&shape.member("error")).map_or(Self::Unsaid, Self::Within)
    }
}

/// A refusal in the form of the operation.
pub(super) fn response(refuses: &Refuses, denial: &Denial) -> NativeResponse {
    let status = denial.kind.status();
    let mut problem = rest::problem(denial);
    let media = match refuses {
        Refuses::Unsaid => "application/problem+json",
        Refuses::Member(name) => {
            problem.insert((*name).to_owned(), json!(denial.text));
            "application/json"
        }
        Refuses::Within(name) => {
            problem.insert("error".to_owned(), json!({ "code": status, *name: denial.text }));
            "application/json"
        }
    };
    rest::refusal(status, media, Value::Object(problem).to_string().into_bytes(), denial)
}
