//! Reads every parameter of a request from where the catalogue says it stands.
//!
//! What the catalogue does not know makes the parameters partial, so that whatever reads them denies. Leaves out
//! which of them are secret.

use std::borrow::Cow;
use std::cell::OnceCell;

use ordain_action::{Scalar, Undecodable};
use ordain_catalog::{Location, Member, Operation, Payload, Protocol};

use super::found::Found;
use super::marker::Markers;
use super::rest::comes_as_form;
use super::wire::Wire;
use crate::Head;
use crate::form::fields::{clip, duplicate};
use crate::form::query::{self, Pair, Plus};
use crate::form::{cbor, gzip, json, xml};

/// The largest body that is held and read, opened or not.
pub(super) const BODY_MAX: u64 = 16 << 20;

/// Headers of transport and signature, which say nothing about what an operation does.
const TRANSPORT: [&str; 18] = [
    "x-amz-algorithm",
    "x-amz-api-version",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expires",
    "x-amz-region-set",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-target",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
    "x-amzn-query-mode",
    "x-amzn-trace-id",
];

/// The body as the service will read it, opened where it is compressed.
pub(super) fn open<'b>(head: &Head<'_>, body: &'b [u8]) -> Result<Cow<'b, [u8]>, Undecodable> {
    // The encoding of an object is the object's; where there is no body there is nothing to open.
    if body.is_empty() {
        return Ok(Cow::Borrowed(body));
    }
    let encoding = head.headers.get("content-encoding").map(|value| value.as_bytes());
    match encoding {
        None => Ok(Cow::Borrowed(body)),
        Some(name) if name.is_empty() || name.eq_ignore_ascii_case(b"identity") => Ok(Cow::Borrowed(body)),
        Some(name) if name.eq_ignore_ascii_case(b"gzip") => gzip::open(body, BODY_MAX).map(Cow::Owned),
        // The frames of `aws-chunked` are taken off before a body comes here.
        Some(name) if name.eq_ignore_ascii_case(b"aws-chunked") => Ok(Cow::Borrowed(body)),
        Some(name) => Err(Undecodable::new(
            "unknown_encoding",
            format!(
                "content encoding `{}` is not read; send gzip or none",
                clip(&String::from_utf8_lossy(name))
            ),
        )),
    }
}

/// An opened body, whose pairs are read at most once: to find the operation, and for each that it may be.
#[derive(Debug)]
pub(super) struct Body<'p> {
    bytes: &'p [u8],
    pairs: OnceCell<Result<Vec<Pair<'p>>, Undecodable>>,
}

impl<'p> Body<'p> {
    pub(super) const fn new(bytes: &'p [u8]) -> Self {
        Self { bytes, pairs: OnceCell::new() }
    }

    /// The pairs of a query request, from wherever they stand.
    pub(super) fn pairs(&self, markers: &Markers<'p>) -> Result<&[Pair<'p>], Undecodable> {
        self.pairs.get_or_init(|| form_pairs(markers, self.bytes)).as_deref().map_err(Undecodable::clone)
    }
}

fn form_pairs<'p>(markers: &Markers<'p>, body: &'p [u8]) -> Result<Vec<Pair<'p>>, Undecodable> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Undecodable::new("not_utf8", "the form body is not UTF-8; send UTF-8"))?;
    let in_body = query::parse(text.trim_end_matches(['\r', '\n']), Plus::Space)?;
    if !in_body.is_empty() && !markers.query.is_empty() {
        return Err(Undecodable::new(
            "two_forms",
            "there are parameters in the query and in the body; send them in one",
        ));
    }
    let pairs = if in_body.is_empty() { markers.query.clone() } else { in_body };
    query::refuse_duplicates(&pairs)?;
    refuse_twins(&pairs)?;
    Ok(pairs)
}

