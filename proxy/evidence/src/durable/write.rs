//! Turns decisions, outcomes and counted attempts into frames. Done by who has something to say, so that
//! the writer only writes.
//!
//! Leaves out when a frame is written (`writer.rs`).

use std::borrow::Cow;

use jiff::Timestamp;
use ordain_action::{
    Call, Completeness, DecisionId, Digest, Effect, Leaf, Minted, Outcome, Party, Reading, Resource, Scalar,
};
use ordain_proof::frame::{self, Kind};
use ordain_proof::record::{
    ActorRecord, AnsweredRecord, AttemptsRecord, BlobReference, CallRecord, CarriedOutRecord, ContentRecord,
    CounterRecord, CreatedRecord, DecisionRecord, DetailRecord, DigestsRecord, EffectRecord, EndRecord,
    EndorsementRecord, GrantedRecord, HeadRecord, IdentifierRecord, LeafRecord, NewIdentifierRecord,
    OutcomeRecord, ParametersRecord, PartyRecord, ReachPathRecord, ReachRecord, ReadingRecord, ReasonRecord,
    Record, RecordError, ResourceRecord, StreamedRecord, TermsRecord, Text, UndecodableRecord,
    UpstreamRecord, UsedRecord,
};
use ordain_proof::tree::Hash;
use ordain_rules::{Endorsement, Granted, Proof, Reach, ReachPath, Reason, Verdict, hands_over_authority};

use super::Decision;
use crate::own_change::OwnChange;

/// The longest host or path that is kept; the digest binds what is left out.
const HEAD_TEXT_MAX: usize = 4096;

/// How many operations and reasons stand in the entry when the rest is in a blob.
const NAMED_MAX: usize = 32;

/// Frames ready to be written, but for their batch.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) bytes: Vec<u8>,
    pub(crate) leaf: Hash,
}

/// Why something cannot be an entry.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotWritten {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the record is longer than an entry may be; ask for less in one request")]
    TooLong,
    #[error("no salt could be drawn; try again")]
    Salt,
}

impl Frames {
    pub(crate) fn entry(record: &Record<'_>) -> Result<Self, NotWritten> {
        Self::after(Vec::new(), &record.to_bytes()?)
    }

    fn after(mut frames: Vec<u8>, statement: &[u8]) -> Result<Self, NotWritten> {
        let leaf = frame::push(&mut frames, Kind::Entry, statement).ok_or(NotWritten::TooLong)?;
        Ok(Self { bytes: frames, leaf })
    }
}

/// The frames of a decision; `effect` says what it did to the request.
pub(crate) fn decision(
    decision: &Decision,
    verdict: &Verdict,
    effect: &'static str,
) -> Result<Frames, NotWritten> {
    let detail = detail(&decision.action.reading, verdict);
    let mut record = Record::Decision(Box::new(outer(decision, verdict, effect, detail)));
    let statement = record.to_bytes()?;
    if statement.len() <= frame::ENTRY_MAX {
        return Frames::after(Vec::new(), &statement);
    }
    let mut frames = Vec::new();
    if let Record::Decision(record) = &mut record
        && let ContentRecord::Whole(detail) = &record.content
    {
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| NotWritten::Salt)?;
        let (blob, length) = detail.to_blob(salt)?;
        let hash = frame::push(&mut frames, Kind::Blob, &blob).ok_or(NotWritten::TooLong)?;
        record.content = ContentRecord::Blob(reference(detail, hash, length));
    }
    Frames::after(frames, &record.to_bytes()?)
}

/// Whether a kept decision says the same as a verdict: its ruling, its mode, every reason, owner and figure.
#[must_use]
pub fn says(decision: &DecisionRecord<'_>, detail: &DetailRecord<'_>, verdict: &Verdict) -> bool {
    decision.ruling == verdict.ruling.as_str()
        && decision.mode == verdict.mode.as_str()
        && decision.no_model == verdict.no_model
        && detail.reasons.len() == verdict.reasons.len()
        && detail.reasons.iter().zip(&verdict.reasons).all(|(kept, said)| *kept == reason(said))
        && detail.owners.iter().eq(verdict.owners.iter().map(AsRef::as_ref))
        && detail.reach == reach(&verdict.reach)
}

