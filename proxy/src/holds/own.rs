//! What an actor sees of its own holds: at a name that no control plane has, on the listeners that it is judged at.
//!
//! What comes to that name goes no further, and nothing of it is reached by another. Whoever asks shows an issued token, and
//! is told of what they asked for themselves as much as the refusal told, and how far it has come: what is somebody else's is
//! not there. Leaves out what operators and owners see (`admin/holds.rs`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use ordain_action::{DenialKind, Party};
use ordain_decode::form::http1::host_name;
use ordain_rules::Answered;
use ordain_rules::hold::{Asker, Question};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::{State, parked, shown};
use crate::fault::Fault;
use crate::gate::Gate;
use crate::identity;
use crate::keys::IssuedKey;
use crate::reply::{self, ReplyBody};
use crate::state::Hold;

/// The name. None that ends so is anybody's on the Internet.
pub const NAME: &str = "ordain.internal";

/// The path that lists holds, and below which each is shown.
pub const PATH: &str = "/v1/holds";

/// The longest that somebody is kept waiting in one request.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// How often it is looked what other gates were told.
const LOOK: Duration = Duration::from_secs(1);

/// A hold, as whoever asked for it sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen {
    /// Its name.
    pub id: Uuid,
    /// How far it has come.
    pub state: State,
    /// What would be done, in one line.
    pub summary: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// Until when it waits, or what was approved holds.
    pub until: Timestamp,
    /// Whose approval is missing.
    pub waits_for: Vec<Missing>,
    /// Who said no, and why: whoever sends the request again is told the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<No>,
}

/// An owner whose approval is missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Missing {
    /// The owner.
    pub owner: String,
    /// How many people have to approve.
    pub at_least: usize,
    /// How many have.
    pub approved: usize,
}

/// A no.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct No {
    /// Whose.
    pub by: String,
    /// Why.
    pub why: String,
}

/// Something that is asked of the gate itself.
#[derive(Debug)]
pub struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    List,
    One(Uuid, Duration),
}

/// Whether a host, as `host` or a tunnel names it, is the gate's own.
#[must_use]
pub fn is_reserved(host: &str) -> bool {
    host_name(host).trim_end_matches('.').eq_ignore_ascii_case(NAME)
}

/// What is asked of the gate itself; none where it is for somebody else.
#[must_use]
pub fn asked<B>(request: &Request<B>) -> Option<Asked> {
    // The listener has brought whatever named the host to this header.
    let mut hosts = request.headers().get_all(HOST).iter().filter_map(|host| host.to_str().ok());
    hosts.any(is_reserved).then(|| Asked {
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
    })
}

/// Answers it.
pub async fn answer(gate: &Gate, peer: SocketAddr, asked: Asked) -> Response<ReplyBody> {
    match told(gate, &asked).await {
        Ok(response) => response,
        Err(fault) => {
            gate.metrics.refused(peer, &fault);
            let denial = fault.denial();
            // Nobody's client reads this as its plane's own: it is said as HTTP has it.
            let status = match denial.kind {
                DenialKind::Unauthenticated => 401,
                kind => kind.status(),
            };
            refused(StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN), &denial.text)
        }
    }
}

async fn told(gate: &Gate, asked: &Asked) -> Result<Response<ReplyBody>, Fault> {
    // Who asks comes first: to others nothing is told of what there is.
    let key = identity::shown_to_us(&gate.keys, &asked.headers, gate.clock.now())?;
    let _seat = gate.throttle.load().seat(&key.party)?;
    if asked.method != Method::GET {
        let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, "only `GET` is answered here");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return Ok(response);
    }
    let unavailable = |why: String| {
        let text = "holds cannot be looked up now; try again later";
        Fault::new(DenialKind::Busy, "state_unavailable", text).with_detail(why)
    };
    match wanted(&asked.uri)? {
        None => Ok(nothing()),
        Some(Wanted::List) => {
            let name = Arc::clone(&key.party.name);
            let holds = gate.state.open_holds_of(name, gate.clock.now()).await.map_err(unavailable)?;
            let mut all = Vec::new();
            for hold in holds.iter().filter(|hold| is_of(hold, &key)) {
                all.push(Seen::of(gate, hold).await);
            }
            Ok(json(StatusCode::OK, &all))
        }
        Some(Wanted::One(id, lasts)) => {
            let found = one(gate, id, &key, lasts).await.map_err(unavailable)?;
            Ok(found.map_or_else(nothing, |seen| json(StatusCode::OK, &seen)))
        }
    }
}

/// One of the holds of whoever asks, once it waits no more or so much time is over; none where it is not there, or not theirs.
async fn one(gate: &Gate, id: Uuid, key: &IssuedKey, lasts: Duration) -> Result<Option<Seen>, String> {
    // Before it is looked at: what happens meanwhile is heard.
    let mut events = gate.holds.watch();
    let over = Instant::now() + lasts;
    loop {
        let hold = gate.state.hold(id).await?;
        let Some(hold) = hold.filter(|hold| is_of(hold, key)) else { return Ok(None) };
        let seen = Seen::of(gate, &hold).await;
        if seen.state != State::Waiting || Instant::now() >= over || gate.stopping.is_cancelled() {
            return Ok(Some(seen));
        }
        tokio::select! {
            () = gate.stopping.cancelled() => {}
            () = gate.keys.until_ended(&key.id, &gate.clock) => return Ok(None),
            () = sleep_until(over.min(Instant::now() + LOOK)) => {}
            () = parked::happened_to(&mut events, id) => {}
        }
    }
}

