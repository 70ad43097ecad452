//! Several requests in one, each read as one of its own.
//!
//! Leaves out batches in batches, which the plane has not.

use std::borrow::Cow;

use http::HeaderMap;
use ordain_action::{Effect, Undecodable};
use serde_json::Value;

use super::asked::{self, Asked};
use super::body::{Shown, TOUCHED_MAX, bad, bad_at, member, text, too_many};
use super::call::{self, Request};
use super::words::Words;
use super::{CARD, RULES};
use crate::form::fields::unescape;
use crate::rest::Line;
use crate::tokens::Tokens;
use crate::{Head, WayIn};

/// The most requests that are read at once; the plane takes 500.
const REQUESTS_MAX: usize = 500;

/// What a request in a batch may say of itself, in lower case.
const MEMBERS: [&str; 6] = ["content", "httpmethod", "name", "requestheaderdetails", "url", "headers"];

/// Reads every request of a batch.
///
/// # Errors
/// One of them cannot be read: then none is.
pub(super) fn effects(body: &Value, words: &Words, tokens: &Tokens) -> Result<Vec<Effect>, Undecodable> {
    let members = body.as_object().ok_or_else(|| bad("the batch is no object"))?;
    if members.keys().any(|key| !key.eq_ignore_ascii_case("requests")) {
        return Err(bad("the batch has something besides `requests`"));
    }
    let requests = member(body, "requests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if requests.is_empty() || requests.len() > REQUESTS_MAX {
        return Err(bad("the batch has no request, or more than 500"));
    }
    let mut effects = Vec::new();
    for request in requests {
        effects.extend(one(request, words, tokens)?);
        let touched: usize = effects.iter().map(|effect| effect.resources.len()).sum();
        if touched > TOUCHED_MAX {
            return Err(too_many());
        }
    }
    Ok(effects)
}

fn one(request: &Value, words: &Words, tokens: &Tokens) -> Result<Vec<Effect>, Undecodable> {
    let members = request.as_object().ok_or_else(|| bad("a request of the batch is no object"))?;
    if let Some(key) = members.keys().find(|key| !MEMBERS.contains(&key.to_lowercase().as_str())) {
        return Err(bad_at("a request of the batch has `{}`, which is not read there", &unescape(key)));
    }
    let headers = member(request, "headers");
    if headers.is_some_and(|headers| headers.as_object().is_none_or(|headers| !headers.is_empty())) {
        return Err(bad("a request of the batch has headers, which are not read there"));
    }
    let method = text(request, "httpMethod").unwrap_or_default();
    let url = text(request, "url").unwrap_or_default();
    let target = target(url)?;
    let none = HeaderMap::new();
    let head = Head {
        method,
        target: &target,
        authority: "",
        headers: &none,
        way_in: WayIn::Reverse,
        plane: None,
        upstream: None,
    };
    let line = Line::read(&head, &RULES)?;
    let content = member(request, "content").filter(|content| !content.is_null());
    if content.is_some_and(|content| !content.is_object()) {
        return Err(bad("a request of the batch has content that is no object"));
    }
    match asked::read(&line, words)? {
        Asked::Batch => Err(bad("a request of the batch is a batch")),
        Asked::One(one) => {
            if matches!(method, "GET" | "HEAD" | "DELETE") && content.is_some() {
                return Err(bad("a request of the batch has content that its method does not take"));
            }
            let shown = Shown { tokens, query: &line.query };
            call::effects(&one, Request { words, shown, body: content })
        }
    }
}

/// Path and query of a request in a batch: its host, where it says one, is one of the plane's.
fn target(url: &str) -> Result<Cow<'_, str>, Undecodable> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(if url.starts_with('/') { Cow::Borrowed(url) } else { Cow::Owned(format!("/{url}")) });
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let known = CARD.domains.iter().any(|domain| domain.eq_ignore_ascii_case(host));
    if !scheme.eq_ignore_ascii_case("https") || !known {
        return Err(bad_at("`{}` is no address of this plane", url));
    }
    Ok(Cow::Owned(format!("/{path}")))
}
