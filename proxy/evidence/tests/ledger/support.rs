//! Decisions to record, and ledgers to record them in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::Timestamp;
use ordain_action::{
    Access, Action, Actor, ActorKind, Answer, Call, DecisionId, Digest, Effect, Identifier, IdentityProof,
    Level, NameBasis, NewIdentifier, Parameters, Party, Plane, Reading, Resource, Role, Scalar, Upstream,
};
use ordain_evidence::{
    Clock, Decision, Digested, Digests, HeadSummary, Ledger, LedgerSettings, NotRecorded, OwnChange, Reader,
    Recorded, Reserved, Sequence, Storage, Terms, Unrecorded,
};
use ordain_proof::record::{self, EndRecord, Record};
use ordain_rules::{Counters, Judged, Mode, Modes, Snapshot, Source, judge, read};

/// Alice owns the account and one host in it.
const MODEL: &str = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: alice}
spec: {memberOf: [web]}
---
apiVersion: ordain/v1
kind: Account
metadata: {name: shop}
spec: {account: 111122223333, owner: web}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: web-host
spec:
  type: ec2:instance
  owner: web
  name: arn:aws:ec2:eu-west-1:111122223333:instance/i-0web
  identifiers: [i-0web]
";

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// The model in a mode. Reading it takes longer than what is tested, so it is read once.
pub(crate) fn snapshot(mode: Mode) -> &'static Snapshot {
    static READ: LazyLock<Snapshot> = LazyLock::new(|| {
        let source = Source { path: "model.yaml".to_owned(), text: MODEL.to_owned() };
        Snapshot::load(&[source], Modes::new(Mode::Enforce)).unwrap()
    });
    static SHADOW: LazyLock<Snapshot> = LazyLock::new(|| READ.with_modes(Modes::new(Mode::Shadow)));
    static WARN: LazyLock<Snapshot> = LazyLock::new(|| READ.with_modes(Modes::new(Mode::Warn)));
    match mode {
        Mode::Enforce => &READ,
        Mode::Shadow => &SHADOW,
        Mode::Warn => &WARN,
    }
}

/// No model in shadow mode: everything passes recorded, and judging takes no time.
pub(crate) fn anything() -> &'static Snapshot {
    static ANYTHING: LazyLock<Snapshot> = LazyLock::new(|| Snapshot::empty(Modes::new(Mode::Shadow)));
    &ANYTHING
}

pub(crate) fn settings() -> LedgerSettings {
    let mut settings = LedgerSettings::new("gate.example/test", Clock::new(now));
    "ordain 0.1.0".clone_into(&mut settings.program);
    settings.segment_bytes = 64 * 1024;
    settings.checkpoint_every = Duration::from_secs(3600);
    settings
}

pub(crate) fn open(storage: Arc<dyn Storage>) -> Ledger {
    Ledger::open(settings(), storage).unwrap()
}

/// Alice stops her own host: admitted.
pub(crate) fn own_host() -> Action {
    action("alice", "ec2:TerminateInstances", Access::Delete, "i-0web")
}

/// A stranger stops it: refused.
pub(crate) fn strange() -> Action {
    action("mallory", "ec2:TerminateInstances", Access::Delete, "i-0web")
}

pub(crate) fn action(who: &str, iam_action: &str, access: Access, id: &str) -> Action {
    let (service, operation) = iam_action.split_once(':').unwrap();
    let mut parameters = Parameters::new();
    parameters.push("InstanceId.1", Scalar::Text(id)).unwrap();
    parameters.push("Force", Scalar::Bool(true)).unwrap();
    parameters.push("Count", Scalar::Number("1e400")).unwrap();
    parameters.push("Tags", Scalar::Empty).unwrap();
    parameters.push("Nothing", Scalar::Null).unwrap();
    parameters.push("Password", Scalar::Token("hmac:0123")).unwrap();
    parameters.push_idempotency("ClientToken", Scalar::Text("9f")).unwrap();
    let target = Resource {
        role: Role::Target,
        kind: Arc::from("ec2:instance"),
        name: format!("arn:aws:ec2:eu-west-1:111122223333:instance/{id}"),
        basis: NameBasis::Reviewed,
        pattern: false,
        identifiers: vec![Identifier { name: Arc::from("InstanceId"), value: id.to_owned() }],
    };
    let effect = Effect {
        service: Arc::from(service),
        operation: Arc::from(operation),
        iam_action: Arc::from(iam_action),
        access,
        level: Level::Control,
        resources: vec![target],
        parameters,
    };
    let creates = NewIdentifier {
        kind: Arc::from("ec2:instance"),
        member: Arc::from("InstanceId"),
        path: vec![Arc::from("instancesSet"), Arc::from("instanceId")],
    };
    let answer = match access {
        Access::Create => Answer { creates: vec![creates], ..Answer::default() },
        _ => Answer::default(),
    };
    let call = Call { plane: Plane::Aws, effects: vec![effect], answer, region: Arc::from("eu-west-1") };
    Action { actor: actor(who), reading: Reading::Call(call) }
}

fn actor(name: &str) -> Actor {
    Actor {
        party: Party { name: Arc::from(name), kind: ActorKind::Person },
        credential: Arc::from("AKORTEST"),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream: Upstream {
            name: Arc::from("default"),
            plane: Plane::Aws,
            account: Arc::from("111122223333"),
            partition: Arc::from("aws"),
        },
    }
}

