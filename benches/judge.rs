//! The judge alone: one decision by rules and resources, its percentiles, and what loading costs.
//!
//! Leaves out decoding, evidence and the network. `cargo bench -p ordain-benches --bench judge` times with divan;
//! `cargo bench -p ordain-benches --bench judge -- percentiles` prints p50 and p99 of single decisions, interleaved.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use ordain_action::{
    Access, Action, Actor, ActorKind, Answer, Call, Digest, Effect, Identifier, IdentityProof, Level,
    NameBasis, Parameters, Party, Plane, Reading, Resource, Role, Scalar, Upstream,
};
use ordain_rules::{Counters, Judged, Mode, Modes, Snapshot, Source, judge};

const ACCOUNT: &str = "111122223333";
const TEAMS: usize = 50;
const ROUNDS: usize = 20_000;
const REPEATED: usize = 500;

fn main() {
    if std::env::args().any(|argument| argument == "percentiles") {
        percentiles();
    } else {
        divan::main();
    }
}

/// A name for each number of resources: one team's part of the estate after another.
fn name(number: usize) -> String {
    format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-{number:08x}")
}

fn documents(resources: usize) -> String {
    let mut text = String::new();
    for team in 0..TEAMS {
        let _ = write!(
            text,
            "apiVersion: ordain/v1\nkind: Group\nmetadata: {{name: team-{team}}}\nspec: {{parent: shop}}\n---\n\
             apiVersion: ordain/v1\nkind: User\nmetadata: {{name: person-{team}}}\nspec: {{memberOf: [team-{team}]}}\n---\n\
             apiVersion: ordain/v1\nkind: System\nmetadata: {{name: system-{team}}}\nspec: {{owner: team-{team}}}\n---\n"
        );
    }
    text.push_str("apiVersion: ordain/v1\nkind: Group\nmetadata: {name: shop}\nspec: {}\n---\n");
    let _ = write!(
        text,
        "apiVersion: ordain/v1\nkind: Account\nmetadata: {{name: shop}}\nspec: {{account: \"{ACCOUNT}\", owner: team-0, environment: production}}\n---\n\
         apiVersion: ordain/v1\nkind: Inventory\nmetadata: {{name: estate}}\nspec:\n  source: bench\n  resources:\n"
    );
    for number in 0..resources {
        let team = number % TEAMS;
        let _ = writeln!(
            text,
            "    - {{\"id\":\"r{number}\",\"type\":\"ec2:instance\",\"name\":\"{}\",\"identifiers\":[\"i-{number:08x}\"],\
             \"owner\":\"team-{team}\",\"system\":\"system-{team}\",\"tags\":{{\"service\":\"s{team}\"}}}}",
            name(number)
        );
    }
    text.push_str("  relations:\n");
    for number in 1..resources {
        let _ = writeln!(text, "    - {{from: r{number}, type: dependsOn, to: r{}}}", number / 4 * 4 / 3);
    }
    text
}

/// Rules as teams write them: about a system, a resource, a group or an operation.
fn rules(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let team = number % TEAMS;
        let head = match number % 4 {
            0 => format!(
                "forbid (principal, action == Action::\"delete\", resource in System::\"system:system-{}\")",
                number / 4
            ),
            1 => format!("forbid (principal, action, resource == Resource::\"{}\")", name(number * 7)),
            2 => format!(
                "forbid (principal in Group::\"guild-{number}\", action == Action::\"update\", resource)"
            ),
            _ => format!(
                "forbid (principal, action == Action::\"update\", resource in Scope::\"scope-{number}\")"
            ),
        };
        let _ = writeln!(
            text,
            "@id(\"rule-{number}\") @class(\"gate\") @reason(\"not `{{resource}}`\") @remedy(\"ask team {team}\")\n{head}\n\
             when {{ context.reach.dependants > {number} && principal.kind == \"agent\" }};"
        );
    }
    text
}

/// Changes that are open, each for one person and a few resources: what they plan is what is asked for now and then.
fn changes(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let team = number % TEAMS;
        let _ = write!(
            text,
            "---\napiVersion: ordain/v1\nkind: Change\nmetadata: {{name: change-{number}}}\nspec:\n  type: standard\n  \
             why: it is needed\n  author: person-{}\n  actors: [person-{team}]\n  from: 1970-01-01T00:00:00Z\n  until: \
             2099-01-01T00:00:00Z\n  account: \"{ACCOUNT}\"\n  region: eu-west-1\n  items:\n",
            (team + 1) % TEAMS
        );
        for item in 0..5 {
            let at = number + item * TEAMS;
            let _ = write!(
                text,
                "  - id: host-{item}\n    type: ec2:instance\n    name: {}\n    identifiers: [i-{at:08x}]\n    calls:\n    \
                 - operation: ec2:ModifyInstanceAttribute\n      takes: {{InstanceId: {{$of: host-{item}}}, InstanceType: \
                 {{Value: m5.large}}}}\n    - operation: ec2:TerminateInstances\n      takes: {{InstanceId: [{{$of: \
                 host-{item}}}]}}\n",
                name(at)
            );
        }
    }
    text
}

fn snapshot((rule_count, resources, open): Size) -> Snapshot {
    let sources = [
        Source { path: "estate.yaml".to_owned(), text: documents(resources) },
        Source { path: "changes.yaml".to_owned(), text: changes(open) },
        Source { path: "rules/own.cedar".to_owned(), text: rules(rule_count) },
    ];
    Snapshot::load(&sources, Modes::new(Mode::Enforce))
        .unwrap_or_else(|_| Snapshot::empty(Modes::new(Mode::Enforce)))
}

