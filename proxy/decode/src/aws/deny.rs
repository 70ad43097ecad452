//! How AWS says no: each protocol's own error, with a code that every SDK raises and none retries.
//!
//! Leaves out the sentence itself, which comes with the denial, and when to deny.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use ordain_action::{Denial, DenialKind};

use crate::contract::NativeResponse;
use crate::form::xml;

/// The form in which a client expects its error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Query services.
    Query,
    /// EC2's own query form.
    Ec2,
    /// `X-Amz-Target` with `application/x-amz-json-1.0`.
    Json10,
    /// `X-Amz-Target` with `application/x-amz-json-1.1`.
    Json11,
    /// JSON over REST.
    RestJson,
    /// XML over REST, but for S3.
    RestXml,
    /// S3, whose errors have no envelope.
    S3,
    /// Smithy RPC v2.
    Cbor,
}

/// A refusal in a client's own form.
pub(crate) fn response(dialect: Dialect, bodiless: bool, denial: &Denial) -> NativeResponse {
    let code = code_in(dialect, denial);
    let request_id = denial.decision.map_or_else(String::new, |decision| decision.to_string());
    let mut headers = HeaderMap::new();
    put(&mut headers, header::CONTENT_TYPE, content_type(dialect));
    put(&mut headers, HeaderName::from_static("ordain-reason-code"), denial.reason_code.as_str());
    if denial.decision.is_some() {
        put(&mut headers, HeaderName::from_static("ordain-decision-id"), &request_id);
        put(&mut headers, HeaderName::from_static("x-amzn-requestid"), &request_id);
    }
    let body = match dialect {
        Dialect::Query | Dialect::RestXml => format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse><Error><Type>{}</Type><Code>{code}</Code><Message>{}</Message>\
             </Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            fault_side(denial.kind),
            xml::escape(&denial.text),
        )
        .into_bytes(),
        Dialect::Ec2 => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{}</Message>\
             </Error></Errors><RequestID>{request_id}</RequestID></Response>",
            xml::escape(&denial.text),
        )
        .into_bytes(),
        Dialect::S3 => {
            if denial.decision.is_some() {
                put(&mut headers, HeaderName::from_static("x-amz-request-id"), &request_id);
            }
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{}</Message>\
                 <RequestId>{request_id}</RequestId></Error>",
                xml::escape(&denial.text),
            )
            .into_bytes()
        }
        Dialect::Json10 | Dialect::Json11 | Dialect::RestJson => {
            put(&mut headers, HeaderName::from_static("x-amzn-errortype"), code);
            // SQS and its like name the code once more, for clients that grew up with the query form.
            put(&mut headers, HeaderName::from_static("x-amzn-query-error"), &format!("{};{}", code_in(Dialect::Query, denial), fault_side(denial.kind)));
            serde_json::json!({ "__type": code, "message": denial.text }).to_string().into_bytes()
        }
        Dialect::Cbor => {
            put(&mut headers, HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor");
            put(&mut headers, HeaderName::from_static("x-amzn-errortype"), code);
            put(&mut headers, HeaderName::from_static("x-amzn-query-error"), &format!("{};{}", code_in(Dialect::Query, denial), fault_side(denial.kind)));
            cbor(code, &denial.text)
        }
    };
    NativeResponse { status: denial.kind.status(), headers, body: if bodiless { Vec::new() } else { body } }
}

const fn content_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Query | Dialect::RestXml => "text/xml",
        Dialect::Ec2 => "text/xml;charset=UTF-8",
        Dialect::S3 => "application/xml",
        Dialect::Json10 => "application/x-amz-json-1.0",
        Dialect::Json11 => "application/x-amz-json-1.1",
        Dialect::RestJson => "application/json",
        Dialect::Cbor => "application/cbor",
    }
}

