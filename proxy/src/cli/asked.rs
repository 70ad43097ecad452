//! Requests that are given to the command line: what their lines hold, which rooms read them, and for which upstream.
//!
//! Leaves out what each verb makes of them.

use std::sync::Arc;

use anyhow::Context as _;
use ordain_action::{Plane, Upstream};
use ordain_decode::{Rooms, RoomsConfig};

use crate::api;
use crate::config::Config;

/// What a line holds, for the help of the verbs that read them.
pub(super) const LINES: &str = "\
A line is one request, as an object:
  {\"id\": \"1\", \"method\": \"POST\", \"url\": \"https://ec2.eu-west-1.amazonaws.com/\",
   \"headers\": [[\"content-type\", \"application/x-www-form-urlencoded\"]], \"body_b64\": \"QWN0aW9uPS4uLg==\"}
`headers` and `body_b64` (the body in base64) may be left out; signatures are not looked at.";

/// The rooms of a configuration, without the APIs whose files are read with [`all_rooms`]. Their secrets' tokens are of no
/// gate: they match in one run only.
///
/// # Errors
/// A file of the configuration cannot be read, or is not what it should be.
pub(super) fn rooms(config: &Config) -> anyhow::Result<Rooms> {
    made(config, RoomsConfig { vault: api::mounts(config), ..RoomsConfig::default() })
}

/// The same, with every API that is described in files.
///
/// # Errors
/// As [`rooms`].
pub(super) fn all_rooms(config: &Config) -> anyhow::Result<Rooms> {
    made(config, api::all(config)?)
}

fn made(config: &Config, described: RoomsConfig) -> anyhow::Result<Rooms> {
    let aws_overlay = match &config.overlay {
        Some(path) => {
            Some(std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?)
        }
        None => None,
    };
    Ok(Rooms::new(RoomsConfig { aws_overlay, ..described })?)
}

/// The plane of a word.
///
/// # Errors
/// There is no room of that name.
pub(super) fn plane(word: &str) -> anyhow::Result<Plane> {
    Plane::parse(word).with_context(|| {
        let known: Vec<&str> = Plane::ALL.iter().map(|plane| plane.as_str()).collect();
        format!("no room reads the plane `{word}`; those that do are `{}`", known.join("`, `"))
    })
}

/// The upstream that is meant, and whose account it is.
///
/// # Errors
/// It is not configured, or has no account.
pub(super) fn upstream(
    config: &Config,
    name: Option<&str>,
    account: Option<String>,
) -> anyhow::Result<Upstream> {
    let mut all = config.upstreams.iter();
    let found = match name {
        Some(name) => all
            .find(|upstream| upstream.name == name)
            .with_context(|| format!("there is no upstream `{name}`; give one that is configured"))?,
        None => all.next().context("no upstream is configured")?,
    };
    let plane = found.kind.plane();
    // Outside clouds an account is what its operators call it.
    let own = || found.account.clone().or_else(|| (plane != Plane::Aws).then(|| found.name.clone()));
    let account = account
        .or_else(own)
        .with_context(|| format!("upstream `{}` names no account; give it with `--account`", found.name))?;
    anyhow::ensure!(
        plane != Plane::Aws || account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()),
        "`--account` is `{account}`: give the twelve digits of an AWS account"
    );
    Ok(Upstream {
        name: found.name.as_str().into(),
        plane,
        account: account.as_str().into(),
        partition: Arc::from(if plane == Plane::Aws { "aws" } else { "" }),
    })
}
