//! The room of GitHub: its REST API, on github.com and on a server of one's own.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane, and those to its own hosts.
//! - **Reads** every operation of the REST API by its method and path, with or without `/api/v3` before it; what a body
//!   adds to it (`written.rs`): what is shown to the public, who may do more, which workflows are written. GraphQL is
//!   read where its document only asks (`graphql.rs`).
//! - **Catalogue**: `proxy/catalog/github`. An operation that is not there is not read.
//! - **Denies as** the error of the REST API, which its clients raise as `RequestError` and `GithubException`.
//! - **Absent on purpose**: GraphQL that changes something; changes to what is named by a number where it has a name
//!   (`/repositories/…`, `/organizations/…`, `/teams/…`), while reads of it pass, for pages are linked so; the
//!   management API of a server; which branch a pull request goes into; what code brings with it that a merge or a new
//!   ref lets in; the token for cloning that the answer about a private repository carries.
//!
//! Sources: the package of GitHub's own description that the catalogue is made from.

mod graphql;
mod name;
mod path;
mod written;

use std::sync::{Arc, LazyLock};

use ordain_action::{
    Access, Call, Completeness, Created, Denial, Digest, Level, Minted, NewIdentifier, OwnToken, Plane,
    Undecodable, Upstream,
};
use ordain_catalog::RestTable;
use serde_json::json;

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead, TokenPlace};
use crate::contract::{Destination, Leads, NativeResponse, Needs};
use crate::form::Fields;
use crate::form::fields::{clip, segments};
use crate::rest::{self, BODY_MAX, Ends, Grammar, Handed, Line, Location, RestRoom, Rules, Whole, effect};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use path::Asked;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card {
    domains: &["api.github.com", "uploads.github.com"],
    anchor: Some("/rate_limit"),
    variables: &[("GITHUB_API_URL", "{gate}"), ("GITHUB_TOKEN", "{token}")],
    ..Card::PLAIN
};

/// What hands out the token of an installation.
const INSTALLATION_TOKEN: &str = "apps/create-installation-access-token";

/// What ends the token that it is asked with.
const REVOKE_TOKEN: &str = "apps/revoke-installation-access-token";

/// The room.
pub(crate) type Room = RestRoom<GitHub>;

static TABLE: LazyLock<RestTable> =
    LazyLock::new(|| RestTable::parse(ordain_catalog::GITHUB_OPERATIONS).unwrap_or_default());

/// Members that hold secrets, beside those that look like it. Values that are sealed for a key of GitHub's are among
/// them, and contents of files, which are too long to keep and may be one.
const SECRETS: [&str; 17] = [
    "encrypted_value",
    "encrypted_access_key_id",
    "encrypted_connstring",
    "encrypted_json_credentials",
    "encrypted_sas_url",
    "encrypted_secret_key",
    "encrypted_token",
    "token",
    "access_token",
    "oidc_token",
    "secret",
    "credentials",
    "vcs_password",
    "webhook_secret",
    "client_secret",
    "content",
    "license",
];

/// What GitHub's requests mean.
#[derive(Debug)]
pub(crate) struct GitHub;

impl Grammar for GitHub {
    type Asked = Asked;

    const PLANE: Plane = Plane::GitHub;

    const RULES: Rules = Rules { in_segments: &['/'], trailing_slash: true, ..Rules::USUAL };

    // Pages, and where the assets of a release are uploaded.
    const LEADS: Leads = Leads { headers: &["location", "link"], members: &["upload_url"] };

