//! What the head of a request says about itself: credential scope, target header, smithy path, action.
//!
//! Every mark is read once and strictly; a mark given twice is refused. Leaves out what the marks mean together.

use std::borrow::Cow;

use ordain_action::Undecodable;

use crate::Head;
use crate::form::REWRITING;
use crate::form::query::{self, Pair, Plus};
use crate::form::uri::Target;

/// Headers that may stand once only: servers take the first, the last, or join them.
const SINGLE: [&str; 9] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "smithy-protocol",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-target",
];

/// The scope of a SigV4 credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope<'a> {
    /// The region; empty for SigV4a, whose scope has none.
    pub(crate) region: &'a str,
    /// The signing name.
    pub(crate) service: &'a str,
}

/// How the request authenticates, as far as decoding cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// SigV4 or SigV4a, in the header or in the query.
    Signed,
    /// A bearer token or another scheme of an operation that takes no SigV4.
    Other,
    /// None.
    Absent,
}

/// All marks of a head.
#[derive(Debug, Clone)]
pub(crate) struct Markers<'a> {
    pub(crate) target: Target<'a>,
    /// The query, without the members of a presigned signature.
    pub(crate) query: Vec<Pair<'a>>,
    pub(crate) region: Cow<'a, str>,
    /// The signing name; empty when there is none.
    pub(crate) signing_name: Cow<'a, str>,
    pub(crate) authentication: Authentication,
    pub(crate) amz_target: Option<&'a str>,
    pub(crate) smithy_protocol: Option<&'a str>,
    /// The media type in lower case without its parameters; empty when there is none.
    pub(crate) media_type: String,
    /// There is an `x-amz-account-id` or `x-amz-outpost-id`: S3's control plane is meant and not a bucket.
    pub(crate) names_account: bool,
}

impl<'a> Markers<'a> {
    /// Reads the marks.
    pub(crate) fn read(head: &Head<'a>) -> Result<Self, Undecodable> {
        refuse_doubles(head)?;
        let target = Target::split(head.target)?;
        let mut query = query::parse(target.query, Plus::Refused)?;
        let mut region = Cow::Borrowed("");
        let mut signing_name = Cow::Borrowed("");
        let mut authentication = Authentication::Absent;
        if let Some(value) = head.headers.get("authorization") {
            let value = value.to_str().map_err(|_| bad_authorization())?;
            if value.starts_with("AWS4-") {
                let scope = header_scope(value).ok_or_else(bad_authorization)?;
                region = Cow::Borrowed(scope.region);
                signing_name = Cow::Borrowed(scope.service);
                authentication = Authentication::Signed;
            } else {
                authentication = Authentication::Other;
            }
        }
        let credential = query.iter().position(|pair| pair.name == "X-Amz-Credential");
        if let Some(at) = credential {
            if authentication != Authentication::Absent {
                return Err(Undecodable::new(
                    "two_signatures",
                    "the request is signed in the header and in the query; sign it once",
                ));
            }
            let value = query.get(at).map(|pair| pair.value.clone()).unwrap_or_default();
            let scope = scope(&value).ok_or_else(bad_authorization)?;
            region = Cow::Owned(scope.region.to_owned());
            signing_name = Cow::Owned(scope.service.to_owned());
            authentication = Authentication::Signed;
            query.retain(|pair| !is_presigned_member(&pair.name));
        }
        if !is_label(&signing_name) || !is_label(&region) {
            return Err(bad_authorization());
        }
        Ok(Self {
            target,
            query,
            region,
            signing_name,
            authentication,
            amz_target: visible(head, "x-amz-target")?,
            smithy_protocol: visible(head, "smithy-protocol")?,
            media_type: media_type(visible(head, "content-type")?.unwrap_or_default())?,
            names_account: head.headers.contains_key("x-amz-account-id")
                || head.headers.contains_key("x-amz-outpost-id"),
        })
    }

    /// The value of a query member; an error when it is given twice.
    pub(crate) fn query_value(&self, name: &str) -> Result<Option<&str>, Undecodable> {
        let mut found = self.query.iter().filter(|pair| pair.name == name);
        let value = found.next().map(|pair| pair.value.as_ref());
        if found.next().is_some() {
            return Err(crate::form::fields::duplicate(name));
        }
        Ok(value)
    }
}

/// Members that carry the signature of a presigned request and nothing of what it does.
fn is_presigned_member(name: &str) -> bool {
    matches!(
        name,
        "X-Amz-Algorithm"
            | "X-Amz-Credential"
            | "X-Amz-Date"
            | "X-Amz-Expires"
            | "X-Amz-SignedHeaders"
            | "X-Amz-Signature"
            | "X-Amz-Security-Token"
            | "X-Amz-Content-Sha256"
            | "X-Amz-Region-Set"
            | "X-Amz-User-Agent"
    )
}

