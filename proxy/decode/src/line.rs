//! Requests as lines of JSON, or as raw HTTP text, and what is read from them as lines of JSON.
//!
//! The formats here are durable and have types of their own. Leaves out files and streams: text in, text out.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use ordain_action::{
    Action, Actor, ActorKind, Call, Completeness, Digest, IdentityProof, Party, Plane, Reading, Resource,
    Scalar, Undecodable, Upstream, request_digest,
};
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};

use crate::{Head, Rooms};

/// The account that names are built with where no upstream says which.
pub const NO_ACCOUNT: &str = "000000000000";

/// Where a request is taken to have come.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The upstream, whose account stands in the names of resources.
    pub upstream: &'a Upstream,
    /// That upstream's own room reads it, whatever it looks like; else the request has to say of which plane it is.
    pub served: bool,
}

/// One request, as a line has it.
#[derive(Debug, Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow, default)]
    headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(borrow, default)]
    body_b64: Cow<'a, str>,
}

/// Reads one line and appends one line: what the request would do, or why that cannot be said.
pub fn decode_line(rooms: &Rooms, line: &str, out: &mut String) {
    decode_line_at(rooms, At { upstream: &nobody().upstream, served: false }, line, out);
}

/// Reads one line as what came there.
pub fn decode_line_at(rooms: &Rooms, at: At<'_>, line: &str, out: &mut String) {
    match serde_json::from_str::<Line<'_>>(line) {
        Ok(line) => {
            let read = read_line(rooms, at, &line);
            write(&line.id, at.upstream, read, out);
        }
        Err(error) => {
            let why = Undecodable::new(
                "bad_line",
                format!("the line is not a request: {error}; see `ordain decode --help`"),
            );
            write("", at.upstream, Err(why), out);
        }
    }
}

/// Reads one line as what came there: its id, and what the request would do.
///
/// # Errors
/// The line is not a request.
pub fn read_request(rooms: &Rooms, at: At<'_>, line: &str) -> Result<(String, Reading), Undecodable> {
    let line: Line<'_> = serde_json::from_str(line).map_err(|error| {
        Undecodable::new(
            "bad_line",
            format!("the line is not a request: {error}; see `ordain decode --help`"),
        )
    })?;
    let reading = match read_line(rooms, at, &line) {
        Ok((reading, _)) => reading,
        Err(why) => Reading::Undecodable { plane: Plane::Unknown, why },
    };
    Ok((line.id.into_owned(), reading))
}

/// Reads one raw HTTP request and appends one line.
pub fn decode_raw(rooms: &Rooms, at: At<'_>, id: &str, raw: &[u8], out: &mut String) {
    let read = read_raw(rooms, at, raw);
    write(id, at.upstream, read, out);
}

/// Reads one raw HTTP request as what came there: what it would do.
///
/// # Errors
/// The text is no HTTP request. One that no room claims is undecodable, and no error.
pub fn read_raw_request(rooms: &Rooms, at: At<'_>, raw: &[u8]) -> Result<Reading, Undecodable> {
    match read_raw(rooms, at, raw) {
        Ok((reading, _)) => Ok(reading),
        Err(why) if matches!(why.reason_code, "bad_http" | "bad_header") => Err(why),
        Err(why) => Ok(Reading::Undecodable { plane: Plane::Unknown, why }),
    }
}

fn read_line(rooms: &Rooms, at: At<'_>, line: &Line<'_>) -> Result<(Reading, Digest), Undecodable> {
    let rest = line.url.split_once("://").map(|(_, rest)| rest).ok_or_else(|| bad_url(&line.url))?;
    let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(cut).ok_or_else(|| bad_url(&line.url))?;
    let target: Cow<'_, str> =
        if target.starts_with('/') { Cow::Borrowed(target) } else { Cow::Owned(format!("/{target}")) };
    let mut headers = HeaderMap::with_capacity(line.headers.len());
    for (name, value) in &line.headers {
        append(&mut headers, name, value.as_bytes())?;
    }
    if let Some(host) = headers.get("host")
        && !same_host(host.as_bytes(), authority)
    {
        return Err(Undecodable::new(
            "host_mismatch",
            "the host header and the URL name two hosts; name one",
        ));
    }
    let body = STANDARD
        .decode(line.body_b64.as_bytes())
        .map_err(|_| Undecodable::new("bad_line", "`body_b64` is not base64; encode the body"))?;
    read(rooms, at, &line.method, &target, authority, &headers, &body)
}

fn bad_url(url: &str) -> Undecodable {
    Undecodable::new(
        "bad_url",
        format!("`{}` is not an absolute URL; give scheme and host", crate::form::fields::clip(url)),
    )
}

