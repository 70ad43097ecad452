//! A ledger as a gate would have written it, of any length: made by the judge and the ledger themselves, and judged again
//! by the program.
//!
//! Leaves out sockets: each request is read from a line, as `ordain decode` reads it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ordain::gate::{catalogue_digest, program_digest};
use ordain_action::{
    Action, Actor, ActorKind, Created, DecisionId, Digest, IdentityProof, Outcome, Party, Plane, Upstream,
    request_digest,
};
use ordain_decode::line::{At, read_request};
use ordain_decode::{Rooms, RoomsConfig};
use ordain_evidence::{
    Clock, Decision, Digested, Digests, FileStorage, HeadSummary, Ledger, LedgerSettings, Recorded, Reserved,
    Terms,
};
use ordain_rules::{Counters, LiveInventory, Mode, Modes, Snapshot, Source, judge};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{full, now, said};

const MODEL: &str = include_str!("../harness/model.yaml");
const ACCOUNT: &str = "123456789012";

/// How many are under way at once.
const TOGETHER: usize = 128;

struct Sent(Digest);

impl Digested for Sent {
    fn digest(&self) -> Digest {
        self.0
    }
}

/// What a ledger is made of.
struct Maker {
    rooms: Rooms,
    ledger: Ledger,
    model: Snapshot,
    live: LiveInventory,
    digests: Arc<Digests>,
    /// Every so many of the requests about what was made are judged as if nothing had been, and recorded as the others.
    forgets: Option<usize>,
}

/// A request, with the identifier of what it makes.
fn asked(number: usize) -> (&'static str, String, Option<String>) {
    let some = number.wrapping_mul(7919) % 2_003;
    let made = |number: usize| format!("i-made{:013x}", number / 12 * 12);
    let (who, call, makes) = match number % 12 {
        0 => (
            "alice",
            format!("RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1&ClientToken={number}"),
            Some(made(number)),
        ),
        1 | 7 => ("alice", format!("StopInstances&InstanceId.1=i-{some:017x}"), None),
        2 => ("robot", format!("TerminateInstances&InstanceId.1=i-{some:017x}"), None),
        3 => ("mallory", format!("DeleteVolume&VolumeId=vol-{some:017x}"), None),
        4 => (
            "alice",
            format!(
                "AuthorizeSecurityGroupIngress&GroupId=sg-{some}&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
            ),
            None,
        ),
        5 => (
            "robot",
            format!("CreateTags&ResourceId.1=i-{some:017x}&Tag.1.Key=owner&Tag.1.Value=payments"),
            None,
        ),
        6 => ("alice", format!("CreateVolume&AvailabilityZone=us-east-1a&Size={some}"), None),
        // What was made a while ago, by somebody who may not change what nobody knows.
        8 | 9 => (
            "robot",
            format!("StopInstances&InstanceId.1={}", made(number.saturating_sub(3 * TOGETHER))),
            None,
        ),
        10 => (
            "alice",
            format!(
                "ModifySnapshotAttribute&SnapshotId=snap-{some}&Attribute=createVolumePermission&OperationType=add&UserGroup.1=all"
            ),
            None,
        ),
        _ => ("alice", "StopInstances&InstanceId.1=i-1&InstanceId.1=i-2".to_owned(), None),
    };
    let url = format!("https://ec2.us-east-1.amazonaws.com/?Action={call}&Version=2016-11-15");
    (who, json!({"id": number.to_string(), "method": "GET", "url": url}).to_string(), makes)
}

impl Maker {
    fn new(folder: &Path, forgets: Option<usize>) -> Self {
        std::fs::create_dir_all(folder.join("model")).unwrap();
        std::fs::create_dir_all(folder.join("state/ledger")).unwrap();
        std::fs::write(folder.join("model/model.yaml"), MODEL).unwrap();
        let settings = format!(
            "state = {:?}\n[model]\ndirectory = {:?}\n[ledger]\ndirectory = {:?}\n\
             [[upstream]]\nname = \"default\"\nplane = \"aws\"\naccount = \"{ACCOUNT}\"\ncredentials = \"default\"\n",
            folder.join("state"),
            folder.join("model"),
            folder.join("state/ledger"),
        );
        std::fs::write(folder.join("gate.toml"), settings).unwrap();
        let source = Source { path: "model.yaml".to_owned(), text: MODEL.to_owned() };
        let model = Snapshot::load(&[source], Modes::new(Mode::Shadow)).unwrap();
        let rooms = Rooms::new(RoomsConfig::default()).unwrap();
        let digests = Digests {
            model: model.digest(),
            rules: model.rules_digest(),
            schema: model.schema_digest(),
            catalogue: catalogue_digest(&rooms),
            program: program_digest(),
        };
        let storage = Arc::new(FileStorage::new(folder.join("state/ledger")).unwrap());
        let ledger = Ledger::open(LedgerSettings::new("ordain/long", Clock::new(now)), storage).unwrap();
        Self { rooms, ledger, model, live: LiveInventory::new(), digests: Arc::new(digests), forgets }
    }

