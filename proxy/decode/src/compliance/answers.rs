//! Answers: by which name the upstream knows a request, and what it calls what went wrong.
//!
//! Leaves out planes that say so in a form of their own, whose rooms have tests of it.

use super::*;
use crate::AnswerHead;

/// A plane, the header by which a request is known, and an error as the plane writes it with what it is called.
const ANSWERS: [(Plane, &str, &str, &str); 14] = [
    (
        Plane::Azure,
        "x-ms-correlation-request-id",
        r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#,
        "AuthorizationFailed",
    ),
    (
        Plane::Gcp,
        "x-goog-request-id",
        r#"{"error":{"code":403,"status":"PERMISSION_DENIED","errors":[{"reason":"forbidden"}]}}"#,
        "PERMISSION_DENIED",
    ),
    (Plane::Gcp, "x-request-id", r#"{"error":{"code":403,"errors":[{"reason":"forbidden"}]}}"#, "forbidden"),
    (Plane::GitHub, "x-github-request-id", r#"{"message":"Not Found","status":"404"}"#, "Not Found"),
    (
        Plane::Graph,
        "request-id",
        r#"{"error":{"code":"Authorization_RequestDenied"}}"#,
        "Authorization_RequestDenied",
    ),
    (Plane::Keycloak, "x-request-id", r#"{"error":"unknown_error"}"#, "unknown_error"),
    (Plane::Keycloak, "x-request-id", r#"{"errorMessage":"User exists"}"#, "User exists"),
    (Plane::Okta, "x-okta-request-id", r#"{"errorCode":"E0000006","errorSummary":"no"}"#, "E0000006"),
    (
        Plane::Openstack,
        "x-openstack-request-id",
        r#"{"error":{"code":403,"title":"Forbidden"}}"#,
        "Forbidden",
    ),
    (
        Plane::Openstack,
        "x-compute-request-id",
        r#"{"itemNotFound":{"code":404,"message":"no"}}"#,
        "itemNotFound",
    ),
    (
        Plane::Redfish,
        "x-request-id",
        r#"{"error":{"code":"Base.1.0.GeneralError","@Message.ExtendedInfo":[{"MessageId":"Base.1.8.NoAccess"}]}}"#,
        "Base.1.8.NoAccess",
    ),
    (
        Plane::Redfish,
        "x-request-id",
        r#"{"error":{"code":"Base.1.0.GeneralError"}}"#,
        "Base.1.0.GeneralError",
    ),
    (
        Plane::Restconf,
        "x-request-id",
        r#"{"ietf-restconf:errors":{"error":[{"error-tag":"access-denied"}]}}"#,
        "access-denied",
    ),
    (Plane::Scim, "x-request-id", r#"{"status":"409","scimType":"uniqueness"}"#, "uniqueness"),
];

#[test]
fn an_answer_says_which_request_it_is_to_and_a_failure_what_went_wrong() {
    let rooms = rooms();
    for (plane, name, body, code) in ANSWERS {
        let head = Head {
            method: "GET",
            target: "/",
            authority: "api.example",
            headers: &http::HeaderMap::new(),
            way_in: WayIn::Reverse,
            plane: Some(plane),
            upstream: None,
        };
        let claim = rooms.claim(&head).unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert(name, "r-1".parse().unwrap());
        let read = |status, body: &str| {
            let read = claim.read_answer(&AnswerHead { status, headers: &headers }, body.as_bytes(), None);
            (read.request_id, read.error_code)
        };
        assert_eq!(read(409, body), ("r-1".to_owned(), Some(code.to_owned())), "{plane}");
        assert_eq!(read(200, body), ("r-1".to_owned(), None), "{plane}");
        assert_eq!(read(409, "<html>"), ("r-1".to_owned(), None), "{plane}");
    }
}
