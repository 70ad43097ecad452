//! The AWS room: no head and no body makes it panic, what it accepts it reads the same again, no request is a read
//! that says otherwise itself, and no request chooses its host.

use std::sync::OnceLock;

use ordain_action::{
    Access, Action, Actor, ActorKind, Call, Denial, DenialKind, Digest, IdentityProof, Level, Party, Plane,
    Reading, ReasonCode, Role, Upstream, request_digest,
};
use ordain_decode::{
    ApiMethod, ApiResource, Claim, Front, Head, McpServer, Needs, OpenApi, Rooms, RoomsConfig, VaultMount,
    WayIn,
};

use crate::request::Request;

/// Services of the query protocol, whose operation is named in `Action` and nowhere else.
const QUERY: [&str; 9] =
    ["ec2", "iam", "rds", "sns", "autoscaling", "cloudformation", "elb", "elbv2", "elasticache"];

/// What every host of the provider ends in.
const PROVIDER: [&str; 20] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".api.aws",
    ".on.aws",
    ".aws",
    ".amazonaws.eu",
    ".api.amazonwebservices.eu",
    ".amazonwebservices.eu",
    ".amazonwebservices.com.cn",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".ic.gov",
    ".sgov.gov",
    ".aws.scloud",
    ".adc-e.uk",
    ".amazonaws-us-gov.com",
    ".amazon.com",
    ".aws.dev",
    ".amazoncognito.com",
    ".aws.a2z.com",
];

/// The rooms as a gate has them.
///
/// # Panics
/// Never, unless what is built in does not load.
pub fn rooms() -> &'static Rooms {
    static ROOMS: OnceLock<Rooms> = OnceLock::new();
    ROOMS.get_or_init(|| {
        let own_hosts = vec!["gate.internal".to_owned()];
        // An API that is described, of whose operations nothing is said.
        let document = include_bytes!("../../../proxy/decode/src/openapi/cases/garage.yaml").to_vec();
        let greedy = vec!["/files/{file+}".to_owned()];
        let described = OpenApi { upstream: "default".to_owned(), document, greedy, ..OpenApi::default() };
        // A server of tools, of two of which something is said: one that is given what it is for by a name, and one that is
        // given nothing.
        let tools = br#"{"tools":[{"name":"delete_pod","inputSchema":{"properties":{"namespace":{},"name":{}}}},
            {"name":"list_pods","annotations":{"readOnlyHint":true},"inputSchema":{"properties":{"namespace":{}}}}]}"#;
        let said = |name: &str, access, kind: &str, of: &str| ApiMethod {
            name: name.to_owned(),
            access,
            level: Level::Control,
            resources: vec![ApiResource {
                kind: kind.to_owned(),
                name: of.to_owned(),
                all_if: Vec::new(),
                role: Role::Target,
            }],
            also: Vec::new(),
            secrets: Vec::new(),
            mints: false,
            stream: false,
        };
        let methods = vec![
            said("delete_pod", Access::Delete, "pod", "{namespace}/{name}"),
            said("list_pods", Access::Read, "pod", "*"),
        ];
        let mcp = vec![McpServer { upstream: "default".to_owned(), tools: Some(tools.to_vec()), methods }];
        // A cluster of Vault with an engine of each sort that is read.
        let vault = ["kv-v1", "kv-v2", "transit", "pki", "database", "aws", "ssh", "totp"].map(|kind| VaultMount {
            upstream: "default".to_owned(),
            path: kind.to_owned(),
            kind: kind.to_owned(),
        });
        let openapi = vec![described];
        let config = RoomsConfig { own_hosts, mcp, openapi, vault: vault.to_vec(), ..RoomsConfig::default() };
        Rooms::new(config).expect("what is built in loads")
    })
}

/// The upstream that requests are read for.
#[must_use]
pub fn upstream() -> Upstream {
    Upstream {
        name: "default".into(),
        plane: Plane::Aws,
        account: "123456789012".into(),
        partition: "aws".into(),
    }
}

