//! What AWS answers: request id, error code, identifiers of what was created.
//!
//! Leaves out credentials (`credentials.rs`). Answers are the upstream's and no proof of anything the caller says:
//! what cannot be read is left out, never guessed.

use std::sync::Arc;

use ordain_action::{Answer, Call, Created, Effect, Scalar};

use crate::answer::{AnswerHead, AnswerRead, Events};
use crate::form::fields::{segments, unescape};
use crate::form::{Fields, cbor, json, xml};

/// The most identifiers that are taken from one answer: more than any create makes.
const CREATED_MAX: usize = 1_000;

/// Whether an answer has the media type of event streams (Smithy, "Event stream serialization"), which an operation may
/// also let its callers choose.
pub(super) fn is_event_stream(answer: &AnswerHead<'_>) -> bool {
    let media = answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    (200..300).contains(&answer.status) && media.eq_ignore_ascii_case("application/vnd.amazon.eventstream")
}

/// The operations whose events come until somebody ends them: for five minutes and for three hours at the most.
const LASTING: [(&str, &str); 2] = [("kinesis", "SubscribeToShard"), ("logs", "StartLiveTail")];

/// How the events of an operation end.
pub(super) fn events(service: &str, operation: &str) -> Events {
    if LASTING.contains(&(service, operation)) { Events::Lasting } else { Events::Ending }
}

/// The form of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Xml,
    Json,
    Cbor,
}

/// The form by the answer's own media type, or by how the body begins where it has none.
pub(super) fn form(answer: &AnswerHead<'_>, body: &[u8]) -> Option<Form> {
    let media = answer.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media.contains("cbor") {
        return Some(Form::Cbor);
    }
    if media.contains("json") {
        return Some(Form::Json);
    }
    if media.contains("xml") {
        return Some(Form::Xml);
    }
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => Some(Form::Xml),
        Some(b'{') => Some(Form::Json),
        Some(_) | None => None,
    }
}

/// An answer's body as flat fields; every XML element counts as a list item, for an answer says not which are.
pub(super) fn fields(form: Form, body: &[u8]) -> Option<Fields> {
    let mut fields = Fields::new();
    let read = match form {
        Form::Xml => {
            let mut inner = Fields::new();
            let root = xml::read(body, &|_| true, &mut inner).ok()?;
            // Vendors count output paths from the root element.
            let mark = fields.enter(&root);
            for (path, value) in inner.iter() {
                fields.put_at(&format!("{root}.{path}"), value);
            }
            fields.leave(mark);
            Ok(())
        }
        Form::Json => json::read(body, &mut fields),
        Form::Cbor => cbor::read(body, &mut fields),
    };
    read.ok().map(|()| fields)
}

/// S3 answers these at once and says in the body how they ended (Amazon S3 API Reference, `CopyObject`).
const LATE: [&str; 3] = ["CompleteMultipartUpload", "CopyObject", "UploadPartCopy"];

/// Whether an answer that begins as a success may end in an error.
pub(crate) fn may_fail_late(call: &Call) -> bool {
    let late = |effect: &Effect| &*effect.service == "s3" && LATE.contains(&&*effect.operation);
    call.effects.iter().any(late)
}

/// A success whose body is an error after all: S3's own, without a namespace. Blanks before it kept the connection.
fn failed_late(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    let body = match body.strip_prefix(b"<?xml") {
        Some(declared) => memchr::memmem::find(declared, b"?>").and_then(|end| declared.get(end + 2..)),
        None => Some(body),
    };
    body.is_some_and(|body| body.trim_ascii_start().starts_with(b"<Error>"))
}

/// Reads the request id and, for an error, its code.
pub(super) fn read(answer: &AnswerHead<'_>, body: &[u8]) -> AnswerRead {
    let header =
        |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut request_id = header("x-amzn-requestid")
        .or_else(|| header("x-amz-request-id"))
        .or_else(|| header("x-amzn-request-id"));
    let failed = answer.status >= 400 || failed_late(body);
    let mut error_code = header("x-amzn-errortype").filter(|_| failed).map(|code| plain_code(&code));
    if request_id.is_none() || (failed && error_code.is_none()) {
        let found = form(answer, body).and_then(|form| fields(form, body));
        for (path, value) in found.iter().flat_map(Fields::iter) {
            let Scalar::Text(text) = value else { continue };
            match last_name(path).as_str() {
                "RequestId" | "RequestID" | "requestId" if request_id.is_none() => {
                    request_id = Some(text.to_owned())
                }
                "Code" | "__type" | "code" if failed && error_code.is_none() => {
                    error_code = Some(plain_code(text))
                }
                _ => {}
            }
        }
    }
    AnswerRead { request_id: request_id.unwrap_or_default(), error_code, status: None }
}

/// `com.amazon.coral#NotFoundException:http://…` is `NotFoundException`.
fn plain_code(code: &str) -> String {
    let code = code.split_once(':').map_or(code, |(code, _)| code);
    code.rsplit_once('#').map_or(code, |(_, code)| code).to_owned()
}

/// Reads the identifiers that a successful create's answer names.
pub(super) fn created(expected: &Answer, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
    if expected.creates.is_empty() || !(200..300).contains(&answer.status) {
        return Vec::new();
    }
    let mut created = Vec::new();
    let found = form(answer, body).and_then(|form| fields(form, body));
    for new in &expected.creates {
        // An identifier may stand in a header (S3 names a new bucket in `Location`).
        if let [only] = new.path.as_slice()
            && let Some(value) = only.strip_prefix("header:").and_then(|name| answer.headers.get(name))
        {
            let identifier = value.to_str().unwrap_or_default().trim_start_matches('/').to_owned();
            push(&mut created, &new.kind, &new.member, identifier);
            continue;
        }
        for (path, value) in found.iter().flat_map(Fields::iter) {
            if let Scalar::Text(text) = value
                && stands_at(path, &new.path)
            {
                push(&mut created, &new.kind, &new.member, text.to_owned());
            }
        }
    }
    created
}

