//! A refusal in the form of the service that was asked.
//!
//! Leaves out what is said (`refusal.rs`).

use ordain_action::{Denial, DenialKind};
use serde_json::json;

use super::service::Service;
use crate::contract::NativeResponse;
use crate::rest;

const JSON: &str = "application/json";

/// The error that the service's own clients raise and do not try again; Keystone's where it is not known which it is.
pub(super) fn response(service: Option<Service>, denial: &Denial) -> NativeResponse {
    // Clients look at versions before they show who they are, and show it when they are told that they have not.
    let status = if denial.kind == DenialKind::Unauthenticated { 401 } else { denial.kind.status() };
    let message = denial.text.as_str();
    let title =
        http::StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason()).unwrap_or("Error");
    let (media, body) = match service {
        Some(Service::Identity) | None => {
            (JSON, json!({ "error": { "code": status, "message": message, "title": title } }).to_string())
        }
        Some(Service::Compute | Service::BlockStorage) => {
            (JSON, json!({ fault(status): { "code": status, "message": message } }).to_string())
        }
        Some(Service::Network) => {
            let kind = if status == 403 { "PolicyNotAuthorized" } else { "HTTPException" };
            let error = json!({ "type": kind, "message": message, "detail": "" });
            (JSON, json!({ "NeutronError": error }).to_string())
        }
        Some(Service::Baremetal) => {
            let error = json!({ "faultcode": "Client", "faultstring": message, "debuginfo": null });
            // As text in the JSON: its own client reads no other form.
            (JSON, json!({ "error_message": error.to_string() }).to_string())
        }
        Some(Service::Image) => {
            let (title, message) = (format!("{status} {title}"), escape(message));
            let body = format!(
                "<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {message}<br /><br />\n </body>\n</html>"
            );
            ("text/html; charset=UTF-8", body)
        }
    };
    rest::refusal(status, media, body.into_bytes(), denial)
}

/// What Nova and Cinder call their errors.
const fn fault(status: u16) -> &'static str {
    match status {
        400 => "badRequest",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "itemNotFound",
        409 => "conflictingRequest",
        413 | 429 => "overLimit",
        415 => "badMediaType",
        503 => "serviceUnavailable",
        _ => "computeFault",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ordain_action::{DenialKind, ReasonCode};

    use super::*;

    /// The bytes that openstacksdk raises as `ForbiddenException`, and the client of each service as its own, at once.
    #[test]
    fn each_service_says_no_in_its_own_form() {
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("no_intent").unwrap(),
            text: "alice may not <do> this".to_owned(),
            decision: None,
        };
        for (service, media, expected) in [
            (None, JSON, r#"{"error":{"code":403,"message":"alice may not <do> this","title":"Forbidden"}}"#),
            (
                Some(Service::Compute),
                JSON,
                r#"{"forbidden":{"code":403,"message":"alice may not <do> this"}}"#,
            ),
            (
                Some(Service::Network),
                JSON,
                r#"{"NeutronError":{"type":"PolicyNotAuthorized","message":"alice may not <do> this","detail":""}}"#,
            ),
            (
                Some(Service::Baremetal),
                JSON,
                r#"{"error_message":"{\"faultcode\":\"Client\",\"faultstring\":\"alice may not <do> this\",\"debuginfo\":null}"}"#,
            ),
            (
                Some(Service::Image),
                "text/html; charset=UTF-8",
                "<html>\n <head>\n  <title>403 Forbidden</title>\n </head>\n <body>\n  <h1>403 Forbidden</h1>\n  alice may not &lt;do&gt; this<br /><br />\n </body>\n</html>",
            ),
        ] {
            let response = response(service, &denial);
            assert_eq!(response.status, 403);
            assert_eq!(response.headers["content-type"], media);
            assert_eq!(String::from_utf8(response.body).unwrap(), expected);
        }
    }
}
