//! Credentials in an answer: found exactly, and exchanged for others without touching another byte.
//!
//! Leaves out issuing the others. Whatever is not found exactly once is an error, for then a real credential
//! could reach the caller.

use ordain_action::{Minted, Scalar, Undecodable};

use super::answer::{Form, fields, form};
use crate::answer::{AnswerHead, KeyPairReplacement, MintedKeyPair};
use crate::form::Fields;
use crate::form::fields::{segments, unescape};

/// Finds the credentials of an answer that should carry some.
pub(super) fn find(
    minted: Minted,
    answer: &AnswerHead<'_>,
    body: &[u8],
) -> Result<Option<MintedKeyPair>, Undecodable> {
    if !(200..300).contains(&answer.status) {
        return Ok(None);
    }
    let found = form(answer, body).and_then(|form| fields(form, body)).ok_or_else(not_found)?;
    let access_key_id = only(&found, "accesskeyid")?.ok_or_else(not_found)?;
    let secret_access_key = only(&found, "secretaccesskey")?.ok_or_else(not_found)?;
    let session_token = only(&found, "sessiontoken")?;
    let expiration = only(&found, "expiration")?;
    let whole = match minted {
        Minted::Session => session_token.is_some(),
        Minted::AccessKey => session_token.is_none(),
        Minted::Bearer | Minted::Unrewritable => false,
    };
    if !whole {
        return Err(not_found());
    }
    let principal = leaf(&found, &["assumedroleuser", "arn"])
        .or_else(|| leaf(&found, &["federateduser", "arn"]))
        .or_else(|| leaf(&found, &["accesskey", "username"]))
        .unwrap_or_default();
    Ok(Some(MintedKeyPair { access_key_id, secret_access_key, session_token, expiration, principal }))
}

/// Puts others in their place.
pub(super) fn replace(
    found: &MintedKeyPair,
    replacement: &KeyPairReplacement<'_>,
    answer: &AnswerHead<'_>,
    body: &[u8],
) -> Result<Vec<u8>, Undecodable> {
    let form = form(answer, body).ok_or_else(not_found)?;
    let mut pairs = vec![
        (found.access_key_id.as_str(), replacement.access_key_id),
        (found.secret_access_key.as_str(), replacement.secret_access_key),
    ];
    match (&found.session_token, replacement.session_token) {
        (Some(real), Some(ours)) => pairs.push((real, ours)),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => return Err(not_found()),
    }
    let replaced = match form {
        Form::Xml => in_text(body, &pairs, ">", "<")?,
        Form::Json => in_text(body, &pairs, "\"", "\"")?,
        Form::Cbor => in_cbor(body, &pairs)?,
    };
    // The proof is in the result, not in how it was made.
    let leaks = pairs.iter().any(|(real, _)| memchr::memmem::find(&replaced, real.as_bytes()).is_some());
    let read_again = fields(form, &replaced).ok_or_else(not_found)?;
    let ours = only(&read_again, "accesskeyid")?.as_deref() == Some(replacement.access_key_id)
        && only(&read_again, "secretaccesskey")?.as_deref() == Some(replacement.secret_access_key)
        && only(&read_again, "sessiontoken")?.as_deref() == replacement.session_token;
    if leaks || !ours {
        return Err(not_found());
    }
    Ok(replaced)
}

fn not_found() -> Undecodable {
    Undecodable::new(
        "credentials_not_found",
        "the answer hands out credentials in a form that cannot be replaced; ask the operator of the gate",
    )
}

/// The one value under a name in lower case; an error when there are two.
fn only(found: &Fields, name: &str) -> Result<Option<String>, Undecodable> {
    let mut values = found.iter().filter(|(path, _)| names(path).last().is_some_and(|last| last == name));
    let Some((_, value)) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(not_found());
    }
    match value {
        Scalar::Text(text) | Scalar::Number(text) => Ok(Some(text.to_owned())),
        Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => Err(not_found()),
    }
}

fn leaf(found: &Fields, wanted: &[&str]) -> Option<String> {
    found.iter().find_map(|(path, value)| {
        let names: Vec<String> = names(path).collect();
        let tail = names.get(names.len().checked_sub(wanted.len())?..)?;
        let Scalar::Text(text) = value else { return None };
        tail.iter().zip(wanted).all(|(name, wanted)| name == wanted).then(|| text.to_owned())
    })
}

fn names(path: &str) -> impl Iterator<Item = String> {
    segments(path)
        .filter(|segment| !segment.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|segment| unescape(segment).to_ascii_lowercase())
}

/// Replaces values between their borders, each of which must stand there exactly once.
fn in_text(body: &[u8], pairs: &[(&str, &str)], before: &str, after: &str) -> Result<Vec<u8>, Undecodable> {
    let mut text = std::str::from_utf8(body).map_err(|_| not_found())?.to_owned();
    for (real, ours) in pairs {
        let plain = ours
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\\'));
        let bordered = format!("{before}{real}{after}");
        if !plain || text.matches(&bordered).count() != 1 {
            return Err(not_found());
        }
        text = text.replacen(&bordered, &format!("{before}{ours}{after}"), 1);
    }
    Ok(text.into_bytes())
}

