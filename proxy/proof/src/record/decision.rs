//! A decision as it is kept: who asked for what, what was said and why, and what it was said from.
//!
//! Leaves out what became of it (`outcome.rs`).

use serde::{Deserialize, Serialize};

use super::{RecordError, Text};
use crate::frame;
use crate::tree::Hash;

/// A decision, with everything needed to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord<'a> {
    /// The decision's name, which the caller sees.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// The request digest.
    pub request: Text<'a>,
    /// The time judged with.
    pub time: Text<'a>,
    /// Who asked.
    pub actor: ActorRecord<'a>,
    /// The request's head, as far as it carries no secret.
    pub head: HeadRecord<'a>,
    /// The mode in force.
    pub mode: Text<'a>,
    /// `admit`, `hold` or `deny`.
    pub ruling: Text<'a>,
    /// What it did to the request: `read`, `admitted`, `shadowed`, `pass_through` or `refused`.
    pub effect: Text<'a>,
    /// No model was loaded.
    pub no_model: bool,
    /// The last outcome in the live inventory judged with.
    pub live: u64,
    /// On which terms it was judged; missing in what was recorded before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermsRecord<'a>>,
    /// What else it was judged with.
    pub digests: DigestsRecord<'a>,
    /// What was counted.
    pub counters: Vec<CounterRecord<'a>>,
    /// What nothing was left of when it was to be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<UsedRecord<'a>>,
    /// What of a change it carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<CarriedOutRecord<'a>>,
    /// What people had answered to its hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Box<GrantedRecord<'a>>>,
    /// The hold that it waits under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Text<'a>>,
    /// What it is about and why it was said.
    pub content: ContentRecord<'a>,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActorRecord<'a> {
    /// The party whose credential signed.
    #[serde(borrow)]
    pub party: PartyRecord<'a>,
    /// The public part of the credential.
    pub credential: Text<'a>,
    /// `true` when a signature was verified, `false` when the identity was only stated.
    pub proven: bool,
    /// For whom the actor acts.
    pub on_behalf_of: Vec<PartyRecord<'a>>,
    /// The session behind a minted credential.
    pub session: Option<Text<'a>>,
    /// The upstream the credential is bound to.
    pub upstream: UpstreamRecord<'a>,
}

/// One party.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartyRecord<'a> {
    /// Its name in the model.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// `person`, `pipeline` or `agent`.
    pub kind: Text<'a>,
}

/// One upstream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpstreamRecord<'a> {
    /// Its name in the configuration.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Its plane.
    pub plane: Text<'a>,
    /// The account, tenant, project or cluster.
    pub account: Text<'a>,
    /// The partition, empty where the plane has none.
    pub partition: Text<'a>,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadRecord<'a> {
    /// The method.
    #[serde(borrow)]
    pub method: Text<'a>,
    /// The host.
    pub host: Text<'a>,
    /// The path, without query credentials.
    pub path: Text<'a>,
    /// Its credential is the actor's own for the upstream, and goes on to it as it came (`pass_through`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_credential: bool,
}

/// What configuration and the way in say beside the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TermsRecord<'a> {
    /// The mode that configuration gives the upstream, before the model's scopes are asked.
    #[serde(borrow)]
    pub mode: Text<'a>,
    /// Changes of data on the upstream pass counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control_only: bool,
    /// Nothing showed who asks: it was judged as what a plane shows to anybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nobody: bool,
}

/// What a decision was made from, by digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestsRecord<'a> {
    /// The model.
    #[serde(borrow)]
    pub model: Text<'a>,
    /// The rules.
    pub rules: Text<'a>,
    /// The rules' schema.
    pub schema: Text<'a>,
    /// The catalogue.
    pub catalogue: Text<'a>,
    /// The program.
    pub program: Text<'a>,
}

/// Something that nothing was left of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsedRecord<'a> {
    /// What it is a use of.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// Which of its uses.
    pub subject: Text<'a>,
    /// `up`, `in_flight`, `unknown` or `uncounted`.
    pub why: Text<'a>,
}

/// What people had answered to the hold of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GrantedRecord<'a> {
    /// The hold.
    #[serde(borrow)]
    pub hold: Text<'a>,
    /// The digest of the question that they answered.
    pub question: Text<'a>,
    /// Who approved it.
    pub approvals: Vec<EndorsementRecord<'a>>,
    /// Who denied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<Text<'a>>,
    /// Why they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_why: Option<Text<'a>>,
    /// Until when it waits.
    pub until: Text<'a>,
    /// How long it may be carried out from the last approval on, in milliseconds.
    pub lasts: u64,
}

