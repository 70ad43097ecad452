//! A refusal as the plane itself says no: the error that its clients raise and do not try again.
//!
//! Leaves out when one is due.

use http::HeaderValue;
use ordain_action::{Denial, DenialKind};
use serde_json::json;

use crate::contract::NativeResponse;
use crate::rest;

/// The plane's own code for a sort of refusal.
const fn code(kind: DenialKind) -> &'static str {
    match kind {
        DenialKind::Forbidden | DenialKind::Unrecordable => "AuthorizationFailed",
        DenialKind::Unauthenticated => "InvalidAuthenticationToken",
        DenialKind::ProxyUnauthenticated => "ProxyAuthenticationRequired",
        DenialKind::Malformed | DenialKind::Expectation => "BadRequest",
        DenialKind::Misdirected => "MisdirectedRequest",
        DenialKind::Timeout => "RequestTimeout",
        DenialKind::TooLarge => "RequestEntityTooLarge",
        DenialKind::Encoding => "UnsupportedMediaType",
        DenialKind::Busy => "ServerBusy",
        DenialKind::Throttled => "TooManyRequests",
        DenialKind::BadGateway => "BadGateway",
        DenialKind::GatewayTimeout => "GatewayTimeout",
    }
}

/// The whole refusal.
pub(super) fn deny(denial: &Denial) -> NativeResponse {
    let error = json!({"error": {"code": code(denial.kind), "message": denial.text}});
    let body = error.to_string().into_bytes();
    // A client that is told 401 asks for another token and comes again: ours is refused once and for all.
    let mut response = rest::refusal(denial.kind.status(), "application/json; charset=utf-8", body, denial);
    response.headers.insert("x-ms-failure-cause", HeaderValue::from_static("gateway"));
    if matches!(denial.kind, DenialKind::Throttled | DenialKind::Busy) {
        response.headers.insert("retry-after", HeaderValue::from_static("1"));
    }
    response
}

#[cfg(test)]
mod tests {
    use ordain_action::ReasonCode;

    use super::*;

    #[test]
    fn a_refusal_is_the_planes_own_error() {
        let denial = |kind| Denial {
            kind,
            reason_code: ReasonCode::new("no_owner").unwrap(),
            text: "bob may not".to_owned(),
            decision: None,
        };
        let refused = deny(&denial(DenialKind::Forbidden));
        assert_eq!(refused.status, 403);
        assert_eq!(refused.headers["content-type"], "application/json; charset=utf-8");
        assert_eq!(
            String::from_utf8(refused.body).unwrap(),
            r#"{"error":{"code":"AuthorizationFailed","message":"bob may not"}}"#
        );
        let slowed = deny(&denial(DenialKind::Throttled));
        assert_eq!((slowed.status, &slowed.headers["retry-after"]), (429, &HeaderValue::from_static("1")));
    }
}
