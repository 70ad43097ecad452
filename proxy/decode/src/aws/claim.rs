//! Which services and operations a head may mean.

use ordain_action::{Call, Created, Denial, Undecodable, Upstream};

use super::Room;
use super::deny::{self, Dialect};
use super::marker::Markers;
use crate::Head;
use crate::answer::{AnswerHead, MintedCredentials, Replacement};
use crate::room::{AnswerRead, Destination, NativeResponse, Needs};

/// A request that this room has claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claim<'r> {
    room: &'r Room,
    dialect: Dialect,
    bodiless: bool,
}

impl<'r> Claim<'r> {
    pub(super) fn make(room: &'r Room, head: &Head<'_>) -> Result<Self, Undecodable> {
        let markers = Markers::read(head)?;
        let dialect = Dialect::of(&markers);
        Ok(Self { room, dialect, bodiless: head.method == "HEAD" })
    }

    pub(crate) fn needs(&self) -> Needs {
        Needs::Held { cap: 16 << 20 }
    }

    pub(crate) fn decode(
        &self,
        _upstream: &Upstream,
        _head: &Head<'_>,
        _body: &[u8],
        _payload_sha256: Option<&str>,
    ) -> Result<Call, Undecodable> {
        let _ = self.room.config.token_key;
        Err(Undecodable::new(
            "unknown_operation",
            "the operation is not in the catalogue; add it by an overlay",
        ))
    }

    pub(crate) fn deny(&self, denial: &Denial) -> NativeResponse {
        deny::response(self.dialect, self.bodiless, denial)
    }

    pub(crate) fn destination(
        &self,
        _: &Upstream,
        _: &Head<'_>,
        _: &Call,
    ) -> Result<Destination, Undecodable> {
        Err(Undecodable::new(
            "unknown_host",
            "no host of the provider serves the service in that region; name another region",
        ))
    }

    pub(crate) fn read_answer(&self, _: &AnswerHead<'_>, _: &[u8]) -> AnswerRead {
        AnswerRead::default()
    }

    pub(crate) fn read_created(&self, _: &Call, _: &AnswerHead<'_>, _: &[u8]) -> Vec<Created> {
        Vec::new()
    }

    pub(crate) fn find_credentials(
        &self,
        _: &Call,
        _: &AnswerHead<'_>,
        _: &[u8],
    ) -> Result<Option<MintedCredentials>, Undecodable> {
        Ok(None)
    }

    pub(crate) fn replace_credentials(
        &self,
        _: &MintedCredentials,
        _: &Replacement<'_>,
        _: &AnswerHead<'_>,
        _: &[u8],
    ) -> Result<Vec<u8>, Undecodable> {
        Err(Undecodable::new(
            "credentials_not_found",
            "the answer carries no credentials that can be replaced",
        ))
    }
}

impl Dialect {
    /// The form in which the caller expects its error, from the marks alone.
    pub(super) fn of(markers: &Markers<'_>) -> Self {
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
}
