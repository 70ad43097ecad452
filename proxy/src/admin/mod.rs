//! Health, readiness and metrics, on an address of their own; where the command line has its own changes recorded while
//! the gate holds the ledger; and where SDKs ask for their credential (`container`,
//! `metadata`).
//!
//! Leaves out making those changes: keys and model are changed in the state directory.

mod container;
mod holds;

pub(crate) use holds::Answering;
mod metadata;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use ordain_evidence::ChangeKind;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;

use crate::gate::Gate;
use crate::own::{self, Said, Status};

/// Serves until the gate is told to stop.
///
/// # Errors
/// What the system says of the listening socket.
pub async fn run(
    listener: TcpListener,
    gate: Arc<Gate>,
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
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/readyz/changes", get(ready_for_changes))
        .route("/metrics", get(metrics))
        .route(own::PATH, post(own_change))
        .route(own::STATUS, get(status))
        .route(own::KEYS, post(look_at_keys))
        .route(own::HOLDS, get(holds::list))
        .route(&format!("{}/{{id}}", own::HOLDS), get(holds::show))
        .route(&format!("{}/{{id}}/answers", own::HOLDS), post(holds::answer))
        .with_state(gate)
        .merge(credentials);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
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
async fn status(State(gate): State<Arc<Gate>>, headers: HeaderMap) -> Result<Json<Status>, StatusCode> {
    if !is_operator(&gate, &headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let faults = gate.faults().into_iter().map(|(of, why)| format!("{of}: {why}")).collect();
    Ok(Json(Status { mode: gate.config().mode.as_str().to_owned(), not_taken_up: faults }))
}

fn is_operator(gate: &Gate, headers: &HeaderMap) -> bool {
    let presented = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let presented = presented.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    bool::from(presented.as_bytes().ct_eq(gate.admin_token.as_bytes()))
}

/// Takes up what the command line did to keys.
async fn look_at_keys(State(gate): State<Arc<Gate>>, headers: HeaderMap) -> StatusCode {
    if !is_operator(&gate, &headers) {
        return StatusCode::UNAUTHORIZED;
    }
    // Files are read where nobody is served.
    let looked = tokio::task::spawn_blocking(move || gate.keys.reload().map(drop)).await;
    if matches!(looked, Ok(Ok(()))) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Records a change that the command line is about to make.
async fn own_change(
    State(gate): State<Arc<Gate>>,
    headers: HeaderMap,
    Json(said): Json<Said>,
) -> (StatusCode, String) {
    if !is_operator(&gate, &headers) {
        return (
            StatusCode::UNAUTHORIZED,
            "present the token of `admin.token` in the state directory\n".to_owned(),
        );
    }
    let kinds =
        [ChangeKind::Key, ChangeKind::Model, ChangeKind::Rules, ChangeKind::Mode, ChangeKind::Configuration];
    let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == said.kind) else {
        return (StatusCode::BAD_REQUEST, format!("`{}` is no kind of change\n", said.kind));
    };
    match gate.record_own_change(kind, said.summary, None).await {
        Ok(()) => (StatusCode::OK, "recorded\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}
