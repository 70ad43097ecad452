//! RESTCONF (RFC 8040): a network device whose configuration is a tree of YANG nodes.
//!
//! - Claims: what came to a device, below `/restconf` or `/rests`.
//! - Reads: `data` and the datastores of RFC 8527, `operations`, actions, YANG Patch (RFC 8072), streams; in JSON and XML.
//! - Catalogue: none, the grammar says it all; names of nodes that grant, open or hold secrets, and the keys of a few lists.
//! - Denies as: `ietf-restconf:errors` with `access-denied` (RFC 8040 section 7.1), in JSON or XML as asked.
//! - Absent on purpose: schemas, which each device has its own of: a node without keys may be a container or a list, and is
//!   judged as both; XML whose namespaces do not tell their modules.
//!
//! Sources: RFC 7950, RFC 7951, RFC 8040, RFC 8072, RFC 8341, RFC 8527.

mod body;
mod call;
mod change;
mod namespace;
mod node;
mod patch;
mod path;
mod words;

use ordain_action::{Call, Created, Denial, DenialKind, Plane, Undecodable};
use serde_json::json;

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{NativeResponse, Needs};
use crate::form::xml;
use crate::rest::{self, BODY_MAX, Grammar, Line, RestRoom, Rules, Whole};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use node::Node;
use path::{Place, Verb};

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card { anchor: Some("/restconf/yang-library-version"), ..Card::PLAIN };

/// The room.
pub(crate) type Room = RestRoom<Restconf>;

/// What RESTCONF's requests mean.
#[derive(Debug)]
pub(crate) struct Restconf;

impl Grammar for Restconf {
    type Asked = path::Asked;

    const PLANE: Plane = Plane::Restconf;

    const RULES: Rules = Rules {
        methods: &["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"],
        // Keys of lists are escaped in paths (RFC 8040 section 3.5.3): names of interfaces have slashes.
        in_segments: &['/', ';', '%'],
        // Between the fields that are asked for (RFC 8040 section 4.8.3).
        semicolons: &["fields"],
        ..Rules::USUAL
    };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Restconf,
            reads: "data and datastores, operations and actions, YANG Patch, streams (RFC 8040, 8072, 8527)",
            known: Vec::new(),
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "schemas: a node without keys is judged as a container and as all of a list",
                "XML whose namespaces do not tell their modules: JSON says the same",
                "NETCONF, which is no HTTP, and gNMI, which is gRPC",
            ],
        }
    }

    fn read(&self, line: &Line<'_>) -> Result<path::Asked, Undecodable> {
        path::read(line)
    }

    fn needs(&self, asked: &path::Asked) -> Needs {
        match asked.verb {
            Verb::Get | Verb::Options | Verb::Delete => Needs::Nothing,
            Verb::Post | Verb::Put | Verb::Patch => Needs::Held { cap: BODY_MAX },
        }
    }

    fn service<'a>(&'a self, asked: &'a path::Asked) -> &'a str {
        asked.service()
    }

    fn call(&self, asked: &path::Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        call::call(asked, whole)
    }

    fn goes_on(&self, asked: &path::Asked) -> bool {
        matches!(asked.place, Place::Stream(_))
    }

    fn deny(&self, asked: Option<&path::Asked>, denial: &Denial) -> NativeResponse {
        let (kind, tag) = error(denial.kind);
        let status = denial.kind.status();
        if asked.is_some_and(|asked| asked.errors_in_xml) {
            let body = format!(
                "<errors xmlns=\"urn:ietf:params:xml:ns:yang:ietf-restconf\"><error><error-type>{kind}</error-type>\
                 <error-tag>{tag}</error-tag><error-message>{}</error-message></error></errors>",
                xml::escape(&denial.text)
            );
            return rest::refusal(status, "application/yang-data+xml", body.into_bytes(), denial);
        }
        let error = json!({"error-type": kind, "error-tag": tag, "error-message": denial.text});
        let body = json!({"ietf-restconf:errors": {"error": [error]}});
        rest::refusal(status, "application/yang-data+json", body.to_string().into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        let code = (answer.status >= 400).then(|| error_tag(body)).flatten();
        AnswerRead { request_id: rest::request_id(answer, &["x-request-id"]), error_code: code, status: None }
    }

    /// The node that the answer's `Location` names, by its whole name.
    fn created(&self, call: &Call, answer: &AnswerHead<'_>, _body: &[u8]) -> Vec<Created> {
        let (Some(new), 201) = (call.answer.creates.first(), answer.status) else { return Vec::new() };
        let parent = call.effects.iter().flat_map(|effect| &effect.resources).find_map(|resource| {
            let (plane, account, _) = Plane::of_name(&resource.name)?;
            Some(format!("{}://{account}", plane.scheme()?))
        });
        let location = answer.headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        let (Some(begin), Some(location)) = (parent, location) else { return Vec::new() };
        let path = location.split_once("/data/").map(|(_, path)| path);
        let node = path.and_then(|path| Node::default().join(path.trim_end_matches('/').split('/')).ok());
        let created = node.map(|node| Created {
            kind: new.kind.clone(),
            member: new.member.clone(),
            identifier: format!("{begin}/{}", node.path()),
        });
        created.into_iter().collect()
    }

    fn looks_like(&self, head: &Head<'_>) -> bool {
        let path = head.target.split('?').next().unwrap_or_default();
        path == "/restconf" || path.starts_with("/restconf/")
    }
}