fn action(number: usize) -> Action {
    let mut parameters = Parameters::new();
    let identifier = format!("i-{number:08x}");
    let _ = parameters.push("InstanceId", Scalar::Text(&identifier));
    let _ = parameters.push("InstanceType.Value", Scalar::Text("m5.large"));
    let instance = Resource {
        role: Role::Target,
        kind: Arc::from("ec2:instance"),
        name: name(number),
        basis: NameBasis::Reviewed,
        pattern: false,
        identifiers: vec![Identifier { name: Arc::from("InstanceId"), value: identifier }],
    };
    let effect = Effect {
        service: Arc::from("ec2"),
        operation: Arc::from("ModifyInstanceAttribute"),
        iam_action: Arc::from("ec2:ModifyInstanceAttribute"),
        access: Access::Update,
        level: Level::Control,
        resources: vec![instance],
        parameters,
    };
    Action {
        actor: Actor {
            party: Party { name: Arc::from(format!("person-{}", number % TEAMS)), kind: ActorKind::Person },
            credential: Arc::from("AKORBENCH"),
            proof: IdentityProof::Proven,
            on_behalf_of: Vec::new(),
            session: None,
            upstream: Upstream {
                name: Arc::from("default"),
                plane: Plane::Aws,
                account: Arc::from(ACCOUNT),
                partition: Arc::from("aws"),
            },
        },
        reading: Reading::Call(Call {
            plane: Plane::Aws,
            effects: vec![effect],
            answer: Answer::default(),
            region: Arc::from("eu-west-1"),
        }),
    }
}

fn decide(snapshot: &Snapshot, action: &Action) -> Judged {
    judge(snapshot, black_box(action), Digest([7; 32]), &Counters::new(), jiff::Timestamp::UNIX_EPOCH)
}

/// Rules, resources and open changes.
type Size = (usize, usize, usize);

const SIZES: [Size; 5] =
    [(100, 1_000, 0), (100, 1_000, 50), (10_000, 1_000, 50), (100, 100_000, 1_000), (10_000, 100_000, 1_000)];

#[divan::bench(args = [(100, 1_000, 50), (10_000, 1_000, 50), (100, 100_000, 1_000)], sample_count = 200)]
fn decision(bencher: divan::Bencher<'_, '_>, size: Size) {
    let snapshot = snapshot(size);
    let (_, resources, _) = size;
    let actions: Vec<Action> = (0..resources).step_by(resources / REPEATED).map(action).collect();
    let mut next = actions.iter().cycle();
    bencher.bench_local(|| next.next().map(|action| decide(&snapshot, action)));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 5)]
fn load(bencher: divan::Bencher<'_, '_>, resources: usize) {
    bencher.bench_local(|| snapshot((100, resources, 0)));
}

/// Single decisions, one of each size in turn, so that noise falls on all alike.
fn percentiles() {
    let mut out = std::io::stdout().lock();
    let snapshots: Vec<(Snapshot, Vec<Action>)> = SIZES
        .iter()
        .map(|(rules, resources, open)| {
            let began = Instant::now();
            let snapshot = snapshot((*rules, *resources, *open));
            let took = began.elapsed();
            let _ = writeln!(
                out,
                "loaded {rules} rules, {resources} resources, {open} changes in {took:.2?}: {:?}",
                snapshot.summary().entries
            );
            let actions = (0..*resources).step_by(resources / REPEATED).map(action).collect();
            (snapshot, actions)
        })
        .collect();
    let mut times: Vec<Vec<u64>> = vec![Vec::with_capacity(ROUNDS); SIZES.len()];
    let mut admitted = 0_u64;
    for round in 0..ROUNDS {
        for ((snapshot, actions), times) in snapshots.iter().zip(&mut times) {
            let Some(action) = actions.get(round % actions.len()) else { continue };
            let began = Instant::now();
            let judged = decide(snapshot, action);
            let took = began.elapsed();
            admitted += u64::from(judged.permit.is_some());
            times.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        }
    }
    let _ = writeln!(out, "{admitted} of {} admitted", ROUNDS * SIZES.len());
    let _ = writeln!(out, "the same {REPEATED} changes again and again");
    tell(&mut out, times);
    let mut times: Vec<Vec<u64>> = Vec::new();
    for ((snapshot, _), (_, resources, _)) in snapshots.iter().zip(SIZES) {
        // Resources that no decision was about before: those between the ones above.
        let fresh = (0..resources).filter(|number| number % (resources / REPEATED) != 0).take(ROUNDS);
        let took = fresh.map(action).map(|action| {
            let began = Instant::now();
            black_box(decide(snapshot, &action));
            u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
        });
        times.push(took.collect());
    }
    let _ = writeln!(out, "changes of a resource for the first time");
    tell(&mut out, times);
}

fn tell(out: &mut impl std::io::Write, times: Vec<Vec<u64>>) {
    for ((rules, resources, open), mut times) in SIZES.into_iter().zip(times) {
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default() / 1_000;
        let _ = writeln!(
            out,
            "{rules:>6} rules {resources:>7} resources {open:>5} changes: p50 {:>4} µs, p90 {:>4} µs, p99 {:>4} µs",
            at(50),
            at(90),
            at(99)
        );
    }
}
