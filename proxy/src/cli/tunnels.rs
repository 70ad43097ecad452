//! `ordain ledger tunnels`: tunnels that were passed on unopened, and what became of them.
//!
//! Leaves out what went through them, which nobody has read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use ordain_evidence::Reader;
use ordain_proof::record::{Record, TunnelEndRecord, TunnelRecord};
use serde::Serialize;

use super::ledger::to_the_second;
use super::output::Rows;
use super::{Context, Exit};

#[derive(Debug, clap::Args)]
pub(super) struct Tunnels {
    /// The actor's name.
    #[arg(long)]
    actor: Option<String>,
    /// Part of the host's name.
    #[arg(long)]
    host: Option<String>,
    /// At or after this time (RFC 3339).
    #[arg(long, value_parser = super::time)]
    since: Option<jiff::Timestamp>,
    /// Before this time (RFC 3339).
    #[arg(long, value_parser = super::time)]
    until: Option<jiff::Timestamp>,
    /// The most that are listed.
    #[arg(long, default_value_t = 100)]
    most: usize,
}

/// A tunnel, as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    entry: u64,
    id: String,
    time: String,
    peer: String,
    actor: Option<String>,
    way: String,
    host: String,
    port: u16,
    rule: String,
    addresses: Vec<String>,
    through: Option<String>,
    end: Option<Ended>,
}

#[derive(Debug, Serialize)]
struct Ended {
    entry: u64,
    why: String,
    sent: Option<u64>,
    received: Option<u64>,
    milliseconds: Option<u64>,
}

pub(super) fn list(context: &Context, directory: &Path, asked: &Tunnels) -> anyhow::Result<Exit> {
    let reader =
        Reader::open(directory).with_context(|| format!("no ledger in `{}`", directory.display()))?;
    let mut listed: Vec<Listed> = Vec::new();
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    reader.records(|entry, record| {
        match record {
            Record::Tunnel(tunnel) if listed.len() < asked.most && asked.fits(tunnel) => {
                open.insert(tunnel.id.to_string(), listed.len());
                listed.push(one(entry.sequence, tunnel));
            }
            Record::TunnelEnd(end) => {
                let at = open.remove(end.tunnel.as_ref());
                if let Some(tunnel) = at.and_then(|at| listed.get_mut(at)) {
                    tunnel.end = Some(ended(entry.sequence, end));
                }
            }
            Record::Tunnel(_)
            | Record::Decision(_)
            | Record::Outcome(_)
            | Record::Attempts(_)
            | Record::Change(_) => {}
        }
        let all = listed.len() >= asked.most && open.is_empty();
        if all { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    context.output.show(context.format, &listed, || rows(&listed))?;
    Ok(Exit::Ok)
}

impl Tunnels {
    fn fits(&self, tunnel: &TunnelRecord<'_>) -> bool {
        let actor = tunnel.actor.as_ref().map(|actor| actor.party.name.as_ref());
        let time = tunnel.time.parse::<jiff::Timestamp>().ok();
        self.actor.as_deref().is_none_or(|wanted| actor == Some(wanted))
            && self.host.as_deref().is_none_or(|wanted| tunnel.host.contains(wanted))
            && self.since.is_none_or(|since| time.is_some_and(|time| time >= since))
            && self.until.is_none_or(|until| time.is_some_and(|time| time < until))
    }
}

fn one(entry: u64, tunnel: &TunnelRecord<'_>) -> Listed {
    Listed {
        entry,
        id: tunnel.id.to_string(),
        time: tunnel.time.to_string(),
        peer: tunnel.peer.to_string(),
        actor: tunnel.actor.as_ref().map(|actor| actor.party.name.to_string()),
        way: tunnel.way.to_string(),
        host: tunnel.host.to_string(),
        port: tunnel.port,
        rule: tunnel.rule.to_string(),
        addresses: tunnel.addresses.iter().map(ToString::to_string).collect(),
        through: tunnel.through.as_ref().map(ToString::to_string),
        end: None,
    }
}

fn ended(entry: u64, end: &TunnelEndRecord<'_>) -> Ended {
    Ended {
        entry,
        why: end.why.to_string(),
        sent: end.sent,
        received: end.received,
        milliseconds: end.milliseconds,
    }
}

fn rows(listed: &[Listed]) -> Rows {
    let mut rows =
        Rows::new(&["entry", "time", "actor", "from", "to", "address", "end", "sent", "received", "lasted"]);
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    for tunnel in listed {
        let end = tunnel.end.as_ref();
        let lasted = end.and_then(|end| end.milliseconds);
        rows.push(vec![
            tunnel.entry.to_string(),
            to_the_second(&tunnel.time),
            tunnel.actor.clone().unwrap_or_default(),
            tunnel.peer.clone(),
            format!("{}:{}", tunnel.host, tunnel.port),
            tunnel.through.clone().unwrap_or_else(|| tunnel.addresses.join(", ")),
            end.map_or_else(|| "not yet".to_owned(), |end| end.why.clone()),
            number(end.and_then(|end| end.sent)),
            number(end.and_then(|end| end.received)),
            lasted.map_or_else(String::new, |lasted| format!("{lasted} ms")),
        ]);
    }
    rows
}
