//! The Kubernetes room: what it takes a request for is what the API server's own reading of path and query says, what
//! it takes an object for is what an independent reader of the body says, and nothing makes it panic.
//!
//! The server's reading is that of `RequestInfoFactory` (`k8s.io/apiserver/pkg/endpoints/request`), written anew from
//! its text. It reads more than we do: only what both read is compared.

use http::{HeaderMap, HeaderValue};
use ordain_action::{
    Action, Actor, ActorKind, Call, Denial, DenialKind, Digest, IdentityProof, Party, Plane, Reading,
    ReasonCode, Resource, Role, Upstream, request_digest,
};
use ordain_decode::{Claim, Head, Needs, WayIn};

use crate::protobuf;
use crate::request::Request;
use crate::room::rooms;

fn upstream() -> Upstream {
    Upstream {
        name: "default".into(),
        plane: Plane::Kubernetes,
        account: "prod".into(),
        partition: "".into(),
    }
}

/// Decodes one request and holds it against the other readings. Bytes that begin with a zero are no request: an object
/// is made of them, which has to be read, and again with a byte of its body changed.
pub fn check(data: &[u8]) {
    if let Some([place, byte, script @ ..]) = data.strip_prefix(b"\0") {
        let Some((method, target, mut body)) = protobuf::made(script) else { return };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/vnd.kubernetes.protobuf"));
        let sent = |body: &[u8]| {
            let headers = headers.clone();
            let authority = "gate.internal:8080".to_owned();
            taken(&Request { method, target: &target, authority, headers, body })
        };
        assert!(sent(&body), "what another writer wrote is not read");
        let at = usize::from(*place) * body.len() / 256;
        body[at] = *byte;
        sent(&body);
        return;
    }
    if let Some(request) = Request::parse(data) {
        taken(&request);
    }
}

/// Holds one request against the other readings; whether it is one that is read.
fn taken(request: &Request<'_>) -> bool {
    let head = Head {
        method: request.method,
        target: request.target,
        authority: &request.authority,
        headers: &request.headers,
        way_in: WayIn::Reverse,
        plane: Some(Plane::Kubernetes),
        upstream: None,
    };
    let claim = rooms().claim(&head).expect("whatever comes to a cluster's place is claimed");
    let body = if claim.needs() == Needs::Payload { &[][..] } else { request.body };
    let reading = claim.decode(&upstream(), &head, body, None);
    let again = claim.decode(&upstream(), &head, body, None);
    assert_eq!(reading, again, "the same request is read in two ways");
    let (one, two) = (action(reading), action(again));
    let digest = Digest::of(body);
    assert_eq!(request_digest(&one, || digest), request_digest(&two, || digest));
    match &one.reading {
        Reading::Call(call) => accepted(call, request),
        Reading::Undecodable { why, .. } => refused(&claim, why.reason_code),
    }
    matches!(one.reading, Reading::Call(_))
}

fn action(reading: Reading) -> Action {
    let actor = Actor {
        party: Party { name: "someone".into(), kind: ActorKind::Person },
        credential: "key".into(),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream: upstream(),
    };
    Action { actor, reading }
}

fn accepted(call: &Call, request: &Request<'_>) {
    assert!(!call.effects.is_empty(), "a call without an effect");
    for effect in &call.effects {
        assert!(!effect.resources.is_empty(), "an effect on nothing");
        for resource in &effect.resources {
            assert!(
                resource.name == "k8s://prod" || resource.name.starts_with("k8s://prod/"),
                "{resource:?}"
            );
            assert!(resource.pattern || !resource.name.contains('*'), "{resource:?}");
        }
    }
    if !body_of(call, request).is_empty() && media(request) == "application/vnd.kubernetes.protobuf" {
        protobuf::held(call, request.body);
    }
    let info = Info::read(request);
    let first = &call.effects[0];
    let Some(info) = info else {
        assert_eq!(&*first.operation, "get/nonresourceurls", "the server sees no resource");
        assert!(matches!(request.method, "GET" | "HEAD"), "a page is changed");
        return;
    };
    let stream = matches!(&*info.subresource, "exec" | "attach" | "portforward") && info.resource == "pods";
    let verb = if stream && info.group.is_empty() { "create" } else { &*info.verb };
    let mut operation = format!("{verb}/{}", info.resource);
    if !info.subresource.is_empty() {
        operation = format!("{operation}/{}", info.subresource);
    }
    assert_eq!(operation, &*first.operation, "{info:?}");
    let reads = matches!(&*info.verb, "get" | "list" | "watch");
    let dry = request.target.contains("dryRun=All")
        || request.target.contains("dryRun=%")
        || request.body.windows(6).any(|window| window == b"dryRun")
        || request.target.contains('%')
        || request.body.windows(2).any(|window| window == b"\\u")
        || (media(request) == "application/vnd.kubernetes.protobuf" && protobuf::is_dry(request.body));
    let asks = info.resource.ends_with("reviews");
    assert!(call.is_change() || reads || dry || asks, "a change is read as a read: {call:?}");
    if reads && info.resource == "secrets" && info.group.is_empty() {
        assert!(call.is_change(), "a secret is read as anything else");
    }
    let target = first.resources.iter().find(|resource| resource.role == Role::Target);
    if verb != "create" || !info.subresource.is_empty() {
        target_is(target.expect("what is there is a target"), &info);
    } else {
        created(target, &info, request);
    }
}