/// The frame of an outcome.
pub(crate) fn outcome(
    decision: DecisionId,
    request: Digest,
    entry: Option<u64>,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Frames, NotWritten> {
    let end = match outcome {
        Outcome::NotSent { why } => EndRecord::NotSent((*why).into()),
        Outcome::Unknown { why } => EndRecord::Unknown((*why).into()),
        Outcome::Streamed { request_id, sent, received, ended } => EndRecord::Streamed(StreamedRecord {
            request_id: clip(request_id),
            sent: *sent,
            received: *received,
            ended: (*ended).into(),
        }),
        Outcome::Answered { status, request_id, error_code, created } => {
            EndRecord::Answered(AnsweredRecord {
                status: *status,
                request_id: clip(request_id),
                error_code: error_code.as_deref().map(clip),
                created: created
                    .iter()
                    .map(|created| CreatedRecord {
                        kind: Cow::Borrowed(&created.kind),
                        member: Cow::Borrowed(&created.member),
                        identifier: Cow::Borrowed(&created.identifier),
                    })
                    .collect(),
            })
        }
    };
    let record = OutcomeRecord {
        decision: decision.to_string().into(),
        entry,
        request: request.to_hex().into(),
        time: now.to_string().into(),
        end,
    };
    Frames::entry(&Record::Outcome(record))
}

/// The frame of counted attempts.
pub(crate) fn attempts(record: AttemptsRecord<'_>) -> Result<Frames, NotWritten> {
    Frames::entry(&Record::Attempts(record))
}

/// The frame of a change of the gate itself.
pub(crate) fn own_change(change: &OwnChange) -> Result<Frames, NotWritten> {
    Frames::entry(&change.to_record())
}

fn outer<'a>(
    decision: &'a Decision,
    verdict: &'a Verdict,
    effect: &'static str,
    detail: DetailRecord<'a>,
) -> DecisionRecord<'a> {
    let actor = &decision.action.actor;
    let digests = &decision.digests;
    DecisionRecord {
        id: decision.id.to_string().into(),
        request: decision.request.to_hex().into(),
        time: decision.now.to_string().into(),
        actor: ActorRecord {
            party: party(&actor.party),
            credential: Cow::Borrowed(&actor.credential),
            proven: actor.proof == ordain_action::IdentityProof::Proven,
            on_behalf_of: actor.on_behalf_of.iter().map(party).collect(),
            session: actor.session.as_deref().map(Cow::Borrowed),
            upstream: UpstreamRecord {
                name: Cow::Borrowed(&actor.upstream.name),
                plane: actor.upstream.plane.as_str().into(),
                account: Cow::Borrowed(&actor.upstream.account),
                partition: Cow::Borrowed(&actor.upstream.partition),
            },
        },
        head: HeadRecord {
            method: clip(&decision.head.method),
            host: clip(&decision.head.host),
            path: clip(&decision.head.path),
            own_credential: decision.head.own_credential,
        },
        mode: verdict.mode.as_str().into(),
        ruling: verdict.ruling.as_str().into(),
        effect: effect.into(),
        no_model: verdict.no_model,
        live: decision.live,
        terms: Some(TermsRecord {
            mode: decision.terms.mode.as_str().into(),
            control_only: decision.terms.control_only,
            nobody: decision.terms.nobody,
        }),
        digests: DigestsRecord {
            model: digests.model.to_hex().into(),
            rules: digests.rules.to_hex().into(),
            schema: digests.schema.to_hex().into(),
            catalogue: digests.catalogue.to_hex().into(),
            program: digests.program.to_hex().into(),
        },
        counters: decision
            .counters
            .iter()
            .map(|(key, counted)| CounterRecord {
                source: Cow::Borrowed(&key.source),
                subject: Cow::Borrowed(&key.subject),
                value: counted.value,
                until: counted.until.map(|until| until.to_string().into()),
            })
            .collect(),
        used: decision
            .counters
            .refused()
            .map(|(key, why)| UsedRecord {
                source: Cow::Borrowed(&key.source),
                subject: Cow::Borrowed(&key.subject),
                why: why.as_str().into(),
            })
            .collect(),
        change: verdict.change.as_ref().map(|carried| CarriedOutRecord {
            name: Cow::Borrowed(&carried.change),
            digest: carried.digest.to_hex().into(),
            item: Cow::Borrowed(&carried.item),
            call: carried.call,
            creates: carried.creates,
        }),
        granted: decision.counters.granted().map(|granted| Box::new(self::granted(granted))),
        hold: decision.hold.as_deref().map(Cow::Borrowed),
        content: ContentRecord::Whole(Box::new(detail)),
    }
}