fn push(created: &mut Vec<Created>, kind: &Arc<str>, member: &Arc<str>, identifier: String) {
    if !identifier.is_empty() && created.len() < CREATED_MAX {
        created.push(Created { kind: Arc::clone(kind), member: Arc::clone(member), identifier });
    }
}

/// Whether a leaf's path is the wanted one, item numbers aside; a wrapper around the whole answer
/// (`RunInstancesResponse`, `CreateRoleResult`) may be left out of the wanted path.
fn stands_at(path: &str, wanted: &[Arc<str>]) -> bool {
    let names: Vec<String> = names(path).collect();
    let wrappers = names.len().saturating_sub(wanted.len());
    if names.len() < wanted.len() || !names.iter().take(wrappers).all(|name| is_wrapper(name)) {
        return false;
    }
    names.iter().skip(wrappers).zip(wanted).all(|(name, wanted)| name.as_str() == &**wanted)
}

fn is_wrapper(name: &str) -> bool {
    name.ends_with("Response") || name.ends_with("Result")
}

fn names(path: &str) -> impl Iterator<Item = String> {
    segments(path).filter(|segment| !segment.bytes().all(|byte| byte.is_ascii_digit())).map(unescape)
}

fn last_name(path: &str) -> String {
    names(path).last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use ordain_action::NewIdentifier;

    use super::*;

    fn head(content_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(content_type));
        headers
    }

    fn answer(path: &[&str]) -> Answer {
        let path = path.iter().map(|name| Arc::from(*name)).collect();
        Answer {
            creates: vec![NewIdentifier { kind: "ec2:instance".into(), member: "InstanceId".into(), path }],
            ..Answer::default()
        }
    }

    fn identifiers(path: &[&str], content_type: &'static str, body: &str) -> Vec<String> {
        let headers = head(content_type);
        let found = created(&answer(path), &AnswerHead { status: 200, headers: &headers }, body.as_bytes());
        found.into_iter().map(|created| created.identifier).collect()
    }

    #[test]
    fn new_identifiers_are_read_from_lists_and_under_wrappers() {
        let body = "<RunInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
            <instancesSet><item><instanceId>i-1</instanceId><networkInterfaceSet><item><instanceId>no</instanceId></item>\
            </networkInterfaceSet></item><item><instanceId>i-2</instanceId></item></instancesSet></RunInstancesResponse>";
        assert_eq!(identifiers(&["instancesSet", "item", "instanceId"], "text/xml", body), ["i-1", "i-2"]);
        let body = "<CreateRoleResponse><CreateRoleResult><Role><RoleName>r</RoleName></Role></CreateRoleResult></CreateRoleResponse>";
        assert_eq!(identifiers(&["Role", "RoleName"], "text/xml", body), ["r"]);
        assert_eq!(
            identifiers(&["CreateRoleResponse", "CreateRoleResult", "Role", "RoleName"], "text/xml", body),
            ["r"]
        );
        let body = "{\"TableDescription\":{\"TableName\":\"t\"}}";
        assert_eq!(
            identifiers(&["TableDescription", "TableName"], "application/x-amz-json-1.0", body),
            ["t"]
        );
        assert!(identifiers(&["TableName"], "application/x-amz-json-1.0", body).is_empty());
        assert!(identifiers(&["TableDescription", "TableName"], "text/html", "nothing").is_empty());
    }

    #[test]
    fn a_copy_that_fails_after_it_was_answered_has_failed() {
        let headers = head("application/xml");
        let answer = AnswerHead { status: 200, headers: &headers };
        let late = "  <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InternalError</Code><RequestId>R1</RequestId></Error>";
        assert_eq!(
            read(&answer, late.trim_start().as_bytes()),
            AnswerRead {
                request_id: "R1".to_owned(),
                error_code: Some("InternalError".to_owned()),
                status: None
            }
        );
        let well = "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>";
        assert_eq!(read(&answer, well.as_bytes()).error_code, None);
        assert!(failed_late(late.as_bytes()) && !failed_late(well.as_bytes()));
    }

    #[test]
    fn request_id_and_error_code_are_found_in_head_or_body() {
        let headers = head("text/xml");
        let body = b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message></Error></Errors><RequestID>abc</RequestID></Response>";
        let found = read(&AnswerHead { status: 403, headers: &headers }, body);
        assert_eq!(
            (found.request_id.as_str(), found.error_code.as_deref()),
            ("abc", Some("UnauthorizedOperation"))
        );
        let mut headers = head("application/x-amz-json-1.1");
        headers.insert("x-amzn-requestid", HeaderValue::from_static("id"));
        let body = b"{\"__type\":\"com.amazonaws.kms#NotFoundException\",\"message\":\"m\"}";
        let found = read(&AnswerHead { status: 400, headers: &headers }, body);
        assert_eq!(
            (found.request_id.as_str(), found.error_code.as_deref()),
            ("id", Some("NotFoundException"))
        );
        assert_eq!(
            read(&AnswerHead { status: 200, headers: &headers }, b"{\"code\":\"x\"}").error_code,
            None
        );
    }
}
