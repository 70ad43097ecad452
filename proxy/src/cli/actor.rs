//! `ordain actor`: ends an actor at once, whatever shows it: its keys, its tokens, and whoever vouches for it.
//!
//! Leaves out how that is kept (`keys`). Each change is a ledger entry: by the running gate when there is one to write it,
//! else by this command.

use ordain_action::{ActorKind, Party};
use ordain_evidence::ChangeKind;
use serde::Serialize;

use super::key::kind;
use super::output::Rows;
use super::{Context, Exit};
use crate::clock::Clock;
use crate::keys::{self, KeyStore, Named};
use crate::own;

/// Revoke an actor, allow it again, and list those that are revoked.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// End all keys and tokens of an actor, cut what it has in flight, and take nobody's word for it from now on.
    Revoke(Who),
    /// Let an actor be shown again. Its keys and tokens stay ended.
    Allow(Who),
    /// List the actors that are revoked.
    List,
}

#[derive(Debug, clap::Args)]
struct Who {
    /// The actor, by the name the model knows.
    name: String,
    /// Only as this kind of actor: `person`, `pipeline` or `agent`; every kind when it is not given.
    #[arg(long, value_parser = kind)]
    kind: Option<ActorKind>,
}

#[derive(Serialize)]
struct Listed {
    actor: String,
    kind: &'static str,
    since: String,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let (keys, clock) = (keys::of(&config)?, Clock::system());
    match arguments.verb {
        Verb::Revoke(who) => {
            let named = who.named();
            let held = held(&keys, &named);
            let summary = format!("revoke {}, with {} keys", describe(&named), held.len());
            own::record(&config, &clock, ChangeKind::Key, summary)?;
            // First what keeps it from being shown anew, then what it holds.
            keys.set_revoked(&named, true, clock.now())?;
            for id in &held {
                keys.revoke(id, clock.now())?;
            }
            own::keys_changed(&config);
            context.output.line(&format!("revoked {}, with {} keys", describe(&named), held.len()))?;
        }
        Verb::Allow(who) => {
            let named = who.named();
            let known = keys.revoked_actors();
            anyhow::ensure!(
                known
                    .iter()
                    .any(|(revoked, _)| revoked == &named
                        || (named.kind.is_none() && revoked.name == named.name)),
                "{} is not revoked; see `ordain actor list`",
                describe(&named)
            );
            own::record(&config, &clock, ChangeKind::Key, format!("allow {} again", describe(&named)))?;
            keys.set_revoked(&named, false, clock.now())?;
            own::keys_changed(&config);
            context.output.line(&format!("{} may be shown again; its keys stay ended", describe(&named)))?;
        }
        Verb::List => list(context, &keys)?,
    }
    Ok(Exit::Ok)
}

impl Who {
    fn named(self) -> Named {
        Named { name: self.name.into(), kind: self.kind }
    }
}

/// The ids of the keys that actors hold, or that others hold on their behalf.
fn held(keys: &KeyStore, named: &Named) -> Vec<std::sync::Arc<str>> {
    let kinds = [ActorKind::Person, ActorKind::Pipeline, ActorKind::Agent];
    let kinds = kinds.into_iter().filter(|kind| named.kind.is_none_or(|only| only == *kind));
    let mut ids: Vec<_> = kinds
        .flat_map(|kind| keys.of_party(&Party { name: named.name.clone(), kind }))
        .map(|key| key.id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

fn describe(named: &Named) -> String {
    named.kind.map_or_else(
        || format!("every actor `{}`", named.name),
        |kind| format!("the {} `{}`", kind.as_str(), named.name),
    )
}

fn list(context: &Context, keys: &KeyStore) -> anyhow::Result<()> {
    let listed: Vec<Listed> = keys
        .revoked_actors()
        .into_iter()
        .map(|(named, since)| Listed {
            actor: named.name.to_string(),
            kind: named.kind.map_or("every", ActorKind::as_str),
            since: since.to_string(),
        })
        .collect();
    context.output.show(context.format, &listed, || {
        let mut rows = Rows::new(&["actor", "kind", "revoked"]);
        for one in &listed {
            rows.push(vec![one.actor.clone(), one.kind.to_owned(), one.since.clone()]);
        }
        rows
    })
}