/// The type and the tag of an error (RFC 8040 section 7).
const fn error(kind: DenialKind) -> (&'static str, &'static str) {
    match kind {
        DenialKind::Forbidden
        | DenialKind::Unauthenticated
        | DenialKind::ProxyUnauthenticated
        | DenialKind::Misdirected
        | DenialKind::Unrecordable => ("protocol", "access-denied"),
        DenialKind::Malformed | DenialKind::Encoding | DenialKind::Expectation => {
            ("protocol", "malformed-message")
        }
        DenialKind::TooLarge => ("transport", "too-big"),
        DenialKind::Busy | DenialKind::Throttled => ("transport", "resource-denied"),
        DenialKind::Timeout | DenialKind::BadGateway | DenialKind::GatewayTimeout => {
            ("transport", "operation-failed")
        }
    }
}

/// The tag of the first error of an answer.
fn error_tag(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
        let errors = value.get("ietf-restconf:errors").or_else(|| value.get("errors"))?;
        return errors.pointer("/error/0/error-tag")?.as_str().map(str::to_owned);
    }
    let (_, rest) = text.split_once("<error-tag>")?;
    rest.split_once("</error-tag>").map(|(tag, _)| tag.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use ordain_action::ReasonCode;

    use super::*;
    use crate::{Head, Rooms, WayIn};

    fn deny(accept: &'static str, kind: DenialKind) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("accept", http::HeaderValue::from_static(accept));
        let head = Head {
            method: "DELETE",
            target: "/restconf/data/m:a",
            authority: "gate",
            headers: &headers,
            way_in: WayIn::Reverse,
            plane: Some(Plane::Restconf),
            upstream: None,
        };
        let rooms = Rooms::new(RoomsConfig::default()).unwrap();
        let denial = Denial {
            kind,
            reason_code: ReasonCode::new("not_owned").unwrap(),
            text: "alice may not delete <a> & more".to_owned(),
            decision: None,
        };
        let response = rooms.claim(&head).unwrap().deny(&denial);
        let media = response.headers.get("content-type").unwrap().to_str().unwrap().to_owned();
        format!("{} {media} {}", response.status, String::from_utf8(response.body).unwrap())
    }

    #[test]
    fn a_refusal_is_in_the_form_that_is_asked_for() {
        expect_test::expect![[r#"
            403 application/yang-data+json {"ietf-restconf:errors":{"error":[{"error-type":"protocol","error-tag":"access-denied","error-message":"alice may not delete <a> & more"}]}}
            403 application/yang-data+xml <errors xmlns="urn:ietf:params:xml:ns:yang:ietf-restconf"><error><error-type>protocol</error-type><error-tag>access-denied</error-tag><error-message>alice may not delete &lt;a&gt; &amp; more</error-message></error></errors>
            400 application/yang-data+json {"ietf-restconf:errors":{"error":[{"error-type":"protocol","error-tag":"malformed-message","error-message":"alice may not delete <a> & more"}]}}
        "#]]
        .assert_eq(&format!(
            "{}\n{}\n{}\n",
            deny("application/yang-data+json, application/yang-data+xml", DenialKind::Forbidden),
            deny("application/yang-data+xml", DenialKind::Forbidden),
            deny("*/*", DenialKind::Malformed),
        ));
    }

    #[test]
    fn the_tag_of_an_error_is_found_in_both_forms() {
        let json = br#"{"ietf-restconf:errors":{"error":[{"error-tag":"invalid-value"}]}}"#;
        assert_eq!(error_tag(json).as_deref(), Some("invalid-value"));
        let xml = b"<errors><error><error-tag>in-use</error-tag></error></errors>";
        assert_eq!(error_tag(xml).as_deref(), Some("in-use"));
    }
}
