//! What a head presents to show who it is from. Exactly one credential, in the one place for it.
//!
//! Two at once are refused, whichever is right: what one reader takes for the identity, another may pass by. Leaves out
//! AWS signatures (`sigv4`) and whether a credential is right (a file each).

use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use ordain_action::DenialKind;
use ordain_decode::Head;

use crate::fault::Fault;
use crate::keys::token::{self, BEGINNING};

/// A credential in the head of a request, outside AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented<'a> {
    /// None: the connection may have one.
    Nothing,
    /// A bearer token.
    Bearer(&'a str),
}

/// Parameters that carry a credential in a query: RFC 6750 section 2.3, and presigned URLs.
const IN_QUERY: [&str; 5] =
    ["access_token", "id_token", "x-amz-algorithm", "x-amz-credential", "x-amz-signature"];

/// How browsers hand a cluster its token where they cannot set headers.
const IN_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// Reads which credential a head presents.
///
/// # Errors
/// Several, one that stands elsewhere than in `Authorization`, or one of another kind.
pub(super) fn find<'a>(head: &Head<'a>) -> Result<Presented<'a>, Fault> {
    let mut values = head.headers.get_all(AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(malformed(
            "two_credentials",
            "`Authorization` is there twice; send one credential, once",
        ));
    }
    elsewhere(head, first.is_some())?;
    let Some(value) = first else { return Ok(Presented::Nothing) };
    let text = value.to_str().map_err(|_| unreadable())?;
    let token = token::bearer(text).ok_or_else(|| {
        let text = "the credential in `Authorization` is of a kind that is not taken here; send \
                    `Authorization: Bearer` with a token that `ordain key create --bearer` printed, or with one of an \
                    issuer that is configured here";
        unauthenticated("other_scheme", text)
    })?;
    // RFC 6750 section 2.1. A comma would be a second credential to whoever joins headers.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(plain) {
        return Err(unreadable());
    }
    Ok(Presented::Bearer(token))
}

/// Refuses a credential outside `Authorization`: it would be logged, and would reach the upstream.
fn elsewhere(head: &Head<'_>, and_there: bool) -> Result<(), Fault> {
    let in_protocol = head.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().any(|value| {
        value
            .as_bytes()
            .windows(IN_PROTOCOL.len())
            .any(|part| part.eq_ignore_ascii_case(IN_PROTOCOL.as_bytes()))
    });
    let query = head.target.split_once('?').map_or("", |(_, query)| query);
    let in_query = form_urlencoded::parse(query.as_bytes()).any(|(name, value)| {
        IN_QUERY.iter().any(|known| known.eq_ignore_ascii_case(&name)) || value.starts_with(BEGINNING)
    });
    match (in_protocol || in_query, and_there) {
        (false, _) => Ok(()),
        (true, true) => {
            let text = "there is a credential in `Authorization` and another one elsewhere; send one credential, once";
            Err(malformed("two_credentials", text))
        }
        (true, false) => {
            let text = "there is a credential outside `Authorization`, where others read it; send it as \
                        `Authorization: Bearer`";
            Err(malformed("misplaced_credential", text))
        }
    }
}

fn unreadable() -> Fault {
    malformed(
        "malformed_credential",
        "`Authorization` cannot be read; send `Bearer`, one blank, and the token",
    )
}

/// Nobody is shown, and what would show somebody.
pub(super) fn unauthenticated(reason: &str, text: impl Into<String>) -> Fault {
    Fault::new(DenialKind::Unauthenticated, reason, text)
}

fn malformed(reason: &str, text: &str) -> Fault {
    Fault::new(DenialKind::Malformed, reason, text)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use ordain_decode::WayIn;

    use super::*;

    fn check(target: &str, headers: &[(&str, &str)], expected: Result<Presented<'_>, &str>) {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            all.append(name, HeaderValue::from_str(value).unwrap());
        }
        let head = Head {
            method: "GET",
            target,
            authority: "cluster.internal",
            headers: &all,
            way_in: WayIn::Reverse,
            plane: None,
            upstream: None,
        };
        let found = find(&head);
        let found = found.as_ref().map_err(|fault| fault.reason_code().as_str()).copied();
        assert_eq!(found, expected, "{target} {headers:?}");
    }

    #[test]
    fn one_credential_in_its_place_is_found() {
        check("/api", &[], Ok(Presented::Nothing));
        check("/api", &[("authorization", "Bearer a.b-c_d")], Ok(Presented::Bearer("a.b-c_d")));
        check("/api?token=x&watch=1", &[("authorization", "bearer abc")], Ok(Presented::Bearer("abc")));
    }

    #[test]
    fn two_credentials_are_none() {
        check(
            "/api",
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
            Err("two_credentials"),
        );
        check("/api?access_token=b", &[("authorization", "Bearer a")], Err("two_credentials"));
        check("/api?X-Amz-Signature=00", &[("authorization", "Bearer a")], Err("two_credentials"));
        let protocol = "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.YQ";
        check(
            "/api",
            &[("authorization", "Bearer a"), ("sec-websocket-protocol", protocol)],
            Err("two_credentials"),
        );
        check("/api", &[("authorization", "Bearer a, Bearer b")], Err("malformed_credential"));
    }

    #[test]
    fn a_credential_elsewhere_is_refused() {
        for target in [
            "/api?access_token=a",
            "/api?Access_Token=a",
            "/api?%61ccess_token=a",
            "/api?x=ordain.TKOR.a",
            "/api?id_token=a",
        ] {
            check(target, &[], Err("misplaced_credential"));
        }
        let protocol = "base64url.bearer.authorization.k8s.io.YQ";
        check("/api", &[("sec-websocket-protocol", protocol)], Err("misplaced_credential"));
    }

    #[test]
    fn other_kinds_say_what_is_taken() {
        check("/api", &[("authorization", "Basic YTpi")], Err("other_scheme"));
        check("/api", &[("authorization", "AWS4-HMAC-SHA256 Credential=a")], Err("other_scheme"));
        check("/api", &[("authorization", "Bearer")], Err("malformed_credential"));
        check("/api", &[("authorization", "Bearer \"a\"")], Err("malformed_credential"));
    }

    #[test]
    fn headers_that_name_somebody_present_nothing() {
        for name in [
            "x-remote-user",
            "x-forwarded-user",
            "x-forwarded-client-cert",
            "impersonate-user",
            "ordain-on-behalf-of",
        ] {
            check("/api", &[(name, "admin")], Ok(Presented::Nothing));
        }
    }
}