/// A decision on an action, its number in its name.
pub(crate) fn decision(action: &Action, number: u64) -> Decision {
    let digests = Digests {
        model: Digest::of(b"model"),
        rules: Digest::of(b"rules"),
        schema: Digest::of(b"schema"),
        catalogue: Digest::of(b"catalogue"),
        program: Digest::of(b"program"),
    };
    Decision {
        id: id(number),
        now: now(),
        action: Arc::new(action.clone()),
        request: request(number),
        head: HeadSummary {
            method: "POST".to_owned(),
            host: "ec2.eu-west-1.amazonaws.com".to_owned(),
            path: "/".to_owned(),
            own_credential: false,
        },
        digests: Arc::new(digests),
        counters: Counters::new(),
        live: 0,
        terms: Terms { mode: Mode::Enforce, control_only: false, nobody: false },
        hold: None,
    }
}

pub(crate) fn id(number: u64) -> DecisionId {
    DecisionId(uuid::Uuid::from_u128(0x0193_5d00_0000_7000_8000_0000_0000_0000 | u128::from(number)))
}

/// A request in hand: its number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Numbered(pub(crate) u64);

impl Digested for Numbered {
    fn digest(&self) -> Digest {
        request(self.0)
    }
}

/// The request digest of a decision.
pub(crate) fn request(number: u64) -> Digest {
    Digest::of(&number.to_be_bytes())
}

pub(crate) fn judged(snapshot: &Snapshot, action: &Action, number: u64) -> Judged {
    judge(snapshot, action, request(number), &Counters::new(), now())
}

pub(crate) fn judged_read(snapshot: &Snapshot, action: &Action, number: u64) -> Judged {
    read(snapshot, action, request(number))
}

/// Judges and records an action in a mode; the request in hand is its number.
pub(crate) async fn record(
    ledger: &Ledger,
    mode: Mode,
    action: &Action,
    number: u64,
) -> Result<Recorded<Numbered>, Unrecorded<Numbered>> {
    let reserved = Reserved::new(judged(snapshot(mode), action, number), None);
    ledger.record(reserved, decision(action, number), Numbered(number)).await
}

pub(crate) fn sendable(recorded: Recorded<Numbered>) -> ordain_evidence::Sendable<Numbered> {
    match recorded {
        Recorded::Sendable(sendable) => sendable,
        Recorded::Refused(refused) => panic!("refused: {:?}", refused.verdict().reasons),
    }
}

pub(crate) async fn note(ledger: &Ledger, summary: &str) -> Result<Sequence, NotRecorded> {
    let own = OwnChange {
        kind: ordain_evidence::ChangeKind::Model,
        now: now(),
        author: "admin".to_owned(),
        summary: summary.to_owned(),
        before: None,
        after: Some(Digest::of(summary.as_bytes())),
    };
    ledger.note(own).await
}

/// The ledger, a line an entry.
pub(crate) fn told(storage: Arc<dyn Storage>) -> String {
    let mut lines = Vec::new();
    Reader::new(storage)
        .records(|entry, record| {
            lines.push(format!("{} {}", entry.sequence, line(record)));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    lines.join("\n")
}

fn line(record: &Record<'_>) -> String {
    let number =
        |name: &str| name.trim_start_matches("01935d00-0000-7000-8000-").trim_start_matches('0').to_owned();
    match record {
        Record::Decision(decision) => {
            format!("decision {} {} {}", number(&decision.id), decision.actor.party.name, decision.effect)
        }
        Record::Outcome(outcome) => {
            let end = match &outcome.end {
                EndRecord::NotSent(why) => format!("not sent: {why}"),
                EndRecord::Unknown(why) => format!("unknown: {why}"),
                EndRecord::Streamed(streamed) => format!("streamed {} {}", streamed.sent, streamed.received),
                EndRecord::Answered(answered) => format!("answered {}", answered.status),
            };
            format!("outcome {} of entry {:?}: {end}", number(&outcome.decision), outcome.entry)
        }
        Record::Attempts(attempts) => {
            let record::AttemptsRecord { actor, count, reasons, .. } = attempts;
            let reasons: Vec<String> =
                reasons.iter().map(|tally| format!("{} {}", tally.0, tally.1)).collect();
            format!("attempts {actor} {count}: {}", reasons.join(", "))
        }
        Record::Change(change) => format!("change {}: {}", change.what, change.summary),
        Record::Tunnel(tunnel) => {
            let actor = tunnel.actor.as_ref().map_or("nobody", |actor| &actor.party.name);
            format!("tunnel {} of {actor} to {}:{}", number(&tunnel.id), tunnel.host, tunnel.port)
        }
        Record::TunnelEnd(end) => format!(
            "end of tunnel {} of entry {:?}: {}, {:?} sent, {:?} received",
            number(&end.tunnel),
            end.entry,
            end.why,
            end.sent,
            end.received
        ),
    }
}

/// Numbers that look like chance and are the same each time.
#[derive(Debug)]
pub(crate) struct Chance(AtomicU64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        let step = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mut mixed = (step ^ (step >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