    fn action(&self, who: &str, line: &str) -> (Action, Digest) {
        let upstream = Upstream {
            name: Arc::from("default"),
            plane: Plane::Aws,
            account: Arc::from(ACCOUNT),
            partition: Arc::from("aws"),
        };
        let (_, reading) = read_request(&self.rooms, At { upstream: &upstream, served: true }, line).unwrap();
        let kind = if who == "robot" { ActorKind::Agent } else { ActorKind::Person };
        let actor = Actor {
            party: Party { name: Arc::from(who), kind },
            credential: Arc::from("AKORLONG"),
            proof: IdentityProof::Proven,
            on_behalf_of: Vec::new(),
            session: None,
            upstream,
        };
        let action = Action { actor, reading };
        let digest = request_digest(&action, || Digest::of(line.as_bytes()));
        (action, digest)
    }

    /// Judges, records and ends one; returns what has to be folded, once it stands in the ledger.
    fn one(&self, tasks: &mut JoinSet<Option<(u64, Arc<Action>, Outcome)>>, number: usize) {
        let (who, line, makes) = asked(number);
        let (action, request) = self.action(who, &line);
        let (action, now) = (Arc::new(action), now());
        let forgotten = self.forgets.is_some_and(|every| number.is_multiple_of(every));
        let live = if forgotten { &LiveInventory::new() } else { &self.live };
        let model = self.model.with_live(live);
        let judged = judge(&model, &action, request, &Counters::new(), now);
        let decision = Decision {
            id: DecisionId(uuid::Uuid::now_v7()),
            now,
            action: Arc::clone(&action),
            request,
            head: HeadSummary::default(),
            digests: Arc::clone(&self.digests),
            counters: Counters::new(),
            live: self.live.sequence(),
            terms: Terms { mode: Mode::Shadow, control_only: false, nobody: false },
            hold: None,
        };
        let ledger = self.ledger.clone();
        tasks.spawn(async move {
            let recorded = ledger.record(Reserved::new(judged, None), decision, Sent(request)).await.unwrap();
            let Recorded::Sendable(sendable) = recorded else { panic!("nothing is refused in shadow") };
            let (_sent, closing) = sendable.release().unwrap();
            let created = makes.map(|identifier| Created {
                kind: Arc::from("ec2:instance"),
                member: Arc::from("InstanceId"),
                identifier,
            });
            let created: Vec<Created> = created.into_iter().collect();
            let outcome =
                Outcome::Answered { status: 200, request_id: "r".to_owned(), error_code: None, created };
            if ordain_rules::created_by(&action, &outcome).is_empty() {
                closing.end(&outcome).unwrap();
                return None;
            }
            let sequence = closing.close(&outcome, drop).await.unwrap().unwrap();
            Some((sequence.0, action, outcome))
        });
    }

    async fn make(mut self, count: usize) {
        let numbers: Vec<usize> = (0..count).collect();
        for some in numbers.chunks(TOGETHER) {
            let mut tasks = JoinSet::new();
            for number in some {
                self.one(&mut tasks, *number);
            }
            let mut made: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
            made.sort_by_key(|(sequence, ..)| *sequence);
            for (sequence, action, outcome) in made {
                self.live.apply_outcome(&action, &outcome, None, sequence);
            }
        }
        self.ledger.close().await;
    }
}

fn made(folder: &Path, count: usize, forgets: Option<usize>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(Maker::new(folder, forgets).make(count));
}

fn replayed(folder: &Path) -> (Output, Value, Duration) {
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_ordain"))
        .arg("--config")
        .arg(folder.join("gate.toml"))
        .args(["-o", "json", "replay"])
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    (output, report, began.elapsed())
}

#[test]
fn serial_a_hundred_thousand_decisions_are_decided_again_to_the_last_word() {
    let count = if full() { 100_000 } else { 3_000 };
    let folder = tempfile::tempdir().unwrap();
    made(folder.path(), count, None);
    let (output, report, took) = replayed(folder.path());
    eprintln!("{} of {} verdicts are equal, in {took:?}", report["equal"], report["decisions"]);
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!((&report["decisions"], &report["equal"]), (&json!(count), &json!(count)), "{report:#}");
    assert_eq!((&report["other_model"], &report["not_judged"]), (&json!(0), &json!([])), "{report:#}");
}

/// Whoever had judged without what had been created would have said something else, and that is told.
#[test]
fn what_was_said_on_other_grounds_than_are_recorded_must_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    // Of numbers that end so, some ask to stop what was made: two of twelve, after the first were.
    let every = 8;
    made(folder.path(), 12 * TOGETHER, Some(every));
    let (output, report, _) = replayed(folder.path());
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    let first = 4 * TOGETHER;
    let differ = (first..12 * TOGETHER).filter(|number| number.is_multiple_of(every) && number % 12 == 8);
    assert_eq!(report["must_not_happen"], report["differ"], "{report:#}");
    let groups = report["differences"].as_array().unwrap();
    assert!(groups.iter().all(|group| group["from"] == "deny" && group["to"] == "admit"), "{report:#}");
    assert!(groups.iter().all(|group| group["must_not_happen"] == true), "{report:#}");
    let told = report["differ"].as_u64().unwrap();
    assert!(told >= differ.count() as u64, "{report:#}");
}
