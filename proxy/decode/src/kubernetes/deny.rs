//! How Kubernetes says no: a `Status` object, with the reason that its clients raise and do not retry.
//!
//! Always JSON, which every client reads in an error whatever form it asked for. Leaves out when to deny.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use ordain_action::{Denial, DenialKind, Effect};
use ordain_catalog::ClusterKind;
use serde::Serialize;

use super::path::Place;
use super::request::Request;
use crate::contract::NativeResponse;

/// How many seconds a client should wait where a limit of ours is reached.
const RETRY_SECONDS: u32 = 1;

/// What the server answers in an error, in the order of its own members.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    kind: &'static str,
    api_version: &'static str,
    metadata: Metadata,
    status: &'static str,
    message: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    code: u16,
}

#[derive(Serialize)]
struct Metadata {}

#[derive(Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
}

/// A refusal in the form of this plane.
pub(super) fn response(request: Option<&Request>, bodiless: bool, denial: &Denial) -> NativeResponse {
    let (status, reason) = code(denial.kind);
    let decision = denial.decision.map(|decision| decision.to_string());
    let mut headers = HeaderMap::new();
    put(&mut headers, header::CONTENT_TYPE, "application/json");
    put(&mut headers, header::CACHE_CONTROL, "no-cache, private");
    put(&mut headers, HeaderName::from_static("ordain-reason-code"), denial.reason_code.as_str());
    if let Some(decision) = &decision {
        put(&mut headers, HeaderName::from_static("ordain-decision-id"), decision);
        put(&mut headers, HeaderName::from_static("audit-id"), decision);
    }
    let object = match request.map(|request| &request.place) {
        Some(Place::Object(object)) => Some(object),
        Some(Place::Url(_)) | None => None,
    };
    let mut details = Details::default();
    let mut message = denial.text.clone();
    if let Some(object) = object {
        let qualified = match object.group.as_str() {
            "" => object.resource.clone(),
            group => format!("{}.{group}", object.resource),
        };
        details.name.clone_from(&object.name);
        details.group = Some(object.group.clone()).filter(|group| !group.is_empty());
        details.kind = Some(object.resource.clone());
        if reason == "Forbidden" {
            message = match &object.name {
                Some(name) => format!("{qualified} \"{name}\" is forbidden: {message}"),
                None => format!("{qualified} is forbidden: {message}"),
            };
        }
    }
    if matches!(denial.kind, DenialKind::Busy | DenialKind::Throttled) {
        details.retry_after_seconds = Some(RETRY_SECONDS);
        put(&mut headers, header::RETRY_AFTER, &RETRY_SECONDS.to_string());
    }
    let said = Status {
        kind: "Status",
        api_version: "v1",
        metadata: Metadata {},
        status: "Failure",
        message,
        reason,
        details: Some(details).filter(|details| *details != Details::default()),
        code: status,
    };
    // INVARIANT: texts and numbers are always JSON.
    let body = serde_json::to_vec(&said).unwrap_or_default();
    NativeResponse { status, headers, body: if bodiless { Vec::new() } else { body } }
}

/// The status and the reason that clients tell errors apart by.
const fn code(kind: DenialKind) -> (u16, &'static str) {
    match kind {
        DenialKind::Forbidden | DenialKind::Unrecordable => (403, "Forbidden"),
        DenialKind::Unauthenticated => (401, "Unauthorized"),
        // A proxy is answered before any room is asked.
        DenialKind::ProxyUnauthenticated => (407, "Unauthorized"),
        DenialKind::Malformed => (400, "BadRequest"),
        DenialKind::Misdirected => (421, "BadRequest"),
        DenialKind::Timeout => (408, "Timeout"),
        DenialKind::TooLarge => (413, "RequestEntityTooLarge"),
        DenialKind::Encoding => (415, "UnsupportedMediaType"),
        DenialKind::Expectation => (417, "BadRequest"),
        DenialKind::Busy | DenialKind::Throttled => (429, "TooManyRequests"),
        DenialKind::BadGateway => (502, "InternalError"),
        DenialKind::GatewayTimeout => (504, "Timeout"),
    }
}

/// The server's own sentence of who may not do what, with our reason behind it.
pub(crate) fn refusal(who: &str, effect: &Effect, why: &str) -> String {
    let (verb, resource) = effect.operation.split_once('/').unwrap_or((&effect.operation, ""));
    if resource == "nonresourceurls" {
        let path = effect.parameters.text("path").unwrap_or("/");
        return format!("User \"{who}\" cannot {verb} path \"{path}\": {why}");
    }
    let group = match &*effect.service {
        "core" => "",
        group => ClusterKind::group_of(group, resource),
    };
    let name = effect.resources.first().map_or("", |resource| resource.name.as_str());
    let namespace = name.split_once("/namespaces/").and_then(|(_, rest)| rest.split_once('/'));
    let place = match namespace {
        Some((namespace, _)) if namespace != "*" => format!("in the namespace \"{namespace}\""),
        Some(_) | None => "at the cluster scope".to_owned(),
    };
    format!("User \"{who}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}: {why}")
}

