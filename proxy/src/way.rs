//! What a way in promises of the requests that come by it, beyond what the listener can hold them to.
//!
//! Leaves out the listeners, which hold `host` to it, and the rooms, which hold the signature to `host`.

use std::net::{IpAddr, Ipv6Addr};

use ordain_action::DenialKind;

use crate::config::Config;
use crate::fault::Fault;
use crate::identity::Claimed;
use crate::listen::{ConnectionInfo, WayIn};

/// Whether a host, as `host` has it, is an address and not a name.
#[must_use]
pub fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.map_or_else(|| host.parse::<IpAddr>().is_ok(), |bare| bare.parse::<Ipv6Addr>().is_ok())
}

/// Holds a request to where its connection was to go: a credential that is bound to another upstream would lead it
/// elsewhere than its client meant.
///
/// # Errors
/// A [`Fault`] in words for the caller.
pub fn check(config: &Config, connection: &ConnectionInfo, claimed: &Claimed) -> Result<(), Fault> {
    let WayIn::Transparent(Some(host)) = &connection.way_in else { return Ok(()) };
    if !is_address(host) {
        return Ok(());
    }
    let name = &*claimed.upstream().name;
    let bound = config.upstreams.iter().find(|upstream| upstream.name == name);
    let endpoint = bound.and_then(|upstream| upstream.kind.endpoint()).and_then(http::Uri::host);
    if endpoint == Some(host) {
        return Ok(());
    }
    Err(Fault::new(
        DenialKind::Forbidden,
        "upstream_disagrees",
        format!("your key is bound to upstream `{name}`, which is not at `{host}`; use a key for that one"),
    ))
}
