//! Holds in words: in a list, whole, and as news.
//!
//! Leaves out where they come from (`mod.rs`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::bail;
use ordain_action::Digest;
use ordain_rules::hold::{Doing, Question};
use uuid::Uuid;

use crate::cli::{Context, Exit, Format, Rows};
use crate::holds::own::{Missing, No, Seen};
use crate::holds::{Progress, Shown, State};

/// The longest reason that is shown in a line.
const VALUE_MAX: usize = 300;

pub(super) fn list(context: &Context, holds: &[Shown]) -> anyhow::Result<Exit> {
    context.output.show(context.format, &holds, || rows(holds.iter().map(seen)))?;
    Ok(Exit::Ok)
}

/// Those of whoever asks.
pub(super) fn own_list(context: &Context, holds: &[Seen]) -> anyhow::Result<Exit> {
    context.output.show(context.format, &holds, || rows(holds.iter().cloned()))?;
    Ok(Exit::Ok)
}

/// One of those.
pub(super) fn own_one(context: &Context, hold: &Seen) -> anyhow::Result<Exit> {
    match context.format {
        Format::Table => context.output.line(&format!("{}\n{}", line(hold), clean(&hold.summary)))?,
        Format::Json | Format::Yaml => context.output.show(context.format, hold, || Rows::new(&[]))?,
    }
    Ok(Exit::Ok)
}

fn rows(holds: impl Iterator<Item = Seen>) -> Rows {
    let mut rows = Rows::new(&["hold", "state", "until", "waits for", "what"]);
    for hold in holds {
        rows.push(vec![
            hold.id.to_string(),
            hold.state.as_str().to_owned(),
            hold.until.to_string(),
            missing(&hold.waits_for),
            hold.summary,
        ]);
    }
    rows
}

pub(super) fn one(context: &Context, hold: &Shown) -> anyhow::Result<Exit> {
    let question = read(hold, hold.id)?;
    match context.format {
        Format::Table => context.output.line(&whole(hold, &question))?,
        Format::Json | Format::Yaml => {
            context.output.show(context.format, &(hold, question), || Rows::new(&[]))?;
        }
    }
    Ok(Exit::Ok)
}

/// The question of a hold, which has to be the one that was asked for, and what its digest says.
pub(super) fn read(hold: &Shown, id: Uuid) -> anyhow::Result<Question> {
    if hold.id != id || Digest::of(hold.question.as_bytes()).to_hex() != hold.digest {
        bail!("what the gate shows of hold `{}` is not what would be approved; tell the operator", hold.id);
    }
    Question::read(&hold.question).map_err(anyhow::Error::msg)
}

/// All that it would do, why it waits and who has answered: whoever approves is shown whatever they approve, to its end.
pub(super) fn whole(hold: &Shown, question: &Question) -> String {
    let mut text = format!("hold {}: {}\n{}\n", hold.id, hold.state.as_str(), question.told());
    let asks = std::iter::once(&question.actor).chain(&question.on_behalf_of);
    for (asker, word) in asks.zip(std::iter::once("asked by").chain(std::iter::repeat("for"))) {
        let _ = writeln!(text, "  {word} {} {}", asker.kind, safe(&asker.name));
    }
    let place = &question.place;
    let _ = writeln!(
        text,
        "  in {} {} {} (upstream {})",
        place.plane,
        safe(&place.account),
        safe(&place.region),
        safe(&place.upstream)
    );
    if let Some(session) = &question.session {
        let _ = writeln!(text, "  in session {}", safe(session));
    }
    for effect in &question.effects {
        doing(&mut text, effect);
    }
    reaching(&mut text, question);
    for waiting in &question.waits {
        let rules: Vec<String> = waiting.rules.iter().map(|rule| safe(rule)).collect();
        let by = if rules.is_empty() { waiting.code.clone() } else { rules.join(", ") };
        let _ = writeln!(text, "it waits, for {} ({by})", safe(&waiting.text));
        let _ = writeln!(text, "  for {} to approve", safe(&waiting.asks.join(", ")));
    }
    for owner in &hold.owners {
        let Progress { owner, at_least, signed, by, may } = owner;
        let signed = if *signed { " signed" } else { "" };
        let _ = writeln!(text, "{}: {} of {at_least}{signed} approvals", safe(owner), by.len());
        for (word, names) in [("approved by", by), ("may approve:", may)] {
            if !names.is_empty() {
                let _ = writeln!(text, "  {word} {}", safe(&names.join(", ")));
            }
        }
    }
    for answer in hold.answers.iter().filter(|answer| !answer.approves) {
        let _ = writeln!(text, "denied by {}: {}", safe(&answer.by), safe(&answer.why));
    }
    let _ = writeln!(text, "opened {}, until {}", hold.opened, hold.until);
    let _ = write!(text, "digest sha256:{}", hold.digest);
    text
}

