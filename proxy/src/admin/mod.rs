//! Health, readiness and metrics, on an address of their own; where the command line has its own changes recorded while
//! the gate holds the ledger; where people log in (`login`); and where SDKs ask for their credential (`container`,
//! `metadata`).
//!
//! Leaves out making those changes: keys and model are changed in the state directory.

mod bounded;
mod caller;
mod container;
mod holds;
mod listener;
mod login;
mod metadata;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use ordain_evidence::ChangeKind;
use tokio::net::TcpListener;

use crate::gate::Gate;
use crate::listen::Tls;
use crate::own::{self, Said, Status};
use crate::people::{People, Role, wire};
pub(crate) use caller::{Caller, Refusal};
pub(crate) use holds::Answering;
use listener::{Listener, Peer};

/// The longest body of a login: providers write tokens of several kilobytes.
const LOGIN_MAX: usize = 64 * 1024;

/// What has to be in order before anybody is served.
#[derive(Debug)]
pub struct Ready {
    people: People,
    tls: Option<Tls>,
}

/// Reads what the admin address needs.
///
/// # Errors
/// Its certificate cannot be served, or no sealing key is usable.
pub fn prepare(gate: &Arc<Gate>) -> anyhow::Result<Ready> {
    let tls = match &gate.config().admin_tls {
        Some((certificate, key)) => Some(Tls::load(certificate, key, None)?),
        None => None,
    };
    Ok(Ready { people: People::of(Arc::clone(gate))?, tls })
}

/// Serves until the gate is told to stop.
///
/// # Errors
/// What the system says of the listening socket.
pub async fn run(
    listener: TcpListener,
    gate: Arc<Gate>,
    Ready { people, tls }: Ready,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let endpoint = Arc::new(container::Endpoint::new(Arc::clone(&gate), listener.local_addr()?));
    let credentials = Router::new()
        .route(own::CREDENTIALS, get(container::give))
        .route(own::AZURE, get(metadata::azure))
        .route(&format!("{}/{{token}}", own::GOOGLE), get(metadata::google_root))
        .route(&format!("{}/{{token}}/", own::GOOGLE), get(metadata::google_root))
        .route(&format!("{}/{{token}}/computeMetadata/v1/{{*path}}", own::GOOGLE), get(metadata::google))
        .with_state(endpoint);
    let desk = Arc::new(caller::Desk::new(Arc::clone(&gate), people, listener.local_addr()?));
    let logins = Router::new()
        .route(wire::LOGIN, get(login::ways).post(login::by_password))
        .route(wire::LOGIN_OIDC, post(login::by_token))
        .route(wire::LOGOUT, post(login::out))
        .route(wire::ME, get(login::me))
        .with_state(Arc::clone(&desk))
        .layer(DefaultBodyLimit::max(LOGIN_MAX));
    // Whoever asks for any of these is known before, or known to be nobody.
    let known = Router::new()
        .route(own::PATH, post(own_change))
        .route(own::STATUS, get(status))
        .route(own::KEYS, post(look_at_keys))
        .route(own::HOLDS, get(holds::list))
        .route(&format!("{}/{{id}}", own::HOLDS), get(holds::show))
        .route(&format!("{}/{{id}}/answers", own::HOLDS), post(holds::answer))
        .with_state(Arc::clone(&gate))
        .merge(logins)
        .layer(from_fn_with_state(Arc::clone(&desk), caller::who_asks));
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/readyz/changes", get(ready_for_changes))
        .route("/metrics", get(metrics))
        .with_state(gate)
        .merge(known)
        .merge(credentials);
    let service = router.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(Listener::new(listener, tls)?, service).with_graceful_shutdown(stop);
    tokio::select! {
        served = serving => served,
        never = desk.people.watch() => match never {},
    }
}

/// 200 while reads are served, even when changes are not.
async fn ready(State(gate): State<Arc<Gate>>) -> impl IntoResponse {
    match not_serving(&gate) {
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
        None => (StatusCode::OK, "ready\n".to_owned()),
    }
}

/// Why not even reads are served.
fn not_serving(gate: &Gate) -> Option<String> {
    if gate.is_draining() {
        return Some("draining\n".to_owned());
    }
    let unverified = gate.upstreams.unverified();
    let none = unverified.len() == gate.config().upstreams.len();
    none.then(|| format!("no upstream is verified yet: {}\n", unverified.join(", ")))
}

/// 503 while changes cannot be recorded.
async fn ready_for_changes(State(gate): State<Arc<Gate>>) -> impl IntoResponse {
    if let Some(why) = not_serving(&gate) {
        return (StatusCode::SERVICE_UNAVAILABLE, why);
    }
    match (gate.ledger.sealed(), gate.state.fault()) {
        (Some(why), _) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("changes are denied: the ledger is sealed: {why}\n"))
        }
        (None, Some(why)) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("changes that are counted are denied: {why}\n"))
        }
        (None, None) => (StatusCode::OK, "ready\n".to_owned()),
    }
}

async fn metrics(State(gate): State<Arc<Gate>>) -> impl IntoResponse {
    gate.observe();
    holds::observe(&gate).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], gate.metrics.render())
}

/// What is in force, and what could not be taken up, for `ordain doctor`.
async fn status(State(gate): State<Arc<Gate>>, caller: Caller) -> Result<Json<Status>, Refusal> {
    caller.needs(Role::Viewer)?;
    let faults = gate.faults().into_iter().map(|(of, why)| format!("{of}: {why}")).collect();
    Ok(Json(Status { mode: gate.config().mode.as_str().to_owned(), not_taken_up: faults }))
}

/// Takes up what the command line did to keys.
async fn look_at_keys(State(gate): State<Arc<Gate>>, caller: Caller) -> Result<StatusCode, Refusal> {
    caller.needs(Role::Operator)?;
    // Files are read where nobody is served.
    let looked = tokio::task::spawn_blocking(move || gate.keys.reload().map(drop)).await;
    Ok(if matches!(looked, Ok(Ok(()))) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
}

/// Records a change that the command line is about to make.
async fn own_change(
    State(gate): State<Arc<Gate>>,
    caller: Caller,
    Json(said): Json<Said>,
) -> Result<(StatusCode, String), Refusal> {
    caller.needs(Role::Operator)?;
    let kinds =
        [ChangeKind::Key, ChangeKind::Model, ChangeKind::Rules, ChangeKind::Mode, ChangeKind::Configuration];
    let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == said.kind) else {
        return Ok((StatusCode::BAD_REQUEST, format!("`{}` is no kind of change\n", said.kind)));
    };
    Ok(match gate.record_change_by(caller.author(), kind, said.summary, None, None).await {
        Ok(()) => (StatusCode::OK, "recorded\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    })
}
