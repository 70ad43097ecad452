//! Changes as they are listed and shown, with what was carried out of each.
//!
//! Leaves out what a change is (`ordain_rules`). It reads beside the running gate, and changes nothing.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::Timestamp;
use ordain_rules::{ChangeFact, CounterKey};
use serde::Serialize;

use crate::cli::output::Rows;
use crate::cli::{Context, Exit, Format, model};
use crate::config::Config;
use crate::state::StoreError;

#[derive(Serialize)]
struct Listed {
    name: String,
    kind: &'static str,
    digest: String,
    is_open: bool,
    opens: Option<String>,
    closes: Option<String>,
    review_due: bool,
    author: String,
    carried_out_by: Vec<String>,
    approved_by: Vec<String>,
    ticket: Option<String>,
    why: String,
    items: Vec<ListedItem>,
}

#[derive(Serialize)]
struct ListedItem {
    id: String,
    kind: String,
    action: String,
    name: Option<String>,
    notes: Vec<String>,
    calls: Vec<ListedCall>,
}

#[derive(Serialize)]
struct ListedCall {
    operation: String,
    parameters: Vec<(String, String)>,
    /// How often it was carried out, or is being; nothing for what only reads.
    used: Option<u64>,
    limit: u64,
}

/// How much of each call was carried out.
type Used = BTreeMap<CounterKey, u64>;

pub(super) fn list(context: &Context, config: &Config, now: Timestamp) -> anyhow::Result<Exit> {
    let changes = model::configured(config)?.changes(now);
    let used = used(config, &changes, now)?;
    let all: Vec<Listed> = changes.iter().map(|change| listed(change, &used)).collect();
    context.output.show(context.format, &all, || {
        let mut rows = Rows::new(&["change", "type", "when", "for", "approved by", "items", "done", "why"]);
        for (change, one) in changes.iter().zip(&all) {
            let (done, calls) = done(one);
            let approved = one.approved_by.join(", ");
            rows.push(vec![
                one.name.clone(),
                one.kind.to_owned(),
                when(change),
                one.carried_out_by.join(", "),
                if approved.is_empty() { "nobody".to_owned() } else { approved },
                one.items.len().to_string(),
                format!("{done} of {calls}"),
                one.why.clone(),
            ]);
        }
        rows
    })?;
    Ok(Exit::Ok)
}

pub(super) fn show(
    context: &Context,
    config: &Config,
    change: &ChangeFact,
    now: Timestamp,
) -> anyhow::Result<Exit> {
    let used = used(config, std::slice::from_ref(change), now)?;
    let one = listed(change, &used);
    match context.format {
        Format::Json | Format::Yaml => context.output.show(context.format, &one, || Rows::new(&[]))?,
        Format::Table => {
            context.output.line(told(change).trim_end())?;
            let (done, calls) = done(&one);
            let approved = one.approved_by.join(", ");
            let approved = if approved.is_empty() { "nobody" } else { &approved };
            context
                .output
                .line(&format!("\napproved by {approved}; {done} of {calls} calls are carried out"))?;
        }
    }
    Ok(Exit::Ok)
}

/// Calls that were carried out as often as they may be, of those that change something.
fn done(one: &Listed) -> (usize, usize) {
    let calls = || one.items.iter().flat_map(|item| &item.calls).filter(|call| call.used.is_some());
    (calls().filter(|call| call.used.is_some_and(|used| used >= call.limit)).count(), calls().count())
}

fn listed(change: &ChangeFact, used: &Used) -> Listed {
    let texts = |names: &[std::sync::Arc<str>]| names.iter().map(ToString::to_string).collect();
    let items = change.items.iter().map(|item| ListedItem {
        id: item.id.to_string(),
        kind: item.kind.to_string(),
        action: item.action.clone(),
        name: item.name.as_ref().map(ToString::to_string),
        notes: item.notes.clone(),
        calls: item
            .calls
            .iter()
            .map(|call| ListedCall {
                operation: call.operation.to_string(),
                parameters: call.parameters.clone(),
                used: call.counted.as_ref().map(|key| used.get(key).copied().unwrap_or_default()),
                limit: call.limit,
            })
            .collect(),
    });
    Listed {
        name: change.name.to_string(),
        kind: change.kind,
        digest: change.digest.clone(),
        is_open: change.is_open,
        opens: change.opens.map(|time| time.to_string()),
        closes: change.closes.map(|time| time.to_string()),
        review_due: change.review_due,
        author: change.author.to_string(),
        carried_out_by: texts(&change.carried_out_by),
        approved_by: change.approvals.iter().map(|(by, _)| by.to_string()).collect(),
        ticket: change.ticket.clone(),
        why: change.why.clone(),
        items: items.collect(),
    }
}

fn when(change: &ChangeFact) -> String {
    match (change.is_open, change.closes, change.opens) {
        (true, Some(closes), _) => format!("open until {closes}"),
        (true, None, _) => "open".to_owned(),
        (false, _, Some(opens)) => format!("opens {opens}"),
        (false, _, None) if change.review_due => "over; a review is due".to_owned(),
        (false, _, None) => "over".to_owned(),
    }
}

/// Everything that an approval of it is given for, in words.
pub(super) fn told(change: &ChangeFact) -> String {
    let ChangeFact { name, kind, author, why, account, region, digest, .. } = change;
    let by = change.carried_out_by.join("`, `");
    let mut text = format!("{kind} change `{name}`: {why}\n");
    let ticket = change.ticket.as_ref().map(|ticket| format!(", {ticket}")).unwrap_or_default();
    let mut line = |line: String| text.extend([line.as_str(), "\n"]);
    line(format!("  written by `{author}`{ticket}, for `{by}` to carry out, {}", when(change)));
    let region = if region.is_empty() { String::new() } else { format!(" in {region}") };
    line(format!("  in account {account}{region}, {} at most; body {digest}", times(change.uses)));
    for item in &change.items {
        let known = item.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let action = if item.action.is_empty() { String::new() } else { format!("{} ", item.action) };
        line(format!("\n{action}{} `{}`{known}", item.kind, item.id));
        item.notes.iter().for_each(|note| line(format!("  ! {note}")));
        if item.calls.is_empty() {
            line("  ! no call carries it out, so that whatever would is refused".to_owned());
        }
        for call in &item.calls {
            let limit = match &call.counted {
                Some(_) if call.limit == 1 => String::new(),
                Some(_) => format!(", {}", times(call.limit)),
                None => ", which only reads".to_owned(),
            };
            line(format!("  {}{limit}", call.operation));
            for (path, value) in &call.parameters {
                line(format!("      {path} = {value}"));
            }
        }
    }
    text
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

/// How much stands counted of each call. Of a file that is not there nothing does, and none is made by looking.
fn used(config: &Config, changes: &[ChangeFact], now: Timestamp) -> anyhow::Result<Used> {
    let calls = changes.iter().flat_map(|change| &change.items).flat_map(|item| &item.calls);
    let keys: Vec<CounterKey> = calls.filter_map(|call| call.counted.clone()).collect();
    if keys.is_empty() || !config.counted.is_there() {
        return Ok(Used::new());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counted: Result<_, StoreError> = runtime.block_on(async {
        let store = config.counted.open().await?;
        store.counted(keys.clone(), now).await
    });
    let counted = counted.context("what was carried out of the changes cannot be read")?;
    Ok(keys.into_iter().zip(counted.into_iter().map(|counted| counted.value)).collect())
}
