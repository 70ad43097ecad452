//! How the protocol says no: an error of JSON-RPC, under the id of what was asked.
//!
//! A client hands such an error to whoever called the tool, and goes on; an HTTP status would end its session. Where no id is
//! known, there is nobody to hand it to, and the status says it. Leaves out when to deny.

use ordain_action::{Denial, DenialKind};
use serde_json::{Value, json};

use super::message::Id;
use crate::contract::NativeResponse;
use crate::rest;

/// A refusal of what was asked under these ids.
pub(super) fn response(asked: Option<&(Vec<Id>, bool)>, denial: &Denial) -> NativeResponse {
    let error = |id: Value| {
        json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": {
                "code": code(denial.kind),
                "message": denial.text,
                "data": {
                    "reason_code": denial.reason_code.as_str(),
                    "decision_id": denial.decision.map(|decision| decision.to_string()),
                },
            },
        })
    };
    let (status, body) = match asked {
        Some((ids, true)) if !ids.is_empty() => (200, ids.iter().map(|id| error(id.value())).collect()),
        Some((ids, _)) if !ids.is_empty() => (200, ids.first().map_or(Value::Null, |id| error(id.value()))),
        Some(_) | None => (denial.kind.status(), error(Value::Null)),
    };
    rest::refusal(status, "application/json", body.to_string().into_bytes(), denial)
}

/// The codes that JSON-RPC leaves to servers, but for what it has one for.
const fn code(kind: DenialKind) -> i32 {
    match kind {
        DenialKind::Malformed | DenialKind::Encoding | DenialKind::Expectation | DenialKind::TooLarge => {
            -32_600
        }
        DenialKind::Unauthenticated | DenialKind::ProxyUnauthenticated => -32_001,
        DenialKind::Forbidden | DenialKind::Unrecordable | DenialKind::Misdirected => -32_003,
        DenialKind::Busy | DenialKind::Throttled => -32_029,
        DenialKind::Timeout | DenialKind::GatewayTimeout => -32_004,
        DenialKind::BadGateway => -32_603,
    }
}

impl Id {
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Number(text) => {
                text.parse::<i64>().map_or_else(|_| Value::String(text.clone()), Value::from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ordain_action::ReasonCode;

    use super::*;

    #[test]
    fn an_error_goes_to_whoever_asked() {
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("not_owner").unwrap(),
            text: "no".to_owned(),
            decision: None,
        };
        let ids = vec![Id::Number("7".to_owned()), Id::Text("a".to_owned())];
        let one = response(Some(&(ids[..1].to_vec(), false)), &denial);
        let said: Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!((one.status, &said["id"], &said["error"]["code"]), (200, &json!(7), &json!(-32003)));
        let both: Value = serde_json::from_slice(&response(Some(&(ids, true)), &denial).body).unwrap();
        assert_eq!(both[1]["id"], "a");
        assert_eq!(response(Some(&(Vec::new(), false)), &denial).status, 403);
        assert_eq!(response(None, &denial).status, 403);
    }
}
