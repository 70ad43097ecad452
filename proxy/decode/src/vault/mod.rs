//! The room of Vault: secrets, who may have them, and the cluster that keeps them.
//!
//! - **Claims** every request that comes to a place where configuration serves this plane.
//! - **Reads** `sys/`, `identity/`, tokens, every way of signing in by what their paths have in common, and secrets engines
//!   by what is mounted where: configuration says, and of what it does not say a read may issue something.
//! - **Catalogue**: none. Tables of paths are written here, one file for each part.
//! - **Denies as** `{"errors": […]}` with `permission denied`.
//! - **Absent on purpose**: namespaces in paths, which look like mounts; events; forms that are not JSON (ACME, EST, OCSP);
//!   headers by which a request is more than it looks.
//!
//! Sources: Vault's HTTP API documentation, version 1.20.

mod call;
mod engine;
mod identity;
mod mount;
mod path;
mod system;
mod table;

use ordain_action::{Call, Denial, Plane, Undecodable};
use serde_json::json;

use crate::Head;
use crate::about::About;
use crate::answer::{AnswerHead, AnswerRead, TokenPlace};
use crate::contract::{NativeResponse, Needs};
use crate::rest::{self, BODY_MAX, Ends, Grammar, Handed, Line, RestRoom, Rules, Whole};
use crate::room::Card;
use crate::setup::{RoomsConfig, RoomsError};
use path::Op;

/// What is known of the plane without the room.
pub(crate) const CARD: Card = Card {
    anchor: Some("/v1/auth/token/lookup-self"),
    stranger: 403,
    variables: &[("VAULT_ADDR", "{gate}"), ("VAULT_TOKEN", "{token}")],
    token: Some("x-vault-token"),
    ..Card::PLAIN
};

/// The room.
pub(crate) type Room = RestRoom<Vault>;

/// The largest snapshot that is held, in bytes; the operator's own limit stands before it.
const SNAPSHOT_MAX: u64 = 1 << 30;

/// What Vault's requests mean.
#[derive(Debug)]
pub(crate) struct Vault {
    mounts: mount::Mounts,
}

impl Grammar for Vault {
    type Asked = path::Asked;

    const PLANE: Plane = Plane::Vault;

    const RULES: Rules = Rules {
        methods: &["GET", "HEAD", "LIST", "POST", "PUT", "PATCH", "DELETE"],
        trailing_slash: true,
        ..Rules::USUAL
    };

    fn new(config: &RoomsConfig) -> Result<Self, RoomsError> {
        Ok(Self { mounts: mount::Mounts::new(config)? })
    }

    fn about(&self) -> About {
        About {
            plane: Plane::Vault,
            reads: "sys, identity, tokens, ways of signing in, secrets engines by what is mounted where",
            known: Vec::new(),
            sources: "",
            page: include_str!("README.md"),
            absent: &[
                "namespaces in paths: they are named in a header",
                "events, ACME, EST and OCSP, which are no JSON",
                "headers by which a request is more than it looks",
            ],
        }
    }

    fn read(&self, line: &Line<'_>) -> Result<path::Asked, Undecodable> {
        path::read(line)
    }

    fn needs(&self, asked: &path::Asked) -> Needs {
        let is_snapshot = asked.path.iter().take(3).eq(["sys", "storage", "raft"]);
        match asked.op {
            Op::Write if is_snapshot => Needs::Held { cap: SNAPSHOT_MAX },
            // Some clients send a body where the server reads none.
            Op::Read | Op::List | Op::Help | Op::Write | Op::Patch | Op::Delete => {
                Needs::Held { cap: BODY_MAX }
            }
        }
    }

    fn service<'a>(&'a self, asked: &'a path::Asked) -> &'a str {
        asked.service()
    }

    fn call(&self, asked: &path::Asked, whole: &Whole<'_>) -> Result<Call, Undecodable> {
        call::call(&self.mounts, asked, whole)
    }

    /// Almost any answer may.
    fn hands_out(&self, asked: &path::Asked) -> bool {
        !matches!(asked.op, Op::List | Op::Delete | Op::Help) || asked.wraps
    }

    fn handed(&self, asked: &path::Asked) -> Option<Handed> {
        if asked.path.iter().eq(["auth", "token", "lookup-self"]) {
            return Some(Handed {
                at: TokenPlace::Member("data.id"),
                ends: None,
                principal: Some("data.entity_id"),
            });
        }
        // A token without an end has none here either, and is not handed out.
        Some(Handed {
            at: TokenPlace::Member("auth.client_token"),
            ends: Some(Ends::After("auth.lease_duration")),
            principal: Some("auth.entity_id"),
        })
    }

    fn goes_on(&self, asked: &path::Asked) -> bool {
        asked.path.iter().eq(["sys", "monitor"])
    }

    fn deny(&self, _asked: Option<&path::Asked>, denial: &Denial) -> NativeResponse {
        let status = denial.kind.status();
        let text =
            if status == 403 { format!("permission denied: {}", denial.text) } else { denial.text.clone() };
        let error = json!({ "errors": [text] });
        rest::refusal(status, "application/json", error.to_string().into_bytes(), denial)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
        let found: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let text = |pointer: &str| {
            found.as_ref().and_then(|found| found.pointer(pointer)?.as_str()).map(str::to_owned)
        };
        let code = (answer.status >= 400).then(|| text("/errors/0")).flatten();
        AnswerRead { request_id: text("/request_id").unwrap_or_default(), error_code: code, status: None }
    }

    fn looks_like(&self, head: &Head<'_>) -> bool {
        let marks = ["x-vault-request", "x-vault-namespace", "x-vault-wrap-ttl"];
        head.target.starts_with("/v1/") && marks.iter().any(|name| head.headers.contains_key(*name))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use ordain_action::{DenialKind, ReasonCode};

    use super::*;
    use crate::WayIn;
    use crate::room::Room as _;

    /// Tried with hvac, which raises `Forbidden` for it and asks once.
    #[test]
    fn a_refusal_is_a_list_of_errors() {
        let headers = HeaderMap::new();
        let head = Head {
            method: "GET",
            target: "/v1/secret/data/x",
            authority: "gate.internal",
            headers: &headers,
            way_in: WayIn::Reverse,
            plane: Some(Plane::Vault),
            upstream: None,
        };
        let room = Room::new(&RoomsConfig::default()).unwrap();
        let denial = Denial {
            kind: DenialKind::Forbidden,
            reason_code: ReasonCode::new("no_ground").unwrap(),
            text: "bob may not".to_owned(),
            decision: None,
        };
        let response = room.claim(&head).unwrap().deny(&denial);
        let body = String::from_utf8(response.body).unwrap();
        assert_eq!(
            (response.status, body.as_str()),
            (403, "{\"errors\":[\"permission denied: bob may not\"]}")
        );
    }
}
