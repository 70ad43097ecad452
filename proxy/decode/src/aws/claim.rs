//! A request in the hands of this room: claimed from its head, read with its body, denied in its own form.
//!
//! Leaves out each of the steps, which have files of their own.

use std::borrow::Cow;

use http::HeaderMap;
use ordain_action::{Call, Created, Denial, NameBasis, Role, Undecodable, Upstream};
use ordain_catalog::{Head as ServiceHead, Location, Payload, Protocol};

use super::deny::{self, Dialect};
use super::found::{self, Found};
use super::marker::Markers;
use super::route::{self, Route};
use super::site::Site;
use super::wire::Wire;
use super::{Room, answer, call, credentials, destination, gather};
use crate::Head;
use crate::answer::{AnswerHead, AnswerRead, Events, MintedCredentials, Replacement};
use crate::contract::{Destination, NativeResponse, Needs};
use crate::form::query::Pair;
use crate::room::{Claimed, other_sort};

/// A request that this room has claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claim<'r> {
    room: &'r Room,
    dialect: Dialect,
    is_head: bool,
    is_get: bool,
    // What host and marks say, or why the request cannot be read; it is claimed and denied all the same.
    reading: Result<(Site, Route<'r>), Undecodable>,
}

impl<'r> Claim<'r> {
    /// Claims a request.
    ///
    /// # Errors
    /// Nothing in the head belongs to this plane.
    pub(super) fn make(room: &'r Room, head: &Head<'_>) -> Result<Self, Undecodable> {
        let is_head = head.method == "HEAD";
        let is_get = head.method == "GET";
        let markers = match Markers::read(head) {
            Ok(markers) => markers,
            Err(why) => {
                return Ok(Self { room, dialect: Dialect::RestJson, is_head, is_get, reading: Err(why) });
            }
        };
        let reading = Site::read(room, head, &markers)
            .and_then(|site| route::find(room, head, &markers, &site).map(|route| (site, route)));
        if let Err(why) = &reading
            && why.reason_code == "unclaimed"
        {
            return Err(why.clone());
        }
        let dialect = Dialect::of(&markers, reading.as_ref().ok().map(|(_, route)| route));
        Ok(Self { room, dialect, is_head, is_get, reading })
    }
}