/// The body that the server reads: none of what asks for a stream, or reads.
fn body_of<'r>(call: &Call, request: &Request<'r>) -> &'r [u8] {
    let operation = &*call.effects[0].operation;
    let reads = ["get/", "list/", "watch/"].iter().any(|verb| operation.starts_with(verb));
    if reads || call.answer.upgrades { &[] } else { request.body }
}

/// The form of the body, as the server sees it.
fn media(request: &Request<'_>) -> String {
    let value = request.headers.get("content-type").and_then(|media| media.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn target_is(target: &Resource, info: &Info) {
    let name = if info.name.is_empty() { "*" } else { info.name.as_str() };
    // A selector of the caller's may narrow a list to one name that we do not take for one.
    assert!(
        target.name.ends_with(&format!("/{}/{name}", info.resource)) || target.pattern,
        "{target:?} {info:?}"
    );
    if !info.namespace.is_empty() && info.resource != "namespaces" {
        let place = format!("/namespaces/{}/{}/", info.namespace, info.resource);
        assert!(target.name.contains(&place), "{target:?} {info:?}");
    }
}

/// A new object has the name that another reader finds in its body.
fn created(target: Option<&Resource>, info: &Info, request: &Request<'_>) {
    let media =
        request.headers.get("content-type").map_or("application/json", |media| media.to_str().unwrap_or(""));
    let name = if media.starts_with("application/json") && !request.body.is_empty() {
        let value: serde_json::Value =
            serde_json::from_slice(request.body).expect("another reader reads it too");
        value["metadata"]["name"].as_str().unwrap_or_default().to_owned()
    } else if media.starts_with("application/yaml") && !request.body.is_empty() {
        let value: yaml_serde::Value =
            yaml_serde::from_slice(request.body).expect("another reader reads it too");
        value["metadata"]["name"].as_str().unwrap_or_default().to_owned()
    } else {
        return;
    };
    match target {
        // A binding that names no pod is taken for one of any.
        Some(target) if name.is_empty() => assert!(target.pattern, "{target:?} {info:?}"),
        Some(target) => assert!(target.name.ends_with(&format!("/{name}")), "{target:?} {info:?}"),
        None => assert!(name.is_empty(), "`{name}` is created and not named"),
    }
}

fn refused(claim: &Claim<'_>, reason: &str) {
    let reason_code = ReasonCode::new(reason).expect("a reason code has its form");
    let text = "it \"cannot\" be read".to_owned();
    let denial = Denial { kind: DenialKind::Forbidden, reason_code, text, decision: None };
    let answer = claim.deny(&denial);
    assert_eq!(answer.status, 403, "a denial with another status");
    if !answer.body.is_empty() {
        let status: serde_json::Value = serde_json::from_slice(&answer.body).expect("a denial is JSON");
        assert!(status["kind"] == "Status" && status["reason"] == "Forbidden" && status["code"] == 403);
    }
}

/// What the server makes of a path and a query.
#[derive(Debug, Default)]
struct Info {
    verb: String,
    group: String,
    namespace: String,
    resource: String,
    name: String,
    subresource: String,
}

impl Info {
    /// Nothing where the server sees no resource.
    fn read(request: &Request<'_>) -> Option<Self> {
        let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
        let path = decoded(path);
        let trimmed = path.trim_matches('/');
        let mut parts: Vec<&str> = trimmed.split('/').collect();
        if parts.len() < 3 || !matches!(parts[0], "api" | "apis") {
            return None;
        }
        let mut info = Self::default();
        let grouped = parts.remove(0) == "apis";
        if grouped {
            if parts.len() < 3 {
                return None;
            }
            info.group = parts.remove(0).to_owned();
        }
        parts.remove(0);
        if matches!(parts[0], "proxy" | "watch") {
            info.verb = parts.remove(0).to_owned();
        } else {
            info.verb = match request.method {
                "POST" => "create",
                "GET" | "HEAD" => "get",
                "PUT" => "update",
                "PATCH" => "patch",
                "DELETE" => "delete",
                // The server has no word for it; behind a proxy it is read as any other.
                _ => "get",
            }
            .to_owned();
        }
        if parts[0] == "namespaces" && parts.len() > 1 {
            info.namespace = parts[1].to_owned();
            if parts.len() > 2 && !matches!(parts[2], "status" | "finalize") {
                parts.drain(..2);
            }
        }
        info.resource = parts[0].to_owned();
        info.name = parts.get(1).copied().unwrap_or_default().to_owned();
        info.subresource = parts.get(2).copied().unwrap_or_default().to_owned();
        if info.subresource == "proxy" {
            let name: Vec<&str> = info.name.split(':').collect();
            info.name = if name.len() == 3 { name[1] } else { name[0] }.to_owned();
        }
        info.narrow(query);
        Some(info)
    }

    fn narrow(&mut self, query: &str) {
        let value = |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name);
        if self.name.is_empty() && self.verb == "get" {
            let watch =
                value("watch").is_some_and(|(_, value)| !matches!(&*value.to_lowercase(), "false" | "0"));
            self.verb = if watch { "watch" } else { "list" }.to_owned();
            if let Some((_, selector)) = value("fieldSelector") {
                let name = selector
                    .strip_prefix("metadata.name=")
                    .filter(|name| !name.contains(['=', ',', '!', '\\']));
                self.name = name.unwrap_or_default().to_owned();
            }
        }
        if self.name.is_empty() && self.verb == "delete" {
            self.verb = "deletecollection".to_owned();
        }
    }
}

fn decoded(path: &str) -> String {
    // The form's own decoding, with a plus kept as it is.
    let kept = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(kept.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}
