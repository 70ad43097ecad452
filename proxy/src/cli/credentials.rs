//! `ordain credentials`: what a client's `credential_process` or `exec` credential plugin prints, so that it holds no credential of its own and
//! asks for one when it needs it.
//!
//! Leaves out where the client sends its requests: an endpoint or a proxy in its configuration.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use ordain_evidence::ChangeKind;
use serde::{Deserialize, Serialize};

use super::key::{Holder, describe, takes_tokens};
use super::{Context, Exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, IssuedKey, KeyStore, NewKey};
use crate::own;
use crate::settings::environment;

/// How much of its time a key must have left to be given out again: clients ask anew fifteen minutes before its end.
const LEAST: SignedDuration = SignedDuration::from_mins(20);

/// Print a credential that ends by itself: for an AWS upstream a key pair as `credential_process` is to print it, for a
/// Kubernetes cluster a token as an `exec` credential plugin is to.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    holder: Holder,
    /// In how many hours it ends by itself.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=36))]
    expires_in_hours: u32,
}

/// The form that the provider's tools read (AWS SDKs and Tools Reference Guide, process credential provider).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Printed<'a> {
    version: u32,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let (keys, clock) = (keys::of(&config)?, Clock::system());
    let now = clock.now();
    let lasts = SignedDuration::from_hours(arguments.expires_in_hours.into());
    let new = arguments.holder.key(&config, Some(now + lasts))?;
    if takes_tokens(&config, &new.upstream).is_ok() {
        return token(context, &config, &keys, &clock, &new);
    }
    let key = match in_hand(&keys, &new, now) {
        Some(key) => key,
        None => {
            let summary = format!("create a key that ends by itself for {}", describe(&new));
            own::record(&config, &clock, ChangeKind::Key, summary)?;
            let key = keys.create(&new, now)?;
            own::keys_changed(&config);
            key
        }
    };
    let printed = Printed {
        version: 1,
        access_key_id: &key.id,
        secret_access_key: key.secret().context("the key is a token")?.expose(),
        expiration: key.expires.map(|expires| expires.to_string()),
    };
    context.output.line(&serde_json::to_string(&printed).context("the key cannot be printed")?)?;
    Ok(Exit::Ok)
}

/// Prints a token as clients of Kubernetes ask for one. They keep it for as long as they run, and nobody can print it
/// again: each that is started gets its own.
fn token(
    context: &Context,
    config: &Config,
    keys: &KeyStore,
    clock: &Clock,
    new: &NewKey,
) -> anyhow::Result<Exit> {
    let summary = format!("create a token that ends by itself for {}", describe(new));
    own::record(config, clock, ChangeKind::Key, summary)?;
    let (_, token) = keys.create_token(new, clock.now())?;
    own::keys_changed(config);
    // Whole seconds, as the field's type has them.
    let expires = new.expires.map(|expires| expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let printed = serde_json::json!({
        "apiVersion": exec_version(),
        "kind": "ExecCredential",
        "status": { "token": token.expose(), "expirationTimestamp": expires },
    });
    context.output.line(&printed.to_string())?;
    Ok(Exit::Ok)
}

/// The version that the client asks for (client.authentication.k8s.io).
fn exec_version() -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Asks {
        api_version: String,
    }
    let asks = environment("KUBERNETES_EXEC_INFO");
    let asks = asks.and_then(|text| serde_json::from_str::<Asks>(&text).ok()).map(|asks| asks.api_version);
    let known = asks.filter(|version| version.starts_with("client.authentication.k8s.io/v1"));
    known.unwrap_or_else(|| "client.authentication.k8s.io/v1".to_owned())
}

/// A key that was made for the same and has time left: a client that is started often does not make one each time.
fn in_hand(keys: &KeyStore, new: &NewKey, now: Timestamp) -> Option<std::sync::Arc<IssuedKey>> {
    let fits = |key: &IssuedKey| {
        let left = key.expires.is_some_and(|expires| expires > now + LEAST && Some(expires) <= new.expires);
        let same =
            key.party == new.party && key.on_behalf_of == new.on_behalf_of && key.upstream == new.upstream;
        let own = key.minted.is_none() && key.session_token.is_none();
        left && same && own && key.secret().is_some() && keys.ended_by(key, now).is_none()
    };
    keys.list().into_iter().filter(|key| fits(key)).max_by_key(|key| key.expires)
}
