//! A file of cases, to what is judged and what is expected: each fault with its place, all of them at once.
//!
//! Leaves out judging.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{
    Action, Actor, ActorKind, Answer, Call, Digest, Effect, IdentityProof, Party, Plane, Reading, Upstream,
    request_digest,
};
use ordain_decode::Rooms;
use ordain_decode::line::{At, read_raw_request};
use ordain_rules::{Problem, Ruling, nearest, yaml_problem};

use super::effects::{Fault, effect, one_of};
use super::written;
use crate::config::Config;

/// A Wednesday on which nothing happens: the time of what says none, where no time matters.
const AT: &str = "2026-01-07T12:00:00Z";

const KINDS: [ActorKind; 3] = [ActorKind::Person, ActorKind::Pipeline, ActorKind::Agent];
const RULINGS: [Ruling; 3] = [Ruling::Admit, Ruling::Hold, Ruling::Deny];

/// What cases are read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reads<'r> {
    pub(super) config: &'r Config,
    pub(super) rooms: &'r Rooms,
    /// The model has something that holds for a time, so that a case has to say its own.
    pub(super) times_matter: bool,
}

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) asked: Asked,
    pub(super) ruling: Ruling,
    pub(super) expect: written::Expect,
}

/// What is judged.
#[derive(Debug)]
pub(super) enum Asked {
    /// Who would do what, at which time.
    Action(Box<Action>, Digest, Timestamp),
    /// What the ledger holds, by name.
    Decision(String),
}

/// The cases of a file. The problems found are added to those given.
pub(super) fn cases(reads: Reads<'_>, file: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<Case> {
    let all: Vec<written::Case> = match yaml_serde::from_str(text) {
        Ok(all) => all,
        Err(error) => {
            problems.push(yaml_problem(file, 1, &error));
            return Vec::new();
        }
    };
    let mut names = BTreeSet::new();
    let (mut found, mut from) = (Vec::new(), 0);
    for written in all {
        let place = Place::of(file, text, &written.name, from);
        from = place.line;
        if !names.insert(written.name.clone()) {
            let text = format!("there are two cases `{}`; give each a name of its own", written.name);
            problems.push(place.problem("", text));
        }
        match case(reads, &place, written) {
            Ok(case) => found.push(case),
            Err((words, text)) => problems.push(place.problem(&words, text)),
        }
    }
    if found.is_empty() && problems.is_empty() {
        let text = "there is no case in it; write one, or remove the file".to_owned();
        problems.push(Problem { path: file.to_owned(), line: 1, text });
    }
    found
}

/// Where a case begins.
struct Place<'t> {
    file: &'t str,
    text: &'t str,
    line: usize,
}

impl<'t> Place<'t> {
    /// At the first line after those before it that says its name.
    fn of(file: &'t str, text: &'t str, name: &str, from: usize) -> Self {
        let mut lines = text.lines().zip(1..).skip(from);
        let named = lines.find(|(line, _)| line.contains("name:") && line.contains(name));
        Self { file, text, line: named.map_or(from.max(1), |(_, number)| number) }
    }

    fn problem(&self, words: &str, text: String) -> Problem {
        let mut lines = self.text.lines().zip(1..).skip(self.line - 1);
        let line = lines.find(|(line, _)| line.contains(words)).map_or(self.line, |(_, number)| number);
        Problem { path: self.file.to_owned(), line, text }
    }
}

fn fault(words: &str, text: impl Into<String>) -> Fault {
    (words.to_owned(), text.into())
}

fn case(reads: Reads<'_>, place: &Place<'_>, mut written: written::Case) -> Result<Case, Fault> {
    let by_hand = written.operation.is_some()
        || written.iam_action.is_some()
        || written.access.is_some()
        || written.level.is_some()
        || !written.resources.is_empty()
        || !written.parameters.is_empty()
        || written.incomplete.is_some()
        || !written.also.is_empty();
    let ways = [by_hand, written.request.is_some(), written.decision.is_some()];
    if ways.iter().filter(|is_there| **is_there).count() != 1 {
        return Err(fault(
            "",
            "a case asks for one thing; give one of `request`, `operation` and `decision`",
        ));
    }
    let ruling = one_of("verdict", &written.expect.verdict, &RULINGS, Ruling::as_str)?;
    let asked = match written.decision.take() {
        Some(decision) => Asked::Decision(decided(&written, decision)?),
        None => asked(reads, &mut written)?,
    };
    let written::Case { name, expect, .. } = written;
    Ok(Case { file: place.file.to_owned(), line: place.line, name, asked, ruling, expect })
}

/// A decision has all of its own.
fn decided(written: &written::Case, decision: String) -> Result<String, Fault> {
    let written::Case { actor, upstream, plane, account, region, at, .. } = written;
    let own = [
        ("actor", actor.is_some()),
        ("upstream", upstream.is_some()),
        ("plane", plane.is_some()),
        ("account", account.is_some()),
        ("region", region.is_some()),
        ("at", at.is_some()),
    ];
    match own.into_iter().find(|(_, is_there)| *is_there) {
        Some((key, _)) => Err(fault(key, format!("a recorded decision has its own `{key}`; remove it"))),
        None => Ok(decision),
    }
}