/// Decodes one request and holds it against what it says itself.
pub fn check(data: &[u8]) {
    let Some(request) = Request::parse(data) else { return };
    let rooms = rooms();
    let mut head = Head {
        method: request.method,
        target: request.target,
        authority: &request.authority,
        headers: &request.headers,
        way_in: WayIn::Reverse,
        plane: None,
        upstream: None,
    };
    head.way_in = Rooms::way_in(head.host());
    let Ok(claim) = rooms.claim(&head) else { return };
    // Another provider's host is another room's (`plane`).
    if claim.plane() != Plane::Aws {
        return;
    }
    let body = if claim.needs() == Needs::Payload { &[][..] } else { request.body };
    let reading = claim.decode(&upstream(), &head, body, Some("0badhash"));
    let again = claim.decode(&upstream(), &head, body, Some("0badhash"));
    assert_eq!(reading, again, "the same request is read in two ways");
    if claim.front(&upstream(), &head, body) == Some(Front::Open) {
        let is_read =
            matches!(&reading, Reading::Call(call) if !call.is_change() && call.answer.mints.is_none());
        assert!(is_read && body.len() <= 64 * 1024, "what is no read is shown to anybody: {reading:?}");
    }
    let (one, two) = (action(reading), action(again));
    let digest = Digest::of(body);
    assert_eq!(request_digest(&one, || digest), request_digest(&two, || digest));
    match &one.reading {
        Reading::Call(call) => accepted(call, &request, &claim),
        Reading::Undecodable { why, .. } => {
            refused(&claim, why.reason_code);
            if let Ok(to) = claim.destination_unread(&upstream(), &head) {
                providers(&to.host);
            }
        }
    }
}

fn action(reading: Reading) -> Action {
    let actor = Actor {
        party: Party { name: "someone".into(), kind: ActorKind::Person },
        credential: "AKID".into(),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream: upstream(),
    };
    Action { actor, reading }
}

fn accepted(call: &Call, request: &Request<'_>, claim: &Claim<'_>) {
    assert!(!call.effects.is_empty(), "a call without an effect");
    for effect in &call.effects {
        assert!(!effect.resources.is_empty(), "an effect on nothing");
    }
    if request.method == "DELETE" {
        assert!(call.is_change(), "DELETE is a read: {call:?}");
    }
    let first = &call.effects[0];
    if QUERY.contains(&&*first.service) {
        let in_query = request.target.split_once('?').map_or("", |(_, query)| query).as_bytes();
        let pairs = form_urlencoded::parse(in_query).chain(form_urlencoded::parse(request.body));
        let actions: Vec<_> = pairs.filter(|(name, _)| name == "Action").map(|(_, value)| value).collect();
        assert!(
            actions.len() == 1 && actions[0] == *first.operation,
            "read as {}, says {actions:?}",
            first.operation
        );
    }
    if let Some(target) = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        assert_eq!(
            target.rsplit('.').next(),
            Some(&*first.operation),
            "another operation than x-amz-target's"
        );
    }
    if let Ok(to) = claim.destination(&upstream(), call) {
        providers(&to.host);
    }
}

/// A host is the provider's, whatever the request says.
fn providers(host: &str) {
    let plain =
        host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte));
    let known = PROVIDER.iter().any(|ending| host.ends_with(ending));
    assert!(plain && known, "`{host}` is no host of the provider");
}

pub(crate) fn refused(claim: &Claim<'_>, reason: &str) {
    let reason_code = ReasonCode::new(reason).expect("a reason code has its form");
    let denial = Denial {
        kind: DenialKind::Malformed,
        reason_code,
        text: "it cannot be read".to_owned(),
        decision: None,
    };
    let answer = claim.deny(&denial);
    let error: Option<&[u8]> = match claim.plane() {
        // Errors of these are answers like others, and say in their body what they are.
        Plane::Mcp => Some(br#""error":"#),
        Plane::Panos => Some(br#"status="error""#),
        _ => None,
    };
    let says = |error: &[u8]| answer.body.windows(error.len()).any(|part| part == error);
    assert!(
        (400..500).contains(&answer.status)
            || claim.plane() == Plane::Vsphere && answer.status == 500
            || answer.status == 200 && (error.is_some_and(says) || denies_by_grpc(&answer.headers)),
        "a denial with status {}",
        answer.status
    );
}

/// Whether an answer is a refusal of gRPC, whose status stands in a header of its own.
fn denies_by_grpc(headers: &http::HeaderMap) -> bool {
    headers.get("grpc-status").is_some_and(|status| status != "0")
}
