//! What people are asked when a decision waits for them: all that the request would do, and why it waits, as one text.
//!
//! An approval is for the digest of that text, so that whoever approves has read what they approve, and another request, or
//! the same one once it reaches further, is another question. Leaves out who may answer (`mod.rs`).

use std::sync::Arc;

use ordain_action::{Action, Digest, Effect, Party, Reading, Resource, Scalar};
use serde::{Deserialize, Serialize};

use crate::{Reason, Ruling, Verdict};

/// The version of the text: another one is another question.
const VERSION: u8 = 1;

/// A question, as it is kept and shown. The order of its members is that of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The form of the text.
    version: u8,
    /// The request digest, in hexadecimal digits.
    pub request: String,
    /// Who asks.
    pub actor: Asker,
    /// For whom, nearest first.
    pub on_behalf_of: Vec<Asker>,
    /// The session that it is asked in, where it is one.
    pub session: Option<String>,
    /// Where: the plane, the account there, and the name of the upstream.
    pub place: Place,
    /// What it would do.
    pub effects: Vec<Doing>,
    /// Why it waits, and for whom.
    pub waits: Vec<Waiting>,
    /// Owners of all targets and parents.
    pub owners: Vec<String>,
    /// What it reaches.
    pub reaches: Reaching,
}

/// A party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asker {
    /// Its name in the model.
    pub name: String,
    /// `person`, `pipeline` or `agent`.
    pub kind: String,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The plane.
    pub plane: String,
    /// The account, tenant, project or cluster.
    pub account: String,
    /// The upstream's name in the configuration.
    pub upstream: String,
    /// The region; empty for a global service.
    pub region: String,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doing {
    /// The operation, as `ec2:TerminateInstances`.
    pub operation: String,
    /// The class of the effect.
    pub access: String,
    /// What it touches.
    pub resources: Vec<Touching>,
    /// `complete`, or why the parameters are not.
    pub completeness: String,
    /// Its parameters: path, sort of value, value; none that clients make up anew for every try.
    pub parameters: Vec<(String, String, String)>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touching {
    /// `target`, `parent` or `uses`.
    pub role: String,
    /// Its type.
    pub kind: String,
    /// Its canonical name.
    pub name: String,
    /// Raw identifiers, each a member and its value.
    pub identifiers: Vec<(String, String)>,
}

/// One reason to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The machine-readable reason.
    pub code: String,
    /// For a person.
    pub text: String,
    /// The rules that said so.
    pub rules: Vec<String>,
    /// Which effect it is about, counted from zero.
    pub effect: usize,
    /// Whose approval it waits for.
    pub asks: Vec<String>,
}

/// What a request reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reaching {
    /// What depends on its targets; none where that is not known.
    pub dependants: Option<u64>,
    /// Owners other than the actor's own.
    pub owners_crossed: Vec<String>,
    /// The most critical tier.
    pub tier: Option<String>,
    /// Environments.
    pub environments: Vec<String>,
    /// How many things with data that no other copy has would be deleted.
    pub irreversible: u64,
    /// The first of those.
    pub lost: Vec<String>,
}

impl Question {
    /// What is asked of a request that waits.
    pub(crate) fn of(action: &Action, request: Digest, verdict: &Verdict) -> Self {
        let actor = &action.actor;
        let (region, effects) = match &action.reading {
            Reading::Call(call) => (call.region.to_string(), call.effects.as_slice()),
            // What could not be read is denied and never waits.
            Reading::Undecodable { .. } => (String::new(), [].as_slice()),
        };
        let reach = &verdict.reach;
        Self {
            version: VERSION,
            request: request.to_hex(),
            actor: Asker::of(&actor.party),
            on_behalf_of: actor.on_behalf_of.iter().map(Asker::of).collect(),
            session: actor.session.as_deref().map(str::to_owned),
            place: Place {
                plane: actor.upstream.plane.as_str().to_owned(),
                account: actor.upstream.account.to_string(),
                upstream: actor.upstream.name.to_string(),
                region,
            },
            effects: effects.iter().map(Doing::of).collect(),
            waits: verdict.reasons.iter().filter(|one| one.ruling == Ruling::Hold).map(Waiting::of).collect(),
            owners: texts(&verdict.owners),
            reaches: Reaching {
                dependants: reach.dependants,
                owners_crossed: texts(&reach.owners_crossed),
                tier: reach.tier.as_deref().map(str::to_owned),
                environments: texts(&reach.environments),
                irreversible: reach.irreversible,
                lost: texts(&reach.lost),
            },
        }
    }