/// The same host, a default port aside.
fn same_host(header: &[u8], authority: &str) -> bool {
    let plain = |text: &str| text.trim_end_matches(":443").trim_end_matches(":80").to_ascii_lowercase();
    std::str::from_utf8(header).is_ok_and(|header| plain(header) == plain(authority))
}

fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), Undecodable> {
    let bad = || {
        Undecodable::new(
            "bad_header",
            format!("header `{}` is not valid; send it as RFC 9110 says", crate::form::fields::clip(name)),
        )
    };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    headers.append(parsed, HeaderValue::from_bytes(value).map_err(|_| bad())?);
    Ok(())
}

fn read_raw(rooms: &Rooms, at: At<'_>, raw: &[u8]) -> Result<(Reading, Digest), Undecodable> {
    let bad = || {
        Undecodable::new(
            "bad_http",
            "the text is not an HTTP request; give request line, headers, an empty line, body",
        )
    };
    let (head, body) = split_head(raw).ok_or_else(bad)?;
    let head = std::str::from_utf8(head).map_err(|_| bad())?;
    let mut lines = head.lines();
    let mut request_line = lines.next().ok_or_else(bad)?.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (request_line.next(), request_line.next(), request_line.next(), request_line.next())
    else {
        return Err(bad());
    };
    if !matches!(version, "HTTP/1.1" | "HTTP/1.0" | "HTTP/2") {
        return Err(bad());
    }
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(bad)?;
        append(&mut headers, name, value.trim_matches([' ', '\t']).as_bytes())?;
    }
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    read(rooms, at, method, target, &host, &headers, body)
}

/// Head and body at the first empty line; text files may end their lines in a line feed alone.
fn split_head(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let crlf = memchr::memmem::find(raw, b"\r\n\r\n").map(|at| (at, 4));
    let lf = memchr::memmem::find(raw, b"\n\n").map(|at| (at, 2));
    let (at, length) = crlf.into_iter().chain(lf).min().unwrap_or((raw.len(), 0));
    let (head, rest) = raw.split_at_checked(at)?;
    Some((head, rest.get(length..)?))
}

fn read(
    rooms: &Rooms,
    at: At<'_>,
    method: &str,
    target: &str,
    authority: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Reading, Digest), Undecodable> {
    let mut head = Head {
        method,
        target,
        authority,
        headers,
        way_in: crate::WayIn::Reverse,
        plane: at.served.then_some(at.upstream.plane),
        upstream: at.served.then_some(&*at.upstream.name),
    };
    head.way_in = Rooms::way_in(head.host());
    head.plane = head.plane.or_else(|| rooms.looks_like(&head));
    if head.plane == Some(Plane::Grpc) && !at.served {
        return Err(Undecodable::new(
            "unknown_api",
            "a call over gRPC is read by the descriptors of its API; say which upstream serves it (`--upstream NAME`)",
        ));
    }
    let declared = headers.get("x-amz-content-sha256").and_then(|hash| hash.to_str().ok());
    let claim = rooms.claim(&head)?;
    Ok((claim.decode(at.upstream, &head, body, declared), Digest::of(body)))
}

/// An actor for the digest, which has to name one: nobody asks here.
fn nobody() -> Actor {
    Actor {
        party: Party { name: Arc::from(""), kind: ActorKind::Person },
        credential: Arc::from(""),
        proof: IdentityProof::Claimed,
        on_behalf_of: Vec::new(),
        session: None,
        upstream: Upstream {
            name: Arc::from("default"),
            plane: Plane::Aws,
            account: Arc::from(NO_ACCOUNT),
            partition: Arc::from("aws"),
        },
    }
}

fn write(id: &str, upstream: &Upstream, read: Result<(Reading, Digest), Undecodable>, out: &mut String) {
    let line = match read {
        Ok((reading @ Reading::Call(_), body)) => {
            let action = Action { actor: Actor { upstream: upstream.clone(), ..nobody() }, reading };
            let digest = request_digest(&action, || body);
            match &action.reading {
                Reading::Call(call) => serde_json::to_string(&CallLine { id, call, digest }),
                Reading::Undecodable { why, .. } => serde_json::to_string(&UndecodableLine { id, why }),
            }
        }
        Ok((Reading::Undecodable { why, .. }, _)) | Err(why) => {
            serde_json::to_string(&UndecodableLine { id, why: &why })
        }
    };
    match line {
        Ok(line) => out.push_str(&line),
        // Text and numbers always serialise; were it otherwise, the line still says that nothing was read.
        Err(error) => drop(write!(
            out,
            "{{\"undecodable\":{{\"reason_code\":\"internal_fault\",\"text\":\"{error:?}\"}}}}"
        )),
    }
    out.push('\n');
}

