//! The room of Keycloak: its admin API.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** the operations of the admin API by method and path, with or without `/auth` before it, what a body adds
//!   to them (`written.rs`), and the token endpoint of a realm.
//! - **Catalogue**: `proxy/catalog/keycloak`. An operation that is not there is not read.
//! - **Denies as** the error that the admin API answers with, which its clients raise as `NetworkError` and
//!   `KeycloakError`.
//! - **Absent on purpose**: parameters of a segment (`;x=y`), which the server takes out of the path; the registration
//!   of clients; all other endpoints of OpenID Connect and SAML, by which people sign in; what only the console asks for.
//!   A client is shown with its secret: to look at one is to read a secret.
//!
//! Sources: the package that the catalogue is made from; the documents of the admin API.

mod name;
mod written;

use std::sync::{Arc, LazyLock};

use ordain_action::{
    Call, Completeness, Created, Denial, Digest, Minted, NewIdentifier, Plane, Scalar, Undecodable,
};
use ordain_catalog::{RestOperation, RestTable};
use serde_json::json;

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{NativeResponse, Needs};
use crate::form::Fields;
use crate::rest::{self, BODY_MAX, Grammar, Line, Location, RestRoom, Rules, Whole, effect};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card { anchor: Some("/admin/serverinfo"), ..Card::PLAIN };

/// The room.
pub(crate) type Room = RestRoom<Keycloak>;

static TABLE: LazyLock<RestTable> =
    LazyLock::new(|| RestTable::parse(ordain_catalog::KEYCLOAK_OPERATIONS).unwrap_or_default());

/// Members that hold secrets, beside those that look like it: those of clients, credentials, providers and components.
const SECRETS: [&str; 10] = [
    "secret",
    "value",
    "secretdata",
    "bindcredential",
    "bindcredentials",
    "clientsecret",
    "password",
    "authtokensecret",
    "storepassword",
    "keypassword",
];

/// What Keycloak's requests mean.
#[derive(Debug)]
pub(crate) struct Keycloak;

/// What is asked for: an operation, and what stands in the place of the variables of its path.
#[derive(Debug)]
pub(crate) struct Asked {
    operation: &'static RestOperation,
    values: Vec<(&'static str, String)>,
}

impl Asked {
    fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }

    /// The first word of the operation.
    fn service(&self) -> &'static str {
        self.operation.name.split('/').next().unwrap_or_default()
    }
}

impl Grammar for Keycloak {
    type Asked = Asked;

    const PLANE: Plane = Plane::Keycloak;