/// What a target asks for; none where nothing is there.
fn wanted(uri: &Uri) -> Result<Option<Wanted>, Fault> {
    let Some(rest) = uri.path().strip_prefix(PATH) else { return Ok(None) };
    if rest.is_empty() {
        return if uri.query().is_none() { Ok(Some(Wanted::List)) } else { Err(unknown()) };
    }
    let Some(id) = rest.strip_prefix('/').and_then(|id| id.parse().ok()) else { return Ok(None) };
    let lasts = match uri.query() {
        None => Duration::ZERO,
        Some(query) => {
            let text = query.strip_prefix("wait=").ok_or_else(unknown)?;
            let lasts: Option<SignedDuration> = text.parse().ok();
            let lasts = lasts.and_then(|lasts| Duration::try_from(lasts).ok());
            lasts.ok_or_else(unknown)?.min(WAIT_MAX)
        }
    };
    Ok(Some(Wanted::One(id, lasts)))
}

fn unknown() -> Fault {
    let text = "the query is none that is known here; ask for one hold with `?wait=30s`, 60 s at most, or for all without any";
    Fault::new(DenialKind::Malformed, "unknown_parameter", text)
}

/// Whether it was asked for by whoever holds a key: the same party, for the same others.
fn is_of(hold: &Hold, key: &IssuedKey) -> bool {
    let same = |asker: &Asker, party: &Party| asker.name == *party.name && asker.kind == party.kind.as_str();
    *hold.actor == *key.party.name
        && Question::read(&hold.text).is_ok_and(|question| {
            let (behalf, own) = (&question.on_behalf_of, &key.on_behalf_of);
            same(&question.actor, &key.party)
                && behalf.len() == own.len()
                && behalf.iter().zip(own).all(|(asker, party)| same(asker, party))
        })
}

impl Seen {
    async fn of(gate: &Gate, hold: &Hold) -> Self {
        let progress = shown::progress(gate, hold);
        let state = shown::state(gate, hold, progress.as_deref()).await.unwrap_or(State::Waiting);
        let until = match (&progress, state) {
            (Some(progress), State::Approved) => shown::ends(gate, hold, progress),
            (Some(_) | None, _) => hold.until,
        };
        let missing = progress.unwrap_or_default().into_iter().filter(|one| !one.is_enough());
        let of = |one: Answered| Missing {
            owner: one.owner.to_string(),
            at_least: one.at_least,
            approved: one.by.len(),
        };
        let denied = hold.answers.iter().find(|answer| !answer.approves);
        Self {
            id: hold.id,
            state,
            summary: Question::read(&hold.text).map_or_else(|why| why, |question| question.told()),
            opened: hold.opened,
            until,
            waits_for: missing.map(of).collect(),
            denied: denied.map(|answer| No { by: answer.by.to_string(), why: answer.why.to_string() }),
        }
    }
}

fn nothing() -> Response<ReplyBody> {
    refused(StatusCode::NOT_FOUND, "there is no such hold of yours; `ordain hold list` has those that wait")
}

fn refused(status: StatusCode, text: &str) -> Response<ReplyBody> {
    json(status, &serde_json::json!({ "error": text }))
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<ReplyBody> {
    // INVARIANT: it is made of texts, numbers and lists, which can always be written.
    let mut response = Response::new(reply::full(Bytes::from(serde_json::to_vec(body).unwrap_or_default())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_known_however_it_is_written_and_no_other_is_taken_for_it() {
        for host in [
            "ordain.internal",
            "ORDAIN.Internal",
            "ordain.internal:7070",
            "ordain.internal.",
            "ordain.internal.:80",
        ] {
            assert!(is_reserved(host), "{host}");
        }
        for host in [
            "",
            "internal",
            "ordain",
            "x.ordain.internal",
            "ordain.internal.example",
            "ordain-internal",
            "ordaininternal",
        ] {
            assert!(!is_reserved(host), "{host}");
        }
    }

    #[test]
    fn a_target_asks_for_all_or_for_one_and_for_nothing_else() {
        let id = "01999999-0000-7000-8000-000000000001";
        let check = |target: &str, expected: Result<Option<Wanted>, &str>| {
            let found = wanted(&target.parse().unwrap());
            let found = found.as_ref().map_err(|fault| fault.reason_code().as_str());
            assert_eq!(found, expected.as_ref().map_err(|text| *text), "{target}");
        };
        let one = |lasts| Ok(Some(Wanted::One(id.parse().unwrap(), Duration::from_secs(lasts))));
        check("/v1/holds", Ok(Some(Wanted::List)));
        check(&format!("/v1/holds/{id}"), one(0));
        check(&format!("/v1/holds/{id}?wait=30s"), one(30));
        check(&format!("/v1/holds/{id}?wait=2h"), one(60));
        for target in ["/", "/v1", "/v1/holdsx", "/v1/holds/", "/v1/holds/x", "/v1/holds/%2e", "/v1/status"] {
            check(target, Ok(None));
        }
        for query in ["all=true", "wait=", "wait=-3s", "wait=3s&wait=4s", "Wait=3s"] {
            check(&format!("/v1/holds/{id}?{query}"), Err("unknown_parameter"));
        }
        check("/v1/holds?all=true", Err("unknown_parameter"));
    }
}
