//! How gRPC says no: a head that carries the status and the message, and no body after it.
//!
//! Leaves out when to deny.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use ordain_action::{Denial, DenialKind, Effect};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::answer::CODES;
use crate::contract::NativeResponse;

/// What a message may not have as it is: all that is no printable ASCII, and the mark itself.
const MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

/// A refusal in the form of this plane, or as plain HTTP to who does not speak it.
pub(crate) fn response(speaks: bool, denial: &Denial) -> NativeResponse {
    let code = code(denial.kind);
    let mut headers = HeaderMap::new();
    put(&mut headers, HeaderName::from_static("ordain-reason-code"), denial.reason_code.as_str());
    if let Some(decision) = &denial.decision {
        put(&mut headers, HeaderName::from_static("ordain-decision-id"), &decision.to_string());
    }
    if !speaks {
        put(&mut headers, header::CONTENT_TYPE, "text/plain; charset=utf-8");
        let (_, status) = CODES.get(code).copied().unwrap_or(("UNKNOWN", 500));
        return NativeResponse { status, headers, body: format!("{}\n", denial.text).into_bytes() };
    }
    put(&mut headers, header::CONTENT_TYPE, "application/grpc");
    put(&mut headers, HeaderName::from_static("grpc-status"), &code.to_string());
    let message = utf8_percent_encode(&denial.text, MESSAGE).to_string();
    put(&mut headers, HeaderName::from_static("grpc-message"), &message);
    NativeResponse { status: 200, headers, body: Vec::new() }
}

/// The status by which clients tell errors apart. Only a limit of ours is worth another try.
const fn code(kind: DenialKind) -> usize {
    match kind {
        DenialKind::Forbidden | DenialKind::Unrecordable => 7,
        DenialKind::Unauthenticated | DenialKind::ProxyUnauthenticated => 16,
        DenialKind::Malformed | DenialKind::Expectation => 3,
        DenialKind::Misdirected | DenialKind::Encoding => 12,
        DenialKind::Timeout | DenialKind::GatewayTimeout => 4,
        DenialKind::TooLarge | DenialKind::Throttled => 8,
        DenialKind::Busy => 14,
        DenialKind::BadGateway => 13,
    }
}

/// The server's own sentence of who may not do what, with our reason behind it.
pub(crate) fn refusal(who: &str, effect: Option<&Effect>, why: &str) -> String {
    match effect {
        Some(effect) => {
            let on = effect.resources.first().map_or("*", |resource| resource.name.as_str());
            format!("{who} may not call {} on {on}: {why}", effect.iam_action)
        }
        None => format!("{who} may not call what cannot be read: {why}"),
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
