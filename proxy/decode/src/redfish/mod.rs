//! The room of Redfish: the management of machines, by the controllers that are built into them.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** the tree of resources below `/redfish/v1` (DSP0266): reads with their queries, creates, updates, replaces
//!   and deletes, actions and vendors' own, and software that is pushed.
//! - **Catalogue**: none. The grammar says what is done to what; types, and what actions do, are written here
//!   (`vocabulary.rs`).
//! - **Denies as** the extended error of section 8, `Base.1.18.InsufficientPrivilege`.
//! - **Absent on purpose**: deep operations, which change several resources by one path; what vendors' own members mean;
//!   consoles and other protocols that a machine speaks beside Redfish.
//!
//! Sources: DSP0266 1.20, DSP0268, DSP8011.

mod body;
mod change;
mod member;
mod path;
mod session;
mod vocabulary;

use ordain_action::{Call, Created, Denial, DenialKind, Plane, Role, Undecodable};
use serde_json::json;

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{NativeResponse, Needs};
use crate::front::{Front, Session};
use crate::rest::{self, BODY_MAX, Grammar, Line, Location, RestRoom, Rules, Whole};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use path::Verb;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card { anchor: Some("/redfish/v1/Systems"), signs_in: true, ..Card::PLAIN };

/// The room.
pub(crate) type Room = RestRoom<Redfish>;

/// The largest software that is held, in bytes; the operator's own limit stands before it.
const SOFTWARE_MAX: u64 = 1 << 30;

/// What Redfish's requests mean.
#[derive(Debug)]
pub(crate) struct Redfish;

impl Grammar for Redfish {
    type Asked = path::Asked;

    const PLANE: Plane = Plane::Redfish;

