//! What the API server answers: request id, reason of an error, names it made up, tokens it hands out.
//!
//! Answers are the upstream's and no proof of anything the caller says: what cannot be read is left out, never
//! guessed, but for a token, which must be found exactly or the answer is withheld.

use ordain_action::{Call, Created, Minted, Role, Undecodable};

use super::path::is_name;
use super::protobuf;
use crate::answer::{AnswerHead, AnswerRead, Expiration, MintedToken, TokenPlace, TokenReplacement};
use crate::form::{Fields, cbor, json};
use crate::rest::{is_token, no_token, put_token_in};

/// Where a token that was asked for stands.
const TOKEN: &str = "status.token";

/// Reads the request id and, for an error, its reason.
pub(super) fn read(answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
    let audit = answer.headers.get("audit-id").and_then(|value| value.to_str().ok());
    let failed = answer.status >= 400;
    let reason = || match protobuf::reason(body) {
        Some(reason) => Some(reason.to_owned()),
        None => fields(body)
            .filter(|fields| fields.text("kind") == Some("Status"))
            .and_then(|fields| fields.text("reason").map(str::to_owned)),
    };
    let error_code = if failed { reason() } else { None };
    AnswerRead { request_id: audit.unwrap_or_default().to_owned(), error_code, status: None }
}

/// An answer's body in the form that it begins as: the caller may have asked for any.
fn fields(body: &[u8]) -> Option<Fields> {
    let mut fields = Fields::new();
    let read = if body.starts_with(protobuf::MAGIC) {
        protobuf::read_called(body, &mut fields)
    } else if body.first() == Some(&b'{') {
        json::read(body, &mut fields)
    } else {
        cbor::read_kubernetes(body, &mut fields)
    };
    read.ok().map(|()| fields)
}

/// The whole name of what was created under a name that the server made up.
pub(super) fn created(call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
    let Some(new) = call.answer.creates.first() else { return Vec::new() };
    if !(200..300).contains(&answer.status) {
        return Vec::new();
    }
    let parent = call.effects.first().and_then(|effect| {
        effect.resources.iter().find(|resource| resource.role == Role::Parent && !resource.pattern)
    });
    let (Some(parent), Some(found)) = (parent, fields(body)) else { return Vec::new() };
    let Some(name) = found.text("metadata.name").filter(|name| is_name(name)) else { return Vec::new() };
    let (group, resource) = new.kind.split_once(':').unwrap_or(("core", &new.kind));
    // The parent is the namespace, or the cluster itself.
    let identifier = match parent.name.rsplit_once("/core/namespaces/") {
        Some((cluster, namespace)) => {
            if found.text("metadata.namespace").is_some_and(|said| said != namespace) {
                return Vec::new();
            }
            format!("{cluster}/{group}/namespaces/{namespace}/{resource}/{name}")
        }
        None => format!("{}/{group}/{resource}/{name}", parent.name),
    };
    vec![Created { kind: new.kind.clone(), member: new.member.clone(), identifier }]
}

/// Finds the token of an answer that should carry one.
pub(super) fn find_token(
    minted: Minted,
    call: &Call,
    answer: &AnswerHead<'_>,
    body: &[u8],
) -> Result<Option<MintedToken>, Undecodable> {
    if !(200..300).contains(&answer.status) {
        return Ok(None);
    }
    if minted != Minted::Bearer {
        return Err(no_token());
    }
    let found = fields(body).ok_or_else(no_token)?;
    let token = found.text(TOKEN).filter(|token| is_token(token)).ok_or_else(no_token)?.to_owned();
    let expiration = found.text("status.expirationTimestamp").map(str::to_owned).map(Expiration::At);
    let principal = call.effects.first().and_then(|effect| effect.resources.first());
    let principal = principal.map(|resource| resource.name.clone()).unwrap_or_default();
    Ok(Some(MintedToken { token, at: TokenPlace::Member(TOKEN), expiration, principal }))
}

