//! Durable records a second: the ledger with 1, 8 and 64 producers beside a bare append and sync.
//!
//! Leaves out judging and the network. `cargo bench -p ordain-benches --bench evidence` times with divan, on the file system
//! of the build directory. A record is one decision with its outcome: two entries, each waited for.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run says why and stops")]

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use divan::counter::ItemsCount;
use ordain_action::{
    Access, Action, Actor, ActorKind, Answer, Call, DecisionId, Digest, Effect, Identifier, IdentityProof,
    Level, NameBasis, Outcome, Parameters, Party, Plane, Reading, Resource, Role, Scalar, Upstream,
};
use ordain_evidence::{
    Clock, Decision, Digested, Digests, FileStorage, HeadSummary, Ledger, LedgerSettings, Recorded, Reserved,
    Terms,
};
use ordain_rules::{Counters, Mode, Modes, Snapshot, judge};
use tokio::runtime::Runtime;

/// What every producer records in one sample.
const TURNS: u64 = 64;

/// The size of a decision and its outcome as they are kept.
const ENTRY: usize = 1_900;

fn main() {
    divan::main();
}

/// Decisions made durable and closed by so many producers at once.
#[divan::bench(args = [1, 8, 64], sample_count = 20, sample_size = 1)]
fn ledger(bencher: divan::Bencher<'_, '_>, producers: u64) {
    let place = Place::new();
    bencher
        .counter(ItemsCount::new(producers * TURNS))
        .bench_local(|| place.runtime.block_on(place.produce(producers)));
    place.runtime.block_on(place.ledger.clone().close());
}

/// One writer that appends as much and syncs each time, into a file that was filled ahead.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn bare_append_and_sync(bencher: divan::Bencher<'_, '_>) {
    let directory = directory();
    let file = filled(&directory, 64 * 1024 * 1024);
    let bytes = [7; ENTRY];
    let mut offset = 0;
    bencher.counter(ItemsCount::new(TURNS)).bench_local(|| {
        for _ in 0..TURNS {
            file.write_all_at(&bytes, offset).expect("the disk takes it");
            file.sync_data().expect("the disk takes it");
            offset = (offset + ENTRY as u64) % (60 * 1024 * 1024);
        }
    });
}

/// What judging takes of the figures above: next to nothing, so that they are the ledger's.
#[divan::bench(sample_count = 50)]
fn judge_without_a_model(bencher: divan::Bencher<'_, '_>) {
    let snapshot = Snapshot::empty(Modes::new(Mode::Shadow));
    let action = action();
    let now = "2026-11-24T10:00:00Z".parse().expect("a time");
    bencher.bench_local(|| judge(&snapshot, &action, Digest::of(b"request"), &Counters::new(), now));
}

struct Place {
    ledger: Ledger,
    snapshot: Arc<Snapshot>,
    action: Arc<Action>,
    digests: Arc<Digests>,
    runtime: Runtime,
    _directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
        let directory = directory();
        let storage = Arc::new(FileStorage::new(directory.path()).expect("the disk takes it"));
        let now: jiff::Timestamp = "2026-11-24T10:00:00Z".parse().expect("a time");
        let settings = LedgerSettings::new("gate.example/bench", Clock::new(move || now));
        let ledger = Ledger::open(settings, storage).expect("a new ledger");
        let zero = Digest::of(b"");
        let digests = Digests { model: zero, rules: zero, schema: zero, catalogue: zero, program: zero };
        Self {
            ledger,
            snapshot: Arc::new(Snapshot::empty(Modes::new(Mode::Shadow))),
            action: Arc::new(action()),
            digests: Arc::new(digests),
            runtime,
            _directory: directory,
        }
    }

    async fn produce(&self, producers: u64) {
        let tasks: Vec<_> = (0..producers)
            .map(|_| {
                let (ledger, snapshot) = (self.ledger.clone(), Arc::clone(&self.snapshot));
                let (action, digests) = (Arc::clone(&self.action), Arc::clone(&self.digests));
                tokio::spawn(async move {
                    for _ in 0..TURNS {
                        one(&ledger, &snapshot, &action, &digests).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a producer ends");
        }
    }
}

/// What stands for a request.
struct Sent(Digest);

impl Digested for Sent {
    fn digest(&self) -> Digest {
        self.0
    }
}

async fn one(ledger: &Ledger, snapshot: &Snapshot, action: &Arc<Action>, digests: &Arc<Digests>) {
    let now = "2026-11-24T10:00:00Z".parse().expect("a time");
    let request = Digest::of(b"request");
    let judged = judge(snapshot, action, request, &Counters::new(), now);
    let decision = Decision {
        id: DecisionId(uuid::Uuid::now_v7()),
        now,
        action: Arc::clone(action),
        request,
        head: HeadSummary::default(),
        digests: Arc::clone(digests),
        counters: Counters::new(),
        live: 0,
        terms: Terms { mode: Mode::Shadow, control_only: false, nobody: false },
        hold: None,
    };
    let recorded =
        ledger.record(Reserved::new(judged, None), decision, Sent(request)).await.expect("it is recorded");
    let Recorded::Sendable(sendable) = recorded else { return };
    let (_sent, closing) = sendable.release().expect("the digest is the same");
    let outcome = Outcome::Answered {
        status: 200,
        request_id: "5b0c6e0e-3b1d-4f0a-9d52-c7a6a3f1a2b4".to_owned(),
        error_code: None,
        created: Vec::new(),
    };
    closing.close(&outcome, drop).await.expect("it is closed");
}

fn action() -> Action {
    let mut parameters = Parameters::new();
    parameters.push("InstanceId.1", Scalar::Text("i-0a1b2c3d4e5f60718")).expect("room");
    let target = Resource {
        role: Role::Target,
        kind: Arc::from("ec2:instance"),
        name: "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60718".to_owned(),
        basis: NameBasis::Reviewed,
        pattern: false,
        identifiers: vec![Identifier {
            name: Arc::from("InstanceId"),
            value: "i-0a1b2c3d4e5f60718".to_owned(),
        }],
    };
    let effect = Effect {
        service: Arc::from("ec2"),
        operation: Arc::from("TerminateInstances"),
        iam_action: Arc::from("ec2:TerminateInstances"),
        access: Access::Delete,
        level: Level::Control,
        resources: vec![target],
        parameters,
    };
    let upstream = Upstream {
        name: Arc::from("default"),
        plane: Plane::Aws,
        account: Arc::from("111122223333"),
        partition: Arc::from("aws"),
    };
    let actor = Actor {
        party: Party { name: Arc::from("alice"), kind: ActorKind::Person },
        credential: Arc::from("AKORTEST"),
        proof: IdentityProof::Proven,
        on_behalf_of: Vec::new(),
        session: None,
        upstream,
    };
    let call = Call {
        plane: Plane::Aws,
        effects: vec![effect],
        answer: Answer::default(),
        region: Arc::from("eu-west-1"),
    };
    Action { actor, reading: Reading::Call(call) }
}

/// Beside the build, not where temporary files go: that may be memory.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

fn filled(directory: &tempfile::TempDir, length: usize) -> File {
    let path = directory.path().join("bare");
    let mut file =
        OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path).expect("a file");
    file.write_all(&vec![0; length]).expect("the disk takes it");
    file.sync_all().expect("the disk takes it");
    file
}