    // Section 6.5: a path means the same with a slash at its end.
    const RULES: Rules = Rules { trailing_slash: true, ..Rules::USUAL };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Redfish,
            reads: "the tree of resources, their actions, vendors' own, software that is pushed (DSP0266)",
            known: Vec::new(),
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "deep operations: each resource is changed by its own path",
                "what vendors' own members mean: they are taken for as much as they may be",
                "consoles and other protocols beside Redfish",
            ],
        }
    }

    fn read(&self, line: &Line<'_>) -> Result<path::Asked, Undecodable> {
        path::read(line)
    }

    fn needs(&self, asked: &path::Asked) -> Needs {
        match asked.verb {
            Verb::Get(_) => Needs::Nothing,
            Verb::Create | Verb::Update | Verb::Replace | Verb::Delete | Verb::Act(..) => {
                Needs::Held { cap: BODY_MAX }
            }
            Verb::Push => Needs::Held { cap: SOFTWARE_MAX },
        }
    }

    fn service<'a>(&'a self, asked: &'a path::Asked) -> &'a str {
        asked.service()
    }

    fn call(&self, asked: &path::Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        match asked.verb {
            Verb::Get(reach) => Ok(whole.names().call(change::read(asked, whole, reach))),
            Verb::Create | Verb::Update | Verb::Replace | Verb::Delete | Verb::Act(..) | Verb::Push => {
                change::call(asked, whole)
            }
        }
    }

    fn hands_out(&self, asked: &path::Asked) -> bool {
        change::mints(asked)
    }

    /// Events are sent until somebody ends it.
    fn goes_on(&self, asked: &path::Asked) -> bool {
        matches!(asked.verb, Verb::Get(_)) && asked.place.kind == "ServerSentEvents"
    }

    fn front(&self, asked: &path::Asked, whole: &Whole<'_>) -> Option<Front> {
        session::front(asked, whole)
    }

    fn signed_in(&self, _asked: &path::Asked, session: &Session<'_>) -> Option<NativeResponse> {
        session::signed_in(session)
    }

    fn signed_out(&self, _asked: &path::Asked) -> Option<NativeResponse> {
        Some(session::signed_out())
    }

    fn deny(&self, _asked: Option<&path::Asked>, denial: &Denial) -> NativeResponse {
        let status = denial.kind.status();
        let code = match denial.kind {
            DenialKind::Forbidden
            | DenialKind::Unauthenticated
            | DenialKind::Unrecordable
            | DenialKind::ProxyUnauthenticated => "Base.1.18.InsufficientPrivilege",
            DenialKind::Busy | DenialKind::Throttled => "Base.1.18.ServiceTemporarilyUnavailable",
            DenialKind::Malformed
            | DenialKind::Misdirected
            | DenialKind::Timeout
            | DenialKind::TooLarge
            | DenialKind::Encoding
            | DenialKind::Expectation
            | DenialKind::BadGateway
            | DenialKind::GatewayTimeout => "Base.1.18.GeneralError",
        };
        let error = json!({
            "error": {
                "code": code,
                "message": denial.text,
                "@Message.ExtendedInfo": [{
                    "@odata.type": "#Message.v1_1_1.Message",
                    "MessageId": code,
                    "Message": denial.text,
                    "MessageArgs": [],
                    "Severity": "Critical",
                    "Resolution": "See the message.",
                }],
            },
        });
        rest::refusal(status, "application/json", error.to_string().into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        rest::told(answer, body, &["x-request-id"], |error| {
            let own = error.pointer("/error/@Message.ExtendedInfo/0/MessageId");
            own.or_else(|| error.pointer("/error/code"))?.as_str().map(str::to_owned)
        })
    }

    /// What is new is known by its whole name: an identifier is that of one collection alone.
    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        // What will be made says where its task is.
        let (Some(new), Some(effect), false) =
            (call.answer.creates.first(), call.effects.first(), answer.status == 202)
        else {
            return Vec::new();
        };
        let parent = effect.resources.iter().find(|resource| resource.role == Role::Parent);
        let Some(parent) = parent.map(|parent| &parent.name) else { return Vec::new() };
        let places = [Location::Header, Location::Member("/Id")];
        rest::identifier(&new.kind, "Id", answer, body, &places)
            .into_iter()
            .map(|created| Created {
                identifier: format!("{parent}/{}", rest::part(&created.identifier)),
                ..created
            })
            .collect()
    }

    fn looks_like(&self, head: &Head<'_>) -> bool {
        let path = head.target.split('?').next().unwrap_or_default();
        path == "/redfish" || path.starts_with("/redfish/")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use ordain_action::{ReasonCode, Upstream};

    use super::*;
    use crate::room::Room as _;
    use crate::{WayIn, rest::RestRoom};

    fn head<'a>(method: &'a str, target: &'a str, headers: &'a HeaderMap) -> Head<'a> {
        Head {
            method,
            target,
            authority: "gate.internal",
            headers,
            way_in: WayIn::Reverse,
            plane: Some(Plane::Redfish),
            upstream: None,
        }
    }

    fn room() -> Room {
        RestRoom::new(&RoomsConfig::default()).unwrap()
    }

    /// Tried with sushy, which raises `AccessError` for it and asks once.
    #[test]
    fn a_refusal_is_an_extended_error() {
        let headers = HeaderMap::new();
        let room = room();
        let claim = room.claim(&head("GET", "/redfish/v1/Systems", &headers)).unwrap();
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("no_ground").unwrap(),
            text: "bob may not".to_owned(),
            decision: None,
        };
        let response = claim.deny(&denial);
        assert_eq!(response.status, 403);
        assert_eq!(
            String::from_utf8(response.body).unwrap(),
            r##"{"error":{"code":"Base.1.18.InsufficientPrivilege","message":"bob may not","@Message.ExtendedInfo":[{"@odata.type":"#Message.v1_1_1.Message","MessageId":"Base.1.18.InsufficientPrivilege","Message":"bob may not","MessageArgs":[],"Severity":"Critical","Resolution":"See the message."}]}}"##
        );
        let claim = room.claim(&head("HEAD", "/redfish/v1/Systems", &headers)).unwrap();
        assert!(claim.deny(&denial).body.is_empty());
    }

    #[test]
    fn what_is_new_is_known_by_its_whole_name() {
        let upstream = Upstream {
            name: "default".into(),
            plane: Plane::Redfish,
            account: "rack7".into(),
            partition: "".into(),
        };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        let room = room();
        let asks = head("POST", "/redfish/v1/AccountService/Accounts", &headers);
        let claim = room.claim(&asks).unwrap();
        let call = claim.decode(&upstream, &asks, br#"{"UserName":"jane"}"#, None).unwrap();
        let mut answer = HeaderMap::new();
        answer.insert("location", "https://rack7/redfish/v1/AccountService/Accounts/3/".parse().unwrap());
        let created = |status, headers: &HeaderMap, body: &[u8]| {
            let found = claim.read_created(&call, &AnswerHead { status, headers }, body);
            found.first().map(|created| created.identifier.clone())
        };
        let name = Some("redfish://rack7/AccountService/Accounts/3".to_owned());
        assert_eq!(created(201, &answer, b""), name);
        let without = HeaderMap::new();
        assert_eq!(created(201, &without, br#"{"Id":"3"}"#), name);
        // Where a task is that will make it.
        assert_eq!(created(202, &answer, b""), None);
        assert_eq!(created(403, &answer, b""), None);
    }
}
