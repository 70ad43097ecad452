//! Reads kept decisions and outcomes back into the nouns, so that they can be judged again and the live
//! inventory can be folded.
//!
//! Leaves out what is not kept: the parameters of data changes, which read back as opaque.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{
    Access, Action, Actor, ActorKind, Answer, Call, Completeness, Created, Digest, Effect, Identifier,
    IdentityProof, Level, Minted, NameBasis, NewIdentifier, Outcome, Parameters, Party, Plane, Reading,
    Resource, Role, Scalar, Undecodable, Upstream,
};
use ordain_proof::record::{
    ActorRecord, CallRecord, DecisionRecord, DetailRecord, EffectRecord, EndRecord, EndorsementRecord,
    GrantedRecord, OutcomeRecord, ParametersRecord, PartyRecord, ReadingRecord, ResourceRecord,
};
use ordain_rules::{CarriedOut, Counted, CounterKey, Counters, Endorsement, Granted, Mode, Proof, Used};

use super::Terms;

/// Why parameters that were left out are opaque.
const LEFT_OUT: &str = "parameters of data changes are not kept";

/// Who asked for what; `None` when a word in it is not known to this version.
pub(crate) fn action_of(record: &DecisionRecord<'_>, detail: &DetailRecord<'_>) -> Option<Action> {
    let reading = match &detail.reading {
        ReadingRecord::Call(call) => Reading::Call(self::call(call)?),
        ReadingRecord::Undecodable(record) => Reading::Undecodable {
            plane: Plane::parse(&record.plane)?,
            why: Undecodable::new(word(&record.reason_code), record.text.as_ref()),
        },
    };
    Some(Action { actor: actor(&record.actor)?, reading })
}

/// What a kept decision was made from: the judge makes the same of it again.
#[derive(Debug, Clone)]
pub struct Recalled {
    /// Who asked for what.
    pub action: Action,
    /// The request digest.
    pub request: Digest,
    /// The time judged with.
    pub now: Timestamp,
    /// What was counted.
    pub counters: Counters,
    /// The last outcome in the live inventory judged with.
    pub live: u64,
    /// On which terms; `None` where it was recorded before they were kept.
    pub terms: Option<Terms>,
    /// What of a change it carried out.
    pub change: Option<CarriedOut>,
}

impl Recalled {
    /// Reads it back; `None` when it uses words this version does not know.
    #[must_use]
    pub fn of(record: &DecisionRecord<'_>, detail: &DetailRecord<'_>) -> Option<Self> {
        let mut counters = Counters::new();
        for kept in &record.counters {
            let (source, subject) = (Arc::from(kept.source.as_ref()), Arc::from(kept.subject.as_ref()));
            let until = match &kept.until {
                None => None,
                Some(until) => Some(until.parse().ok()?),
            };
            counters.set(CounterKey { source, subject }, Counted { value: kept.value, until });
        }
        for kept in &record.used {
            let (source, subject) = (Arc::from(kept.source.as_ref()), Arc::from(kept.subject.as_ref()));
            counters.refuse(CounterKey { source, subject }, Used::parse(&kept.why)?);
        }
        counters.grant(match &record.granted {
            None => None,
            Some(kept) => Some(Box::new(granted(kept)?)),
        });
        let terms = match &record.terms {
            None => None,
            Some(kept) => Some(Terms {
                mode: Mode::parse(&kept.mode)?,
                control_only: kept.control_only,
                nobody: kept.nobody,
            }),
        };
        Some(Self {
            action: action_of(record, detail)?,
            request: Digest::from_hex(&record.request)?,
            now: record.time.parse().ok()?,
            counters,
            live: record.live,
            terms,
            change: carried_out(record),
        })
    }
}

/// What people had answered to its hold.
fn granted(record: &GrantedRecord<'_>) -> Option<Granted> {
    let approval = |kept: &EndorsementRecord<'_>| {
        let proof = match (&kept.signature, &kept.login) {
            (Some(signature), None) => Proof::Signed(Arc::from(signature.as_ref())),
            (None, Some(how)) => Proof::Login(Arc::from(how.as_ref())),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        Some(Endorsement { by: Arc::from(kept.by.as_ref()), at: kept.at.parse().ok()?, proof })
    };
    let denied = record.denied_by.as_ref().zip(record.denied_why.as_ref());
    Some(Granted {
        hold: Arc::from(record.hold.as_ref()),
        question: Digest::from_hex(&record.question)?,
        approvals: record.approvals.iter().map(approval).collect::<Option<_>>()?,
        denied: denied.map(|(by, why)| (Arc::from(by.as_ref()), Arc::from(why.as_ref()))),
        until: record.until.parse().ok()?,
        lasts: Duration::from_millis(record.lasts),
    })
}

/// What of a change it carried out.
pub(crate) fn carried_out(record: &DecisionRecord<'_>) -> Option<CarriedOut> {
    let kept = record.change.as_ref()?;
    Some(CarriedOut {
        change: Arc::from(kept.name.as_ref()),
        digest: Digest::from_hex(&kept.digest)?,
        item: Arc::from(kept.item.as_ref()),
        call: kept.call,
        creates: kept.creates,
    })
}

