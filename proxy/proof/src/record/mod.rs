//! What an entry says: an in-toto Statement (v1) with a predicate of ours, in compact JSON.
//!
//! These are durable forms: a field is never given another meaning, and a new meaning is a new version of
//! the predicate's type. Leaves out how they are made from what is judged (`ordain-evidence`).
//!
//! Nothing here is flattened or tagged inside: numbers are read with arbitrary precision, which serde
//! cannot do through its buffered forms.

mod attempts;
mod change;
mod decision;
mod outcome;
mod tunnel;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::tree::Hash;

pub use attempts::{AttemptsRecord, TallyRecord};
pub use change::ChangeRecord;
pub use decision::{
    ActorRecord, BlobReference, CallRecord, CarriedOutRecord, ContentRecord, CounterRecord, DecisionRecord,
    DetailRecord, DigestsRecord, EffectRecord, EndorsementRecord, GrantedRecord, HeadRecord,
    IdentifierRecord, LeafRecord, NewIdentifierRecord, ParametersRecord, PartyRecord, ReachPathRecord,
    ReachRecord, ReadingRecord, ReasonRecord, ResourceRecord, TermsRecord, UndecodableRecord, UpstreamRecord,
    UsedRecord, unpack,
};
pub use outcome::{AnsweredRecord, CreatedRecord, EndRecord, OutcomeRecord, StreamedRecord};
pub use tunnel::{TunnelActorRecord, TunnelEndRecord, TunnelRecord};

/// Text that is borrowed where it can be.
pub type Text<'a> = Cow<'a, str>;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const DECISION: &str = "urn:ordain:evidence:decision:v1";
const OUTCOME: &str = "urn:ordain:evidence:outcome:v1";
const ATTEMPTS: &str = "urn:ordain:evidence:attempts:v1";
const CHANGE: &str = "urn:ordain:evidence:change:v1";
const TUNNEL: &str = "urn:ordain:evidence:tunnel:v1";
const TUNNEL_END: &str = "urn:ordain:evidence:tunnel-end:v1";

/// Any entry of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Record<'a> {
    /// What was said to a request, before it was carried out.
    Decision(Box<DecisionRecord<'a>>),
    /// What became of a decision.
    Outcome(OutcomeRecord<'a>),
    /// Refused requests beyond the rate at which each is an entry of its own, counted.
    Attempts(AttemptsRecord<'a>),
    /// A change of the gate itself: model, rules, mode, keys, configuration, start and stop.
    Change(ChangeRecord<'a>),
    /// A tunnel whose bytes are passed on unopened, before its first byte.
    Tunnel(TunnelRecord<'a>),
    /// What became of one.
    TunnelEnd(TunnelEndRecord<'a>),
}

/// Why an entry's bytes cannot be read as a record, or a record not be written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not the JSON it should be.
    #[error("not a statement of ours: {0}")]
    Json(#[from] serde_json::Error),
    /// A statement of another kind or version.
    #[error("the predicate type `{0}` is not known")]
    Unknown(String),
    /// A digest in it is malformed.
    #[error("`{0}` is no digest")]
    Digest(String),
    /// A blob cannot be unpacked.
    #[error("the blob cannot be unpacked: {0}")]
    Blob(String),
}

#[derive(Serialize, Deserialize)]
struct DigestSet<'a> {
    #[serde(borrow)]
    sha256: Text<'a>,
}

#[derive(Serialize, Deserialize)]
struct Subject<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    digest: DigestSet<'a>,
}

#[derive(Serialize)]
struct Written<'a, P> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: [Subject<'a>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: &'a P,
}

#[derive(Deserialize)]
struct ReadBack<'a> {
    #[serde(rename = "_type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    subject: Vec<Subject<'a>>,
    #[serde(rename = "predicateType", borrow)]
    predicate_type: Text<'a>,
    #[serde(borrow)]
    predicate: &'a RawValue,
}

impl Record<'_> {
    /// The statement's bytes.
    ///
    /// # Errors
    /// [`RecordError::Json`], which a record of ours never gives.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        match self {
            Self::Decision(record) => write(&record.id, &record.request, DECISION, record.as_ref()),
            Self::Outcome(record) => write(&record.decision, &record.request, OUTCOME, record),
            Self::Attempts(record) => write(&record.last_decision, &record.request, ATTEMPTS, record),
            Self::Change(record) => write(&record.what, &record.digest, CHANGE, record),
            Self::Tunnel(record) => write(&record.id, &record.digest, TUNNEL, record),
            Self::TunnelEnd(record) => write(&record.tunnel, &record.digest, TUNNEL_END, record),
        }
    }
}

