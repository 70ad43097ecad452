//! A refusal as the plane itself says no: the error that its clients raise as `ODataError` and do not try again.
//!
//! Leaves out when one is due, and the date that the plane adds: there is no clock here.

use http::HeaderValue;
use ordain_action::{Denial, DenialKind};
use serde_json::json;

use crate::contract::NativeResponse;
use crate::rest;

/// The plane's own code for a sort of refusal.
const fn code(kind: DenialKind) -> &'static str {
    match kind {
        DenialKind::Forbidden | DenialKind::Unrecordable => "Authorization_RequestDenied",
        DenialKind::Unauthenticated => "InvalidAuthenticationToken",
        DenialKind::ProxyUnauthenticated => "proxyAuthenticationRequired",
        DenialKind::Malformed | DenialKind::Expectation => "BadRequest",
        DenialKind::Misdirected => "misdirectedRequest",
        DenialKind::Timeout => "timeout",
        DenialKind::TooLarge => "requestEntityTooLarge",
        DenialKind::Encoding => "unsupportedMediaType",
        DenialKind::Busy => "serviceNotAvailable",
        DenialKind::Throttled => "TooManyRequests",
        DenialKind::BadGateway => "badGateway",
        DenialKind::GatewayTimeout => "gatewayTimeout",
    }
}

/// The whole refusal.
pub(super) fn deny(denial: &Denial) -> NativeResponse {
    let decision = denial.decision.map(|decision| decision.to_string());
    let inner = decision.as_ref().map_or_else(
        || json!({"code": denial.reason_code.as_str()}),
        |decision| json!({"code": denial.reason_code.as_str(), "request-id": decision, "client-request-id": decision}),
    );
    let error = json!({"error": {"code": code(denial.kind), "message": denial.text, "innerError": inner}});
    let body = error.to_string().into_bytes();
    let mut response = rest::refusal(denial.kind.status(), "application/json", body, denial);
    if let Some(Ok(decision)) = decision.map(|decision| HeaderValue::from_str(&decision)) {
        response.headers.insert("request-id", decision);
    }
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
        assert_eq!(
            String::from_utf8(refused.body).unwrap(),
            r#"{"error":{"code":"Authorization_RequestDenied","message":"bob may not","innerError":{"code":"no_owner"}}}"#
        );
        assert!(!refused.headers.contains_key("retry-after"));
        assert!(deny(&denial(DenialKind::Busy)).headers.contains_key("retry-after"));
    }
}
