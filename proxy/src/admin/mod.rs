//! Health, readiness and metrics, on an address of their own.
//!
//! Leaves out everything that changes something: model, keys and mode are changed by the command line on
//! the state directory, and each such change is a ledger entry.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::gate::Gate;

/// Serves until the gate is told to stop.
///
/// # Errors
/// What the system says of the listening socket.
pub async fn run(
    listener: TcpListener,
    gate: Arc<Gate>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/readyz/changes", get(ready_for_changes))
        .route("/metrics", get(metrics))
        .with_state(gate);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// 200 while reads are served, even when changes are not.
async fn ready(State(gate): State<Arc<Gate>>) -> impl IntoResponse {
    if gate.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    (StatusCode::OK, "ready\n".to_owned())
}

/// 503 while changes cannot be recorded.
async fn ready_for_changes(State(gate): State<Arc<Gate>>) -> impl IntoResponse {
    if gate.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    match gate.ledger.sealed() {
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("changes are denied: the ledger is sealed: {why}\n")),
        None => (StatusCode::OK, "ready\n".to_owned()),
    }
}

async fn metrics(State(gate): State<Arc<Gate>>) -> impl IntoResponse {
    gate.observe();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], gate.metrics.render())
}
