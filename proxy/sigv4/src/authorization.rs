//! Where a request carries its signature: the `authorization` header, or the query of a presigned URL.
//!
//! Read strictly: each part once, in the form that every client writes. Leaves out whether it is right.

use std::borrow::Cow;

use crate::canonical::nibble;
use crate::head::AUTHORITY;
use crate::{AmzDate, Head, Placement, Refusal, Scope};

/// A signature as it is presented.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) placement: Placement,
    pub(crate) scope: Scope,
    /// Lower case, sorted, parted by `;`.
    pub(crate) signed_headers: String,
    pub(crate) signature: [u8; 32],
    pub(crate) date: AmzDate,
    pub(crate) session_token: Option<String>,
    /// What stands for the body's hash, where it is declared.
    pub(crate) content: Option<String>,
}

/// The parameters that sign a query. They never go on.
pub(crate) const RESERVED: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// Finds the one signature of a request.
pub(crate) fn find(head: &Head<'_>) -> Result<Presented, Refusal> {
    let query = Query::read(head.query())?;
    let header = head.once("authorization")?;
    match (header, query.signs()) {
        (Some(_), true) => Err(Refusal::TwoSignatures),
        (Some(text), false) => in_header(head, text),
        (None, true) => in_query(head, &query),
        (None, false) => Err(unsigned(head, &query)),
    }
}

fn unsigned(head: &Head<'_>, query: &Query<'_>) -> Refusal {
    let form = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    if query.version_2 {
        Refusal::Version2
    } else if head.method == "POST" && form.is_some_and(|form| form.starts_with("multipart/form-data")) {
        Refusal::PostForm
    } else {
        Refusal::Unsigned
    }
}

fn in_header(head: &Head<'_>, text: &str) -> Result<Presented, Refusal> {
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    match scheme {
        "AWS4-HMAC-SHA256" => {}
        "AWS4-ECDSA-P256-SHA256" => return Err(Refusal::Version4a),
        "AWS" => return Err(Refusal::Version2),
        other => return Err(Refusal::OtherScheme(other.chars().take(32).collect())),
    }
    let (mut credential, mut signed, mut signature) = (None, None, None);
    for part in rest.split(',') {
        let (name, value) = part
            .trim_matches(' ')
            .split_once('=')
            .ok_or_else(|| authorization("holds a part without `=`"))?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed,
            "Signature" => &mut signature,
            _ => return Err(authorization("holds an unknown part")),
        };
        if slot.replace(value).is_some() {
            return Err(authorization("holds a part twice"));
        }
    }
    let (Some(credential), Some(signed), Some(signature)) = (credential, signed, signature) else {
        return Err(authorization("lacks a part"));
    };
    let date = head
        .once("x-amz-date")?
        .ok_or_else(|| Refusal::malformed("the header `x-amz-date` is missing; send the time of signing"))?;
    Ok(Presented {
        placement: Placement::Header,
        scope: Scope::parse(credential)?,
        signed_headers: signed_headers(signed)?,
        signature: signature_bytes(signature)?,
        date: stamp(date)?,
        session_token: head.once("x-amz-security-token")?.map(str::to_owned),
        content: head.once("x-amz-content-sha256")?.map(str::to_owned),
    })
}