/// Refuses what a more lenient reader takes for another parameter given twice: an action in other letters, and a list
/// that is written as one value beside its items.
fn refuse_twins(pairs: &[Pair<'_>]) -> Result<(), Undecodable> {
    let mut names: Vec<&str> = pairs.iter().map(|pair| pair.name.as_ref()).collect();
    names.sort_unstable();
    for name in &names {
        let marks = ["Action", "Version"];
        if marks.iter().any(|mark| name.eq_ignore_ascii_case(mark) && name != mark) {
            return Err(duplicate(name));
        }
        let mut parents = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
        if let Some(parent) = parents.find(|parent| names.binary_search(parent).is_ok()) {
            return Err(duplicate(parent));
        }
    }
    Ok(())
}

/// Every parameter of a request, read as the operation found.
pub(super) fn wire<'p>(
    found: &Found<'_>,
    head: &Head<'_>,
    markers: &Markers<'p>,
    body: &Body<'p>,
) -> Result<Wire, Undecodable> {
    let mut wire = Wire::default();
    let bytes = body.bytes;
    match found.protocol {
        Protocol::Query | Protocol::Ec2 => query_members(found.operation, body.pairs(markers)?, &mut wire)?,
        Protocol::Json => {
            json_body(bytes, &mut wire)?;
            known_body(found.operation, &mut wire);
        }
        Protocol::Cbor => {
            if !bytes.is_empty() {
                cbor::read(bytes, wire.at(Location::Body))?;
            }
            known_body(found.operation, &mut wire);
        }
        Protocol::RestJson | Protocol::RestXml => rest(found, head, markers, bytes, &mut wire)?,
    }
    if wire.fields.overflowed() {
        wire.partial = Some("there are more parameters than are kept");
    }
    Ok(wire)
}

fn query_members(operation: &Operation, pairs: &[Pair<'_>], wire: &mut Wire) -> Result<(), Undecodable> {
    let mut unknown = false;
    let fields = wire.at(Location::Body);
    for pair in pairs {
        let name = pair.name.as_ref();
        if matches!(name, "Action" | "Version") {
            continue;
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':'))
        {
            return Err(Undecodable::new(
                "bad_parameter_name",
                format!("`{}` is no parameter's name; use the service's own names", clip(name)),
            ));
        }
        let first = name.split('.').next().unwrap_or(name);
        unknown |= !operation.members.iter().any(|member| *member.wire == *first || *member.name == *first);
        fields.put_at(name, Scalar::Text(&pair.value));
    }
    if unknown {
        wire.partial = Some("a parameter is not in the catalogue");
    }
    Ok(())
}

fn json_body(body: &[u8], wire: &mut Wire) -> Result<(), Undecodable> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None => Ok(()),
        Some(b'{') => json::read(body, wire.at(Location::Body)),
        Some(_) => Err(Undecodable::new("bad_json", "the JSON body is not an object; send one")),
    }
}

/// Marks the parameters partial when a top-level member is not in the catalogue.
fn known_body(operation: &Operation, wire: &mut Wire) {
    let unknown = wire.iter().any(|leaf| leaf.location == Location::Body && !knows(operation, leaf.path));
    if unknown {
        wire.partial = Some("a member is not in the catalogue");
    }
}

/// Whether a path in a body begins with a member of the operation.
pub(super) fn knows(operation: &Operation, path: &str) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    operation.members.iter().any(|member| *member.wire == *first || *member.name == *first)
}

fn rest(
    found: &Found<'_>,
    head: &Head<'_>,
    markers: &Markers<'_>,
    body: &[u8],
    wire: &mut Wire,
) -> Result<(), Undecodable> {
    let operation = found.operation;
    let labels = wire.at(Location::Uri);
    for (name, value) in &found.labels {
        labels.put_at(name, Scalar::Text(value));
    }
    query_string(operation, markers, wire)?;
    headers(operation, head, markers, wire)?;
    if operation.event_stream && markers.media_type == "application/vnd.amazon.eventstream" {
        wire.opaque = Some("the body is an event stream");
        return Ok(());
    }
    if comes_as_form(operation, head.method, markers) {
        wire.partial = Some("the search came as a form");
        return Ok(());
    }
    match &operation.payload {
        Payload::Streamed { .. } => {
            wire.partial = Some("the payload is streamed");
            Ok(())
        }
        Payload::Blob { member } => {
            blob(operation, member, body, wire);
            Ok(())
        }
        Payload::Document { .. } => document(found, body, wire),
        Payload::Held => {
            let none = !operation.members.iter().any(|member| member.location == Location::Body);
            if none && found.protocol == Protocol::RestXml && !body.is_empty() {
                return Err(unexpected_body());
            }
            document(found, body, wire)?;
            if none && wire.iter().any(|leaf| leaf.location == Location::Body) {
                return Err(unexpected_body());
            }
            known_body(operation, wire);
            Ok(())
        }
    }
}

fn unexpected_body() -> Undecodable {
    Undecodable::new("unexpected_body", "the operation takes no body; send none")
}