fn write<P: Serialize>(
    name: &str,
    digest: &str,
    predicate_type: &'static str,
    predicate: &P,
) -> Result<Vec<u8>, RecordError> {
    let digest = DigestSet { sha256: Cow::Borrowed(digest) };
    let subject = [Subject { name: Cow::Borrowed(name), digest }];
    let mut bytes = Vec::with_capacity(2048);
    serde_json::to_writer(&mut bytes, &Written { kind: STATEMENT, subject, predicate_type, predicate })?;
    Ok(bytes)
}

/// Reads an entry's statement.
///
/// # Errors
/// [`RecordError`] for anything that is not a statement of ours in a version known here.
pub fn read(bytes: &[u8]) -> Result<Record<'_>, RecordError> {
    let statement: ReadBack<'_> = serde_json::from_slice(bytes)?;
    if statement.kind != STATEMENT {
        return Err(RecordError::Unknown(statement.kind.into_owned()));
    }
    if statement.subject.len() != 1 {
        return Err(RecordError::Unknown("a statement of several subjects".to_owned()));
    }
    let predicate = statement.predicate.get();
    match statement.predicate_type.as_ref() {
        DECISION => Ok(Record::Decision(serde_json::from_str(predicate)?)),
        OUTCOME => Ok(Record::Outcome(serde_json::from_str(predicate)?)),
        ATTEMPTS => Ok(Record::Attempts(serde_json::from_str(predicate)?)),
        CHANGE => Ok(Record::Change(serde_json::from_str(predicate)?)),
        TUNNEL => Ok(Record::Tunnel(serde_json::from_str(predicate)?)),
        TUNNEL_END => Ok(Record::TunnelEnd(serde_json::from_str(predicate)?)),
        other => Err(RecordError::Unknown(other.to_owned())),
    }
}

/// What an entry is about, read without reading the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief<'a> {
    /// What sort of entry it is.
    pub kind: BriefKind,
    /// For decisions and outcomes, the decision's name; for tunnels and their ends, the tunnel's.
    pub name: Text<'a>,
    /// For decisions and outcomes, the request digest; for tunnels, that of where they lead.
    pub digest: Text<'a>,
    /// The hash of the blob the entry names.
    pub blob: Option<Hash>,
}

/// What sort of entry it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BriefKind {
    /// A decision; an outcome follows unless the request was refused.
    Decision {
        /// It was refused.
        refused: bool,
    },
    /// What became of a decision.
    Outcome,
    /// Counted attempts.
    Attempts,
    /// A change of the gate itself.
    Change {
        /// The program started: every decision before has its outcome before or right after.
        started: bool,
    },
    /// A tunnel was opened; its end follows.
    Tunnel,
    /// What became of a tunnel.
    TunnelEnd,
}

#[derive(Deserialize)]
struct BriefStatement<'a> {
    #[serde(borrow)]
    subject: [Subject<'a>; 1],
    #[serde(rename = "predicateType", borrow)]
    predicate_type: Text<'a>,
    #[serde(borrow)]
    predicate: BriefPredicate<'a>,
}

#[derive(Deserialize)]
struct BriefPredicate<'a> {
    #[serde(borrow, default)]
    effect: Option<Text<'a>>,
    #[serde(borrow, default)]
    what: Option<Text<'a>>,
    #[serde(borrow, default)]
    content: Option<BriefContent<'a>>,
}

#[derive(Deserialize)]
struct BriefContent<'a> {
    #[serde(borrow, default)]
    blob: Option<BriefBlob<'a>>,
}

#[derive(Deserialize)]
struct BriefBlob<'a> {
    #[serde(borrow)]
    sha256: Text<'a>,
}

/// Reads what an entry is about.
///
/// # Errors
/// [`RecordError`] for anything that is not a statement of ours in a version known here.
pub fn brief(bytes: &[u8]) -> Result<Brief<'_>, RecordError> {
    let statement: BriefStatement<'_> = serde_json::from_slice(bytes)?;
    let predicate = statement.predicate;
    let kind = match statement.predicate_type.as_ref() {
        DECISION => BriefKind::Decision { refused: predicate.effect.as_deref() == Some("refused") },
        OUTCOME => BriefKind::Outcome,
        ATTEMPTS => BriefKind::Attempts,
        CHANGE => BriefKind::Change { started: predicate.what.as_deref() == Some("started") },
        TUNNEL => BriefKind::Tunnel,
        TUNNEL_END => BriefKind::TunnelEnd,
        other => return Err(RecordError::Unknown(other.to_owned())),
    };
    let blob = match predicate.content.and_then(|content| content.blob) {
        None => None,
        Some(named) => Some(
            Hash::from_hex(&named.sha256).ok_or_else(|| RecordError::Digest(named.sha256.into_owned()))?,
        ),
    };
    let [Subject { name, digest }] = statement.subject;
    Ok(Brief { kind, name, digest: digest.sha256, blob })
}