fn in_query(head: &Head<'_>, query: &Query<'_>) -> Result<Presented, Refusal> {
    match query.text("X-Amz-Algorithm") {
        Some("AWS4-HMAC-SHA256") => {}
        Some("AWS4-ECDSA-P256-SHA256") => return Err(Refusal::Version4a),
        Some(_) => {
            return Err(Refusal::malformed("`X-Amz-Algorithm` is not one that AWS has; make a new URL"));
        }
        None => return Err(lacks("X-Amz-Algorithm")),
    }
    // A presigned request with credentials in its headers too could be read in two ways.
    for name in ["x-amz-date", "x-amz-security-token"] {
        if head.headers.contains_key(name) {
            return Err(Refusal::TwoSignatures);
        }
    }
    let needed = |name: &'static str| query.text(name).ok_or_else(|| lacks(name));
    let expires = needed("X-Amz-Expires")?;
    // `u32::from_str` would take a sign.
    let digits =
        !expires.is_empty() && expires.len() <= 6 && expires.bytes().all(|byte| byte.is_ascii_digit());
    let expires = expires.parse().ok().filter(|seconds| digits && *seconds <= crate::EXPIRES_MAX);
    let expires = expires.ok_or_else(|| {
        Refusal::malformed("`X-Amz-Expires` is not between 0 and 604800 seconds; make a shorter-lived URL")
    })?;
    let content = match (query.text("X-Amz-Content-Sha256"), head.once("x-amz-content-sha256")?) {
        (Some(_), Some(_)) => return Err(Refusal::TwoSignatures),
        (declared, None) | (None, declared) => declared.map(str::to_owned),
    };
    Ok(Presented {
        placement: Placement::Query { expires },
        scope: Scope::parse(needed("X-Amz-Credential")?)?,
        signed_headers: signed_headers(needed("X-Amz-SignedHeaders")?)?,
        signature: signature_bytes(needed("X-Amz-Signature")?)?,
        date: stamp(needed("X-Amz-Date")?)?,
        session_token: query.text("X-Amz-Security-Token").map(str::to_owned),
        content,
    })
}

/// The reserved parameters of a query, unescaped.
#[derive(Debug, Default)]
struct Query<'a> {
    found: Vec<(&'static str, Cow<'a, str>)>,
    version_2: bool,
}

impl<'a> Query<'a> {
    fn read(query: &'a str) -> Result<Self, Refusal> {
        let mut read = Self::default();
        for piece in query.split('&') {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let Some(reserved) = reserved(name) else {
                read.version_2 |= matches!(name, "AWSAccessKeyId" | "SignatureVersion");
                continue;
            };
            if name != reserved {
                return Err(Refusal::malformed(format!(
                    "`{reserved}` is written in another way; write it so"
                )));
            }
            if read.text(reserved).is_some() {
                return Err(Refusal::malformed(format!("`{reserved}` is given twice; give it once")));
            }
            let value = unescape(value).ok_or_else(|| {
                Refusal::malformed(format!("`{reserved}` holds a broken escape; make a new URL"))
            })?;
            read.found.push((reserved, value));
        }
        Ok(read)
    }

    fn signs(&self) -> bool {
        !self.found.is_empty()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.found.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_ref())
    }
}

/// The reserved parameter that a name is, however it is escaped or cased.
pub(crate) fn reserved(name: &str) -> Option<&'static str> {
    let plain = unescape(name)?;
    RESERVED.into_iter().find(|reserved| reserved.eq_ignore_ascii_case(&plain))
}

fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => (bytes.next().and_then(nibble)? << 4) | bytes.next().and_then(nibble)?,
            other => other,
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn signed_headers(text: &str) -> Result<String, Refusal> {
    let mut before = "";
    let mut host = false;
    for name in text.split(';') {
        // Sorted and without a second of the same name is what makes the canonical text unique.
        let in_order = name > before;
        let well_formed = name == AUTHORITY
            || name.bytes().all(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(
                        byte,
                        b'-' | b'_' | b'.' | b'!' | b'#' | b'$' | b'&' | b'+' | b'^' | b'|' | b'~'
                    )
            });
        if !in_order || !well_formed {
            return Err(Refusal::malformed(
                "the signed headers are not a sorted list of names in lower case; list each once",
            ));
        }
        host |= matches!(name, "host" | AUTHORITY);
        before = name;
    }
    if !host {
        return Err(Refusal::UnsignedHeader("host".to_owned()));
    }
    Ok(text.to_owned())
}

fn signature_bytes(text: &str) -> Result<[u8; 32], Refusal> {
    let mut bytes = [0; 32];
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if lower => Ok(bytes),
        Ok(()) | Err(_) => {
            Err(Refusal::malformed("the signature is not 64 hexadecimal digits in lower case; sign again"))
        }
    }
}

fn stamp(text: &str) -> Result<AmzDate, Refusal> {
    AmzDate::parse(text).ok_or_else(|| {
        Refusal::malformed("the time of signing is not written like `20260102T030405Z`; write it so")
    })
}

fn authorization(what: &str) -> Refusal {
    Refusal::malformed(format!(
        "the `authorization` header {what}; write `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`"
    ))
}

fn lacks(name: &str) -> Refusal {
    Refusal::malformed(format!("the presigned URL lacks `{name}`; make a new one"))
}
