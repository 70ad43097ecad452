//! `ordain env`: the variables that send a client through the gate with a key that only the gate understands.
//!
//! Leaves out running the client. An endpoint variable is a convenience, not enforcement: a client can ignore
//! it, and then holds a key that the provider does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;
use ordain_action::{ActorKind, Party, Plane};
use ordain_evidence::ChangeKind;

use super::key::{describe, kind, party, takes_tokens, upstream};
use super::output::Rows;
use super::way::{Holds, Way, credentials_at};
use super::{Context, Exit, Format, kubeconfig, way};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, IssuedKey, KeyStore, NewKey};
use crate::{files, own};

/// Print the variables that send a client through the gate.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("token").args(["container", "upstream"]).multiple(true)))]
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
    /// Have clients ask the gate for a credential when they need one, under a token made for them now, in place of
    /// holding a key.
    #[arg(long, conflicts_with_all = ["key", "kubeconfig"])]
    container: bool,
    /// Whom the actor acts for with such a token, as `person:alice`.
    #[arg(long, value_parser = party, requires = "token")]
    on_behalf_of: Vec<Party>,
    /// The upstream that such a token is for; by default the first one of AWS. Without `--container` one that takes
    /// tokens, whose clients hold one made for them now.
    #[arg(long, conflicts_with_all = ["key", "kubeconfig"])]
    upstream: Option<String>,
    /// Write such a token to this file, in place of printing it.
    #[arg(long, value_name = "FILE", requires = "container")]
    token_file: Option<PathBuf>,
    /// In how many hours such a token ends by itself.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..), requires = "token")]
    expires_in_hours: u32,
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
    let way = match (arguments.proxy, arguments.transparent) {
        (true, _) => Way::proxied(&config)?,
        (false, true) => Way::redirected(&config)?,
        (false, false) => Way::at_endpoint(&config),
    };
    if arguments.container {
        return container(context, &config, &store, &arguments, &way);
    }
    if let Some(name) = &arguments.upstream {
        // Clients at an endpoint of such an upstream read variables of their plane alone.
        let way = Some(&way).filter(|_| arguments.proxy || arguments.transparent);
        return of_token(context, &config, &store, &arguments, (name, way));
    }
    let chosen = chosen(&store, &arguments)?;
    show(context, &way, &Holds::Pair(&chosen))
}

/// The key that is meant.
fn chosen(store: &KeyStore, arguments: &Arguments) -> anyhow::Result<Arc<IssuedKey>> {
    // A token is kept as a hash, and nobody can print it again; one that was given with a session token is of its holder.
    let all: Vec<_> = store
        .list()
        .into_iter()
        .filter(|key| key.secret().is_some() && key.session_token.is_none())
        .collect();
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
    Ok(Arc::clone(chosen))
}

/// Prints the variables of a way, with what the client holds.
fn show(context: &Context, way: &Way, holds: &Holds<'_>) -> anyhow::Result<Exit> {
    let variables = way.variables(holds);
    if context.format != Format::Table {
        let shown: BTreeMap<&str, &str> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        context.output.show(context.format, &shown, || Rows::new(&[]))?;
        return Ok(Exit::Ok);
    }
    // A shell evaluates this: only what is a plain name goes in.
    let plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let unset: Vec<String> = way.unset(holds).into_iter().filter(plain).collect();
    let mut lines = vec![format!("unset {}", unset.join(" "))];
    lines.extend(variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value))));
    context.output.line(&lines.join("\n"))?;
    Ok(Exit::Ok)
}

/// Makes a token, and prints how clients ask for a credential with it.
fn container(
    context: &Context,
    config: &Config,
    store: &KeyStore,
    arguments: &Arguments,
    way: &Way,
) -> anyhow::Result<Exit> {
    let at = credentials_at(config)?;
    let clock = Clock::system();
    let signed = || config.upstreams.iter().find(|one| one.kind.plane() == Plane::Aws);
    let named = arguments.upstream.clone().or_else(|| signed().map(|one| one.name.clone()));
    let name = upstream(config, named.as_deref())?;
    anyhow::ensure!(
        config.upstreams.iter().any(|one| one.name == *name && one.kind.plane() == Plane::Aws),
        "the upstream `{name}` is not one of AWS, whose clients ask so; name another with `--upstream`"
    );
    let new = NewKey {
        party: meant(store, arguments)?,
        on_behalf_of: arguments.on_behalf_of.clone(),
        upstream: name,
        expires: Some(clock.now() + SignedDuration::from_hours(arguments.expires_in_hours.into())),
    };
    let summary = format!("create a token that is exchanged for key pairs for {}", describe(&new));
    own::record(config, &clock, ChangeKind::Key, summary)?;
    let (_, token) = store.create_token(&new, clock.now())?;
    own::keys_changed(config);
    let file = arguments.token_file.as_deref().map(std::path::absolute).transpose()?;
    if let Some(path) = &file {
        files::replace_secret(path, token.expose().as_bytes())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    show(context, way, &Holds::Token { at: &at, token: token.expose(), file: file.as_deref() })
}

/// Makes a token for an upstream that takes them, and prints what its clients read.
fn of_token(
    context: &Context,
    config: &Config,
    store: &KeyStore,
    arguments: &Arguments,
    (name, way): (&str, Option<&Way>),
) -> anyhow::Result<Exit> {
    let name = upstream(config, Some(name))?;
    takes_tokens(config, &name)?;
    let found = config.upstreams.iter().find(|one| one.name == *name).context("it is configured")?;
    let clock = Clock::system();
    let new = NewKey {
        party: meant(store, arguments)?,
        on_behalf_of: arguments.on_behalf_of.clone(),
        upstream: name,
        expires: Some(clock.now() + SignedDuration::from_hours(arguments.expires_in_hours.into())),
    };
    own::record(config, &clock, ChangeKind::Key, format!("create a token for {}", describe(&new)))?;
    let (_, token) = store.create_token(&new, clock.now())?;
    own::keys_changed(config);
    let mut variables = way::of_token(config, found, token.expose())?;
    let set = way.map(|way| way.variables(&Holds::Bearer(token.expose()))).unwrap_or_default();
    let more = set.into_iter().filter(|(name, _)| *name != way::HOLDS);
    variables.extend(more.map(|(name, value)| (name.to_owned(), value)));
    if context.format == Format::Table {
        let lines: Vec<String> =
            variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value))).collect();
        context.output.line(&lines.join("\n"))?;
    } else {
        let shown: BTreeMap<String, String> = variables.into_iter().collect();
        context.output.show(context.format, &shown, || Rows::new(&[]))?;
    }
    Ok(Exit::Ok)
}

/// The actor that is meant: named with its kind, or as its newest key has it.
fn meant(store: &KeyStore, arguments: &Arguments) -> anyhow::Result<Party> {
    if let (Some(name), Some(kind)) = (&arguments.actor, arguments.kind) {
        return Ok(Party { name: name.as_str().into(), kind });
    }
    let name = arguments.actor.as_ref();
    let keys = store.list();
    let mut of_them = keys.iter().rev().filter(|key| name.is_none_or(|name| *key.party.name == **name));
    let found = of_them.next().map(|key| key.party.clone());
    found.context("nobody has a key yet; say for whom, with `--actor NAME --kind person`")
}

/// Writes a kubeconfig for an actor.
fn kubeconfig(
    context: &Context,
    config: &Config,
    store: &KeyStore,
    arguments: &Arguments,
    path: &Path,
) -> anyhow::Result<Exit> {
    let party = meant(store, arguments)?;
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
