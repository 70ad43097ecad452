//! `ordain env`: the variables that send a client through the gate with a key that only the gate understands.
//!
//! Leaves out running the client. An endpoint variable is a convenience, not enforcement: a client can ignore
//! it, and then holds a key that the provider does not know.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::output::Rows;
use super::{Context, Exit, Format};
use crate::config::Config;
use crate::egress;
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
    /// Send clients through the egress gateway, as their HTTP proxy, in place of an endpoint.
    #[arg(long)]
    proxy: bool,
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
    let way = if arguments.proxy { proxied(&config)? } else { at_endpoint(&config) };
    let key = [
        ("AWS_ACCESS_KEY_ID", chosen.id.to_string()),
        ("AWS_SECRET_ACCESS_KEY", chosen.secret.expose().to_owned()),
    ];
    let variables: Vec<(&str, String)> = way.into_iter().chain(key).collect();
    if context.format != Format::Table {
        let shown: BTreeMap<&str, &str> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        context.output.show(context.format, &shown, || Rows::new(&[]))?;
        return Ok(Exit::Ok);
    }
    // An endpoint of one service wins over the one for all. A shell evaluates this: only what is a plain name goes in.
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let services = environment_with("AWS_ENDPOINT_URL_").into_iter().filter(|(name, _)| plain(name));
    let services: String = services.map(|(name, _)| format!(" {name}")).collect();
    let endpoint = if arguments.proxy { " AWS_ENDPOINT_URL" } else { "" };
    let mut lines = vec![format!("unset {UNSET}{endpoint}{services}")];
    lines.extend(variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value))));
    context.output.line(&lines.join("\n"))?;
    Ok(Exit::Ok)
}

/// The variables of a client that takes us for the provider.
fn at_endpoint(config: &Config) -> Vec<(&'static str, String)> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let host = config
        .names
        .first()
        .map_or_else(|| config.data.to_string(), |name| format!("{name}:{}", config.data.port()));
    let mut variables = vec![("AWS_ENDPOINT_URL", format!("{scheme}://{host}"))];
    // Our own name stands for every host of the provider's.
    variables.push(("AWS_DISABLE_HOST_PREFIX_INJECTION", "true".to_owned()));
    variables
}

/// The variables of a client that takes us for its proxy, and what it must trust for that. Each library has a variable
/// of its own for the latter; Node's adds to what it trusts, the others' stand in its place.
fn proxied(config: &Config) -> anyhow::Result<Vec<(&'static str, String)>> {
    let address = config.egress.context("there is no egress gateway; configure `listen.egress`")?;
    let bundle = egress::bundle_path(&config.state);
    anyhow::ensure!(
        bundle.exists(),
        "`{}` is not there yet; start the gate, or run `ordain ca create`",
        bundle.display()
    );
    let (proxy, bundle) = (format!("http://{address}"), bundle.display().to_string());
    let proxies = PROXIES.map(|name| (name, proxy.clone()));
    let direct = ["NO_PROXY", "no_proxy"].map(|name| (name, "localhost,127.0.0.1,::1".to_owned()));
    let trust = TRUST.map(|name| (name, bundle.clone()));
    Ok(proxies.into_iter().chain(direct).chain(trust).collect())
}

/// Variables by which clients find their proxy.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"];

/// Variables by which clients find what they trust.
const TRUST: [&str; 9] = [
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "DENO_CERT",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
];

/// A word as a POSIX shell reads it back.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
