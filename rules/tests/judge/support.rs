//! Text to actions, verdicts to text.
//!
//! Leaves out what is being tested.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::Expect;
use jiff::Timestamp;
use ordain_action::{
    Access, Action, Actor, ActorKind, Answer, Call, Completeness, Digest, Effect, Identifier, IdentityProof,
    Level, NameBasis, Parameters, Party, Plane, Reading, Resource, Role, Scalar, Undecodable, Upstream,
};
use ordain_rules::{Counters, Judged, Mode, Modes, Ruling, Snapshot, Source, judge};

/// A Tuesday in no freeze.
pub(crate) const NOW: &str = "2026-11-24T10:00:00Z";

/// A small shop: two teams in one account, one host with many dependants.
pub(crate) const SHOP: &str = include_str!("shop.yaml");

/// A model of one file.
#[track_caller]
pub(crate) fn model(text: &str) -> Snapshot {
    models(&[("shop.yaml", text)])
}

/// A model of several files, in enforce mode.
#[track_caller]
pub(crate) fn models(files: &[(&str, &str)]) -> Snapshot {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() })
        .collect();
    Snapshot::load(&sources, Modes::new(Mode::Enforce)).unwrap_or_else(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", all.join("\n"))
    })
}

/// The problems of a model of several files.
pub(crate) fn check_problems(files: &[(&str, &str)], expected: Expect) {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() })
        .collect();
    let found = match Snapshot::load(&sources, Modes::new(Mode::Enforce)) {
        Ok(_) => "loaded".to_owned(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    expected.assert_eq(&found);
}

/// What the judge says of an action on the shop.
pub(crate) fn check(action_text: &str, expected: Expect) {
    check_on(&model(SHOP), action_text, expected);
}

/// What the judge says of an action.
pub(crate) fn check_on(snapshot: &Snapshot, action_text: &str, expected: Expect) {
    check_at(snapshot, NOW, action_text, expected);
}

/// What the judge says of an action at some time.
pub(crate) fn check_at(snapshot: &Snapshot, now: &str, action_text: &str, expected: Expect) {
    expected.assert_eq(&told(&judged(snapshot, now, &action(action_text))));
}

/// Judges an action.
pub(crate) fn judged(snapshot: &Snapshot, now: &str, action: &Action) -> Judged {
    let now: Timestamp = now.parse().unwrap();
    judge(snapshot, action, Digest::of(b"request"), &Counters::new(), now)
}

/// The codes of all refusals of an action on the shop.
pub(crate) fn codes(action_text: &str) -> String {
    codes_on(&model(SHOP), action_text)
}

/// The codes of all refusals of an action.
pub(crate) fn codes_on(snapshot: &Snapshot, action_text: &str) -> String {
    let judged = judged(snapshot, NOW, &action(action_text));
    let refusals = judged.verdict.reasons.iter().filter(|reason| reason.ruling != Ruling::Admit);
    refusals.map(|reason| reason.code.as_str()).collect::<Vec<_>>().join(" ")
}

/// A verdict in words.
pub(crate) fn told(judged: &Judged) -> String {
    let verdict = &judged.verdict;
    let mut text = format!("{} ({})", verdict.ruling.as_str(), verdict.mode.as_str());
    match &judged.permit {
        Some(permit) => writeln!(text, ", permit {:?}", permit.kind()).unwrap(),
        None => writeln!(text, ", no permit").unwrap(),
    }
    for reason in &verdict.reasons {
        let (ruling, count) = (reason.ruling.as_str(), reason.count.as_str());
        writeln!(text, "{ruling} {count} {}: {}", reason.code.as_str(), reason.text).unwrap();
        if !reason.remedy.is_empty() {
            writeln!(text, "    → {}", reason.remedy).unwrap();
        }
    }
    if !verdict.owners.is_empty() {
        writeln!(text, "owners: {}", verdict.owners.join(", ")).unwrap();
    }
    let reach = &verdict.reach;
    let dependants = reach.dependants.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    write!(text, "reach: {} + {dependants}", reach.direct).unwrap();
    if let Some(tier) = &reach.tier {
        write!(text, ", tier {tier}").unwrap();
    }
    if !reach.owners_crossed.is_empty() {
        write!(text, ", crosses {}", reach.owners_crossed.join(", ")).unwrap();
    }
    text
}

/// Reads an action. The first line is who: `agent cleaner [for person alice] [claimed]`. Then effects,
/// each `effect ec2:TerminateInstances delete [data]` with its resources
/// `target|parent|uses ec2:instance NAME|- [carried|reviewed|bound|scope|unnamed] [pattern] [Member=value]`,
/// its parameters `Path = text` or `Path := true`, `:= 0`, `:= null`, `:= {}`, `:= secret`, and `partial` or `opaque` where they are
/// not complete. An action that names something of a cluster is of the cluster `prod`, one that has
/// an id of Azure of the tenant `contoso`, any other of an AWS account.
pub(crate) fn action(text: &str) -> Action {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let plane = match text {
        _ if text.contains("k8s://") => Plane::Kubernetes,
        _ if text.contains(" /subscriptions/") => Plane::Azure,
        _ if text.contains(".googleapis.com/") => Plane::Gcp,
        _ => Plane::Aws,
    };
    let actor = actor(lines.next().unwrap(), plane);
    let mut effects: Vec<Effect> = Vec::new();
    let mut undecodable = None;
    for line in lines {
        if let Some(why) = line.strip_prefix("undecodable ") {
            undecodable = Some(Undecodable::new("unknown_operation", why));
        } else if let Some(rest) = line.strip_prefix("effect ") {
            effects.push(effect(rest));
        } else {
            detail(effects.last_mut().unwrap(), line);
        }
    }
    let reading = match undecodable {
        Some(why) => Reading::Undecodable { plane, why },
        None => Reading::Call(Call {
            plane,
            effects,
            answer: Answer::default(),
            region: Arc::from(if plane == Plane::Aws { "eu-west-1" } else { "" }),
        }),
    };
    Action { actor, reading }
}

fn actor(line: &str, plane: Plane) -> Actor {
    let words: Vec<&str> = line.split(' ').collect();
    let party =
        |kind: &str, name: &str| Party { name: Arc::from(name), kind: ActorKind::parse(kind).unwrap() };
    let mut on_behalf_of = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if *word == "for" {
            on_behalf_of.push(party(words[at + 1], words[at + 2]));
        }
    }
    let claimed = words.last() == Some(&"claimed");
    Actor {
        party: party(words[0], words[1]),
        credential: Arc::from("AKORTEST"),
        proof: if claimed { IdentityProof::Claimed } else { IdentityProof::Proven },
        on_behalf_of,
        session: None,
        upstream: Upstream {
            name: Arc::from("default"),
            plane,
            account: Arc::from(match plane {
                Plane::Kubernetes => "prod",
                Plane::Azure => "contoso",
                Plane::Gcp => "acme",
                _ => "111122223333",
            }),
            partition: Arc::from(if plane == Plane::Aws { "aws" } else { "" }),
        },
    }
}

