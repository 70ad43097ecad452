//! `ordain env`: the variables that send a client through the gate with a key that only the gate understands.
//!
//! Leaves out running the client. An endpoint variable is a convenience, not enforcement: a client can ignore
//! it, and then holds a key that the provider does not know.

use anyhow::Context as _;
use serde::Serialize;

use super::output::Rows;
use super::{Context, Exit, Format};
use crate::keys;
use crate::settings::environment_with;

/// Print the variables that send a client through the gate.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The access key id to use; by default the actor's newest, or the first valid key there is.
    #[arg(long)]
    key: Option<String>,
    /// Whose newest key to use.
    #[arg(long, conflicts_with = "key")]
    actor: Option<String>,
}

#[derive(Serialize)]
struct Variables<'a> {
    #[serde(rename = "AWS_ENDPOINT_URL")]
    endpoint: String,
    #[serde(rename = "AWS_ACCESS_KEY_ID")]
    id: &'a str,
    #[serde(rename = "AWS_SECRET_ACCESS_KEY")]
    secret: &'a str,
    #[serde(rename = "AWS_DISABLE_HOST_PREFIX_INJECTION")]
    no_prefix: &'static str,
}

/// What would win over the variables above, or name a credential that the gate does not know.
const UNSET: &str = "AWS_SESSION_TOKEN AWS_PROFILE AWS_DEFAULT_PROFILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN \
                     AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let store = keys::of(&config)?;
    let all = store.list();
    let usable = |id: &str| store.find(id).is_some_and(|key| store.ended_by(&key).is_none());
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
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let host = config
        .names
        .first()
        .map_or_else(|| config.data.to_string(), |name| format!("{name}:{}", config.data.port()));
    let variables = Variables {
        endpoint: format!("{scheme}://{host}"),
        id: &chosen.id,
        secret: chosen.secret.expose(),
        no_prefix: "true",
    };
    if context.format != Format::Table {
        context.output.show(context.format, &variables, || Rows::new(&[]))?;
        return Ok(Exit::Ok);
    }
    // An endpoint of one service wins over the one for all. A shell evaluates this: only what is a plain name goes in.
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let services = environment_with("AWS_ENDPOINT_URL_").into_iter().filter(|(name, _)| plain(name));
    let services: String = services.map(|(name, _)| format!(" {name}")).collect();
    let lines = [
        format!("unset {UNSET}{services}"),
        format!("export AWS_ENDPOINT_URL={}", quoted(&variables.endpoint)),
        format!("export AWS_ACCESS_KEY_ID={}", quoted(variables.id)),
        format!("export AWS_SECRET_ACCESS_KEY={}", quoted(variables.secret)),
        format!("export AWS_DISABLE_HOST_PREFIX_INJECTION={}", variables.no_prefix),
    ];
    context.output.line(&lines.join("\n"))?;
    Ok(Exit::Ok)
}

/// A word as a POSIX shell reads it back.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