fn asked(reads: Reads<'_>, written: &mut written::Case) -> Result<Asked, Fault> {
    let at = match &written.at {
        Some(at) => at
            .parse()
            .map_err(|_| fault(at, format!("`{at}` is no time; give one such as `2026-01-31T18:00:00Z`")))?,
        None if reads.times_matter => {
            let text = "the model has freezes, windows or exceptions; say in `at` when it is asked for";
            return Err(fault("", text));
        }
        None => AT.parse().map_err(|_| fault("", "the case says no time; give `at`"))?,
    };
    let upstream = upstream(reads.config, written)?;
    let reading = match &written.request {
        Some(request) => {
            if written.region.is_some() {
                return Err(fault("region", "a request says its region by itself; remove `region`"));
            }
            read(reads.rooms, written, &upstream, request)?
        }
        None => Reading::Call(by_hand(written, upstream.plane)?),
    };
    let Some(actor) = &written.actor else {
        return Err(fault("", "nobody asks; give `actor`, for example `actor: {name: robot, kind: agent}`"));
    };
    let party = |name: &str, kind: &str| {
        let kind = one_of("actor kind", kind, &KINDS, ActorKind::as_str)?;
        Ok::<_, Fault>(Party { name: Arc::from(name), kind })
    };
    let behalf = actor.on_behalf_of.iter().map(|one| party(&one.name, &one.kind));
    let actor = Actor {
        party: party(&actor.name, &actor.kind)?,
        credential: Arc::from(""),
        // As if the signature had been right: a case is about what may be done, not about who it is.
        proof: IdentityProof::Proven,
        on_behalf_of: behalf.collect::<Result<_, _>>()?,
        session: None,
        upstream,
    };
    let action = Action { actor, reading };
    let digest =
        request_digest(&action, || Digest::of(written.request.as_deref().unwrap_or_default().as_bytes()));
    Ok(Asked::Action(Box::new(action), digest, at))
}

fn read(
    rooms: &Rooms,
    written: &written::Case,
    upstream: &Upstream,
    request: &str,
) -> Result<Reading, Fault> {
    let at = At { upstream, served: written.upstream.is_some() || written.plane.is_some() };
    // A block of YAML ends in a line break, which is no part of the body.
    let raw = request.strip_suffix('\n').unwrap_or(request);
    let reading =
        read_raw_request(rooms, at, raw.as_bytes()).map_err(|why| fault("request:", why.text.clone()))?;
    let plane = match &reading {
        Reading::Call(call) => call.plane,
        Reading::Undecodable { plane, .. } => *plane,
    };
    if plane != upstream.plane && plane != Plane::Unknown {
        return Err(fault(
            "request:",
            format!(
                "the request is of the plane `{}`, and not of `{}`; say so in `plane`, or name its `upstream`",
                plane.as_str(),
                upstream.plane.as_str(),
            ),
        ));
    }
    Ok(reading)
}

fn by_hand(written: &mut written::Case, plane: Plane) -> Result<Call, Fault> {
    let Some(operation) = written.operation.take() else {
        return Err(fault("", "what is done has no `operation`; write it as `operation: ec2:RunInstances`"));
    };
    let first = written::Effect {
        operation,
        iam_action: written.iam_action.take(),
        access: written.access.take().unwrap_or_default(),
        level: written.level.take(),
        resources: std::mem::take(&mut written.resources),
        parameters: std::mem::take(&mut written.parameters),
        incomplete: written.incomplete.take(),
    };
    let effects: Vec<Effect> =
        std::iter::once(&first).chain(&written.also).map(effect).collect::<Result<_, _>>()?;
    let region = Arc::from(written.region.as_deref().unwrap_or_default());
    Ok(Call { plane, effects, answer: Answer::default(), region })
}

fn upstream(config: &Config, written: &written::Case) -> Result<Upstream, Fault> {
    let (name, plane, own) = match &written.upstream {
        Some(name) => {
            let Some(found) = config.upstreams.iter().find(|upstream| upstream.name == *name) else {
                let known: Vec<&str> = config.upstreams.iter().map(|one| one.name.as_str()).collect();
                return Err(fault(name, format!("there is no upstream `{name}`; {}", nearest(name, &known))));
            };
            if written.plane.is_some() {
                return Err(fault("plane", "an upstream has its own `plane`; remove it"));
            }
            let plane = found.kind.plane();
            // As everywhere: outside clouds an account is what its operators call it.
            let own = || (plane != Plane::Aws).then(|| found.name.clone());
            (name.as_str(), plane, found.account.clone().or_else(own))
        }
        None => {
            let plane = match &written.plane {
                Some(word) => one_of("plane", word, Plane::ALL, Plane::as_str)?,
                None => Plane::Aws,
            };
            ("default", plane, None)
        }
    };
    let Some(account) = written.account.clone().or(own) else {
        return Err(fault("", "it says no account; give `account`, or an `upstream` that has one"));
    };
    if plane == Plane::Aws && !(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())) {
        let text = format!("`account` is `{account}`; give the twelve digits of an AWS account, in quotes");
        return Err(fault(&account, text));
    }
    Ok(Upstream {
        name: Arc::from(name),
        plane,
        account: Arc::from(account),
        partition: Arc::from(if plane == Plane::Aws { "aws" } else { "" }),
    })
}
