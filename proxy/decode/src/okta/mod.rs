//! The room of Okta: the management API of an organization.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** the operations of the management API by method and path, and what a body or a query adds to them.
//! - **Catalogue**: `proxy/catalog/okta`. An operation that is not there is not read.
//! - **Denies as** the error that Okta answers with, `E0000006`, which its clients hand on as theirs.
//! - **Absent on purpose**: `/users/me` and `/api-tokens/current` in changes, which are whoever the gate's own
//!   credential is; the endpoints by which people and applications sign in; SCIM, which has a room of its own.
//!
//! Sources: the package that the catalogue is made from.

mod name;

use std::sync::{Arc, LazyLock};

use ordain_action::{
    Access, Call, Completeness, Created, Denial, Digest, Minted, NewIdentifier, Plane, Scalar, Undecodable,
};
use ordain_catalog::{RestOperation, RestTable};
use serde_json::json;

use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead};
use crate::contract::{Leads, NativeResponse, Needs};
use crate::form::Fields;
use crate::form::fields::segments;
use crate::rest::{self, BODY_MAX, Grammar, Line, Location, RestRoom, Rules, Whole, effect};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};

/// What is known of the plane without the room. An organization has one address, which configuration names.
pub(crate) const CARD: Card = Card {
    anchor: Some("/api/v1/users/me"),
    variables: &[("OKTA_CLIENT_ORGURL", "{gate}"), ("OKTA_CLIENT_TOKEN", "{token}")],
    ..Card::PLAIN
};

/// The room.
pub(crate) type Room = RestRoom<Okta>;

static TABLE: LazyLock<RestTable> =
    LazyLock::new(|| RestTable::parse(ordain_catalog::OKTA_OPERATIONS).unwrap_or_default());

/// Members that hold secrets, beside those that look like it.
const SECRETS: [&str; 12] = [
    "value",
    "answer",
    "passcode",
    "secret",
    "token",
    "sessiontoken",
    "client_secret",
    "apikey",
    "sharedsecret",
    "activationtoken",
    "answertext",
    "pin",
];

/// Members of a profile by which nobody is let in or chosen.
const PLAIN: [&str; 11] = [
    "displayName",
    "firstName",
    "honorificPrefix",
    "honorificSuffix",
    "lastName",
    "locale",
    "middleName",
    "nickName",
    "preferredLanguage",
    "profileUrl",
    "timezone",
];

/// What Okta's requests mean.
#[derive(Debug)]
pub(crate) struct Okta;

/// What is asked for: an operation, what stands in the place of the variables of its path, and whether its answer hands
/// out what lets somebody in.
#[derive(Debug)]
pub(crate) struct Asked {
    operation: &'static RestOperation,
    values: Vec<(&'static str, String)>,
    mints: bool,
}

impl Asked {
    /// The word before the operation.
    fn service(&self) -> &'static str {
        self.operation.name.split('/').next().unwrap_or_default()
    }

    fn reads(&self) -> bool {
        self.operation.method == "GET"
    }
}

/// Operations that hand out a link which lets somebody in, where they are not told to send it.
const UNSENT: [&str; 3] =
    ["user-lifecycle/activateUser", "user-lifecycle/reactivateUser", "user-cred/resetPassword"];

impl Grammar for Okta {
    type Asked = Asked;

    const PLANE: Plane = Plane::Okta;

    const RULES: Rules = Rules::USUAL;