/// Copies a body item by item, with other text in the place of the values.
fn in_cbor(body: &[u8], pairs: &[(&str, &str)]) -> Result<Vec<u8>, Undecodable> {
    use minicbor::data::{Token, Type};

    let mut out = Vec::with_capacity(body.len());
    let mut decoder = minicbor::Decoder::new(body);
    while decoder.position() < body.len() {
        let start = decoder.position();
        let kind = decoder.datatype().map_err(|_| not_found())?;
        if kind == Type::String {
            let text = decoder.str().map_err(|_| not_found())?;
            if let Some((_, ours)) = pairs.iter().find(|(real, _)| *real == text) {
                let written = minicbor::Encoder::new(&mut out).str(ours).map(|_| ());
                written.map_err(|_| not_found())?;
                continue;
            }
        } else {
            // One token: the head of a list or map, or a whole scalar.
            let token = decoder.tokens().next().ok_or_else(not_found)?.map_err(|_| not_found())?;
            if matches!(token, Token::String(_)) {
                return Err(not_found());
            }
        }
        out.extend_from_slice(body.get(start..decoder.position()).ok_or_else(not_found)?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    const ASSUMED: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
        <AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn></AssumedRoleUser>\
        <Credentials><AccessKeyId>ASIAREAL</AccessKeyId><SecretAccessKey>se/cr+et=</SecretAccessKey>\
        <SessionToken>real//token==</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration></Credentials>\
        </AssumeRoleResult></AssumeRoleResponse>";

    const OURS: KeyPairReplacement<'static> = KeyPairReplacement {
        access_key_id: "ASIAOURS",
        secret_access_key: "other",
        session_token: Some("ours"),
    };

    fn exchange(
        minted: Minted,
        media: &'static str,
        body: &[u8],
        ours: &KeyPairReplacement<'_>,
    ) -> Result<Vec<u8>, Undecodable> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(media));
        let answer = AnswerHead { status: 200, headers: &headers };
        let found = find(minted, &answer, body)?.ok_or_else(not_found)?;
        replace(&found, ours, &answer, body)
    }

    #[test]
    fn a_session_is_exchanged_and_nothing_else_changes() {
        let replaced = exchange(Minted::Session, "text/xml", ASSUMED.as_bytes(), &OURS).unwrap();
        let expected = ASSUMED
            .replace("ASIAREAL", "ASIAOURS")
            .replace("se/cr+et=", "other")
            .replace("real//token==", "ours");
        assert_eq!(String::from_utf8(replaced).unwrap(), expected);
    }

    #[test]
    fn json_and_cbor_answers_are_exchanged_too() {
        let body = r#"{"Credentials":{"AccessKeyId":"ASIAREAL","SecretAccessKey":"s3cret","SessionToken":"tok","Expiration":1.5}}"#;
        let replaced = exchange(Minted::Session, "application/json", body.as_bytes(), &OURS).unwrap();
        assert_eq!(
            String::from_utf8(replaced).unwrap(),
            r#"{"Credentials":{"AccessKeyId":"ASIAOURS","SecretAccessKey":"other","SessionToken":"ours","Expiration":1.5}}"#
        );
        let mut body = Vec::new();
        let mut encoder = minicbor::Encoder::new(&mut body);
        encoder.begin_map().unwrap().str("accessKeyId").unwrap().str("ASIAREAL").unwrap();
        encoder
            .str("secretAccessKey")
            .unwrap()
            .str("s3cret")
            .unwrap()
            .str("sessionToken")
            .unwrap()
            .str("tok")
            .unwrap();
        encoder.str("list").unwrap().array(2).unwrap().u64(7).unwrap().bool(true).unwrap().end().unwrap();
        let replaced = exchange(Minted::Session, "application/cbor", &body, &OURS).unwrap();
        let mut fields = Fields::new();
        crate::form::cbor::read(&replaced, &mut fields).unwrap();
        assert_eq!(fields.text("sessionToken"), Some("ours"));
        assert_eq!(fields.text("list.1"), Some("7"));
    }

    #[test]
    fn what_is_not_found_exactly_once_does_not_pass() {
        let check = |minted, media, body: &str| {
            exchange(minted, media, body.as_bytes(), &OURS).unwrap_err().reason_code
        };
        assert_eq!(check(Minted::AccessKey, "text/xml", ASSUMED), "credentials_not_found");
        let twice = ASSUMED.replace("AROA:s", "ASIAREAL");
        assert_eq!(check(Minted::Session, "text/xml", &twice), "credentials_not_found");
        let escaped = r#"{"AccessKeyId":"ASIAREAL","SecretAccessKey":"s\/x","SessionToken":"tok"}"#;
        assert_eq!(check(Minted::Session, "application/json", escaped), "credentials_not_found");
        assert_eq!(check(Minted::Session, "text/plain", "hello"), "credentials_not_found");
    }

    #[test]
    fn an_error_answer_carries_none() {
        let headers = HeaderMap::new();
        assert_eq!(find(Minted::Session, &AnswerHead { status: 403, headers: &headers }, b"").unwrap(), None);
    }

    #[test]
    fn real_secrets_do_not_show_in_debug_output() {
        let headers = HeaderMap::new();
        let found = find(Minted::Session, &AnswerHead { status: 200, headers: &headers }, ASSUMED.as_bytes())
            .unwrap();
        let shown = format!("{found:?}");
        assert!(shown.contains("ASIAREAL") && !shown.contains("se/cr+et=") && !shown.contains("real//token"));
    }
}