impl Claimed for Claim<'_> {
    fn needs(&self) -> Needs {
        let Ok((_, Route::Known(found))) = &self.reading else {
            return Needs::Held { cap: gather::BODY_MAX };
        };
        if found.iter().any(|found| matches!(found.operation.payload, Payload::Streamed { .. })) {
            return Needs::Payload;
        }
        let bodiless = found.iter().all(|found| {
            let takes_none = !found.operation.members.iter().any(|member| member.location == Location::Body);
            let rest = matches!(found.protocol, Protocol::RestJson | Protocol::RestXml);
            rest && takes_none && (self.is_get || self.is_head)
        });
        if bodiless { Needs::Nothing } else { Needs::Held { cap: gather::BODY_MAX } }
    }

    fn decode(
        &self,
        upstream: &Upstream,
        head: &Head<'_>,
        body: &[u8],
        payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable> {
        let (site, route) = self.reading.as_ref().map_err(Undecodable::clone)?;
        let markers = Markers::read(head)?;
        // A streamed payload keeps its encoding: it is not read here.
        let opened = match self.needs() {
            Needs::Payload | Needs::Stream => Cow::Borrowed(body),
            Needs::Nothing | Needs::Held { .. } => gather::open(head, body)?,
        };
        if matches!(self.needs(), Needs::Nothing) && !body.is_empty() {
            return Err(Undecodable::new("unexpected_body", "the operation takes no body; send none"));
        }
        let opened = gather::Body::new(&opened);
        let in_form;
        let found = match route {
            Route::Known(found) => found,
            Route::Form(services) => {
                let pairs = opened.pairs(&markers)?;
                let value = |name: &str| {
                    pairs.iter().find(|pair: &&Pair<'_>| pair.name == name).map(|pair| pair.value.as_ref())
                };
                let action = value("Action").ok_or_else(|| {
                    Undecodable::new("no_action", "the form names no `Action`; name the operation")
                })?;
                in_form = route::by_action(services, action, value("Version"))?;
                &in_form
            }
        };
        let (found, wire) = strictest(found, head, &markers, &opened)?;
        let part = call::Request { room: self.room, site, found, payload_sha256 };
        call::make(&part, upstream, wire)
    }

    fn deny(&self, denial: &Denial) -> NativeResponse {
        deny::response(self.dialect, self.is_head, denial)
    }

    fn destination(&self, upstream: &Upstream, call: &Call) -> Result<Destination, Undecodable> {
        let (site, _) = self.reading.as_ref().map_err(Undecodable::clone)?;
        destination::of(self.room, site, upstream, call)
    }

    fn destination_unread(&self, upstream: &Upstream, head: &Head<'_>) -> Result<Destination, Undecodable> {
        destination::unread(self.room, head, &Markers::read(head)?, upstream)
    }

    /// The events that an answer is. An operation that cannot be told is taken at its answer's word.
    fn events(&self, head: &AnswerHead<'_>) -> Option<Events> {
        if !answer::is_event_stream(head) {
            return None;
        }
        let Ok((_, Route::Known(found))) = &self.reading else { return Some(Events::Ending) };
        let found = found.iter().find(|found| found.operation.event_stream)?;
        Some(answer::events(&found.service.head().name, &found.operation.name))
    }

    fn may_fail_late(&self, call: &Call) -> bool {
        answer::may_fail_late(call)
    }

    fn read_answer(&self, answer: &AnswerHead<'_>, body: &[u8], _trailers: Option<&HeaderMap>) -> AnswerRead {
        answer::read(answer, body)
    }

    fn read_created(&self, call: &Call, answer: &AnswerHead<'_>, body: &[u8]) -> Vec<Created> {
        answer::created(&call.answer, answer, body)
    }

    fn find_credentials(
        &self,
        call: &Call,
        answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Option<MintedCredentials>, Undecodable> {
        let found = call.answer.mints.map_or(Ok(None), |minted| credentials::find(minted, answer, body));
        found.map(|found| found.map(MintedCredentials::KeyPair))
    }

    fn replace_credentials(
        &self,
        found: &MintedCredentials,
        replacement: &Replacement<'_>,
        answer: &AnswerHead<'_>,
        body: &[u8],
    ) -> Result<Vec<u8>, Undecodable> {
        match (found, replacement) {
            (MintedCredentials::KeyPair(found), Replacement::KeyPair(ours)) => {
                credentials::replace(found, ours, answer, body)
            }
            (MintedCredentials::KeyPair(_) | MintedCredentials::Bearer(_), _) => Err(other_sort()),
        }
    }
}

/// How well one of several operations fits a request; the greatest is taken.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    /// Nothing that the caller adds makes a read of what may be a change.
    change: bool,
    /// Every member is in the catalogue.
    whole: bool,
    /// How well the operation names what it changes. Nothing that the caller adds, neither what its program says
    /// it is nor an ARN somewhere in it, makes the target one that is known less well.
    named: u8,
    /// An ARN of the service's own stands among the members.
    own_arn: bool,
    strictness: u8,
    /// The service is the one that the others share a signing name with.
    name_giver: bool,
    operations: usize,
}

/// Of operations that the head cannot tell apart: one whose members all are known, then the strictest.
fn strictest<'f, 'r, 'p>(
    found: &'f [Found<'r>],
    head: &Head<'_>,
    markers: &Markers<'p>,
    body: &gather::Body<'p>,
) -> Result<(&'f Found<'r>, Wire), Undecodable> {
    let mut best: Option<(Weight, &Found<'r>, Wire)> = None;
    let mut refused = None;
    let several = found.len() > 1;
    for found in found {
        match gather::wire(found, head, markers, body) {
            Ok(wire) => {
                let service = found.service.head();
                let own_arn =
                    |leaf: super::wire::Leaf<'_>| leaf.text().is_some_and(|text| is_arn_of(text, service));
                let weight = Weight {
                    change: found.operation.access.is_change(),
                    whole: wire.partial.is_none(),
                    named: how_well_named(found),
                    own_arn: several && wire.iter().any(own_arn),
                    strictness: found::strictness(found.operation.access),
                    name_giver: *service.name == *service.signing_name,
                    operations: found.service.operations().len(),
                };
                if best.as_ref().is_none_or(|(known, _, _)| weight > *known) {
                    best = Some((weight, found, wire));
                }
            }
            Err(why) => refused = Some(why),
        }
    }
    match (best, refused) {
        (Some((_, found, wire)), _) => Ok((found, wire)),
        (None, Some(why)) => Err(why),
        (None, None) => Err(found::unknown("the request")),
    }
}

fn how_well_named(found: &Found<'_>) -> u8 {
    let targets = found.operation.bindings.iter().filter(|binding| binding.role == Role::Target);
    let known = |basis: NameBasis| match basis {
        NameBasis::Reviewed => 3,
        NameBasis::Carried => 2,
        NameBasis::Bound => 1,
        NameBasis::Scope | NameBasis::Unnamed => 0,
    };
    targets.map(|binding| known(binding.basis)).max().unwrap_or(0)
}

fn is_arn_of(text: &str, service: &ServiceHead) -> bool {
    let mut parts = text.split(':');
    parts.next() == Some("arn")
        && parts.nth(1).is_some_and(|prefix| *prefix == *service.name || *prefix == *service.iam_prefix)
}

impl Dialect {
    /// The form in which the caller expects its error: that of the operation found, or what the marks look like.
    fn of(markers: &Markers<'_>, route: Option<&Route<'_>>) -> Self {
        match route {
            Some(Route::Known(found)) => {
                if let Some(found) = found.first() {
                    return Self::spoken(found);
                }
            }
            Some(Route::Form(services)) => {
                let ec2 = services.iter().any(|service| service.reads(Protocol::Ec2));
                return if ec2 { Self::Ec2 } else { Self::Query };
            }
            None => {}
        }
        if markers.smithy_protocol == Some("rpc-v2-cbor") {
            return Self::Cbor;
        }
        match markers.signing_name.as_ref() {
            "ec2" => return Self::Ec2,
            "s3" | "s3-outposts" | "s3express" => return Self::S3,
            "route53" | "cloudfront" => return Self::RestXml,
            _ => {}
        }
        match (markers.amz_target, markers.media_type.as_str()) {
            (Some(_), "application/x-amz-json-1.0") => Self::Json10,
            (Some(_), _) => Self::Json11,
            (None, "application/x-www-form-urlencoded") => Self::Query,
            (None, _) if markers.query.iter().any(|pair| pair.name == "Action") => Self::Query,
            (None, _) => Self::RestJson,
        }
    }

    fn spoken(found: &Found<'_>) -> Self {
        match found.protocol {
            Protocol::Query => Self::Query,
            Protocol::Ec2 => Self::Ec2,
            Protocol::Json if &*found.service.head().json_version == "1.0" => Self::Json10,
            Protocol::Json => Self::Json11,
            Protocol::RestJson => Self::RestJson,
            Protocol::RestXml if &**found.service.name() == "s3" => Self::S3,
            Protocol::RestXml => Self::RestXml,
            Protocol::Cbor => Self::Cbor,
        }
    }
}