fn effect(rest: &str) -> Effect {
    let mut words = rest.split(' ');
    let (service, operation) = words.next().unwrap().split_once(':').unwrap();
    let access = Access::parse(words.next().unwrap()).unwrap();
    let level = if words.next() == Some("data") { Level::Data } else { Level::Control };
    Effect {
        service: Arc::from(service),
        operation: Arc::from(operation),
        iam_action: Arc::from(format!("{service}:{operation}")),
        access,
        level,
        resources: Vec::new(),
        parameters: Parameters::new(),
    }
}

fn detail(effect: &mut Effect, line: &str) {
    let roles = [("target ", Role::Target), ("parent ", Role::Parent), ("uses ", Role::Uses)];
    for (word, role) in roles {
        if let Some(rest) = line.strip_prefix(word) {
            effect.resources.push(resource(role, rest));
            return;
        }
    }
    match line {
        "partial" => effect.parameters.incomplete(Completeness::Partial("template")),
        "opaque" => effect.parameters.incomplete(Completeness::Opaque("template")),
        _ if line.contains(" := ") => {
            let (path, value) = line.split_once(" := ").unwrap();
            let value = match value {
                "true" => Scalar::Bool(true),
                "false" => Scalar::Bool(false),
                "null" => Scalar::Null,
                "{}" => Scalar::Empty,
                "secret" => Scalar::Token("hmac-sha256:0a"),
                number => Scalar::Number(number),
            };
            effect.parameters.push(path, value).unwrap();
        }
        _ => {
            let (path, value) = line.split_once(" = ").unwrap();
            effect.parameters.push(path, Scalar::Text(value)).unwrap();
        }
    }
}

fn resource(role: Role, rest: &str) -> Resource {
    let mut words = rest.split(' ');
    let kind = Arc::from(words.next().unwrap());
    let name = words.next().unwrap();
    let name = if name == "-" { String::new() } else { name.to_owned() };
    let mut basis = if name.is_empty() { NameBasis::Unnamed } else { NameBasis::Reviewed };
    let (mut pattern, mut identifiers) = (false, Vec::new());
    for word in words {
        match word {
            "carried" => basis = NameBasis::Carried,
            "reviewed" => basis = NameBasis::Reviewed,
            "bound" => basis = NameBasis::Bound,
            "scope" => basis = NameBasis::Scope,
            "unnamed" => basis = NameBasis::Unnamed,
            "pattern" => pattern = true,
            other => {
                let (member, value) = other.split_once('=').unwrap();
                identifiers.push(Identifier { name: Arc::from(member), value: value.to_owned() });
            }
        }
    }
    Resource { role, kind, name, basis, pattern, identifiers }
}
