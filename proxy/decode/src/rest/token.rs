//! A bearer token in JSON or in a header: found exactly, and another put in its place.
//!
//! One way for every plane: a room says where the token stands and where its end does. What is there twice, in another
//! spelling or behind a coding is not found, and the answer is withheld. Leaves out which answers hand one out (the
//! rooms) and keeping it (the gate).

use http::header::CONTENT_ENCODING;
use ordain_action::{Call, Scalar, Undecodable};

use crate::answer::{AnswerHead, Expiration, MintedToken, TokenPlace};
use crate::form::{Fields, json};

/// Where an answer hands out a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handed {
    /// Where it stands.
    pub at: TokenPlace,
    /// Where its end stands; none where the answer shows a token whose end is known.
    pub ends: Option<Ends>,
    /// The member that says whom it is for; where there is none, what the request was done to is that.
    pub principal: Option<&'static str>,
}

/// Where the end of a token stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ends {
    /// A time, in that member.
    At(&'static str),
    /// So many seconds from now, in that member. None is no end at all.
    After(&'static str),
}

/// Finds the token of an answer that should carry one; none where the plane refused.
///
/// # Errors
/// It cannot be found exactly.
pub(crate) fn find(
    handed: &Handed,
    call: &Call,
    answer: &AnswerHead<'_>,
    body: &[u8],
) -> Result<Option<MintedToken>, Undecodable> {
    if !(200..300).contains(&answer.status) {
        return Ok(None);
    }
    if answer.headers.contains_key(CONTENT_ENCODING) {
        return Err(not_found());
    }
    let fields = if body.is_empty() { Fields::new() } else { fields(body).ok_or_else(not_found)? };
    let token = match handed.at {
        TokenPlace::Member(path) => fields.text(path),
        TokenPlace::Header(name) => only(answer, name),
    };
    let token = token.filter(|token| is_token(token)).ok_or_else(not_found)?.to_owned();
    let expiration = handed.ends.and_then(|ends| expiration(&fields, ends));
    let target = || {
        let resource = call.effects.first().and_then(|effect| effect.resources.first());
        resource.map(|resource| resource.name.clone()).unwrap_or_default()
    };
    let principal = match handed.principal {
        Some(path) => fields.text(path).map(str::to_owned).unwrap_or_default(),
        None => target(),
    };
    Ok(Some(MintedToken { token, at: handed.at, expiration, principal }))
}

fn expiration(fields: &Fields, ends: Ends) -> Option<Expiration> {
    match ends {
        Ends::At(path) => fields.text(path).map(|text| Expiration::At(text.to_owned())),
        Ends::After(path) => match fields.get(path) {
            Some(Scalar::Number(text)) => {
                text.parse().ok().filter(|seconds| *seconds > 0).map(Expiration::After)
            }
            Some(Scalar::Text(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_))
            | None => None,
        },
    }
}

/// The one value of a header.
fn only<'a>(answer: &AnswerHead<'a>, name: &str) -> Option<&'a str> {
    let mut values = answer.headers.get_all(name).iter();
    let value = values.next()?;
    value.to_str().ok().filter(|_| values.next().is_none())
}

/// JSON with one token in the place of another.
///
/// # Errors
/// The other does not stand there, once and as it is.
pub(crate) fn put(body: &[u8], path: &str, (from, to): (&str, &str)) -> Result<Vec<u8>, Undecodable> {
    put_in(body, path, (from, to), fields)
}

/// The same of a body that is read in another way too.
pub(crate) fn put_in(
    body: &[u8],
    path: &str,
    (from, to): (&str, &str),
    read: impl Fn(&[u8]) -> Option<Fields>,
) -> Result<Vec<u8>, Undecodable> {
    let text = std::str::from_utf8(body).map_err(|_| not_found())?;
    let stands = read(body).is_some_and(|fields| fields.text(path) == Some(from));
    // Wherever it stands, quotes around it or not: a token has nothing that would be written in another way.
    if !stands || !is_token(from) || !is_token(to) || text.matches(from).count() != 1 {
        return Err(not_found());
    }
    let replaced = text.replacen(from, to, 1).into_bytes();
    // The proof is in the result, not in how it was made.
    let again = read(&replaced).ok_or_else(not_found)?;
    let left = memchr::memmem::find(&replaced, from.as_bytes()).is_some();
    if left || again.text(path) != Some(to) {
        return Err(not_found());
    }
    Ok(replaced)
}

/// A token in plain letters, which JSON and headers write in one way alone.
pub(crate) fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:".contains(&byte);
    text.len() >= 8 && text.bytes().all(plain)
}