fn granted(granted: &Granted) -> GrantedRecord<'_> {
    let approval = |one: &'_ Endorsement| {
        let (signature, login) = match &one.proof {
            Proof::Signed(signature) => (Some(signature.to_string().into()), None),
            Proof::Login(how) => (None, Some(how.to_string().into())),
        };
        EndorsementRecord { by: one.by.to_string().into(), at: one.at.to_string().into(), signature, login }
    };
    let denied = granted.denied.as_ref();
    GrantedRecord {
        hold: Cow::Borrowed(&granted.hold),
        question: granted.question.to_hex().into(),
        approvals: granted.approvals.iter().map(approval).collect(),
        denied_by: denied.map(|(by, _)| Cow::Borrowed(by.as_ref())),
        denied_why: denied.map(|(_, why)| Cow::Borrowed(why.as_ref())),
        until: granted.until.to_string().into(),
        lasts: u64::try_from(granted.lasts.as_millis()).unwrap_or(u64::MAX),
    }
}

fn detail<'a>(reading: &'a Reading, verdict: &'a Verdict) -> DetailRecord<'a> {
    let reading = match reading {
        Reading::Call(call) => ReadingRecord::Call(self::call(call)),
        Reading::Undecodable { plane, why } => ReadingRecord::Undecodable(UndecodableRecord {
            plane: plane.as_str().into(),
            reason_code: why.reason_code.into(),
            text: Cow::Borrowed(&why.text),
        }),
    };
    DetailRecord {
        reading,
        reasons: verdict.reasons.iter().map(reason).collect(),
        owners: verdict.owners.iter().map(|owner| Cow::Borrowed(owner.as_ref())).collect(),
        reach: reach(&verdict.reach),
    }
}

fn call(call: &Call) -> CallRecord<'_> {
    // Changes of data are many and say little: the digest binds their parameters, the record leaves them out.
    // What hands over authority is judged by its parameters at whatever level, and can be judged again by them alone.
    let compact = call.is_data() && !call.effects.iter().any(hands_over_authority);
    CallRecord {
        plane: call.plane.as_str().into(),
        region: Cow::Borrowed(&call.region),
        effects: call.effects.iter().map(|one| effect(one, compact)).collect(),
        creates: call
            .answer
            .creates
            .iter()
            .map(|new| NewIdentifierRecord {
                kind: Cow::Borrowed(&new.kind),
                member: Cow::Borrowed(&new.member),
                path: new.path.iter().map(|step| Cow::Borrowed(step.as_ref())).collect(),
            })
            .collect(),
        mints: call.answer.mints.map(|minted| {
            Cow::Borrowed(match minted {
                Minted::Session => "session",
                Minted::AccessKey => "access_key",
                Minted::Bearer => "bearer",
                Minted::Unrewritable => "unrewritable",
            })
        }),
    }
}

fn effect(effect: &Effect, compact: bool) -> EffectRecord<'_> {
    let (completeness, why) = match effect.parameters.completeness() {
        Completeness::Complete => ("complete", ""),
        Completeness::Partial(why) => ("partial", why),
        Completeness::Opaque(why) => ("opaque", why),
    };
    EffectRecord {
        service: Cow::Borrowed(&effect.service),
        operation: Cow::Borrowed(&effect.operation),
        iam_action: Cow::Borrowed(&effect.iam_action),
        access: effect.access.as_str().into(),
        level: effect.level.as_str().into(),
        resources: effect.resources.iter().map(resource).collect(),
        parameters: ParametersRecord {
            count: effect.parameters.len() as u64,
            completeness: completeness.into(),
            why: why.into(),
            compact,
            leaves: if compact { Vec::new() } else { effect.parameters.iter().map(leaf).collect() },
        },
    }
}

fn resource(resource: &Resource) -> ResourceRecord<'_> {
    ResourceRecord {
        role: resource.role.as_str().into(),
        kind: Cow::Borrowed(&resource.kind),
        name: Cow::Borrowed(&resource.name),
        basis: resource.basis.as_str().into(),
        pattern: resource.pattern,
        identifiers: resource
            .identifiers
            .iter()
            .map(|one| IdentifierRecord(Cow::Borrowed(&one.name), Cow::Borrowed(&one.value)))
            .collect(),
    }
}

