//! The container credentials endpoint: an SDK that holds no credential of its own presents a token here, and is given a
//! short-lived key pair of the token's actor, in the provider's own form.
//!
//! Only for programs of this machine: not for other peers, not by another name (a page in a browser that had its name
//! point here), and never across origins. Leaves out how keys are kept (`keys`) and judging what they sign.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use ordain_action::{DenialKind, Plane};
use ordain_evidence::ChangeKind;
use serde::Serialize;

use super::listener::Peer;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::keys::{IssuedKey, token};

/// How often a token may be presented in a second.
const EACH: NonZeroU32 = NonZeroU32::new(20).expect("not zero");

/// How often in a second somebody may be told that a token is not right.
const WRONG: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// What the endpoint needs.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) gate: Arc<Gate>,
    address: SocketAddr,
    each: DefaultKeyedRateLimiter<Arc<str>>,
    wrong: DefaultDirectRateLimiter,
}

/// The form that SDKs read (AWS SDKs and Tools Reference Guide, container credential provider).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Given<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    token: &'a str,
    expiration: String,
}

/// The form in which SDKs read why there is none.
#[derive(Serialize)]
struct Refused<'a> {
    code: &'a str,
    message: String,
}

impl Endpoint {
    /// That of a gate whose admin address is `address`.
    pub(super) fn new(gate: Arc<Gate>, address: SocketAddr) -> Self {
        let (each, wrong) =
            (RateLimiter::keyed(Quota::per_second(EACH)), RateLimiter::direct(Quota::per_second(WRONG)));
        Self { gate, address, each, wrong }
    }
}

/// Answers who presents a token.
pub(super) async fn give(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(Peer { address: peer, .. }): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    let shown = only(&headers, &header::AUTHORIZATION);
    let token = match endpoint.holder(peer, &headers, shown, &[Plane::Aws]) {
        Ok(token) => token,
        Err(refused) => return refused,
    };
    match pair(&endpoint.gate, &token).await {
        Ok(response) => response,
        Err(why) => {
            let message = format!("no credential can be given now: {why}; try again, or tell the operator");
            said(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", message)
        }
    }
}

impl Endpoint {
    /// The key of the token that somebody shows, which must be in force and of an upstream of one of these planes; else
    /// what to answer.
    #[expect(clippy::result_large_err, reason = "an answer is what is asked for")]
    pub(super) fn holder(
        &self,
        peer: SocketAddr,
        headers: &HeaderMap,
        shown: Option<&str>,
        planes: &[Plane],
    ) -> Result<Arc<IssuedKey>, Response> {
        let found = own(self.address, peer, headers).and_then(|()| presented(&self.gate, shown, planes));
        let token = found.map_err(|(status, fault)| {
            if self.wrong.check().is_err() {
                return slow_down();
            }
            self.gate.metrics.refused(peer, &fault);
            said(status, fault.reason_code().as_str(), fault.denial().text)
        })?;
        if self.each.check_key(&token.id).is_err() {
            return Err(slow_down());
        }
        Ok(token)
    }
}

/// The one value of a header.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}

fn slow_down() -> Response {
    said(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "slow down, and try again".to_owned())
}

pub(super) fn said(status: StatusCode, code: &str, message: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(Refused { code, message })).into_response()
}

type Refusal = (StatusCode, Fault);

fn refusal(status: StatusCode, reason: &str, text: &str) -> Refusal {
    (status, Fault::new(DenialKind::Unauthenticated, reason, text))
}

/// Refuses what no program of this machine sends that was told of the endpoint.
fn own(address: SocketAddr, peer: SocketAddr, headers: &HeaderMap) -> Result<(), Refusal> {
    let forbidden = |reason, text| Err(refusal(StatusCode::FORBIDDEN, reason, text));
    if !peer.ip().to_canonical().is_loopback() {
        return forbidden("foreign_peer", "credentials are given to programs of this machine only");
    }
    if headers.contains_key(header::ORIGIN) {
        return forbidden("foreign_origin", "credentials are given to no page of a browser");
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| is_own(host, address)) {
        return Ok(());
    }
    forbidden("foreign_host", "the request names another host; use the address that `ordain env` prints")
}

