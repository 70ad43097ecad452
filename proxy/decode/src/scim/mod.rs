//! The room of SCIM 2.0: directories of users and groups.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** all of RFC 7644: resources of every type, the server's own included, `PATCH` with its paths, `.search`
//!   and `Bulk`, each of whose operations is an effect of its own.
//! - **Catalogue**: none. The grammar says all; which attributes say who may do what is written here (`attribute.rs`).
//! - **Denies as** the error of section 3.12.
//! - **Absent on purpose**: `/Me` in changes, which names whoever the gate's own credential is; what a server derives
//!   from what is written, such as a role from a group.
//!
//! Sources: RFC 7643, RFC 7644.

mod attribute;
mod bulk;
mod change;
mod path;

use ordain_action::{Access, Call, Created, Denial, Plane, Role, Undecodable};
use serde_json::json;

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{NativeResponse, Needs};
use crate::form::fields::clip;
use crate::rest::{self, BODY_MAX, Grammar, Line, Location, RestRoom, Rules, Whole, effect};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use path::{Place, Verb};

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card {
    anchor: Some("/ServiceProviderConfig"),
    variables: &[("SCIM_CLI_URL", "{gate}"), ("SCIM_CLI_HEADERS", "Authorization: Bearer {token}")],
    ..Card::PLAIN
};

/// The room.
pub(crate) type Room = RestRoom<Scim>;

/// The media types of SCIM (RFC 7644 section 8.1), and the one that all clients fall back to.
const MEDIA: [&str; 2] = ["application/scim+json", "application/json"];

/// What SCIM's requests mean.
#[derive(Debug)]
pub(crate) struct Scim;

impl Grammar for Scim {
    type Asked = path::Asked;

    const PLANE: Plane = Plane::Scim;

    const RULES: Rules = Rules { trailing_slash: true, ..Rules::USUAL };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Scim,
            reads: "resources of every type, PATCH with its paths, .search, Bulk (RFC 7644)",
            known: Vec::new(),
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "/Me in changes: it names whoever the gate's own credential is",
                "what a server derives from what is written",
            ],
        }
    }

    fn read(&self, line: &Line<'_>) -> Result<path::Asked, Undecodable> {
        let asked = path::read(line.method, &line.path()).ok_or_else(|| line.unknown())??;
        // Clients ask the directory itself so; nothing else ends in a slash.
        let target = line.head.target.split('?').next().unwrap_or_default();
        let is_root = asked.place == Place::All && asked.verb == Verb::Query;
        if target.ends_with('/') && !is_root {
            return Err(Undecodable::new(
                "bad_path",
                format!("the path `{}` ends in a slash; leave it out", clip(target)),
            ));
        }
        Ok(asked)
    }

    fn needs(&self, asked: &path::Asked) -> Needs {
        match asked.verb {
            Verb::Retrieve | Verb::Query | Verb::Delete => Needs::Nothing,
            Verb::Search | Verb::Create | Verb::Replace | Verb::Modify | Verb::Bulk => {
                Needs::Held { cap: BODY_MAX }
            }
        }
    }

    fn service<'a>(&'a self, asked: &'a path::Asked) -> &'a str {
        asked.place.service()
    }

    fn call(&self, asked: &path::Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        let names = whole.names();
        let service = asked.place.service();
        let operation = (service, asked.verb.as_str());
        match asked.verb {
            Verb::Retrieve | Verb::Query | Verb::Search => {
                let body = whole.json_of(&MEDIA)?;
                let target = match &asked.place {
                    Place::All | Place::Me => names.whole(Role::Target),
                    Place::Type(kind) => names.all(Role::Target, kind, &[kind]),
                    Place::One(kind, id) => names.one(Role::Target, kind, &[kind, id]),
                };
                let parameters = whole.parameters(body.as_ref(), &attribute::SECRETS);
                Ok(names.call(vec![effect(operation, Access::Read, vec![target], parameters)]))
            }
            Verb::Delete => {
                let target = change::target(names, asked)?;
                let parameters = whole.parameters(None, &[]);
                Ok(names.call(vec![effect(operation, Access::Delete, vec![target], parameters)]))
            }
            Verb::Create | Verb::Replace | Verb::Modify => {
                // Without a body nothing is written, and it is a change all the same: the server says what is wrong.
                let body = whole.json_of(&MEDIA)?.unwrap_or_default();
                if body.overflowed() {
                    return Err(Undecodable::new(
                        "too_many_parameters",
                        "there are too many parameters; send fewer at once",
                    ));
                }
                body.refuse_keys_that_differ_in_case()?;
                let written = change::Written::read(asked.verb, &body)?;
                let parameters = whole.parameters(Some(&body), &attribute::SECRETS);
                let effects = change::effects(names, asked, &written, &parameters)?;
                Ok(change::made(names.call(effects), asked))
            }
            Verb::Bulk => {
                let body = whole.json_of(&MEDIA)?.ok_or_else(change::no_body)?;
                body.refuse_keys_that_differ_in_case()?;
                bulk::call(whole, &body)
            }
        }
    }

    fn deny(&self, _asked: Option<&path::Asked>, denial: &Denial) -> NativeResponse {
        let status = denial.kind.status();
        let error = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "detail": denial.text,
            "status": status.to_string(),
        });
        rest::refusal(status, "application/scim+json", error.to_string().into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        rest::told(answer, body, &["x-request-id"], |error| {
            error.get("scimType")?.as_str().map(str::to_owned)
        })
    }

    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        rest::identifier(&new.kind, "id", answer, body, &[Location::Member("/id"), Location::Header])
    }
}