    const LEADS: Leads = Leads { headers: &["location", "link"], members: &[] };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Okta,
            reads: "the management API of an Okta organization",
            known: vec![(TABLE.len(), "operations")],
            sources: ordain_catalog::OKTA_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "the gate's own user and token in changes",
                "the endpoints by which people and applications sign in",
                "SCIM, which has a room of its own",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(Digest::of(ordain_catalog::OKTA_OPERATIONS.as_bytes()).to_hex())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        let path = line.path();
        let method = if line.method == "HEAD" { "GET" } else { line.method };
        let fit = TABLE.find(method, &path).ok_or_else(|| line.unknown())?;
        let values: Vec<_> = fit.values.into_iter().map(|(name, value)| (name, value.into_owned())).collect();
        let own = path
            .windows(2)
            .any(|pair| matches!(pair, ["users" | "sessions", "me"] | ["api-tokens", "current"]));
        if own && method != "GET" {
            return Err(Undecodable::new(
                "own_account",
                "`me` and `current` are whoever the gate's own credential is; name the user or the token by its id",
            ));
        }
        // Where nothing is said the letter is sent, but for whoever is let in a second time.
        let unsaid = fit.operation.name != "user-lifecycle/reactivateUser";
        let sent = line.query("sendEmail").map_or(unsaid, |sends| sends == "true");
        let mints = fit.operation.mints || UNSENT.contains(&fit.operation.name) && !sent;
        Ok(Asked { operation: fit.operation, values, mints })
    }

    fn needs(&self, asked: &Asked) -> Needs {
        if asked.reads() { Needs::Nothing } else { Needs::Held { cap: BODY_MAX } }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        asked.service()
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        let operation = asked.operation;
        let names = whole.names();
        let other = match whole.media_type()?.as_str() {
            "multipart/form-data" => Some("the body is a file"),
            "application/pkcs10"
            | "application/x-x509-ca-cert"
            | "application/x-pem-file"
            | "application/pkix-cert" => Some("the body is a certificate"),
            "application/secevent+jwt" => Some("the body is a token"),
            _ => None,
        };
        let body = match other {
            Some(_) => Fields::new(),
            None => whole.json_of(&["application/json", "application/merge-patch+json"])?.unwrap_or_default(),
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
        if matches!(operation.name, "user/updateUser" | "user/replaceUser") && says_more(&body) {
            access.push(Access::Grant);
        }
        let calls_out = |path: &str, value: Scalar<'_>| {
            path.rsplit('.').next().is_some_and(|last| last.to_ascii_lowercase().ends_with("url"))
                && matches!(value, Scalar::Text(text) if text.contains("://"))
        };
        let told =
            operation.name.starts_with("identity-provider/") || operation.name.starts_with("application/");
        if told && !asked.reads() && body.iter().any(|(path, value)| calls_out(path, value)) {
            access.push(Access::Expose);
        }
        let touched = name::resources(names, asked, &body);
        let effects = access.iter().map(|access| {
            let pair = (asked.service(), operation.name);
            let mut one = effect(pair, *access, touched.all.clone(), parameters.clone());
            one.iam_action = Arc::from(operation.name);
            one
        });
        let mut call = names.call(effects.collect());
        if asked.mints {
            call.answer.mints = Some(Minted::Unrewritable);
        }
        if let Some(kind) = touched.creates {
            call.answer.creates.push(NewIdentifier {
                kind: Arc::from(format!("okta:{kind}")),
                member: Arc::from("id"),
                path: vec![Arc::from("id")],
            });
        }
        Ok(call)
    }

    fn hands_out(&self, asked: &Asked) -> bool {
        asked.mints
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        let decision = denial.decision.map(|decision| decision.to_string());
        let error = json!({
            "errorCode": "E0000006",
            "errorSummary": denial.text,
            "errorLink": "E0000006",
            "errorId": decision.unwrap_or_else(|| denial.reason_code.as_str().to_owned()),
            "errorCauses": [],
        });
        rest::refusal(denial.kind.status(), "application/json", error.to_string().into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        rest::told(answer, body, &["x-okta-request-id"], |error| {
            error.get("errorCode")?.as_str().map(str::to_owned)
        })
    }

    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        rest::identifier(&new.kind, "id", answer, body, &[Location::Member("/id"), Location::Header])
    }
}

/// Whether the body of a user says more than what it is called: credentials, a login, and whatever rules choose it by.
fn says_more(body: &Fields) -> bool {
    body.iter().any(|(path, _)| {
        let mut parts = segments(path);
        match (parts.next(), parts.next(), parts.next()) {
            (Some("profile"), Some(name), None) => !PLAIN.contains(&name),
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use ordain_action::{DenialKind, ReasonCode};

    use super::*;

    #[test]
    fn a_refusal_is_an_error_of_the_api() {
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("no_ground").unwrap(),
            text: "alice may not".to_owned(),
            decision: None,
        };
        let answer = Okta.deny(None, &denial);
        assert_eq!(
            (answer.status, String::from_utf8(answer.body).unwrap().as_str()),
            (
                403,
                r#"{"errorCode":"E0000006","errorSummary":"alice may not","errorLink":"E0000006","errorId":"no_ground","errorCauses":[]}"#
            )
        );
    }

    #[test]
    fn nothing_but_a_look_is_a_read() {
        assert!(RestTable::parse(ordain_catalog::OKTA_OPERATIONS).is_ok());
        assert!(TABLE.len() > 690);
        for operation in TABLE.iter() {
            let reads = operation.access.contains(&Access::Read);
            assert!(!reads || operation.access.len() == 1, "{}", operation.name);
            let asks = operation.name == "policy/createPolicySimulation";
            assert!(!reads || operation.method == "GET" || asks, "{}", operation.name);
            let word = operation.name.rsplit('/').next().unwrap_or_default();
            let says = ["get", "list", "retrieve", "preview"].iter().any(|verb| word.starts_with(verb));
            assert!(!reads || says || asks, "{}", operation.name);
        }
    }
}