fn document(found: &Found<'_>, body: &[u8], wire: &mut Wire) -> Result<(), Undecodable> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    if found.protocol == Protocol::RestXml {
        let operation = found.operation;
        return xml::read(body, &|path| operation.is_xml_list(path), wire.at(Location::Body)).map(|_| ());
    }
    json::read(body, wire.at(Location::Body))
}

/// Text is a parameter like any other; other bytes are not read.
fn blob(operation: &Operation, member: &str, body: &[u8], wire: &mut Wire) {
    if body.is_empty() {
        return;
    }
    let is_text = operation.members.iter().any(|known| *known.name == *member && known.shape == 's');
    match std::str::from_utf8(body) {
        Ok(text) if is_text => wire.at(Location::Body).put_at(member, Scalar::Text(text)),
        Ok(_) | Err(_) => wire.partial = Some("the payload is not read"),
    }
}

fn query_string(operation: &Operation, markers: &Markers<'_>, wire: &mut Wire) -> Result<(), Undecodable> {
    let mut unknown = false;
    let map =
        operation.members.iter().any(|member| member.location == Location::Query && member.shape == 'm');
    let fields = wire.at(Location::Query);
    for (at, pair) in markers.query.iter().enumerate() {
        let name = pair.name.as_ref();
        let before = markers.query.iter().take(at).filter(|other| other.name == pair.name).count();
        let literal = operation.http.query.iter().any(|(literal, _)| **literal == *name);
        let member = operation
            .members
            .iter()
            .find(|member| member.location == Location::Query && *member.wire == *name);
        let is_list = member.is_some_and(|member| member.shape == 'l') || (member.is_none() && map);
        if before > 0 && !is_list {
            return Err(duplicate(name));
        }
        if member.is_none() && (literal || name == "x-id" || header_of(operation, name).is_some()) {
            continue;
        }
        unknown |= member.is_none() && !map;
        let mark = fields.enter(name);
        if is_list && member.is_some() {
            let item = fields.enter_item(before + 1);
            fields.put(Scalar::Text(&pair.value));
            fields.leave(item);
        } else {
            fields.put(Scalar::Text(&pair.value));
        }
        fields.leave(mark);
    }
    if unknown {
        wire.partial = Some("a query member is not in the catalogue");
    }
    Ok(())
}

/// The header member that a query member stands for in a presigned URL.
fn header_of<'o>(operation: &'o Operation, name: &str) -> Option<&'o Member> {
    operation.members.iter().find(|member| {
        name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
            && match member.location {
                Location::Header => member.wire.eq_ignore_ascii_case(name),
                Location::Headers => name
                    .get(..member.wire.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(&member.wire)),
                Location::Uri | Location::Query | Location::Body => false,
            }
    })
}

fn headers(
    operation: &Operation,
    head: &Head<'_>,
    markers: &Markers<'_>,
    wire: &mut Wire,
) -> Result<(), Undecodable> {
    let mut partial = None;
    let fields = wire.at(Location::Header);
    for (name, value) in head.headers {
        let name = name.as_str();
        let known = operation.members.iter().any(|member| match member.location {
            Location::Header => *member.wire == *name,
            Location::Headers => name.starts_with(&*member.wire),
            Location::Uri | Location::Query | Location::Body => false,
        });
        if known {
            match std::str::from_utf8(value.as_bytes()) {
                Ok(text) => {
                    let mark = fields.enter(name);
                    fields.put(Scalar::Text(text));
                    fields.leave(mark);
                }
                Err(_) => partial = Some("a header is not UTF-8"),
            }
        } else if name.starts_with("x-amz-") && !is_transport(name) {
            partial = Some("a header is not in the catalogue");
        }
    }
    for pair in &markers.query {
        if header_of(operation, &pair.name).is_none() {
            continue;
        }
        let name = pair.name.to_ascii_lowercase();
        if head.headers.contains_key(name.as_str()) {
            return Err(duplicate(&name));
        }
        let mark = fields.enter(&name);
        fields.put(Scalar::Text(&pair.value));
        fields.leave(mark);
    }
    if partial.is_some() {
        wire.partial = partial;
    }
    Ok(())
}

fn is_transport(name: &str) -> bool {
    TRANSPORT.contains(&name) || name.starts_with("x-amz-checksum-") || name.starts_with("x-amz-meta-")
}
