//! `ordain env`: the variables that send a client through the gate with a key that only the gate understands.
//!
//! Leaves out running the client. An endpoint variable is a convenience, not enforcement: a client can ignore
//! it, and then holds a key that the provider does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ordain_action::{ActorKind, Party};

use super::key::kind;
use super::output::Rows;
use super::way::Way;
use super::{Context, Exit, Format, kubeconfig};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, KeyStore};

/// Print the variables that send a client through the gate.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The access key id to use; by default the actor's newest, or the first valid key there is.
    #[arg(long)]
    key: Option<String>,
    /// Whose newest key to use.
    #[arg(long, conflicts_with = "key")]
    actor: Option<String>,
    /// What the actor is, where it has no key yet: `person`, `pipeline` or `agent`.
    #[arg(long, requires = "actor", value_parser = kind)]
    kind: Option<ActorKind>,
    /// Write a kubeconfig there, whose clients ask the gate for a token of the actor's, and print how to use it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "proxy", "transparent"])]
    kubeconfig: Option<PathBuf>,
    /// Send clients through the egress gateway, as their HTTP proxy, in place of an endpoint.
    #[arg(long)]
    proxy: bool,
    /// Print what clients need whose connections the system sends on to the gate: what to trust, and no way.
    #[arg(long, conflicts_with = "proxy")]
    transparent: bool,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let store = keys::of(&config)?;
    if let Some(path) = &arguments.kubeconfig {
        return kubeconfig(context, &config, &store, &arguments, path);
    }
    // A token is kept as a hash, and nobody can print it again.
    let all: Vec<_> = store.list().into_iter().filter(|key| key.secret().is_some()).collect();
    let now = Clock::system().now();
    let usable = |id: &str| store.find(id).is_some_and(|key| store.ended_by(&key, now).is_none());
    let chosen = match (&arguments.key, &arguments.actor) {
        (Some(id), _) => {
            let key = all.iter().find(|key| *key.id == **id).with_context(|| format!("there is no key `{id}`; list them with `ordain key list`"))?;
            anyhow::ensure!(usable(id), "key `{id}` is not valid any more; see `ordain key list`");
            key
        }
        (None, Some(actor)) => all
            .iter()
            .rev()
            .find(|key| *key.party.name == **actor && key.minted.is_none() && usable(&key.id))
            .with_context(|| format!("`{actor}` has no valid key; make one with `ordain key create --actor {actor} --kind person`"))?,
        (None, None) => all
            .iter()
            .find(|key| key.minted.is_none() && usable(&key.id))
            .context("there is no valid key; make one with `ordain key create --actor NAME --kind person`")?,
    };
    let way = match (arguments.proxy, arguments.transparent) {
        (true, _) => Way::proxied(&config)?,
        (false, true) => Way::redirected(&config)?,
        (false, false) => Way::at_endpoint(&config),
    };
    let variables = way.variables(Some(chosen));
    if context.format != Format::Table {
        let shown: BTreeMap<&str, &str> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        context.output.show(context.format, &shown, || Rows::new(&[]))?;
        return Ok(Exit::Ok);
    }
    // A shell evaluates this: only what is a plain name goes in.
    let plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let unset: Vec<String> = way.unset().into_iter().filter(plain).collect();
    let mut lines = vec![format!("unset {}", unset.join(" "))];
    lines.extend(variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value))));
    context.output.line(&lines.join("\n"))?;
    Ok(Exit::Ok)
}

/// Writes a kubeconfig for an actor.
fn kubeconfig(
    context: &Context,
    config: &Config,
    store: &KeyStore,
    arguments: &Arguments,
    path: &Path,
) -> anyhow::Result<Exit> {
    let party = match (&arguments.actor, arguments.kind) {
        (Some(name), Some(kind)) => Party { name: name.as_str().into(), kind },
        (name, _) => {
            let keys = store.list();
            let mut of_them =
                keys.iter().rev().filter(|key| name.as_ref().is_none_or(|name| *key.party.name == **name));
            let found = of_them.next().map(|key| key.party.clone());
            found.context("nobody has a key yet; say for whom, with `--actor NAME --kind person`")?
        }
    };
    let user = kubeconfig::User::Asks { party: &party, settings: context.settings.as_deref() };
    kubeconfig::write(path, &kubeconfig::text(config, &user)?)?;
    let shown = std::path::absolute(path)?.display().to_string();
    if context.format == Format::Table {
        context.output.line(&format!("export KUBECONFIG={}", quoted(&shown)))?;
    } else {
        context.output.show(context.format, &BTreeMap::from([("KUBECONFIG", shown)]), || Rows::new(&[]))?;
    }
    Ok(Exit::Ok)
}

/// A word as a POSIX shell reads it back.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