    /// The text that is kept, shown and approved by its digest.
    ///
    /// # Errors
    /// It cannot be written, which what is made of texts and numbers alone can.
    pub(crate) fn to_text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Reads a text back.
    ///
    /// # Errors
    /// It is none that this version writes.
    pub fn read(text: &str) -> Result<Self, String> {
        let question: Self = serde_json::from_str(text)
            .map_err(|error| format!("the question of the hold cannot be read: {error}"))?;
        if question.version != VERSION || question.to_text().ok().as_deref() != Some(text) {
            return Err(
                "the question of the hold was written by another version; have the request made again"
                    .to_owned(),
            );
        }
        Ok(question)
    }

    /// Whose approval it waits for, sorted, each once.
    #[must_use]
    pub fn asks(&self) -> Vec<&str> {
        let mut asks: Vec<&str> =
            self.waits.iter().flat_map(|waiting| &waiting.asks).map(String::as_str).collect();
        asks.sort_unstable();
        asks.dedup();
        asks
    }

    /// What would be done, in one line for people: nothing in it is a sign to a terminal, and none of it is long.
    #[must_use]
    pub fn told(&self) -> String {
        let Some(first) = self.effects.first() else { return "nothing that could be read".to_owned() };
        let named = |role: &str| first.resources.iter().find(|resource| resource.role == role);
        let on = named("target").or_else(|| named("parent")).map_or("", |resource| resource.name.as_str());
        let more = match (self.effects.len(), first.resources.len()) {
            (1, 0 | 1) => String::new(),
            (1, others) => format!(" and {} more", others - 1),
            (effects, _) => format!(" and {} more effects", effects - 1),
        };
        let for_whom: String = self
            .on_behalf_of
            .iter()
            .take(4)
            .map(|party| format!(" for {} `{}`", party.kind, plain(&party.name)))
            .collect();
        let (name, operation, on) = (plain(&self.actor.name), plain(&first.operation), plain(on));
        format!("{} `{name}`{for_whom}: `{operation}` on `{on}`{more}", self.actor.kind)
    }
}

impl Asker {
    fn of(party: &Party) -> Self {
        Self { name: party.name.to_string(), kind: party.kind.as_str().to_owned() }
    }
}

impl Doing {
    fn of(effect: &Effect) -> Self {
        use ordain_action::Completeness;
        let completeness = match effect.parameters.completeness() {
            Completeness::Complete => "complete".to_owned(),
            Completeness::Partial(why) => format!("partial: {why}"),
            Completeness::Opaque(why) => format!("opaque: {why}"),
        };
        Self {
            operation: format!("{}:{}", effect.service, effect.operation),
            access: effect.access.as_str().to_owned(),
            resources: effect.resources.iter().map(Touching::of).collect(),
            completeness,
            parameters: effect
                .parameters
                .canonical()
                .into_iter()
                .map(|(path, value)| {
                    let (sort, value) = sort(value);
                    (path.into_owned(), sort.to_owned(), value.to_owned())
                })
                .collect(),
        }
    }
}

impl Touching {
    fn of(resource: &Resource) -> Self {
        let identifiers = resource.identifiers.iter();
        Self {
            role: resource.role.as_str().to_owned(),
            kind: resource.kind.to_string(),
            name: resource.name.clone(),
            identifiers: identifiers.map(|one| (one.name.to_string(), one.value.clone())).collect(),
        }
    }
}

impl Waiting {
    fn of(reason: &Reason) -> Self {
        Self {
            code: reason.code.as_str().to_owned(),
            text: reason.text.clone(),
            rules: texts(&reason.rules),
            effect: reason.effect,
            asks: texts(&reason.asks),
        }
    }
}

/// The longest text of others in a line.
const PLAIN_MAX: usize = 200;

/// A text of others, in a line: no letter of it is a command, and no more of it is there than anybody reads.
fn plain(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.chars().take(PLAIN_MAX) {
        if letter.is_control() || is_unseen(letter) {
            kept.extend(letter.escape_unicode());
        } else {
            kept.push(letter);
        }
    }
    if text.chars().nth(PLAIN_MAX).is_some() {
        kept.push('…');
    }
    kept
}

/// What turns the text around it, or is not seen at all.
const fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

const fn sort(value: Scalar<'_>) -> (&'static str, &str) {
    match value {
        Scalar::Text(text) => ("text", text),
        Scalar::Number(text) => ("number", text),
        Scalar::Bool(true) => ("bool", "true"),
        Scalar::Bool(false) => ("bool", "false"),
        Scalar::Null => ("null", ""),
        Scalar::Empty => ("empty", ""),
        Scalar::Token(text) => ("secret", text),
    }
}

fn texts(words: &[Arc<str>]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}
