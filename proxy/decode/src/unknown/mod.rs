//! The room of last resort: an API over HTTP of which nothing more is known.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** method, path, query, and a body of JSON or of a form; others pass unread, and are said to be.
//! - **Catalogue**: none. Whatever is asked may do anything to the whole of the API, a `GET` too: there is no second
//!   signal that it only reads.
//! - **Denies as** RFC 9457.
//! - **Absent on purpose**: reads; names of what a request is for; connections that change their protocol.
//!
//! Sources: RFC 9110, RFC 9457.

use ordain_action::{Access, Call, Completeness, Denial, Plane, Role, Scalar, Undecodable};
use serde_json::Value;

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{NativeResponse, Needs};
use crate::form::Fields;
use crate::form::query::{self, Plus};
use crate::rest::{self, BODY_MAX, Grammar, Line, RestRoom, Rules, Whole, effect};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};

/// What is known of the plane without the room: nothing.
pub(crate) const CARD: Card = Card::PLAIN;

/// The room.
pub(crate) type Room = RestRoom<Unknown>;

/// The service of every request: there is no telling of parts.
const SERVICE: &str = "api";

/// Members that hold secrets in some API or other, beside those that look like it. Too many are covered rather than one too
/// few: nobody reads these names for what they say.
const SECRETS: [&str; 22] = [
    "access_token",
    "accesstoken",
    "apikey",
    "api_key",
    "api-key",
    "assertion",
    "auth",
    "authorization",
    "code",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "key",
    "otp",
    "pin",
    "refresh_token",
    "session",
    "sig",
    "signature",
    "ticket",
    "token",
];

/// What anything may mean.
#[derive(Debug)]
pub(crate) struct Unknown;

/// What a head says.
#[derive(Debug)]
pub(crate) struct Asked {
    method: String,
}

impl Grammar for Unknown {
    type Asked = Asked;

    const PLANE: Plane = Plane::Unknown;

    // Nothing hangs on how often something is asked for, or on a slash at the end.
    const RULES: Rules = Rules { repeats: &["*"], trailing_slash: true, ..Rules::USUAL };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Unknown,
            reads: "that something is asked of an API over HTTP; never what it does",
            known: Vec::new(),
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "reads: a GET may change something too, as far as anybody knows here",
                "names: every request is for the whole API",
                "connections that change their protocol",
                "what is no HTTP: NETCONF, LDAP and SSH go round the gate, and gNMI is gRPC without a room of its own",
            ],
        }
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        Ok(Asked { method: line.method.to_owned() })
    }

    fn needs(&self, _asked: &Asked) -> Needs {
        Needs::Held { cap: BODY_MAX }
    }

    fn service<'a>(&'a self, _asked: &'a Asked) -> &'a str {
        SERVICE
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        let names = whole.names();
        let (body, opaque) = match body(whole)? {
            Body::Read(fields) => (Some(fields), false),
            Body::Unread => (None, true),
        };
        let mut parameters = whole.parameters(body.as_ref(), &SECRETS);
        let path = format!("/{}", whole.line.path().join("/"));
        if parameters.push("/path", Scalar::Text(&path)).is_err() {
            parameters.incomplete(Completeness::Partial("there are more parameters than are kept"));
        }
        if opaque {
            parameters.incomplete(Completeness::Opaque("the body is of a form that is not read"));
        }
        let target = names.whole(Role::Target);
        Ok(names.call(vec![effect((SERVICE, &asked.method), Access::Execute, vec![target], parameters)]))
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        let status = denial.kind.status();
        let problem = Value::Object(rest::problem(denial)).to_string();
        rest::refusal(status, "application/problem+json", problem.into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, _body: &[u8]) -> AnswerRead {
        let request_id = rest::request_id(answer, &["x-request-id", "x-correlation-id"]);
        AnswerRead { request_id, error_code: None, status: None }
    }
}

/// A body.
enum Body {
    Read(Fields),
    Unread,
}

/// Reads a body of a form that says itself what it is.
fn body(whole: &Whole<'_>) -> Result<Body, Undecodable> {
    if whole.body.is_empty() {
        return Ok(Body::Read(Fields::new()));
    }
    let media = whole.media_type()?;
    if media == "application/json" || media.ends_with("+json") {
        return whole.json().map(Body::Read);
    }
    if media != "application/x-www-form-urlencoded" {
        return Ok(Body::Unread);
    }
    let text = std::str::from_utf8(whole.body)
        .map_err(|_| Undecodable::new("not_utf8", "the form is not UTF-8; send UTF-8"))?;
    let mut fields = Fields::new();
    for pair in query::parse(text, Plus::Space)? {
        let mark = fields.enter(&pair.name);
        fields.put(Scalar::Text(&pair.value));
        fields.leave(mark);
    }
    Ok(Body::Read(fields))
}