/// One person's approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndorsementRecord<'a> {
    /// The person.
    #[serde(borrow)]
    pub by: Text<'a>,
    /// When.
    pub at: Text<'a>,
    /// Their signature, as `ssh-keygen -Y sign` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Text<'a>>,
    /// How they were logged in, where they did not sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Text<'a>>,
}

/// What of a change a request carries out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarriedOutRecord<'a> {
    /// The change.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The digest of its body, which was approved.
    pub digest: Text<'a>,
    /// The item.
    pub item: Text<'a>,
    /// Which of the item's calls, counted from zero.
    pub call: u32,
    /// What the upstream's answer says was created is the item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub creates: bool,
}

/// One count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CounterRecord<'a> {
    /// What asked for it.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// Whom it is for.
    pub subject: Text<'a>,
    /// How much.
    pub value: u64,
    /// When the first of it counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Text<'a>>,
}

/// What a decision is about: in the entry, or beside it where that is too long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentRecord<'a> {
    /// All of it.
    Whole(#[serde(borrow)] Box<DetailRecord<'a>>),
    /// In the blob before the entry.
    Blob(#[serde(borrow)] BlobReference<'a>),
}

/// Where a long content is, and what it is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlobReference<'a> {
    /// The salted hash of the blob.
    #[serde(borrow)]
    pub sha256: Text<'a>,
    /// Its length when unpacked.
    pub length: u64,
    /// How many effects it has.
    pub effects: u64,
    /// The first of the operations in it, as the plane's own permissions, in order and once each.
    pub operations: Vec<Text<'a>>,
    /// The first of the reasons' codes, strictest first, once each.
    pub reason_codes: Vec<Text<'a>>,
}

/// What a decision is about and why it was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetailRecord<'a> {
    /// What the room made of the request.
    #[serde(borrow)]
    pub reading: ReadingRecord<'a>,
    /// All reasons, strictest first.
    pub reasons: Vec<ReasonRecord<'a>>,
    /// Owners of all targets and parents.
    pub owners: Vec<Text<'a>>,
    /// What it reaches.
    pub reach: ReachRecord<'a>,
}

/// What the room made of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingRecord<'a> {
    /// What it would do.
    Call(#[serde(borrow)] CallRecord<'a>),
    /// It could not be read.
    Undecodable(#[serde(borrow)] UndecodableRecord<'a>),
}

/// What a request would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord<'a> {
    /// The plane.
    #[serde(borrow)]
    pub plane: Text<'a>,
    /// The region, empty for a global service.
    pub region: Text<'a>,
    /// The effects.
    pub effects: Vec<EffectRecord<'a>>,
    /// Where the answer says what was created.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates: Vec<NewIdentifierRecord<'a>>,
    /// What credentials the answer hands out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mints: Option<Text<'a>>,
}

/// Where a new identifier stands in an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewIdentifierRecord<'a> {
    /// The type of the new resource.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// The member its identifier is known by.
    pub member: Text<'a>,
    /// The path to it.
    pub path: Vec<Text<'a>>,
}

/// Why a request could not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndecodableRecord<'a> {
    /// The plane whose room claimed it.
    #[serde(borrow)]
    pub plane: Text<'a>,
    /// The stable reason.
    pub reason_code: Text<'a>,
    /// For a person.
    pub text: Text<'a>,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectRecord<'a> {
    /// The service.
    #[serde(borrow)]
    pub service: Text<'a>,
    /// The operation.
    pub operation: Text<'a>,
    /// The permission the plane would check.
    pub iam_action: Text<'a>,
    /// The class.
    pub access: Text<'a>,
    /// `control` or `data`.
    pub level: Text<'a>,
    /// What it touches.
    pub resources: Vec<ResourceRecord<'a>>,
    /// Its parameters.
    pub parameters: ParametersRecord<'a>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceRecord<'a> {
    /// The part it plays.
    #[serde(borrow)]
    pub role: Text<'a>,
    /// Its type.
    pub kind: Text<'a>,
    /// Its canonical name.
    pub name: Text<'a>,
    /// How the name came to be.
    pub basis: Text<'a>,
    /// The name is a pattern.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pattern: bool,
    /// Raw identifiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<IdentifierRecord<'a>>,
}

/// A member and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentifierRecord<'a>(#[serde(borrow)] pub Text<'a>, #[serde(borrow)] pub Text<'a>);

/// The parameters of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParametersRecord<'a> {
    /// How many there were.
    pub count: u64,
    /// `complete`, `partial` or `opaque` when it was judged.
    #[serde(borrow)]
    pub completeness: Text<'a>,
    /// Why they were not complete; empty otherwise.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub why: Text<'a>,
    /// They were left out of the record, because only data changes: the digest alone binds them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compact: bool,
    /// All of them, unless compact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<LeafRecord<'a>>,
}

