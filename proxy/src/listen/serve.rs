//! One connection, from its first byte to its last: which protocol it speaks, and a service for each of its
//! requests.
//!
//! The protocol is what ALPN agreed on, or on plain text what the first bytes say: the preface of HTTP/2 is
//! no HTTP/1 request.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::timeout;

use super::body::{Pace, RequestBody};
use super::busy::{Busy, Quiet};
use super::connection::{Guarded, HeadTimes, REFUSED, Verge};
use super::guard::{guard, settle};
use super::stream::Stream;
use super::{AnswerBody, ConnectionInfo, GuardRefusal, ListenSettings, Silence};
use crate::keeping::Keeping;

/// The largest head over HTTP/2, as HTTP/1 has it.
const HEAD_MAX: u32 = 64 * 1024;

/// What one stream, and one connection, may have in flight before it is read.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;

/// What every connection of a listener is given.
#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) stop: watch::Receiver<bool>,
}

impl ListenSettings {
    const fn pace(&self) -> Pace {
        Pace { piece: self.body_timeout, rate: self.body_rate }
    }
}

/// Serves HTTP/1 until the connection ends.
pub(super) async fn http1<S, F, B>(
    shared: Arc<Shared<S>>,
    settings: Arc<ListenSettings>,
    info: ConnectionInfo,
    stream: Stream,
) where
    S: Fn(ConnectionInfo, Request<RequestBody>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: AnswerBody,
{
    let verge = Arc::new(Verge::default());
    let times =
        HeadTimes { head: settings.header_timeout, idle: settings.idle_timeout, gone: settings.body_timeout };
    let mut guarded = Guarded::new(stream, times, Arc::clone(&verge));
    if let Some(refusal) = info.refused.clone() {
        guarded.refuse(refusal);
    }
    let pace = settings.pace();
    let mut stop = shared.stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut parts, body) = request.into_parts();
        let mut info = info.clone();
        info.silence = Silence(Some(Arc::clone(&verge)));
        // Of the request that came, and not of what may stand for it below: the connection waits to be told.
        let asked = parts.extensions.get::<OnUpgrade>().is_some().then(|| Arc::clone(&verge));
        let refused = if parts.method.as_str() == REFUSED {
            Err(verge.refusal().unwrap_or(GuardRefusal::NotARequest))
        } else {
            settle(&mut parts, &info)
        };
        let request = match refused {
            Ok(()) => Request::from_parts(
                parts,
                RequestBody::arriving(body, info.peer.ip(), pace, Some(Arc::clone(&verge))),
            ),
            Err(refusal) => {
                info.refused = Some(refusal);
                stand_in()
            }
        };
        let answering = verge.answering();
        let answer = (shared.service)(info, request);
        async move {
            let answer = answer.await;
            if let Some(verge) = asked {
                verge.decide(answer.status() == StatusCode::SWITCHING_PROTOCOLS);
            }
            Ok::<_, Infallible>(answer.map(|body| Keeping::new(body, answering)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // The guard below times heads and pauses; it can tell them apart, and answers before it closes.
        .header_read_timeout(None)
        // The guard tells when a client that says no more is taken for gone: a watch must not go on without it.
        .half_close(false)
        .serve_connection(TokioIo::new(guarded), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => return,
        () = stopped(&mut stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

/// Serves HTTP/2 until the connection ends.
pub(super) async fn http2<S, F, B>(
    shared: Arc<Shared<S>>,
    settings: Arc<ListenSettings>,
    info: ConnectionInfo,
    stream: Stream,
) where
    S: Fn(ConnectionInfo, Request<RequestBody>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: AnswerBody,
{
    let pace = settings.pace();
    let (idle, stall) = (settings.idle_timeout, settings.body_timeout);
    let goodbye = settings.header_timeout;
    let streams = settings.streams;
    let mut stop = shared.stop.clone();
    let busy = Busy::default();
    let counted = busy.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let handling = counted.handling();
        let (mut parts, body) = request.into_parts();
        let mut info = info.clone();
        let request = match guard(&parts).and_then(|()| settle(&mut parts, &info)) {
            Ok(()) => Request::from_parts(parts, RequestBody::arriving(body, info.peer.ip(), pace, None)),
            Err(refusal) => {
                info.refused = Some(refusal);
                stand_in()
            }
        };
        let answer = (shared.service)(info, request);
        async move {
            let (head, body) = answer.await.into_parts();
            Ok::<_, Infallible>(Response::from_parts(head, handling.answered(body)))
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .max_header_list_size(HEAD_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(idle)
        .keep_alive_timeout(Duration::from_secs(20))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let quiet = tokio::select! {
        _ended = connection.as_mut() => return,
        () = stopped(&mut stop) => None,
        quiet = busy.quiet(idle, stall) => Some(quiet),
    };
    match quiet {
        // To drop the connection resets what is stuck on it.
        Some(Quiet::Stalled) => {}
        Some(Quiet::Idle) => {
            connection.as_mut().graceful_shutdown();
            let _closed = timeout(goodbye, connection).await;
        }
        // The listener cuts what does not end within its time to drain.
        None => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

/// What stands for a request that was refused: nothing of it can be decoded, let alone forwarded.
pub(super) fn stand_in() -> Request<RequestBody> {
    let mut request = Request::new(RequestBody::whole(Bytes::new()));
    *request.method_mut() = Method::from_bytes(REFUSED.as_bytes()).unwrap_or(Method::TRACE);
    *request.uri_mut() = Uri::from_static("/");
    request
}

/// Ready once the listener is told to stop, or is gone.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _told = stop.wait_for(|stopped| *stopped).await;
}
