//! `ordain credentials`: what a client's `credential_process` prints, so that it holds no credential of its own and
//! asks for one when it needs it.
//!
//! Leaves out where the client sends its requests: an endpoint or a proxy in its configuration.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use ordain_evidence::ChangeKind;
use serde::Serialize;

use super::key::{Holder, describe};
use super::{Context, Exit};
use crate::clock::Clock;
use crate::keys::{self, IssuedKey, KeyStore, NewKey};
use crate::own;

/// How much of its time a key must have left to be given out again: clients ask anew fifteen minutes before its end.
const LEAST: SignedDuration = SignedDuration::from_mins(20);

/// Print a key that ends by itself, as the provider's `credential_process` is to print it.
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

/// A key that was made for the same and has time left: a client that is started often does not make one each time.
fn in_hand(keys: &KeyStore, new: &NewKey, now: Timestamp) -> Option<std::sync::Arc<IssuedKey>> {
    let fits = |key: &IssuedKey| {
        let left = key.expires.is_some_and(|expires| expires > now + LEAST && Some(expires) <= new.expires);
        let same =
            key.party == new.party && key.on_behalf_of == new.on_behalf_of && key.upstream == new.upstream;
        left && same && key.secret().is_some() && key.minted.is_none() && keys.ended_by(key, now).is_none()
    };
    keys.list().into_iter().filter(|key| fits(key)).max_by_key(|key| key.expires)
}