/// A warning as the server itself sends them, which `kubectl` and its like print; others that are there stay.
pub(crate) fn warn(headers: &mut HeaderMap, text: &str) {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push(' '),
            plain => quoted.push(plain),
        }
    }
    if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{quoted}\"").as_bytes()) {
        headers.append(header::WARNING, value);
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use ordain_action::{DecisionId, ReasonCode};

    use super::*;
    use crate::{Head, WayIn};

    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
    fn check(method: &str, target: &str, kind: DenialKind, expected: Expect) {
        let denial = Denial {
            kind,
            reason_code: ReasonCode::new("not_owner").unwrap(),
            text: "User \"alice\" cannot: it is not hers".to_owned(),
            decision: Some(DecisionId("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap())),
        };
        let headers = HeaderMap::new();
        let head = Head {
            method,
            target,
            authority: "gate",
            headers: &headers,
            way_in: WayIn::Reverse,
            plane: None,
            upstream: None,
        };
        let native = response(Request::read(&head).ok().as_ref(), method == "HEAD", &denial);
        let mut shown = format!("{}\n", native.status);
        for (name, value) in &native.headers {
            shown.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
        }
        shown.push_str(&String::from_utf8_lossy(&native.body));
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_denial_is_a_status_in_the_words_of_the_server() {
        check(
            "DELETE",
            "/api/v1/namespaces/n/pods/p",
            DenialKind::Forbidden,
            expect![[r#"
                403
                content-type: application/json
                cache-control: no-cache, private
                ordain-reason-code: not_owner
                ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
                audit-id: 01890a5d-ac96-774b-bcce-b302099a8057
                {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"p\" is forbidden: User \"alice\" cannot: it is not hers","reason":"Forbidden","details":{"name":"p","kind":"pods"},"code":403}"#]],
        );
        check(
            "POST",
            "/apis/apps/v1/namespaces/n/deployments",
            DenialKind::Forbidden,
            expect![[r#"
                403
                content-type: application/json
                cache-control: no-cache, private
                ordain-reason-code: not_owner
                ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
                audit-id: 01890a5d-ac96-774b-bcce-b302099a8057
                {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"deployments.apps is forbidden: User \"alice\" cannot: it is not hers","reason":"Forbidden","details":{"group":"apps","kind":"deployments"},"code":403}"#]],
        );
        check(
            "GET",
            "/version",
            DenialKind::Unauthenticated,
            expect![[r#"
                401
                content-type: application/json
                cache-control: no-cache, private
                ordain-reason-code: not_owner
                ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
                audit-id: 01890a5d-ac96-774b-bcce-b302099a8057
                {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"User \"alice\" cannot: it is not hers","reason":"Unauthorized","code":401}"#]],
        );
        check(
            "GET",
            "/api/v1/pods",
            DenialKind::Busy,
            expect![[r#"
                429
                content-type: application/json
                cache-control: no-cache, private
                ordain-reason-code: not_owner
                ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
                audit-id: 01890a5d-ac96-774b-bcce-b302099a8057
                retry-after: 1
                {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"User \"alice\" cannot: it is not hers","reason":"TooManyRequests","details":{"kind":"pods","retryAfterSeconds":1},"code":429}"#]],
        );
        check(
            "HEAD",
            "/api/v1/pods",
            DenialKind::Forbidden,
            expect![[r#"
            403
            content-type: application/json
            cache-control: no-cache, private
            ordain-reason-code: not_owner
            ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
            audit-id: 01890a5d-ac96-774b-bcce-b302099a8057
        "#]],
        );
        check(
            "BREW",
            "/nowhere",
            DenialKind::TooLarge,
            expect![[r#"
                413
                content-type: application/json
                cache-control: no-cache, private
                ordain-reason-code: not_owner
                ordain-decision-id: 01890a5d-ac96-774b-bcce-b302099a8057
                audit-id: 01890a5d-ac96-774b-bcce-b302099a8057
                {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"User \"alice\" cannot: it is not hers","reason":"RequestEntityTooLarge","code":413}"#]],
        );
    }

    #[test]
    fn a_warning_is_quoted_as_the_server_does() {
        let mut headers = HeaderMap::new();
        warn(&mut headers, "it is deprecated");
        warn(&mut headers, "pods \"p\" would be\nrefused");
        let all: Vec<_> = headers.get_all("warning").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(all, ["299 - \"it is deprecated\"", "299 - \"pods \\\"p\\\" would be refused\""]);
    }

    #[test]
    fn only_a_limit_of_ours_is_worth_another_try() {
        for kind in [
            DenialKind::Forbidden,
            DenialKind::Unauthenticated,
            DenialKind::Malformed,
            DenialKind::Misdirected,
            DenialKind::Timeout,
            DenialKind::TooLarge,
            DenialKind::Encoding,
            DenialKind::Expectation,
            DenialKind::Unrecordable,
            DenialKind::BadGateway,
            DenialKind::GatewayTimeout,
        ] {
            let denial = Denial {
                kind,
                reason_code: ReasonCode::internal_fault(),
                text: String::new(),
                decision: None,
            };
            let native = response(None, false, &denial);
            assert!(!native.headers.contains_key("retry-after") && native.status != 429, "{kind:?}");
        }
    }
}
