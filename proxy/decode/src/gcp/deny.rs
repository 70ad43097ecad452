//! How Google says no: the error of its JSON APIs.
//!
//! Leaves out the sentence itself.

use ordain_action::{Denial, DenialKind};
use serde_json::{Value, json};

use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::NativeResponse;
use crate::rest;

/// A refusal that Google's own clients raise as their error. They try again where the reason is a rate limit, which this
/// is not.
pub(super) fn deny(denial: &Denial) -> NativeResponse {
    let code = denial.kind.status();
    let (status, reason) = match denial.kind {
        DenialKind::Forbidden | DenialKind::Unauthenticated | DenialKind::Unrecordable => {
            ("PERMISSION_DENIED", "forbidden")
        }
        DenialKind::ProxyUnauthenticated => ("UNAUTHENTICATED", "authError"),
        DenialKind::Malformed | DenialKind::Misdirected | DenialKind::Encoding | DenialKind::Expectation => {
            ("INVALID_ARGUMENT", "badRequest")
        }
        DenialKind::TooLarge => ("INVALID_ARGUMENT", "uploadTooLarge"),
        DenialKind::Timeout | DenialKind::GatewayTimeout => ("DEADLINE_EXCEEDED", "backendError"),
        DenialKind::Busy | DenialKind::BadGateway => ("UNAVAILABLE", "backendError"),
        DenialKind::Throttled => ("RESOURCE_EXHAUSTED", "rateLimitExceeded"),
    };
    let error = json!({
        "error": {
            "code": code,
            "message": denial.text,
            "errors": [{ "message": denial.text, "domain": "global", "reason": reason }],
            "status": status,
        }
    });
    rest::refusal(code, "application/json; charset=UTF-8", error.to_string().into_bytes(), denial)
}

/// What an answer says of itself.
pub(super) fn read_answer(answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
    let names = ["x-goog-request-id", "x-guploader-uploadid", "x-request-id"];
    rest::told(answer, body, &names, |error| {
        let error = error.get("error")?;
        let reason = || error.pointer("/errors/0/reason").and_then(Value::as_str);
        error.get("status").and_then(Value::as_str).or_else(reason).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use ordain_action::ReasonCode;

    use super::*;

    #[test]
    fn the_bytes_that_the_client_reads() {
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("no_ground").unwrap(),
            text: "no".to_owned(),
            decision: None,
        };
        let answer = deny(&denial);
        assert_eq!(
            String::from_utf8(answer.body).unwrap(),
            r#"{"error":{"code":403,"message":"no","errors":[{"message":"no","domain":"global","reason":"forbidden"}],"status":"PERMISSION_DENIED"}}"#
        );
        assert_eq!(answer.headers["content-type"], "application/json; charset=UTF-8");
        assert_eq!(answer.status, 403);
    }
}
