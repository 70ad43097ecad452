//! What a way in promises of the requests that come by it, beyond what the listener can hold them to.
//!
//! Leaves out the listeners, which hold `host` to it, and the rooms, which hold the signature to `host`.

use std::sync::Arc;

use http::Request;
use http::header::{HOST, PROXY_AUTHORIZATION};
use ordain_action::{Actor, DenialKind};
use ordain_decode::form::http1::host_name;

use crate::config::Config;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::identity::Claimed;
use crate::listen::{ConnectionInfo, ProxyRefusal, WayIn};
use crate::{egress, head};

/// Who asks for a request that a proxy is asked for without a tunnel; elsewhere that is known of the connection.
///
/// # Errors
/// A [`Fault`] in words for the caller: who asks has to be said and is not, or the host is let through by TLS alone.
pub fn asked<B>(
    gate: &Gate,
    connection: ConnectionInfo,
    request: &Request<B>,
) -> Result<ConnectionInfo, Fault> {
    if connection.refused.is_some() {
        return Ok(connection);
    }
    let plain = match connection.way_in {
        WayIn::Forward => true,
        WayIn::Transparent(None) => false,
        WayIn::Reverse | WayIn::Tunnel(..) | WayIn::Transparent(Some(_)) => return Ok(connection),
    };
    let config = gate.config();
    let refused = |refusal: &ProxyRefusal| Fault::new(refusal.kind(), refusal.reason_code(), refusal.text());
    let mut connection = connection;
    if plain {
        connection.asker = match request.headers().get(PROXY_AUTHORIZATION) {
            Some(value) => {
                let asker = egress::asker(&gate.keys, value.as_bytes(), gate.clock.now());
                Some(Arc::new(asker.map_err(|refusal| refused(&refusal))?))
            }
            None if config.outward.authenticate => return Err(refused(&ProxyRefusal::AskerMissing)),
            None => None,
        };
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host_name(host).to_ascii_lowercase();
    if config.outward.pass.iter().any(|rule| rule.names(&host)) {
        return Err(refused(&ProxyRefusal::PassedInPlain(host)));
    }
    Ok(connection)
}

/// Holds a request to who asked for its tunnel: two parties do not share one.
///
/// # Errors
/// A [`Fault`] in words for the caller.
pub fn check_actor(connection: &ConnectionInfo, actor: &Actor) -> Result<(), Fault> {
    let Some(asker) = &connection.asker else { return Ok(()) };
    if asker.party == actor.party && asker.on_behalf_of == actor.on_behalf_of {
        return Ok(());
    }
    Err(Fault::new(
        DenialKind::Forbidden,
        "actor_mismatch",
        format!(
            "the request is from `{}`, and the proxy was asked by `{}`; use one key for both",
            actor.party.name, asker.party.name
        ),
    ))
}

/// Holds a request to where its connection was to go: a credential that is bound to another upstream would lead it
/// elsewhere than its client meant.
///
/// # Errors
/// A [`Fault`] in words for the caller.
pub fn check(config: &Config, connection: &ConnectionInfo, claimed: &Claimed) -> Result<(), Fault> {
    let WayIn::Transparent(Some(host)) = &connection.way_in else { return Ok(()) };
    if !head::is_address(host) {
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