/// One parameter: path, sort of value, value. A `!` after the sort marks an idempotency member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeafRecord<'a>(
    #[serde(borrow)] pub Text<'a>,
    #[serde(borrow)] pub Text<'a>,
    #[serde(borrow)] pub Text<'a>,
);

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReasonRecord<'a> {
    /// What it alone would rule.
    #[serde(borrow)]
    pub ruling: Text<'a>,
    /// The count it belongs to.
    pub count: Text<'a>,
    /// The machine-readable reason.
    pub code: Text<'a>,
    /// For a person.
    pub text: Text<'a>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub remedy: Text<'a>,
    /// The rules that said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Text<'a>>,
    /// The effect it is about.
    pub effect: u64,
}

/// What a change reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReachRecord<'a> {
    /// Named by the request itself.
    pub direct: u64,
    /// What depends on those; null where it is not known.
    pub dependants: Option<u64>,
    /// Owners other than the actor's own.
    #[serde(borrow)]
    pub owners_crossed: Vec<Text<'a>>,
    /// The most critical tier.
    pub tier: Option<Text<'a>>,
    /// One path that explains it.
    pub path: Vec<Text<'a>>,
    /// How many of each tier, the most critical first. Older records have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<(Text<'a>, u64)>,
    /// Environments touched. Older records have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<Text<'a>>,
    /// The largest share of a group that would be deleted: percent, system, type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<(u64, Text<'a>, Text<'a>)>,
    /// How many things with data that no other copy has would be deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub irreversible: u64,
    /// The first of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Text<'a>>,
    /// How what matters is reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<ReachPathRecord<'a>>,
}

/// How one thing is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReachPathRecord<'a> {
    /// What it explains: `owner NAME`, `tier WORD`, `irreversible`, `farthest`.
    #[serde(borrow)]
    pub explains: Text<'a>,
    /// From a target on: each name, and the relation by which it depends on the one before; empty for the target.
    pub steps: Vec<(Text<'a>, Text<'a>)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How many bytes of salt a blob begins with.
const SALT: usize = 16;

impl DetailRecord<'_> {
    /// Packs the detail into a blob's bytes; returns them with the length when unpacked.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be packed, or is longer than any blob may be.
    pub fn to_blob(&self, salt: [u8; SALT]) -> Result<(Vec<u8>, u64), RecordError> {
        let json = serde_json::to_vec(self)?;
        if json.len() > frame::FRAME_MAX {
            return Err(RecordError::Blob(format!("{} bytes are too many", json.len())));
        }
        let mut bytes = salt.to_vec();
        let packed = zstd::bulk::compress(&json, 1).map_err(|error| RecordError::Blob(error.to_string()))?;
        bytes.extend_from_slice(&packed);
        Ok((bytes, json.len() as u64))
    }
}

/// Unpacks a blob's bytes: the JSON of a [`DetailRecord`].
///
/// # Errors
/// [`RecordError::Blob`] when it is not one, or unpacks to more than any blob may hold.
pub fn unpack(blob: &[u8]) -> Result<Vec<u8>, RecordError> {
    let (_, packed) = blob.split_at_checked(SALT).ok_or(RecordError::Blob("it is cut short".to_owned()))?;
    zstd::bulk::decompress(packed, frame::FRAME_MAX).map_err(|error| RecordError::Blob(error.to_string()))
}

impl DecisionRecord<'_> {
    /// Shows what the decision is about to `view`, from the entry or from the blob beside it.
    ///
    /// # Errors
    /// [`RecordError`] when the blob is missing, is not the one named, or cannot be read.
    pub fn with_detail<T>(
        &self,
        blob: Option<&[u8]>,
        view: impl FnOnce(&DetailRecord<'_>) -> T,
    ) -> Result<T, RecordError> {
        let reference = match &self.content {
            ContentRecord::Whole(detail) => return Ok(view(detail)),
            ContentRecord::Blob(reference) => reference,
        };
        let blob = blob.ok_or_else(|| RecordError::Blob("it is missing".to_owned()))?;
        if frame::blob_hash(blob).to_string() != reference.sha256 {
            return Err(RecordError::Blob("it is another one".to_owned()));
        }
        let json = unpack(blob)?;
        Ok(view(&serde_json::from_slice(&json)?))
    }
}

impl Hash {
    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}