const fn fault_side(kind: DenialKind) -> &'static str {
    match kind {
        DenialKind::Forbidden
        | DenialKind::Unauthenticated
        | DenialKind::ProxyUnauthenticated
        | DenialKind::Malformed
        | DenialKind::Misdirected
        | DenialKind::TooLarge
        | DenialKind::Encoding
        | DenialKind::Expectation
        | DenialKind::Throttled
        | DenialKind::Unrecordable => "Sender",
        DenialKind::Timeout | DenialKind::Busy | DenialKind::BadGateway | DenialKind::GatewayTimeout => {
            "Receiver"
        }
    }
}

/// The code that the service itself would use, so that a caller's own handling of it works.
fn code_in(dialect: Dialect, denial: &Denial) -> &'static str {
    let [query, ec2, s3, json] = match denial.kind {
        DenialKind::Forbidden | DenialKind::Unrecordable => {
            ["AccessDenied", "UnauthorizedOperation", "AccessDenied", "AccessDeniedException"]
        }
        DenialKind::Unauthenticated | DenialKind::ProxyUnauthenticated => {
            unauthenticated(denial.reason_code.as_str())
        }
        DenialKind::Malformed | DenialKind::Encoding | DenialKind::Expectation => {
            ["ValidationError", "InvalidRequest", "InvalidRequest", "ValidationException"]
        }
        DenialKind::Misdirected => {
            ["InvalidEndpoint", "InvalidRequest", "PermanentRedirect", "InvalidEndpointException"]
        }
        DenialKind::Timeout => {
            ["RequestTimeout", "RequestTimeout", "RequestTimeout", "RequestTimeoutException"]
        }
        DenialKind::TooLarge => [
            "RequestEntityTooLarge",
            "RequestEntityTooLarge",
            "EntityTooLarge",
            "RequestEntityTooLargeException",
        ],
        DenialKind::Busy => ["ServiceUnavailable", "Unavailable", "SlowDown", "ServiceUnavailableException"],
        DenialKind::Throttled => ["Throttling", "RequestLimitExceeded", "SlowDown", "ThrottlingException"],
        DenialKind::BadGateway | DenialKind::GatewayTimeout => {
            ["InternalFailure", "InternalError", "InternalError", "InternalFailure"]
        }
    };
    match dialect {
        Dialect::Query | Dialect::RestXml => query,
        Dialect::Ec2 => ec2,
        Dialect::S3 => s3,
        Dialect::Json10 | Dialect::Json11 | Dialect::RestJson | Dialect::Cbor => json,
    }
}