    // The server takes a path with a slash at its end for the same.
    const RULES: Rules = Rules { trailing_slash: true, ..Rules::USUAL };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Keycloak,
            reads: "the admin API of Keycloak, and the token endpoints of its realms",
            known: vec![(TABLE.len(), "operations")],
            sources: ordain_catalog::KEYCLOAK_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "parameters of a segment of a path",
                "the registration of clients",
                "the endpoints by which people sign in",
                "what only the console asks for",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(Digest::of(ordain_catalog::KEYCLOAK_OPERATIONS.as_bytes()).to_hex())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        let path = line.path();
        let path = path.strip_prefix(&["auth"]).unwrap_or(&path);
        let method = if line.method == "HEAD" { "GET" } else { line.method };
        let fit = TABLE.find(method, path).ok_or_else(|| line.unknown())?;
        let values = fit.values.into_iter().map(|(name, value)| (name, value.into_owned())).collect();
        Ok(Asked { operation: fit.operation, values })
    }

    fn needs(&self, asked: &Asked) -> Needs {
        if asked.operation.method == "GET" { Needs::Nothing } else { Needs::Held { cap: BODY_MAX } }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        asked.service()
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        let operation = asked.operation;
        let names = whole.names();
        let media = whole.media_type()?;
        let other = match media.as_str() {
            "multipart/form-data" => Some("the body is a file"),
            "text/plain" if operation.name.starts_with("localization/") => Some("the body is a text"),
            "application/x-www-form-urlencoded" if operation.name.ends_with("/token/action") => {
                Some("the body holds a credential")
            }
            _ => None,
        };
        let body = match (other, is_bare(operation)) {
            (Some(_), _) => Fields::new(),
            (None, true) => bare(whole.body)?,
            (None, false) => whole.json_of(&["application/json"])?.unwrap_or_default(),
        };
        if body.overflowed() {
            return Err(Undecodable::new(
                "too_many_parameters",
                "there are more parameters than are judged; send fewer",
            ));
        }
        let mut parameters = whole.parameters(Some(&body), &SECRETS);
        if let Some(why) = other {
            parameters.incomplete(Completeness::Opaque(why));
        }
        let mut access = operation.access.clone();
        for extra in written::access(asked, &body) {
            if !access.contains(&extra) {
                access.push(extra);
            }
        }
        let touched = name::resources(names, asked, &body)?;
        let effects = access.iter().map(|access| {
            let pair = (asked.service(), operation.name);
            let mut one = effect(pair, *access, touched.all.clone(), parameters.clone());
            one.iam_action = Arc::from(operation.name);
            one
        });
        let mut call = names.call(effects.collect());
        if operation.mints {
            call.answer.mints = Some(Minted::Unrewritable);
        }
        if let Some(kind) = touched.creates {
            call.answer.creates.push(NewIdentifier {
                kind: Arc::from(format!("keycloak:{kind}")),
                member: Arc::from("id"),
                path: vec![Arc::from("id")],
            });
        }
        Ok(call)
    }

    fn hands_out(&self, asked: &Asked) -> bool {
        asked.operation.mints
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        let status = denial.kind.status();
        let error = json!({
            "error": format!("HTTP {status} {}", reason(status)),
            "error_description": denial.text,
            "errorMessage": denial.text,
        });
        rest::refusal(status, "application/json", error.to_string().into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        rest::told(answer, body, &["x-request-id"], |error| {
            let code = error.get("error").or_else(|| error.get("errorMessage"))?;
            code.as_str().map(crate::form::fields::clip)
        })
    }

    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        rest::identifier(&new.kind, "id", answer, body, &[Location::Header, Location::Member("/id")])
    }
}

/// Whether a body is an id and nothing else: who joins an organization, and by which provider its members come.
fn is_bare(operation: &RestOperation) -> bool {
    matches!(operation.name, "organizations/members/create" | "organizations/identity-providers/create")
}

/// An id as the server takes it, with quotes around it or without.
fn bare(body: &[u8]) -> Result<Fields, Undecodable> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let id = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if id.is_empty() || !id.bytes().all(plain) {
        return Err(Undecodable::new(
            "bad_request",
            "the body is no id, which is all that it is; send one id",
        ));
    }
    let mut fields = Fields::new();
    fields.put_at("id", Scalar::Text(id));
    Ok(fields)
}

/// The phrase of a status, as the server writes it.
fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ordain_action::{Access, DenialKind, ReasonCode};

    use super::*;

    #[test]
    fn a_refusal_is_an_error_of_the_api() {
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("no_ground").unwrap(),
            text: "alice may not".to_owned(),
            decision: None,
        };
        let answer = Keycloak.deny(None, &denial);
        assert_eq!(
            (answer.status, String::from_utf8(answer.body).unwrap().as_str()),
            (
                403,
                r#"{"error":"HTTP 403 Forbidden","error_description":"alice may not","errorMessage":"alice may not"}"#
            )
        );
    }

    #[test]
    fn nothing_but_a_look_is_a_read() {
        assert!(RestTable::parse(ordain_catalog::KEYCLOAK_OPERATIONS).is_ok());
        assert!(TABLE.len() > 400);
        for operation in TABLE.iter() {
            let reads = operation.access.contains(&Access::Read);
            assert!(!reads || operation.access.len() == 1, "{}", operation.name);
            let asks = operation.name == "clients/authz/resource-server/policy/evaluate/action";
            assert!(!reads || operation.method == "GET" || asks, "{}", operation.name);
        }
    }
}
