//! What is the same in the answers of many planes: a refusal's headers, and where a new identifier stands.
//!
//! Leaves out the forms of bodies.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ordain_action::{Created, Denial};
use serde_json::{Map, Value, json};

use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::NativeResponse;

/// A refusal: its status, its media type and its body, with what every denial carries in its headers.
pub(crate) fn refusal(status: u16, media: &'static str, body: Vec<u8>, denial: &Denial) -> NativeResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let decision = denial.decision.map(|decision| decision.to_string());
    let says = [
        ("ordain-reason-code", Some(denial.reason_code.as_str())),
        ("ordain-decision-id", decision.as_deref()),
    ];
    for (name, value) in says {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    NativeResponse { status, headers, body }
}

/// The members of a refusal as RFC 9457 has them.
pub(crate) fn problem(denial: &Denial) -> Map<String, Value> {
    let status = denial.kind.status();
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut problem = Map::new();
    problem.insert("type".to_owned(), json!("about:blank"));
    problem.insert("title".to_owned(), json!(title.unwrap_or("Error")));
    problem.insert("status".to_owned(), json!(status));
    problem.insert("detail".to_owned(), json!(denial.text));
    problem
}

/// The first of these headers that an answer has: the upstream's own name for the request.
pub(crate) fn request_id(answer: &AnswerHead<'_>, names: &[&str]) -> String {
    let first = names.iter().find_map(|name| answer.headers.get(*name)?.to_str().ok());
    first.unwrap_or_default().to_owned()
}

/// What an answer says of itself: the first of these headers that it has, and of a failure what its JSON calls it.
pub(crate) fn told(
    answer: &AnswerHead<'_>,
    body: &[u8],
    names: &[&str],
    code: impl FnOnce(&Value) -> Option<String>,
) -> AnswerRead {
    let error: Option<Value> = (answer.status >= 400).then(|| serde_json::from_slice(body).ok()).flatten();
    AnswerRead {
        request_id: request_id(answer, names),
        error_code: error.as_ref().and_then(code),
        status: None,
    }
}

/// Where the identifier of something new stands in an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Location<'a> {
    /// In a member of its JSON, by a pointer (RFC 6901).
    Member(&'a str),
    /// It is the last part of the path in `location`.
    Header,
}

/// The identifier of something new, from the first place that has one.
pub(crate) fn identifier(
    kind: &str,
    member: &str,
    answer: &AnswerHead<'_>,
    body: &[u8],
    places: &[Location<'_>],
) -> Vec<Created> {
    if !(200..300).contains(&answer.status) {
        return Vec::new();
    }
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let found = places.iter().find_map(|place| match place {
        Location::Member(pointer) => match value.as_ref()?.pointer(pointer)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        },
        Location::Header => {
            let location = answer.headers.get(header::LOCATION)?.to_str().ok()?;
            let path = location.split(['?', '#']).next()?.trim_end_matches('/');
            let last = path.rsplit('/').next().filter(|last| !last.is_empty())?;
            percent_encoding::percent_decode_str(last).decode_utf8().ok().map(String::from)
        }
    });
    let created =
        found.map(|identifier| Created { kind: Arc::from(kind), member: Arc::from(member), identifier });
    created.into_iter().collect()
}