struct CallLine<'a> {
    id: &'a str,
    call: &'a Call,
    digest: Digest,
}

impl Serialize for CallLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("call", 5)?;
        line.serialize_field("id", self.id)?;
        line.serialize_field("plane", self.call.plane.as_str())?;
        line.serialize_field("region", &*self.call.region)?;
        line.serialize_field("effects", &Effects(self.call))?;
        line.serialize_field("digest", &self.digest.to_hex())?;
        line.end()
    }
}

struct UndecodableLine<'a> {
    id: &'a str,
    why: &'a Undecodable,
}

impl Serialize for UndecodableLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("undecodable", 2)?;
        line.serialize_field("id", self.id)?;
        line.serialize_field("undecodable", &Why(self.why))?;
        line.end()
    }
}

struct Why<'a>(&'a Undecodable);

impl Serialize for Why<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut why = serializer.serialize_struct("why", 2)?;
        why.serialize_field("reason_code", self.0.reason_code)?;
        why.serialize_field("text", &self.0.text)?;
        why.end()
    }
}

struct Effects<'a>(&'a Call);

impl Serialize for Effects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut effects = serializer.serialize_seq(Some(self.0.effects.len()))?;
        for effect in &self.0.effects {
            effects.serialize_element(&Effect(effect))?;
        }
        effects.end()
    }
}

struct Effect<'a>(&'a ordain_action::Effect);

impl Serialize for Effect<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let effect = self.0;
        let mut line = serializer.serialize_struct("effect", 8)?;
        line.serialize_field("service", &*effect.service)?;
        line.serialize_field("operation", &*effect.operation)?;
        line.serialize_field("iam_action", &*effect.iam_action)?;
        line.serialize_field("access", effect.access.as_str())?;
        line.serialize_field("level", effect.level.as_str())?;
        line.serialize_field("resources", &Resources(&effect.resources))?;
        line.serialize_field("parameters", &Parameters(&effect.parameters))?;
        let (completeness, why) = match effect.parameters.completeness() {
            Completeness::Complete => ("complete", None),
            Completeness::Partial(why) => ("partial", Some(why)),
            Completeness::Opaque(why) => ("opaque", Some(why)),
        };
        line.serialize_field("completeness", completeness)?;
        if let Some(why) = why {
            line.serialize_field("incomplete_because", why)?;
        }
        line.end()
    }
}

struct Resources<'a>(&'a [Resource]);

impl Serialize for Resources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut resources = serializer.serialize_seq(Some(self.0.len()))?;
        for resource in self.0 {
            resources.serialize_element(&OneResource(resource))?;
        }
        resources.end()
    }
}

struct OneResource<'a>(&'a Resource);

impl Serialize for OneResource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let resource = self.0;
        let mut line = serializer.serialize_struct("resource", 6)?;
        line.serialize_field("role", resource.role.as_str())?;
        line.serialize_field("type", &*resource.kind)?;
        line.serialize_field("name", &resource.name)?;
        line.serialize_field("basis", resource.basis.as_str())?;
        if resource.pattern {
            line.serialize_field("pattern", &true)?;
        }
        line.serialize_field("identifiers", &Identifiers(resource))?;
        line.end()
    }
}

struct Identifiers<'a>(&'a Resource);

impl Serialize for Identifiers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut identifiers = serializer.serialize_map(Some(self.0.identifiers.len()))?;
        for identifier in &self.0.identifiers {
            identifiers.serialize_entry(&*identifier.name, &identifier.value)?;
        }
        identifiers.end()
    }
}

struct Parameters<'a>(&'a ordain_action::Parameters);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parameters = serializer.serialize_seq(Some(self.0.len()))?;
        for leaf in self.0.iter() {
            parameters.serialize_element(&Parameter(leaf))?;
        }
        parameters.end()
    }
}

/// A list and not an object: a path may stand in the query and in the body, and both count.
struct Parameter<'a>(ordain_action::Leaf<'a>);

impl Serialize for Parameter<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("parameter", 3)?;
        line.serialize_field("path", self.0.path)?;
        match self.0.value {
            Scalar::Text(text) => line.serialize_field("value", text)?,
            // As text: no reader of these lines may round it.
            Scalar::Number(number) => line.serialize_field("number", number)?,
            Scalar::Bool(truth) => line.serialize_field("value", &truth)?,
            Scalar::Null => line.serialize_field("value", &())?,
            Scalar::Empty => line.serialize_field("empty", &true)?,
            Scalar::Token(token) => line.serialize_field("token", token)?,
        }
        if self.0.idempotency {
            line.serialize_field("idempotency", &true)?;
        }
        line.end()
    }
}