/// Codes for query, EC2, S3 and JSON clients where the caller's identity could not be established.
fn unauthenticated(reason_code: &str) -> [&'static str; 4] {
    match reason_code {
        "unknown_key" | "revoked_key" | "key_revoked" | "key_inactive" => {
            ["InvalidClientTokenId", "AuthFailure", "InvalidAccessKeyId", "UnrecognizedClientException"]
        }
        "signature_mismatch" => {
            ["SignatureDoesNotMatch", "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException"]
        }
        // A presigned URL or a clock: S3 tells the second apart by the first's code.
        "request_expired" => {
            ["RequestExpired", "RequestExpired", "AccessDenied", "InvalidSignatureException"]
        }
        "clock_skew" => {
            ["RequestExpired", "RequestExpired", "RequestTimeTooSkewed", "InvalidSignatureException"]
        }
        "session_expired" | "token_expired" => {
            ["ExpiredToken", "RequestExpired", "ExpiredToken", "ExpiredTokenException"]
        }
        "invalid_token" => {
            ["InvalidClientTokenId", "AuthFailure", "InvalidToken", "UnrecognizedClientException"]
        }
        "missing_authentication" => [
            "MissingAuthenticationToken",
            "MissingAuthenticationToken",
            "AccessDenied",
            "MissingAuthenticationTokenException",
        ],
        _ => ["AccessDenied", "AuthFailure", "AccessDenied", "AccessDeniedException"],
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn cbor(code: &str, text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut body);
    let written = encoder
        .map(2)
        .and_then(|encoder| encoder.str("__type"))
        .and_then(|encoder| encoder.str(code))
        .and_then(|encoder| encoder.str("message"))
        .and_then(|encoder| encoder.str(text));
    // Writing into memory has no way to fail; an empty map is still an error for every client.
    if written.is_err() { vec![0xa0] } else { body }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use ordain_action::{DecisionId, ReasonCode};

    use super::*;

    fn denial(kind: DenialKind, reason: &str) -> Denial {
        Denial {
            kind,
            reason_code: ReasonCode::new(reason).unwrap(),
            text: "User: <alice> is not authorized & more".to_owned(),
            decision: Some(DecisionId("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap())),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(dialect: Dialect, kind: DenialKind, reason: &str, expected: Expect) {
        let native = response(dialect, false, &denial(kind, reason));
        let mut shown = format!("{}\n", native.status);
        for (name, value) in &native.headers {
            shown.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
        }
        shown.push_str(&String::from_utf8_lossy(&native.body));
        expected.assert_eq(&shown);
    }

    #[test]
    fn query_clients_hear_xml() {
        check(
            Dialect::Query,
            DenialKind::Forbidden,
            "not_owner",
            expect![[r#"
            403
            content-type: text/xml
            ordain-reason-code: not_owner
            ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-requestid: 01890a5d-ac96-774b-bcce-b302099a8057
            <?xml version="1.0"?>
            <ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: &lt;alice&gt; is not authorized &amp; more</Message></Error><RequestId>01890a5d-ac96-774b-bcce-b302099a8057</RequestId></ErrorResponse>"#]],
        );
        check(
            Dialect::Ec2,
            DenialKind::Forbidden,
            "not_owner",
            expect![[r#"
            403
            content-type: text/xml;charset=UTF-8
            ordain-reason-code: not_owner
            ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-requestid: 01890a5d-ac96-774b-bcce-b302099a8057
            <?xml version="1.0" encoding="UTF-8"?>
            <Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>User: &lt;alice&gt; is not authorized &amp; more</Message></Error></Errors><RequestID>01890a5d-ac96-774b-bcce-b302099a8057</RequestID></Response>"#]],
        );
        check(
            Dialect::S3,
            DenialKind::Unauthenticated,
            "unknown_key",
            expect![[r#"
            403
            content-type: application/xml
            ordain-reason-code: unknown_key
            ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-requestid: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amz-request-id: 01890a5d-ac96-774b-bcce-b302099a8057
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>InvalidAccessKeyId</Code><Message>User: &lt;alice&gt; is not authorized &amp; more</Message><RequestId>01890a5d-ac96-774b-bcce-b302099a8057</RequestId></Error>"#]],
        );
    }

    #[test]
    fn json_and_cbor_clients_hear_their_own() {
        check(
            Dialect::Json10,
            DenialKind::Forbidden,
            "not_owner",
            expect![[r#"
            403
            content-type: application/x-amz-json-1.0
            ordain-reason-code: not_owner
            ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-requestid: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-errortype: AccessDeniedException
            x-amzn-query-error: AccessDenied;Sender
            {"__type":"AccessDeniedException","message":"User: <alice> is not authorized & more"}"#]],
        );
        check(
            Dialect::RestJson,
            DenialKind::Busy,
            "too_busy",
            expect![[r#"
            503
            content-type: application/json
            ordain-reason-code: too_busy
            ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-requestid: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-errortype: ServiceUnavailableException
            x-amzn-query-error: ServiceUnavailable;Receiver
            {"__type":"ServiceUnavailableException","message":"User: <alice> is not authorized & more"}"#]],
        );
        check(
            Dialect::Cbor,
            DenialKind::Forbidden,
            "not_owner",
            expect![[r#"
            403
            content-type: application/cbor
            ordain-reason-code: not_owner
            ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
            x-amzn-requestid: 01890a5d-ac96-774b-bcce-b302099a8057
            smithy-protocol: rpc-v2-cbor
            x-amzn-errortype: AccessDeniedException
            x-amzn-query-error: AccessDenied;Sender
            �f__typeuAccessDeniedExceptiongmessagex&User: <alice> is not authorized & more"#]],
        );
    }

    #[test]
    fn a_head_request_gets_no_body() {
        assert!(response(Dialect::S3, true, &denial(DenialKind::Forbidden, "not_owner")).body.is_empty());
    }
}