/// What became of it.
pub(crate) fn outcome_of(record: &OutcomeRecord<'_>) -> Outcome {
    match &record.end {
        EndRecord::NotSent(why) => Outcome::NotSent { why: word(why) },
        EndRecord::Unknown(why) => Outcome::Unknown { why: word(why) },
        EndRecord::Streamed(streamed) => Outcome::Streamed {
            request_id: streamed.request_id.to_string(),
            sent: streamed.sent,
            received: streamed.received,
            ended: word(&streamed.ended),
        },
        EndRecord::Answered(answered) => Outcome::Answered {
            status: answered.status,
            request_id: answered.request_id.to_string(),
            error_code: answered.error_code.as_ref().map(ToString::to_string),
            created: answered
                .created
                .iter()
                .map(|created| Created {
                    kind: Arc::from(created.kind.as_ref()),
                    member: Arc::from(created.member.as_ref()),
                    identifier: created.identifier.to_string(),
                })
                .collect(),
        },
    }
}

fn actor(record: &ActorRecord<'_>) -> Option<Actor> {
    let upstream = &record.upstream;
    Some(Actor {
        party: party(&record.party)?,
        credential: Arc::from(record.credential.as_ref()),
        proof: if record.proven { IdentityProof::Proven } else { IdentityProof::Claimed },
        on_behalf_of: record.on_behalf_of.iter().map(party).collect::<Option<_>>()?,
        session: record.session.as_deref().map(Arc::from),
        upstream: Upstream {
            name: Arc::from(upstream.name.as_ref()),
            plane: Plane::parse(&upstream.plane)?,
            account: Arc::from(upstream.account.as_ref()),
            partition: Arc::from(upstream.partition.as_ref()),
        },
    })
}

fn party(record: &PartyRecord<'_>) -> Option<Party> {
    Some(Party { name: Arc::from(record.name.as_ref()), kind: ActorKind::parse(&record.kind)? })
}

fn call(record: &CallRecord<'_>) -> Option<Call> {
    let creates = record.creates.iter().map(|new| NewIdentifier {
        kind: Arc::from(new.kind.as_ref()),
        member: Arc::from(new.member.as_ref()),
        path: new.path.iter().map(|step| Arc::from(step.as_ref())).collect(),
    });
    let mints = match record.mints.as_deref() {
        None => None,
        Some("session") => Some(Minted::Session),
        Some("access_key") => Some(Minted::AccessKey),
        Some("bearer") => Some(Minted::Bearer),
        Some("unrewritable") => Some(Minted::Unrewritable),
        Some(_) => return None,
    };
    Some(Call {
        plane: Plane::parse(&record.plane)?,
        effects: record.effects.iter().map(effect).collect::<Option<_>>()?,
        // Whether it was a stream is asked when it is opened and not when it is read back.
        answer: Answer { creates: creates.collect(), mints, ..Answer::default() },
        region: Arc::from(record.region.as_ref()),
    })
}

fn effect(record: &EffectRecord<'_>) -> Option<Effect> {
    Some(Effect {
        service: Arc::from(record.service.as_ref()),
        operation: Arc::from(record.operation.as_ref()),
        iam_action: Arc::from(record.iam_action.as_ref()),
        access: Access::parse(&record.access)?,
        level: [Level::Control, Level::Data].into_iter().find(|level| level.as_str() == record.level)?,
        resources: record.resources.iter().map(resource).collect::<Option<_>>()?,
        parameters: parameters(&record.parameters)?,
    })
}

fn resource(record: &ResourceRecord<'_>) -> Option<Resource> {
    const BASES: [NameBasis; 5] =
        [NameBasis::Carried, NameBasis::Reviewed, NameBasis::Bound, NameBasis::Scope, NameBasis::Unnamed];
    let identifiers = record
        .identifiers
        .iter()
        .map(|one| Identifier { name: Arc::from(one.0.as_ref()), value: one.1.to_string() });
    Some(Resource {
        role: [Role::Target, Role::Parent, Role::Uses]
            .into_iter()
            .find(|role| role.as_str() == record.role)?,
        kind: Arc::from(record.kind.as_ref()),
        name: record.name.to_string(),
        basis: BASES.into_iter().find(|basis| basis.as_str() == record.basis)?,
        pattern: record.pattern,
        identifiers: identifiers.collect(),
    })
}

fn parameters(record: &ParametersRecord<'_>) -> Option<Parameters> {
    let mut parameters = Parameters::new();
    parameters.incomplete(match record.completeness.as_ref() {
        "complete" => Completeness::Complete,
        "partial" => Completeness::Partial(word(&record.why)),
        "opaque" => Completeness::Opaque(word(&record.why)),
        _ => return None,
    });
    if record.compact {
        parameters.incomplete(Completeness::Opaque(LEFT_OUT));
    }
    for leaf in &record.leaves {
        let (path, sort, value) = (leaf.0.as_ref(), leaf.1.as_ref(), leaf.2.as_ref());
        let (sort, idempotency) = sort.strip_suffix('!').map_or((sort, false), |sort| (sort, true));
        let value = match (sort, value) {
            ("text", text) => Scalar::Text(text),
            ("number", text) => Scalar::Number(text),
            ("bool", "true") => Scalar::Bool(true),
            ("bool", "false") => Scalar::Bool(false),
            ("null", _) => Scalar::Null,
            ("empty", _) => Scalar::Empty,
            ("token", text) => Scalar::Token(text),
            _ => return None,
        };
        if idempotency {
            parameters.push_idempotency(path, value).ok()?;
        } else {
            parameters.push(path, value).ok()?;
        }
    }
    Some(parameters)
}

/// A word that lives as long as the program. There are few different ones, and each is kept once.
fn word(text: &str) -> &'static str {
    static WORDS: LazyLock<Mutex<BTreeSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    words.insert(kept);
    kept
}
