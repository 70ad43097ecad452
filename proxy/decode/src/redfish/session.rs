//! What clients of Redfish send before they are known, and after: sections 13.3.2 to 13.3.4 of DSP0266.
//!
//! Leaves out sessions of the service's own, which are resources like others.

use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::path::{Asked, Reach, Verb};
use crate::contract::NativeResponse;
use crate::front::{Front, Session};
use crate::rest::Whole;

/// Where sessions are.
const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";

/// What is shown to anybody (section 13.3.1): the versions, the root, and what tells its types.
const OPEN: [&str; 4] = ["/redfish", "/redfish/v1", "/redfish/v1/odata", "/redfish/v1/$metadata"];

pub(super) fn front(asked: &Asked, whole: &Whole<'_>) -> Option<Front> {
    let place = &asked.place;
    match &asked.verb {
        Verb::Get(Reach::Own) if whole.line.is_safe() && whole.line.query.is_empty() => {
            let path = whole.line.head.target;
            OPEN.contains(&path.strip_suffix('/').unwrap_or(path)).then_some(Front::Open)
        }
        Verb::Create if is_one(asked) => sign_in(whole),
        Verb::Delete if is_one(asked) && whole.body.is_empty() => {
            Some(Front::SignOut { session: Some(place.segments.last()?.clone()) })
        }
        Verb::Get(_)
        | Verb::Create
        | Verb::Update
        | Verb::Replace
        | Verb::Delete
        | Verb::Act(..)
        | Verb::Push => None,
    }
}

/// Whether it is about sessions, at the one place for them.
fn is_one(asked: &Asked) -> bool {
    let path: Vec<&str> = asked.place.segments.iter().map(String::as_str).collect();
    matches!(path.as_slice(), ["SessionService", "Sessions"] | ["SessionService", "Sessions", _])
}

/// A name and a password, and nothing beside them that would ask for another session.
fn sign_in(whole: &Whole<'_>) -> Option<Front> {
    let body = whole.json_of(&["application/json"]).ok()??;
    let user = body.text("UserName")?.to_owned();
    let password = body.text("Password")?.to_owned();
    (body.len() == 2).then_some(Front::SignIn { user, password: Some(password) })
}

/// The session that is new, with its token in the header.
pub(super) fn signed_in(session: &Session<'_>) -> Option<NativeResponse> {
    let path = format!("{SESSIONS}/{}", session.name);
    let body = json!({
        "@odata.id": path,
        "@odata.type": "#Session.v1_7_0.Session",
        "Id": session.name,
        "Name": "User Session",
        "UserName": session.user,
        "CreatedTime": session.now,
    });
    let mut headers = plain();
    let mut token = HeaderValue::from_str(session.token).ok()?;
    token.set_sensitive(true);
    headers.insert("x-auth-token", token);
    headers.insert(header::LOCATION, HeaderValue::from_str(&path).ok()?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(NativeResponse { status: 201, headers, body: body.to_string().into_bytes() })
}

pub(super) fn signed_out() -> NativeResponse {
    NativeResponse { status: 204, headers: plain(), body: Vec::new() }
}

fn plain() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("odata-version", HeaderValue::from_static("4.0"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
}
