//! Several requests in one, each read as one of its own.
//!
//! Leaves out batches in batches, which the plane has not, and the order of the requests: which of them waits for which
//! changes nothing of what each does.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use ordain_action::{Call, Minted, Undecodable};
use ordain_catalog::GraphVersion;
use serde_json::Value;

use super::call::{self, Body, JSON};
use super::path::{self, Asked, Verb};
use super::{HOSTS, RULES, bad};
use crate::form::{Fields, json};
use crate::rest::{Line, Whole};
use crate::{Head, WayIn};

/// The most requests that are read at once, which is what the plane takes.
const REQUESTS_MAX: usize = 20;

/// The longest path and query of one of them, in bytes.
const URL_MAX: usize = 16_384;

/// The most that the effects of one request name together.
const TOUCHED_MAX: usize = 16_384;

/// What a request in a batch may say of itself. Microsoft's client for Python writes the last in its own way.
const MEMBERS: [&str; 8] =
    ["id", "method", "url", "headers", "body", "dependsOn", "atomicityGroup", "depends_on"];

/// Reads every request of a batch.
///
/// # Errors
/// One of them cannot be read: then none is.
pub(super) fn call(version: GraphVersion, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let fields = whole.json_of(&JSON)?.ok_or_else(|| bad("the batch has no body"))?;
    fields.refuse_keys_that_differ_in_case()?;
    if fields.overflowed() {
        return Err(bad("the batch has more members than are judged; send fewer requests in one"));
    }
    let batch: Value =
        serde_json::from_slice(whole.body).map_err(|_| bad("the batch is not JSON that is read here"))?;
    let members = batch.as_object().filter(|members| members.keys().all(|key| key == "requests"));
    let requests = members.and_then(|members| members.get("requests")).and_then(Value::as_array);
    let requests = requests.ok_or_else(|| bad("the batch is no object of `requests` alone"))?;
    if requests.is_empty() || requests.len() > REQUESTS_MAX {
        return Err(bad("the batch has no request, or more than 20"));
    }
    let mut all = whole.names().call(Vec::new());
    let mut ids = HashSet::new();
    for request in requests {
        let id = request
            .get("id")
            .map(Value::to_string)
            .ok_or_else(|| bad("a request of the batch has no `id`"))?;
        if !ids.insert(id.to_ascii_lowercase()) {
            return Err(bad("two requests of the batch have one `id`"));
        }
        one(version, request, whole, &mut all)?;
        let touched: usize = all.effects.iter().map(|effect| effect.resources.len()).sum();
        if touched > TOUCHED_MAX {
            return Err(Undecodable::new(
                "too_many_resources",
                "more is named than is judged at once; send less",
            ));
        }
    }
    Ok(all)
}

fn one(version: GraphVersion, request: &Value, outer: &Whole<'_>, all: &mut Call) -> Result<(), Undecodable> {
    let members = request.as_object().ok_or_else(|| bad("a request of the batch is no object"))?;
    if members.keys().any(|key| !MEMBERS.contains(&key.as_str())) {
        return Err(bad("a request of the batch has a member that is not read there; take it out"));
    }
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    let method = text("method").to_ascii_uppercase();
    let target = target(version, text("url"))?;
    let headers = headers(request.get("headers"))?;
    let head = Head {
        method: &method,
        target: &target,
        authority: "",
        headers: &headers,
        way_in: WayIn::Reverse,
        plane: None,
        upstream: None,
    };
    let line = Line::read(&head, &RULES)?;
    let Asked::One(one) = path::read(&line)? else {
        return Err(bad("a request of the batch is none that a batch may have"));
    };
    let sent = request.get("body").filter(|body| !body.is_null());
    if sent.is_some() && matches!(one.verb, Verb::Get | Verb::Delete) {
        return Err(call::no_body());
    }
    let whole = Whole { line: &line, body: &[], ..*outer };
    let media = whole.media_type()?;
    let body = match sent {
        None => Body::Json(Fields::new()),
        Some(Value::String(text)) if one.streams() || one.takes(&media) => {
            STANDARD.decode(text).map_err(|_| bad("a body in the batch is no base64"))?;
            Body::Other("the body is a text or a file")
        }
        Some(value @ (Value::Object(_) | Value::Array(_)))
            if media.is_empty() || JSON.contains(&media.as_str()) =>
        {
            let mut fields = Fields::new();
            json::read(value.to_string().as_bytes(), &mut fields)?;
            Body::Json(fields)
        }
        Some(Value::String(text)) if JSON.contains(&media.as_str()) => {
            let bytes = STANDARD.decode(text).map_err(|_| bad("a body in the batch is no base64"))?;
            let mut fields = Fields::new();
            json::read(&bytes, &mut fields)?;
            Body::Json(fields)
        }
        Some(_) => return Err(bad("a body in the batch is not of the type that is said of it")),
    };
    let done = call::done(&one, &whole, &body)?;
    all.effects.extend(done.effects);
    if done.mints {
        all.answer.mints = Some(Minted::Unrewritable);
    }
    Ok(())
}

/// Path and query of a request in a batch, which are those behind the version; or a whole address of the plane's own, of
/// the same version.
fn target(version: GraphVersion, url: &str) -> Result<String, Undecodable> {
    let version = match version {
        GraphVersion::V1 => "v1.0",
        GraphVersion::Beta => "beta",
    };
    if url.len() > URL_MAX {
        return Err(bad(
            "the path of a request of the batch is longer than any that is read; send it by itself",
        ));
    }
    let path = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://").filter(|_| path.contains("://")) else {
        return match url.strip_prefix('/').unwrap_or(url) {
            rest if rest.starts_with('/') => Err(bad("a request of the batch has no path that is read")),
            rest => Ok(format!("/{version}/{rest}")),
        };
    };
    let own = rest.split_once('/').filter(|(host, path)| {
        scheme.eq_ignore_ascii_case("https")
            && HOSTS.iter().any(|own| own.eq_ignore_ascii_case(host))
            && path.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case(version))
    });
    let (_, path) =
        own.ok_or_else(|| bad("a request of the batch goes elsewhere; write what comes behind the version"))?;
    Ok(format!("/{path}"))
}

fn headers(value: Option<&Value>) -> Result<HeaderMap, Undecodable> {
    let mut headers = HeaderMap::new();
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(headers) };
    let wrong = || bad("a request of the batch has headers that are none");
    for (name, value) in value.as_object().ok_or_else(wrong)? {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let value = value.as_str().ok_or_else(wrong)?;
        if matches!(name.as_str(), "authorization" | "cookie" | "host") {
            return Err(bad("a request of the batch has a credential or a host of its own; take it out"));
        }
        if headers.insert(name, HeaderValue::from_str(value).map_err(|_| wrong())?).is_some() {
            return Err(wrong());
        }
    }
    Ok(headers)
}