fn refuse_doubles(head: &Head<'_>) -> Result<(), Undecodable> {
    for name in head.headers.keys() {
        let text = name.as_str();
        if REWRITING.contains(&text) {
            return Err(Undecodable::new(
                "method_override",
                format!(
                    "header `{text}` asks for another method or path than the request line; leave it out"
                ),
            ));
        }
        let single = SINGLE.contains(&text) || text.starts_with("x-amz-");
        if single && head.headers.get_all(name).iter().nth(1).is_some() {
            return Err(Undecodable::new(
                "duplicate_header",
                format!("header `{text}` is given twice; send it once"),
            ));
        }
    }
    Ok(())
}

fn visible<'a>(head: &Head<'a>, name: &str) -> Result<Option<&'a str>, Undecodable> {
    let Some(value) = head.headers.get(name) else { return Ok(None) };
    value.to_str().map(Some).map_err(|_| {
        Undecodable::new("bad_header", format!("header `{name}` is not plain text; send visible ASCII"))
    })
}

fn bad_authorization() -> Undecodable {
    Undecodable::new(
        "bad_credential_scope",
        "the credential scope cannot be read; write `KEY/DATE/REGION/SERVICE/aws4_request`",
    )
}

/// The scope of `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
pub(crate) fn header_scope(value: &str) -> Option<Scope<'_>> {
    let (_, members) = value.split_once(' ')?;
    let mut credentials = members.split(',').filter_map(|member| member.trim().strip_prefix("Credential="));
    let credential = credentials.next()?;
    if credentials.next().is_some() {
        return None;
    }
    scope(credential)
}

/// `KEY/DATE/REGION/SERVICE/aws4_request`, or without the region for SigV4a.
fn scope(credential: &str) -> Option<Scope<'_>> {
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        [_, _, region, service, "aws4_request"] if !region.is_empty() && !service.is_empty() => {
            Some(Scope { region, service })
        }
        [_, _, service, "aws4_request"] if !service.is_empty() => Some(Scope { region: "", service }),
        _ => None,
    }
}

/// A region or signing name is one plain word: anything else could build a host of its own.
pub(crate) fn is_label(text: &str) -> bool {
    text.len() <= 63 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The media type in lower case. Only UTF-8 is accepted as a charset.
fn media_type(value: &str) -> Result<String, Undecodable> {
    let mut parts = value.split(';');
    let media = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    for parameter in parts {
        let (name, charset) = parameter.trim().split_once('=').unwrap_or((parameter.trim(), ""));
        let plain = charset.trim_matches('"');
        if name.eq_ignore_ascii_case("charset")
            && !plain.eq_ignore_ascii_case("utf-8")
            && !plain.eq_ignore_ascii_case("utf8")
            && is_text(&media)
        {
            return Err(Undecodable::new(
                "unknown_charset",
                format!("charset `{}` is not read; send UTF-8", crate::form::fields::clip(plain)),
            ));
        }
    }
    Ok(media)
}

/// Bodies that we parse: an object's own charset is its own business.
fn is_text(media: &str) -> bool {
    media.contains("json") || media.contains("xml") || media == "application/x-www-form-urlencoded"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_exactly() {
        let value = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(header_scope(value), Some(Scope { region: "eu-west-1", service: "ec2" }));
        let v4a = "AWS4-ECDSA-P256-SHA256 Credential=AKID/20260101/s3/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(header_scope(v4a), Some(Scope { region: "", service: "s3" }));
        for bad in [
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/ec2/aws4_request, Credential=B/2/r/s/aws4_request",
            "AWS4-HMAC-SHA256 Credential=AKID/20260101//ec2/aws4_request",
            "AWS4-HMAC-SHA256 Credential=AKID",
            "AWS4-HMAC-SHA256",
        ] {
            assert_eq!(header_scope(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_label_builds_no_host() {
        assert!(is_label("us-gov-west-1") && is_label("sso_oauth") && is_label(""));
        assert!(!is_label("us-east-1.evil.example") && !is_label("a/b") && !is_label("a b"));
    }

    #[test]
    fn only_utf8_is_a_charset() {
        assert_eq!(media_type("Application/JSON; charset=UTF-8").unwrap(), "application/json");
        assert_eq!(media_type("text/plain; charset=latin1").unwrap(), "text/plain");
        assert_eq!(
            media_type("application/json; charset=utf-16").unwrap_err().reason_code,
            "unknown_charset"
        );
    }
}
