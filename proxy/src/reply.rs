//! Bodies on their way to the caller, and a denial as an HTTP response.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use ordain_action::{DecisionId, Denial, DenialKind};
use ordain_decode::NativeResponse;
use uuid::Uuid;

use crate::payload::BodyError;

/// A body on its way to the caller.
pub type ReplyBody = UnsyncBoxBody<Bytes, BodyError>;

/// The response header that names the decision.
pub const DECISION_ID: HeaderName = HeaderName::from_static("ordain-decision-id");

/// The response header that carries the machine-readable reason.
pub const REASON_CODE: HeaderName = HeaderName::from_static("ordain-reason-code");

/// The response header that names the hold that a request waits under.
pub const HOLD_ID: HeaderName = HeaderName::from_static("ordain-hold-id");

/// The response header that says, in warn mode, what enforce would have said.
pub const WARNING: HeaderName = HeaderName::from_static("ordain-warning");

/// A body that is all there.
#[must_use]
pub fn full(bytes: Bytes) -> ReplyBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// No body.
#[must_use]
pub fn empty() -> ReplyBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A room's denial as a response.
#[must_use]
pub fn native(native: NativeResponse) -> Response<ReplyBody> {
    let mut response = Response::new(full(Bytes::from(native.body)));
    *response.status_mut() = StatusCode::from_u16(native.status).unwrap_or(StatusCode::FORBIDDEN);
    *response.headers_mut() = native.headers;
    response
}

/// A denial where no room claimed the request: plain text, for a person.
#[must_use]
pub fn plain(denial: &Denial) -> Response<ReplyBody> {
    let mut response = Response::new(full(Bytes::from(format!("{}\n", denial.text))));
    *response.status_mut() = StatusCode::from_u16(denial.kind.status()).unwrap_or(StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    put(headers, REASON_CODE, denial.reason_code.as_str());
    if let Some(decision) = denial.decision {
        name_decision(headers, decision);
    }
    if denial.kind == DenialKind::ProxyUnauthenticated {
        put(headers, http::header::PROXY_AUTHENTICATE, "Basic realm=\"ordain\"");
    }
    response
}

/// Puts the decision's name on a response.
pub fn name_decision(headers: &mut HeaderMap, decision: DecisionId) {
    put(headers, DECISION_ID, &decision.to_string());
}

/// Puts the hold's name on a response that is refused until it is answered.
pub fn name_hold(headers: &mut HeaderMap, hold: Option<Uuid>) {
    if let Some(hold) = hold {
        put(headers, HOLD_ID, &hold.to_string());
    }
}

/// Puts what enforce would have said on a response.
pub fn warn(headers: &mut HeaderMap, reason_code: &str) {
    put(headers, WARNING, reason_code);
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