fn leaf(leaf: Leaf<'_>) -> LeafRecord<'_> {
    let (sort, marked, value) = match leaf.value {
        Scalar::Text(text) => ("text", "text!", text),
        Scalar::Number(text) => ("number", "number!", text),
        Scalar::Bool(true) => ("bool", "bool!", "true"),
        Scalar::Bool(false) => ("bool", "bool!", "false"),
        Scalar::Null => ("null", "null!", ""),
        Scalar::Empty => ("empty", "empty!", ""),
        Scalar::Token(text) => ("token", "token!", text),
    };
    let sort = if leaf.idempotency { marked } else { sort };
    LeafRecord(leaf.path.into(), sort.into(), value.into())
}

fn reason(reason: &Reason) -> ReasonRecord<'_> {
    ReasonRecord {
        ruling: reason.ruling.as_str().into(),
        count: reason.count.as_str().into(),
        code: reason.code.as_str().into(),
        text: Cow::Borrowed(&reason.text),
        remedy: Cow::Borrowed(&reason.remedy),
        rules: reason.rules.iter().map(|rule| Cow::Borrowed(rule.as_ref())).collect(),
        effect: reason.effect as u64,
    }
}

fn reach(reach: &Reach) -> ReachRecord<'_> {
    ReachRecord {
        direct: reach.direct,
        dependants: reach.dependants,
        owners_crossed: reach.owners_crossed.iter().map(|owner| Cow::Borrowed(owner.as_ref())).collect(),
        tier: reach.tier.as_deref().map(Cow::Borrowed),
        path: reach.path.iter().map(|step| Cow::Borrowed(step.as_ref())).collect(),
        tiers: reach.tiers.iter().map(|(tier, count)| (Cow::Borrowed(tier.as_ref()), *count)).collect(),
        environments: reach.environments.iter().map(|one| Cow::Borrowed(one.as_ref())).collect(),
        share: reach.share.as_ref().map(|share| {
            (share.percent, Cow::Borrowed(share.system.as_ref()), Cow::Borrowed(share.kind.as_ref()))
        }),
        irreversible: reach.irreversible,
        lost: reach.lost.iter().map(|name| Cow::Borrowed(name.as_ref())).collect(),
        because: reach.because.iter().map(reach_path).collect(),
    }
}

fn reach_path(path: &ReachPath) -> ReachPathRecord<'_> {
    let steps = path.steps.iter();
    let steps =
        steps.map(|(name, by)| (Text::Borrowed(name.as_ref()), Text::Borrowed(by.unwrap_or_default())));
    ReachPathRecord { explains: Cow::Borrowed(&path.explains), steps: steps.collect() }
}

fn reference<'a>(detail: &DetailRecord<'a>, hash: Hash, length: u64) -> BlobReference<'a> {
    let (effects, operations) = match &detail.reading {
        ReadingRecord::Call(call) => {
            (call.effects.len() as u64, first_of_each(call.effects.iter().map(|effect| &effect.iam_action)))
        }
        ReadingRecord::Undecodable(_) => (0, Vec::new()),
    };
    BlobReference {
        sha256: hash.to_string().into(),
        length,
        effects,
        operations,
        reason_codes: first_of_each(detail.reasons.iter().map(|reason| &reason.code)),
    }
}

fn first_of_each<'i, 'a: 'i>(words: impl Iterator<Item = &'i Text<'a>>) -> Vec<Text<'a>> {
    let mut first: Vec<Text<'a>> = Vec::new();
    for word in words {
        if first.len() >= NAMED_MAX {
            break;
        }
        if !first.contains(word) {
            first.push(word.clone());
        }
    }
    first
}

fn party(party: &Party) -> PartyRecord<'_> {
    PartyRecord { name: Cow::Borrowed(&party.name), kind: party.kind.as_str().into() }
}

/// The text, or its beginning where it is longer than is kept.
fn clip(text: &str) -> Text<'_> {
    if text.len() <= HEAD_TEXT_MAX {
        return Cow::Borrowed(text);
    }
    let mut kept: String = text.chars().take(HEAD_TEXT_MAX / 4).collect();
    kept.push('\u{2026}');
    Cow::Owned(kept)
}
