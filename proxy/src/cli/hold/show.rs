//! Holds in words: in a list, whole, and as news.
//!
//! Leaves out where they come from (`mod.rs`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::bail;
use ordain_action::Digest;
use ordain_rules::hold::Question;
use uuid::Uuid;

use crate::cli::{Context, Exit, Format, Rows};
use crate::holds::own::{Missing, No, Seen};
use crate::holds::{Progress, Shown, State};

/// The most parameters that are shown of an effect; all are where it is asked for as JSON.
const PARAMETERS_MAX: usize = 60;

/// The longest value that is shown.
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
    let question = read(hold)?;
    match context.format {
        Format::Table => context.output.line(&whole(hold, &question))?,
        Format::Json | Format::Yaml => {
            context.output.show(context.format, &(hold, question), || Rows::new(&[]))?;
        }
    }
    Ok(Exit::Ok)
}

/// The question of a hold, which has to be what its digest says.
pub(super) fn read(hold: &Shown) -> anyhow::Result<Question> {
    if Digest::of(hold.question.as_bytes()).to_hex() != hold.digest {
        bail!("what the gate shows of hold `{}` is not what would be approved; tell the operator", hold.id);
    }
    Question::read(&hold.question).map_err(anyhow::Error::msg)
}

/// All that it would do, why it waits and who has answered.
pub(super) fn whole(hold: &Shown, question: &Question) -> String {
    let mut text = format!("hold {}: {}\n{}\n", hold.id, hold.state.as_str(), question.told());
    let place = &question.place;
    let _ = writeln!(text, "  in {} {} {}", place.plane, place.account, place.region);
    for effect in &question.effects {
        let _ = writeln!(text, "{} ({})", effect.operation, effect.access);
        for resource in &effect.resources {
            let _ = writeln!(text, "  {} {} {}", resource.role, resource.kind, clean(&resource.name));
        }
        for (path, sort, value) in effect.parameters.iter().take(PARAMETERS_MAX) {
            let value = match sort.as_str() {
                "secret" => "(a secret)".to_owned(),
                "null" | "empty" => sort.clone(),
                _ => clean(value),
            };
            let _ = writeln!(text, "  {} = {value}", clean(path));
        }
        if effect.parameters.len() > PARAMETERS_MAX {
            let more = effect.parameters.len() - PARAMETERS_MAX;
            let _ = writeln!(text, "  and {more} parameters more: `-o json` shows them");
        }
        if effect.completeness != "complete" {
            let _ = writeln!(text, "  its parameters are {}", clean(&effect.completeness));
        }
    }
    let reaches = &question.reaches;
    let dependants =
        reaches.dependants.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
    let _ = writeln!(text, "it reaches {dependants} dependants");
    let listed = [
        ("of other owners", &reaches.owners_crossed),
        ("in", &reaches.environments),
        ("and would lose", &reaches.lost),
    ];
    for (word, names) in listed.into_iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(text, "  {word} {}", clean(&names.join(", ")));
    }
    for waiting in &question.waits {
        let _ = writeln!(text, "it waits, for {} ({})", clean(&waiting.text), waiting.code);
    }
    for owner in &hold.owners {
        let Progress { owner, at_least, signed, by, may } = owner;
        let signed = if *signed { " signed" } else { "" };
        let _ = writeln!(text, "{owner}: {} of {at_least}{signed} approvals", by.len());
        for (word, names) in [("approved by", by), ("may approve:", may)] {
            if !names.is_empty() {
                let _ = writeln!(text, "  {word} {}", names.join(", "));
            }
        }
    }
    for answer in hold.answers.iter().filter(|answer| !answer.approves) {
        let _ = writeln!(text, "denied by {}: {}", answer.by, clean(&answer.why));
    }
    let _ = write!(text, "opened {}, until {}", hold.opened, hold.until);
    text
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

/// Text of others on a terminal: no control sequence gets through, and nothing longer than anybody reads.
fn clean(text: &str) -> String {
    let mut kept: String = text.chars().take(VALUE_MAX).flat_map(char::escape_debug).collect();
    if text.chars().count() > VALUE_MAX {
        kept.push('…');
    }
    kept.replace("\\\"", "\"").replace("\\'", "'")
}

/// What is known of holds, to tell what is new.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<Uuid, (State, usize)>);

impl Known {
    /// A line for each that is new, or has come further.
    pub(super) fn news(&mut self, holds: &[Shown]) -> Vec<String> {
        let first = self.0.is_empty();
        let mut lines = Vec::new();
        for hold in holds.iter().rev() {
            let now = (hold.state, hold.answers.len());
            let before = self.0.insert(hold.id, now);
            let over = first && hold.state != State::Waiting && hold.state != State::Approved;
            if before != Some(now) && !over {
                lines.push(format!("{} ({})", state(hold), hold.summary));
            }
        }
        lines
    }
}