/// Whether a `Host` is this machine's loopback or the admin address itself, with its port.
fn is_own(host: &str, own: SocketAddr) -> bool {
    if host.strip_prefix("localhost:").is_some_and(|port| port.parse() == Ok(own.port())) {
        return true;
    }
    host.parse::<SocketAddr>()
        .is_ok_and(|named| named == own || (named.ip().is_loopback() && named.port() == own.port()))
}

/// The key of the token that is presented, which must be in force and of an upstream of one of these planes.
fn presented(gate: &Gate, shown: Option<&str>, planes: &[Plane]) -> Result<Arc<IssuedKey>, Refusal> {
    let shown = shown.ok_or_else(|| {
        let text = "present the token that `ordain env` or `ordain run` put into the environment";
        refusal(StatusCode::UNAUTHORIZED, "token_missing", text)
    })?;
    let forbidden = |reason, text| refusal(StatusCode::FORBIDDEN, reason, text);
    let known = token::id_of(shown).and_then(|id| gate.keys.find(id)).filter(|key| key.is_of_token(shown));
    let key = known.ok_or_else(|| {
        forbidden(
            "unknown_token",
            "the token is not one that is issued here; use one that `ordain env` printed",
        )
    })?;
    if !gate.keys.is_in_force(&key, gate.clock.now()) {
        return Err(forbidden("token_ended", "the token is revoked or over; ask for another"));
    }
    let config = gate.config();
    let of_these = |plane: Plane| planes.contains(&plane);
    if !config.upstreams.iter().any(|one| one.name == *key.upstream && of_these(one.kind.plane())) {
        return Err(forbidden(
            "other_upstream",
            "the token is for an upstream of another plane; present it there",
        ));
    }
    Ok(key)
}

/// The pair that was given for a token before, or a new one, which is in the ledger before it is in force.
async fn pair(gate: &Arc<Gate>, token: &Arc<IssuedKey>) -> Result<Response, String> {
    let now = gate.clock.now();
    let key = match gate.keys.given(token, now) {
        Some(key) => key,
        None => {
            let party = &token.party;
            let summary = format!(
                "give a key pair that ends by itself to {} {}, for the token {}",
                party.kind.as_str(),
                party.name,
                token.id
            );
            gate.record_change_by(&party.name, ChangeKind::Key, summary, None, None).await?;
            let (keys, token) = (Arc::clone(&gate.keys), Arc::clone(token));
            // Who makes a key waits for the disk, and nobody else does.
            let made = tokio::task::spawn_blocking(move || keys.give(&token, now)).await;
            made.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?
        }
    };
    let (Some(secret), Some(session), Some(expires)) = (key.secret(), &key.session_token, key.expires) else {
        return Err("what was made is no temporary key pair".to_owned());
    };
    let given = Given {
        access_key_id: &key.id,
        secret_access_key: secret.expose(),
        token: session.expose(),
        // Whole seconds, as every SDK reads them.
        expiration: expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(given)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_peers_of_this_machine_are_told_anything() {
        let own = |peer: &str| {
            let address = SocketAddr::from(([0, 0, 0, 0], 7071));
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, header::HeaderValue::from_static("127.0.0.1:7071"));
            super::own(address, SocketAddr::new(peer.parse().unwrap(), 40_000), &headers)
                .map_err(|(_, fault)| fault.reason_code().as_str().to_owned())
        };
        for peer in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(own(peer), Ok(()), "{peer}");
        }
        for peer in ["10.0.0.5", "::ffff:10.0.0.5", "fe80::1", "0.0.0.0", "192.0.2.1"] {
            assert_eq!(own(peer), Err("foreign_peer".to_owned()), "{peer}");
        }
    }

    #[test]
    fn only_loopback_and_the_address_itself_are_own_hosts() {
        let check = |host: &str| is_own(host, SocketAddr::from(([10, 0, 0, 5], 7071)));
        for host in ["127.0.0.1:7071", "127.0.0.7:7071", "localhost:7071", "[::1]:7071", "10.0.0.5:7071"] {
            assert!(check(host), "{host}");
        }
        for host in [
            "127.0.0.1",
            "127.0.0.1:7070",
            "localhost",
            "localhost:80",
            "10.0.0.6:7071",
            "rebound.example:7071",
            "localhost.rebound.example:7071",
            "127.0.0.1.rebound.example:7071",
            "",
        ] {
            assert!(!check(host), "{host}");
        }
    }
}