fn doing(text: &mut String, effect: &Doing) {
    let _ = writeln!(text, "{} ({})", safe(&effect.operation), effect.access);
    for resource in &effect.resources {
        let _ = writeln!(text, "  {} {} {}", resource.role, safe(&resource.kind), safe(&resource.name));
        for (member, value) in &resource.identifiers {
            let _ = writeln!(text, "    as {} = {}", safe(member), safe(value));
        }
    }
    for (path, sort, value) in &effect.parameters {
        let value = match sort.as_str() {
            "secret" => "(a secret)".to_owned(),
            "null" | "empty" => sort.clone(),
            "text" => safe(value),
            _ => format!("{} ({sort})", safe(value)),
        };
        let _ = writeln!(text, "  {} = {value}", safe(path));
    }
    if effect.completeness != "complete" {
        let _ = writeln!(text, "  its parameters are {}", safe(&effect.completeness));
    }
}

fn reaching(text: &mut String, question: &Question) {
    let reaches = &question.reaches;
    let dependants =
        reaches.dependants.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
    let _ = writeln!(text, "it reaches {dependants} dependants");
    let tier: Vec<String> = reaches.tier.iter().cloned().collect();
    let listed = [
        ("of", &question.owners),
        ("of other owners:", &reaches.owners_crossed),
        ("in", &reaches.environments),
        ("of tier", &tier),
        ("and would lose", &reaches.lost),
    ];
    for (word, names) in listed.into_iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(text, "  {word} {}", safe(&names.join(", ")));
    }
    if reaches.irreversible > 0 {
        let _ = writeln!(text, "  {} of it cannot be had back", reaches.irreversible);
    }
}

/// How far one has come, in a line.
pub(super) fn state(hold: &Shown) -> String {
    line(&seen(hold))
}

/// What whoever asked for it sees of one.
pub(super) fn seen(hold: &Shown) -> Seen {
    let missing = hold.owners.iter().filter(|one| one.by.len() < one.at_least);
    let denied = hold.answers.iter().find(|answer| !answer.approves);
    Seen {
        id: hold.id,
        state: hold.state,
        summary: hold.summary.clone(),
        opened: hold.opened,
        until: hold.until,
        waits_for: missing
            .map(|one| Missing { owner: one.owner.clone(), at_least: one.at_least, approved: one.by.len() })
            .collect(),
        denied: denied.map(|answer| No { by: answer.by.clone(), why: answer.why.clone() }),
    }
}

/// How far one has come, in a line.
pub(super) fn line(hold: &Seen) -> String {
    match hold.state {
        State::Waiting => {
            format!("hold `{}` waits for {} until {}", hold.id, missing(&hold.waits_for), hold.until)
        }
        State::Approved => {
            format!("hold `{}` is approved: send the same request again, once, until {}", hold.id, hold.until)
        }
        State::Used => format!("hold `{}` was approved, and the request was sent", hold.id),
        State::Unknown => format!(
            "what hold `{}` approved was sent, and what became of it is not known: look at what is there",
            hold.id
        ),
        State::Denied => match &hold.denied {
            Some(no) => format!("hold `{}` was denied by `{}`: {}", hold.id, no.by, clean(&no.why)),
            None => format!("hold `{}` was denied", hold.id),
        },
        State::Over => format!("hold `{}` is over: another stands in its place", hold.id),
        State::Expired => format!("hold `{}` was not answered in time; send the request again", hold.id),
    }
}

/// What somebody's approval came to.
pub(super) fn answered(hold: &Shown, by: &str) -> String {
    format!("`{by}` approved; {}", state(hold))
}

/// Whose approval is missing.
fn missing(owners: &[Missing]) -> String {
    let told = owners.iter().map(|one| match one.at_least {
        1 => one.owner.clone(),
        many => format!("{} ({} of {many})", one.owner, one.approved),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Text of others on a terminal, to its end: no control sequence gets through.
fn safe(text: &str) -> String {
    let escaped: String = text.chars().flat_map(char::escape_debug).collect();
    escaped.replace("\\\"", "\"").replace("\\'", "'")
}

/// The same, where it is one of many.
fn clean(text: &str) -> String {
    let mut kept: String = text.chars().take(VALUE_MAX).collect();
    if text.chars().nth(VALUE_MAX).is_some() {
        kept.push('…');
    }
    safe(&kept)
}

/// What is known of holds, to tell what is new.
#[derive(Debug, Default)]
pub(super) struct Known(Option<BTreeMap<Uuid, (State, usize)>>);

impl Known {
    /// A line for each that is new, or has come further.
    pub(super) fn news(&mut self, holds: &[Shown]) -> Vec<String> {
        let first = self.0.is_none();
        let known = self.0.get_or_insert_default();
        let mut lines = Vec::new();
        for hold in holds.iter().rev() {
            let now = (hold.state, hold.answers.len());
            let before = known.insert(hold.id, now);
            let over = first && hold.state != State::Waiting && hold.state != State::Approved;
            if before != Some(now) && !over {
                lines.push(format!("{} ({})", state(hold), hold.summary));
            }
        }
        lines
    }
}
