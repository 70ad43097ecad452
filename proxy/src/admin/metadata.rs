//! Where SDKs of Azure and Google find the token of the machine they run on: a managed identity's endpoint, and a metadata
//! server. What they are given is the issued token that they show, which means something to the gate alone.
//!
//! The metadata server of Google asks nobody who they are, so that the token is part of its address; it is given to who
//! runs here and was told. Leaves out who may ask (`container`).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use ordain_action::Plane;
use serde::Deserialize;
use serde_json::json;

use super::container::{Endpoint, only, said};
use super::listener::Peer;
use crate::keys::IssuedKey;

/// For how long an SDK keeps a token at most before it asks again, in seconds.
const KEPT: i64 = 3600;

/// What marks a metadata server and who asks one on purpose.
const FLAVOR: &str = "metadata-flavor";

/// The scope that Google's SDKs take for all of the platform.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What a managed identity is asked (App Service managed identity, `2019-08-01`).
#[derive(Deserialize)]
pub(super) struct Asked {
    resource: Option<String>,
}

/// How many seconds a token has left, as an SDK is told.
fn left(endpoint: &Endpoint, token: &IssuedKey) -> i64 {
    let now = endpoint.gate.clock.now();
    let until = token.end().map_or(KEPT, |end| end.duration_since(now).as_secs());
    until.clamp(0, KEPT)
}

/// Answers an SDK of Azure, which shows the token as the environment gave it.
pub(super) async fn azure(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(Peer { address: peer, .. }): ConnectInfo<Peer>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let shown = only(&headers, &HeaderName::from_static("x-identity-header"));
    let token = match endpoint.holder(peer, &headers, shown, &[Plane::Azure, Plane::Graph]) {
        Ok(token) => token,
        Err(refused) => return refused,
    };
    let left = left(&endpoint, &token);
    let ends = endpoint.gate.clock.now() + SignedDuration::from_secs(left);
    let given = json!({
        "access_token": shown, "expires_on": ends.as_second().to_string(), "resource": asked.resource,
        "token_type": "Bearer",
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(given)).into_response()
}

/// Answers an SDK of Google that looks whether there is a metadata server at all.
pub(super) async fn google_root(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(Peer { address: peer, .. }): ConnectInfo<Peer>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    match holder(&endpoint, peer, &headers, &token) {
        Ok(_) => text("computeMetadata/\n".to_owned()),
        Err(refused) => refused,
    }
}

/// Answers an SDK of Google.
pub(super) async fn google(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(Peer { address: peer, .. }): ConnectInfo<Peer>,
    Path((token, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let key = match holder(&endpoint, peer, &headers, &token) {
        Ok(key) => key,
        Err(refused) => return refused,
    };
    let account = endpoint.gate.upstreams.get(&key.upstream).map(|upstream| upstream.account.to_string());
    let account = account.unwrap_or_default();
    let email = format!("{}@{}.ordain", key.party.name, key.upstream);
    let known = json!({"aliases": ["default"], "email": email, "scopes": [SCOPE]});
    let own = path.strip_prefix("instance/service-accounts/").map(|rest| {
        let rest = rest.strip_prefix("default").or_else(|| rest.strip_prefix(email.as_str())).unwrap_or(rest);
        rest.trim_matches('/')
    });
    match (path.trim_end_matches('/'), own) {
        ("project/project-id", _) => text(account),
        ("universe/universe-domain" | "universe/universe_domain", _) => text("googleapis.com".to_owned()),
        ("instance/service-accounts", _) => of_google(Json(json!({"default": known})).into_response()),
        (_, Some("")) => of_google(Json(known).into_response()),
        (_, Some("email")) => text(email),
        (_, Some("scopes")) => text(format!("{SCOPE}\n")),
        (_, Some("token")) => {
            let given =
                json!({"access_token": token, "expires_in": left(&endpoint, &key), "token_type": "Bearer"});
            of_google(Json(given).into_response())
        }
        _ => of_google(StatusCode::NOT_FOUND.into_response()),
    }
}

/// The key of the token in a path. A page in a browser does not say that it asks on purpose.
#[expect(clippy::result_large_err, reason = "an answer is what is asked for")]
fn holder(
    endpoint: &Endpoint,
    peer: SocketAddr,
    headers: &HeaderMap,
    token: &str,
) -> Result<Arc<IssuedKey>, Response> {
    if only(headers, &HeaderName::from_static(FLAVOR)) != Some("Google") {
        let message = "a metadata server is asked with `Metadata-Flavor: Google`".to_owned();
        return Err(of_google(said(StatusCode::FORBIDDEN, "flavor_missing", message)));
    }
    endpoint.holder(peer, headers, Some(token), &[Plane::Gcp]).map_err(of_google)
}

fn text(text: String) -> Response {
    of_google(text.into_response())
}

fn of_google(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static(FLAVOR), header::HeaderValue::from_static("Google"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