/// Puts another in its place.
pub(super) fn replace_token(
    found: &MintedToken,
    replacement: &TokenReplacement<'_>,
    body: &[u8],
) -> Result<Vec<u8>, Undecodable> {
    put_token_in(body, TOKEN, (&found.token, replacement.0), fields)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use ordain_action::{Access, Answer, Effect, Level, NewIdentifier, Parameters, Plane};

    use super::*;
    use crate::kubernetes::resource::Cluster;

    fn call(parent: ordain_action::Resource, kind: &str) -> Call {
        let effect = Effect {
            service: "core".into(),
            operation: "create/pods".into(),
            iam_action: "core:create/pods".into(),
            access: Access::Create,
            level: Level::Control,
            resources: vec![parent],
            parameters: Parameters::new(),
        };
        let new = NewIdentifier {
            kind: kind.into(),
            member: "name".into(),
            path: vec!["metadata".into(), "name".into()],
        };
        Call {
            plane: Plane::Kubernetes,
            effects: vec![effect],
            answer: Answer { creates: vec![new], mints: Some(Minted::Bearer), ..Answer::default() },
            region: "".into(),
        }
    }

    fn in_namespace() -> Call {
        call(Cluster("prod").object(Role::Parent, ("core", "namespaces"), None, "n"), "core:pods")
    }

    fn answered(status: u16, body: &str) -> Vec<String> {
        let headers = HeaderMap::new();
        let answer = AnswerHead { status, headers: &headers };
        created(&in_namespace(), &answer, body.as_bytes()).into_iter().map(|one| one.identifier).collect()
    }

    #[test]
    fn a_name_that_the_server_made_up_is_read_whole() {
        let body = r#"{"metadata":{"name":"web-x7k2p","namespace":"n","uid":"u"}}"#;
        assert_eq!(answered(201, body), ["k8s://prod/core/namespaces/n/pods/web-x7k2p"]);
        assert!(answered(409, body).is_empty());
        assert!(answered(201, &body.replace("\"n\"", "\"other\"")).is_empty());
        assert!(answered(201, "no").is_empty());
        let in_protobuf = "k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x08\x0a\x06\x0a\x01w\x1a\x01n\x1a\0\x22\0";
        assert_eq!(answered(201, in_protobuf), ["k8s://prod/core/namespaces/n/pods/w"]);
        let headers = HeaderMap::new();
        let answer = AnswerHead { status: 201, headers: &headers };
        let whole = call(Cluster("prod").whole(Role::Parent), "example.com:widgets");
        let found = created(&whole, &answer, br#"{"metadata":{"name":"w"}}"#);
        assert_eq!(found[0].identifier, "k8s://prod/example.com/widgets/w");
    }

    #[test]
    fn an_error_is_known_by_its_reason_and_the_request_by_its_audit_id() {
        let mut headers = HeaderMap::new();
        headers.insert("audit-id", HeaderValue::from_static("a-1"));
        let body =
            br#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"AlreadyExists","code":409}"#;
        let found = read(&AnswerHead { status: 409, headers: &headers }, body);
        assert_eq!((found.request_id.as_str(), found.error_code.as_deref()), ("a-1", Some("AlreadyExists")));
        assert_eq!(read(&AnswerHead { status: 201, headers: &headers }, body).error_code, None);
        let in_protobuf = b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status\x12\x06\x22\x04Gone\x1a\0\x22\0";
        let found = read(&AnswerHead { status: 410, headers: &headers }, in_protobuf);
        assert_eq!(found.error_code.as_deref(), Some("Gone"));
    }

    #[test]
    fn a_token_is_exchanged_and_nothing_else_changes() {
        let headers = HeaderMap::new();
        let answer = AnswerHead { status: 201, headers: &headers };
        let body = r#"{"kind":"TokenRequest","status":{"token":"eyJh.real.token","expirationTimestamp":"2026-01-01T00:00:00Z"}}"#;
        let found = find_token(Minted::Bearer, &in_namespace(), &answer, body.as_bytes()).unwrap().unwrap();
        assert_eq!(found.expiration, Some(Expiration::At("2026-01-01T00:00:00Z".to_owned())));
        assert!(!format!("{found:?}").contains("eyJh"));
        let replaced = replace_token(&found, &TokenReplacement("ours-ours-ours"), body.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(replaced).unwrap(), body.replace("eyJh.real.token", "ours-ours-ours"));
        let twice = body.replace("TokenRequest", "eyJh.real.token");
        assert!(replace_token(&found, &TokenReplacement("ours-ours-ours"), twice.as_bytes()).is_err());
        for (minted, body) in [
            (Minted::Bearer, "{}"),
            (Minted::Bearer, "k8s\0x"),
            (Minted::Bearer, r#"{"status":{"token":"a\u0062c.defg.h"}}"#),
            (Minted::Unrewritable, body),
        ] {
            let found = find_token(minted, &in_namespace(), &answer, body.as_bytes());
            let ours = TokenReplacement("ours-ours-ours");
            let passed = found.and_then(|found| replace_token(&found.unwrap(), &ours, body.as_bytes()));
            assert_eq!(passed.unwrap_err().reason_code, "credentials_not_found", "{body}");
        }
        let refused = AnswerHead { status: 403, headers: &headers };
        assert_eq!(find_token(Minted::Bearer, &in_namespace(), &refused, b"").unwrap(), None);
    }
}