fn fields(body: &[u8]) -> Option<Fields> {
    let mut fields = Fields::new();
    json::read(body, &mut fields).ok().map(|()| fields)
}

/// Why an answer with a token in it is withheld.
pub(crate) fn not_found() -> Undecodable {
    Undecodable::new(
        "credentials_not_found",
        "the answer hands out a token in a form that cannot be replaced; ask for JSON, or ask the operator of the gate",
    )
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use ordain_action::{Answer, Plane};

    use super::*;

    const MEMBER: Handed = Handed {
        at: TokenPlace::Member("auth.client_token"),
        ends: Some(Ends::After("auth.lease_duration")),
        principal: Some("auth.entity_id"),
    };

    const HEADER: Handed = Handed {
        at: TokenPlace::Header("x-subject-token"),
        ends: Some(Ends::At("token.expires_at")),
        principal: Some("token.user.id"),
    };

    const BODY: &str =
        r#"{"auth":{"client_token":"hvs.real-token","accessor":"a","lease_duration":3600,"entity_id":"e"}}"#;

    /// What is found, in words.
    fn check(handed: &Handed, headers: &[(&'static str, &'static str)], body: &str, expected: &str) {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let call =
            Call { plane: Plane::Vault, effects: Vec::new(), answer: Answer::default(), region: "".into() };
        let answer = AnswerHead { status: 201, headers: &all };
        let said = match find(handed, &call, &answer, body.as_bytes()) {
            Err(why) => why.reason_code.to_owned(),
            Ok(None) => "none".to_owned(),
            Ok(Some(found)) => {
                format!("{} for {} until {:?}", found.token, found.principal, found.expiration)
            }
        };
        assert_eq!(said, expected, "{body}");
        let refused = AnswerHead { status: 403, headers: &all };
        assert_eq!(find(handed, &call, &refused, body.as_bytes()).unwrap(), None);
    }

    #[test]
    fn a_token_is_found_in_a_member_with_its_end() {
        check(&MEMBER, &[], BODY, "hvs.real-token for e until Some(After(3600))");
        for (said, ends) in
            [("0", "None"), ("-1", "None"), ("1.5", "None"), ("\"3600\"", "None"), ("null", "None")]
        {
            check(&MEMBER, &[], &BODY.replace("3600", said), &format!("hvs.real-token for e until {ends}"));
        }
        check(&MEMBER, &[], &BODY.replace("lease_duration", "ttl"), "hvs.real-token for e until None");
    }

    #[test]
    fn a_token_is_found_in_a_header_with_its_end() {
        let shown = ("x-subject-token", "gAAAAA-real_token");
        let body = r#"{"token":{"expires_at":"2026-01-01T00:00:00Z","user":{"id":"u"}}}"#;
        let found = "gAAAAA-real_token for u until Some(At(\"2026-01-01T00:00:00Z\"))";
        check(&HEADER, &[shown], body, found);
        check(&HEADER, &[shown], "", "gAAAAA-real_token for  until None");
        check(&HEADER, &[shown, shown], body, "credentials_not_found");
        check(&HEADER, &[], body, "credentials_not_found");
        check(&HEADER, &[("x-subject-token", "two tokens")], body, "credentials_not_found");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_found() {
        for body in [
            "no".to_owned(),
            "{}".to_owned(),
            "{\"auth\":null}".to_owned(),
            BODY.replace("\"accessor\":\"a\"", "\"client_token\":\"hvs.other-token\""),
            BODY.replace("\"accessor\"", "\"client\\u005ftoken\""),
            BODY.replace("hvs.real-token", "hvs.real token"),
            BODY.replace("hvs.real-token", "short"),
            BODY.replace("\"hvs.real-token\"", "[\"hvs.real-token\"]"),
            format!("{BODY}{BODY}"),
            format!("\u{feff}{BODY}"),
        ] {
            check(&MEMBER, &[], &body, "credentials_not_found");
        }
        check(&MEMBER, &[("content-encoding", "gzip")], BODY, "credentials_not_found");
    }

    #[test]
    fn only_the_token_changes() {
        let put = |body: &str| put(body.as_bytes(), "auth.client_token", ("hvs.real-token", "ordain.T.ours"));
        let ours = BODY.replace("hvs.real-token", "ordain.T.ours");
        assert_eq!(put(BODY), Ok(ours.into_bytes()));
        for body in [
            BODY.replace("\"a\"", "\"hvs.real-token\""),
            BODY.replace("\"a\"", "\"see hvs.real-token\""),
            BODY.replace("hvs.real", "hvs\\u002ereal"),
            BODY.replace("client_token", "other_token"),
        ] {
            assert_eq!(put(&body), Err(not_found()), "{body}");
        }
    }
}
