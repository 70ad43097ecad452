//! Where people log in and out, and are told who they are.
//!
//! Leaves out whether what they show is right (`people`).

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use ordain_sigv4::Secret;
use zeroize::Zeroizing;

use super::caller::{Caller, Desk, Refusal};
use super::listener::Peer;
use crate::keys::token;
use crate::people::wire::{Begun, ByPassword, ByToken, Me, Provider, Ways};
use crate::people::{NotLoggedIn, Person, Role};

/// By which ways people log in: what a client needs to know before, and no secret.
pub(super) async fn ways(State(desk): State<Arc<Desk>>) -> Json<Ways> {
    let providers = desk.people.providers().into_iter();
    Json(Ways { oidc: providers.map(|(issuer, client)| Provider { issuer, client }).collect() })
}

/// Logs in who shows a password and a code.
pub(super) async fn by_password(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(shown): Json<ByPassword>,
) -> Result<Json<Begun>, Refusal> {
    let password = Zeroizing::new(shown.password);
    is_private(peer)?;
    begun(desk.people.log_in(peer.address.ip(), &shown.name, password, shown.code.trim()).await)
}

/// Logs in who shows a token of a provider.
pub(super) async fn by_token(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(shown): Json<ByToken>,
) -> Result<Json<Begun>, Refusal> {
    is_private(peer)?;
    begun(desk.people.log_in_by_token(peer.address.ip(), &shown.id_token, shown.nonce.as_deref()).await)
}

/// Ends the session of who asks.
pub(super) async fn out(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<&'static str, Refusal> {
    match caller {
        Caller::Token => {
            let text = "the token of the state directory has no session; nothing is ended";
            Err(Refusal::new(StatusCode::BAD_REQUEST, text))
        }
        Caller::Person(_) => {
            desk.people.log_out(token::presented(&headers).unwrap_or_default());
            Ok("logged out\n")
        }
    }
}

/// Tells who asks who that is.
pub(super) async fn me(caller: Caller) -> Json<Me> {
    let roles = Role::ALL.into_iter().filter(|role| caller.may(*role));
    Json(Me {
        person: caller.person().map(str::to_owned),
        roles: roles.map(|role| role.as_str().to_owned()).collect(),
        shown_by: caller.shown_by(),
        expires: match &caller {
            Caller::Token => None,
            Caller::Person(person) => Some(person.expires),
        },
    })
}

/// Refuses secrets that others could read on their way.
fn is_private(peer: Peer) -> Result<(), Refusal> {
    if peer.is_private() {
        return Ok(());
    }
    let text = "nobody logs in over a connection that others can read; use `https`, for which the gate has a certificate as \
                `listen.admin_tls`, or log in on the gate's own machine";
    Err(Refusal::new(StatusCode::FORBIDDEN, text))
}

fn begun(logged_in: Result<(Secret, Person), NotLoggedIn>) -> Result<Json<Begun>, Refusal> {
    match logged_in {
        Ok((token, person)) => Ok(Json(Begun {
            token: token.expose().to_owned(),
            person: person.name.to_string(),
            roles: person.roles.words().into_iter().map(str::to_owned).collect(),
            expires: person.expires,
        })),
        Err(NotLoggedIn::Wrong(text)) => Err(Refusal::new(StatusCode::UNAUTHORIZED, text)),
        Err(NotLoggedIn::TooMany) => {
            let text = "too many have tried to log in; wait a minute, and try again";
            Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, text))
        }
        Err(NotLoggedIn::Unavailable(why)) => {
            let text = format!("nobody can log in now: {why}; try again, or tell the operator");
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text))
        }
    }
}