    fn new(_config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self)
    }

    fn about(&self) -> About {
        About {
            plane: Plane::GitHub,
            reads: "the REST API of GitHub and of its servers; GraphQL that only asks",
            known: vec![(TABLE.len(), "operations")],
            sources: ordain_catalog::GITHUB_SOURCES,
            page: include_str!("README.md"),
            absent: &[
                "GraphQL that changes something",
                "changes to what is named by a number where it has a name",
                "the management API of a server",
                "which branch a pull request goes into",
                "what the code brings with it that a merge or a new ref lets in",
                "the token for cloning in the answer about a private repository",
            ],
        }
    }

    fn catalog_digest(&self) -> Option<String> {
        Some(Digest::of(ordain_catalog::GITHUB_OPERATIONS.as_bytes()).to_hex())
    }

    fn read(&self, line: &Line<'_>) -> Result<Asked, Undecodable> {
        path::read(&TABLE, line)
    }

    fn needs(&self, asked: &Asked) -> Needs {
        match asked {
            Asked::GraphQl => Needs::Held { cap: BODY_MAX },
            Asked::Rest(asked) if asked.operation.method == "GET" => Needs::Nothing,
            Asked::Rest(asked) if asked.is_upload() => Needs::Payload,
            Asked::Rest(_) => Needs::Held { cap: BODY_MAX },
        }
    }

    fn service<'a>(&'a self, asked: &'a Asked) -> &'a str {
        asked.service()
    }

    fn call(&self, asked: &Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        match asked {
            Asked::GraphQl => graphql::call(whole),
            Asked::Rest(asked) => rest_call(asked, whole),
        }
    }

    /// Its own host, which an upstream has an address instead of where it is a server of one's own.
    fn destination(&self, asked: &Asked, _upstream: &Upstream) -> Result<Destination, Undecodable> {
        let uploads = matches!(asked, Asked::Rest(asked) if asked.is_upload());
        let host = if uploads { "uploads.github.com" } else { "api.github.com" };
        Ok(Destination { host: host.to_owned(), ..Destination::at_its_address(self.service(asked)) })
    }

    fn hands_out(&self, asked: &Asked) -> bool {
        match asked {
            // What ends a token would end the gate's own.
            Asked::Rest(asked) => asked.operation.mints || asked.operation.name == REVOKE_TOKEN,
            Asked::GraphQl => false,
        }
    }

    fn handed(&self, asked: &Asked) -> Option<Handed> {
        match asked {
            Asked::Rest(asked) if asked.operation.name == INSTALLATION_TOKEN => Some(Handed {
                at: TokenPlace::Member("token"),
                ends: Some(Ends::At("expires_at")),
                principal: None,
            }),
            Asked::Rest(_) | Asked::GraphQl => None,
        }
    }

    fn deny(&self, _asked: Option<&Asked>, denial: &Denial) -> NativeResponse {
        let status = denial.kind.status();
        let error = json!({
            "message": denial.text,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        rest::refusal(status, "application/json; charset=utf-8", error.to_string().into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        rest::told(answer, body, &["x-github-request-id"], |error| error.get("message")?.as_str().map(clip))
    }

    fn created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        let Some(new) = call.answer.creates.first() else { return Vec::new() };
        let member = new.path.first().map_or_else(String::new, |member| format!("/{member}"));
        rest::identifier(&new.kind, &new.member, answer, body, &[Location::Member(&member)])
    }

    /// Its clients say the version that they ask for, or a media type of GitHub's own.
    fn looks_like(&self, head: &Head<'_>) -> bool {
        head.headers.contains_key("x-github-api-version")
            || head.header("accept").is_some_and(|accept| accept.contains("application/vnd.github"))
    }
}

/// Reads a request to the REST API.
fn rest_call(asked: &path::Rest, whole: &Whole<'_>) -> Result<Call, Undecodable> {
    let operation = asked.operation;
    let body = body(asked, whole)?;
    let mut parameters = match &body {
        Body::Json(fields) => whole.parameters(Some(fields), &SECRETS),
        Body::None | Body::Other(_) => whole.parameters(None, &SECRETS),
    };
    if let Body::Other(why) = body {
        parameters.incomplete(Completeness::Opaque(why));
    }
    let none = Fields::new();
    let fields = match &body {
        Body::Json(fields) => fields,
        Body::None | Body::Other(_) => &none,
    };
    if fields.overflowed() {
        return Err(Undecodable::new("too_many_parameters", "there are too many parameters; send fewer"));
    }
    let names = whole.names();
    let mut access = operation.access.clone();
    for extra in written::access(asked, fields) {
        if !access.contains(&extra) {
            access.push(extra);
        }
    }
    let resources = name::resources(names, asked, fields)?;
    let effects = access.iter().map(|access| {
        let pair = (asked.service(), operation.name);
        let mut one = effect(pair, *access, resources.all.clone(), parameters.clone());
        one.iam_action = Arc::from(operation.name);
        // What is read, opened or run beside what people write to each other is infrastructure all the same.
        one.level = match access {
            Access::Create | Access::Update | Access::Delete | Access::Tag => operation.level,
            Access::Read | Access::Grant | Access::Expose | Access::Execute | Access::SecretRead => {
                Level::Control
            }
        };
        one
    });
    let mut call = names.call(effects.collect());
    if operation.mints {
        let can = operation.name == INSTALLATION_TOKEN;
        call.answer.mints = Some(if can { Minted::Bearer } else { Minted::Unrewritable });
    }
    if operation.name == REVOKE_TOKEN {
        call.answer.mints = Some(Minted::Unrewritable);
        call.answer.own = Some(OwnToken::Ended);
    }
    if let Some((kind, member, at)) = resources.creates {
        call.answer.creates.push(NewIdentifier {
            kind: Arc::from(format!("github:{kind}")),
            member: Arc::from(member),
            path: vec![Arc::from(at)],
        });
    }
    Ok(call)
}

/// What a request has as its body.
enum Body {
    None,
    Json(Fields),
    /// Something that has no members.
    Other(&'static str),
}

fn body(asked: &path::Rest, whole: &Whole<'_>) -> Result<Body, Undecodable> {
    if asked.is_upload() {
        return Ok(Body::Other("the body is a file"));
    }
    if whole.body.is_empty() {
        return Ok(Body::None);
    }
    if asked.operation.name == "markdown/render-raw" {
        return Ok(Body::Other("the body is a text"));
    }
    // GitHub takes what is sent for JSON whatever is said of it; only what it is encoded in could be two things.
    whole.media_type()?;
    let fields = whole.json()?;
    let override_key = fields.iter().find(|(path, _)| segments(path).next() == Some("_method"));
    if override_key.is_some() {
        return Err(Undecodable::new(
            "unread_parameter",
            "`_method` would make the request another than it looks; take it out",
        ));
    }
    Ok(Body::Json(fields))
}

#[cfg(test)]
mod tests {
    use ordain_action::{DenialKind, ReasonCode};

    use super::*;

    /// `@octokit/request` raises it as `RequestError` with status 403; `plugin-retry` and `plugin-throttling` leave it.
    #[test]
    fn a_refusal_is_an_error_of_the_api() {
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("no_ground").unwrap(),
            text: "alice may not".to_owned(),
            decision: None,
        };
        let answer = GitHub.deny(None, &denial);
        assert_eq!(answer.status, 403);
        assert_eq!(
            String::from_utf8(answer.body).unwrap(),
            r#"{"message":"alice may not","documentation_url":"https://docs.github.com/rest","status":"403"}"#
        );
        for name in ["retry-after", "x-ratelimit-remaining"] {
            assert!(!answer.headers.contains_key(name), "{name}");
        }
    }

    #[test]
    fn the_table_is_whole() {
        assert!(RestTable::parse(ordain_catalog::GITHUB_OPERATIONS).is_ok());
        assert!(TABLE.len() > 1_500);
        for operation in TABLE.iter() {
            let reads = operation.access.contains(&Access::Read);
            assert_eq!(operation.name.split('/').count(), 2, "{}", operation.name);
            assert!(!reads || operation.access.len() == 1, "{}", operation.name);
            if reads && operation.method != "GET" {
                let known = ["markdown/", "repos/generate-release-notes", "orgs/list-", "users/list-"];
                assert!(known.iter().any(|start| operation.name.starts_with(start)), "{}", operation.name);
            }
        }
    }
}
