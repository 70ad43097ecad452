//! `ordain explain`: why a decision was made, from its record alone.
//!
//! Leaves out judging again: what is shown is what was written when it happened.

use anyhow::Context as _;
use ordain_action::DecisionId;
use ordain_evidence::Reader;
use ordain_proof::record::{
    self, DecisionRecord, DetailRecord, EndRecord, OutcomeRecord, ReachRecord, ReadingRecord, Record, Text,
};

use super::output::Rows;
use super::{Context, Exit, Format};

/// Tell why a decision was made.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The decision's name, as a denial or the `ordain-decision-id` header gives it.
    id: String,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let reader = Reader::open(&config.ledger)
        .with_context(|| format!("no ledger in `{}`", config.ledger.display()))?;
    let found = match arguments.id.parse() {
        Ok(id) => reader.get(DecisionId(id))?,
        Err(_) => {
            context.output.complain(&format!(
                "`{}` is no decision's name; give what a denial or the `ordain-decision-id` header says",
                arguments.id
            ));
            return Ok(Exit::Usage);
        }
    };
    let Some(found) = found else {
        context.output.complain(&format!(
            "there is no decision `{}` in `{}`; a burst of refusals is counted into one entry: see `ordain ledger query`",
            arguments.id,
            config.ledger.display()
        ));
        return Ok(Exit::Usage);
    };
    let mut rows = Rows::new(&["what", "said"]);
    if let Record::Decision(decision) = record::read(&found.decision.statement)? {
        tell(&mut rows, found.decision.sequence.0, &decision, found.decision.blob.as_deref())?;
    }
    let mut statements = vec![&found.decision.statement];
    if let Some(outcome) = &found.outcome {
        if let Record::Outcome(outcome) = record::read(&outcome.statement)? {
            rows.push(vec!["outcome".to_owned(), ended(&outcome)]);
        }
        statements.push(&outcome.statement);
    }
    if context.format == Format::Table {
        context.output.table(&rows)?;
    } else {
        let values: Result<Vec<serde_json::Value>, _> =
            statements.iter().map(|bytes| serde_json::from_slice(bytes)).collect();
        context.output.show(context.format, &values?, || Rows::new(&[]))?;
    }
    Ok(Exit::Ok)
}

fn tell(
    rows: &mut Rows,
    entry: u64,
    decision: &DecisionRecord<'_>,
    blob: Option<&[u8]>,
) -> anyhow::Result<()> {
    let mut say = |what: &str, said: String| rows.push(vec![what.to_owned(), said]);
    let actor = &decision.actor;
    let mut who = format!("{} {}", actor.party.kind, actor.party.name);
    for party in &actor.on_behalf_of {
        who.push_str(&format!(", for {} {}", party.kind, party.name));
    }
    who.push_str(if actor.proven { " (proven)" } else { " (claimed)" });
    say(
        "decision",
        format!("{} · {} in {} mode · {}", decision.id, decision.ruling, decision.mode, decision.effect),
    );
    say("when", format!("{} · ledger entry {entry}", decision.time));
    let passed = if decision.head.own_credential { ", whose own credential goes on" } else { "" };
    say("who", format!("{who} with key {}{passed}", actor.credential));
    say(
        "upstream",
        format!("{} · {} account {}", actor.upstream.name, actor.upstream.plane, actor.upstream.account),
    );
    decision.with_detail(blob, |detail| details(&mut say, detail)).map_err(anyhow::Error::from)?;
    let digests = &decision.digests;
    say(
        "judged with",
        format!(
            "model {} · rules {} · catalogue {}",
            short(&digests.model),
            short(&digests.rules),
            short(&digests.catalogue)
        ),
    );
    say("request", decision.request.to_string());
    Ok(())
}

fn details(say: &mut impl FnMut(&str, String), detail: &DetailRecord<'_>) {
    match &detail.reading {
        ReadingRecord::Call(call) => {
            for effect in &call.effects {
                let on: Vec<String> = effect
                    .resources
                    .iter()
                    .map(|resource| {
                        let named = if resource.name.is_empty() {
                            resource
                                .identifiers
                                .iter()
                                .map(|identifier| identifier.1.to_string())
                                .collect::<Vec<_>>()
                                .join(" ")
                        } else {
                            resource.name.to_string()
                        };
                        format!("{} {named}", resource.role)
                    })
                    .collect();
                say(
                    "what",
                    format!(
                        "{} ({}, {}) on {}",
                        effect.iam_action,
                        effect.access,
                        effect.level,
                        on.join(", ")
                    ),
                );
            }
        }
        ReadingRecord::Undecodable(why) => say("what", format!("could not be read: {}", why.text)),
    }
    for reason in &detail.reasons {
        let mut text = format!("{} · {} · {}: {}", reason.ruling, reason.count, reason.code, reason.text);
        if !reason.remedy.is_empty() {
            text.push_str(&format!("; {}", reason.remedy));
        }
        if !reason.rules.is_empty() {
            let rules: Vec<String> = reason.rules.iter().map(ToString::to_string).collect();
            text.push_str(&format!(" [{}]", rules.join(", ")));
        }
        say("because", text);
    }
    if !detail.owners.is_empty() {
        say("owners", detail.owners.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    }
    let reach = &detail.reach;
    let dependants =
        reach.dependants.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
    say("reaches", format!("{} directly, {dependants} dependants", reach.direct));
    for (what, text) in told_reach(reach) {
        say(what, text);
    }
}

/// What is reached beyond the count, a line each.
fn told_reach(reach: &ReachRecord<'_>) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    let words = |list: &[Text<'_>]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !reach.owners_crossed.is_empty() {
        told.push(("of others", words(&reach.owners_crossed)));
    }
    if !reach.tiers.is_empty() {
        let tiers = reach.tiers.iter().map(|(tier, count)| format!("{count} {tier}"));
        told.push(("tiers", tiers.collect::<Vec<_>>().join(", ")));
    }
    if !reach.environments.is_empty() {
        told.push(("environments", words(&reach.environments)));
    }
    if let Some((percent, system, kind)) = &reach.share {
        told.push(("share", format!("{percent} % of {kind} in {system}")));
    }
    if reach.irreversible > 0 {
        told.push(("lost for good", format!("{}: {}", reach.irreversible, words(&reach.lost))));
    }
    for path in &reach.because {
        let steps = path
            .steps
            .iter()
            .map(|(name, by)| if by.is_empty() { name.to_string() } else { format!("{by} ← {name}") });
        told.push(("by", format!("{}: {}", path.explains, steps.collect::<Vec<_>>().join(" ← "))));
    }
    // Older records say no more than one path.
    if reach.because.is_empty() && !reach.path.is_empty() {
        told.push(("by", reach.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → ")));
    }
    told
}

fn ended(outcome: &OutcomeRecord<'_>) -> String {
    match &outcome.end {
        EndRecord::NotSent(why) => format!("not sent: {why}"),
        EndRecord::Unknown(why) => format!("not known: {why}"),
        EndRecord::Streamed(streamed) => format!(
            "a stream, ended by the {}: {} bytes to the upstream, {} from it",
            streamed.ended, streamed.sent, streamed.received
        ),
        EndRecord::Answered(answered) => {
            let mut text = format!("answered {}", answered.status);
            if let Some(code) = &answered.error_code {
                text.push_str(&format!(" {code}"));
            }
            if !answered.request_id.is_empty() {
                text.push_str(&format!(" · upstream request {}", answered.request_id));
            }
            for created in &answered.created {
                text.push_str(&format!(" · created {} {}", created.kind, created.identifier));
            }
            text
        }
    }
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
