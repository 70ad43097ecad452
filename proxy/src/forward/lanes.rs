//! The connections to one upstream: which HTTP is spoken on them, and how many requests share one.
//!
//! Over HTTP/2 one connection carries many requests. A server takes only so many at a time and lets further ones wait,
//! and a watch keeps its place for hours: were all of an upstream's requests on one connection, its watches would keep
//! every other request waiting. So they are dealt out to lanes of at most [`SHARED`], each with connections of its own.
//! Leaves out sending (`super`) and TLS.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::Noting;
use super::connector::Kept;
use super::resolver::GuardedResolver;
use crate::chain::Leaving;
use crate::keeping::Keeping;
use crate::machine::Elsewhere;

/// The connector of all upstreams.
pub(super) type Connector = Kept<HttpsConnector<Leaving<Elsewhere<HttpConnector<GuardedResolver>>>>>;

/// Connections to an upstream, kept from request to request.
pub(super) type Client = HyperClient<Connector, Noting>;

/// How many requests share a connection over HTTP/2: as many as RFC 9113 section 6.5.2 recommends that every server
/// takes at least.
const SHARED: usize = 100;

/// How much of an answer may be on its way to a caller who does not read it, in bytes: with an upstream fifty
/// milliseconds away that is twenty megabytes a second.
const WINDOW: u32 = 1024 * 1024;

/// The same for all requests that share a connection, so that those who do not read keep nobody else waiting.
const SHARED_WINDOW: u32 = WINDOW * 100;

/// How long a connection with requests open may be silent before it is asked whether it still stands.
const SILENT: Duration = Duration::from_secs(20);

/// The HTTP that is spoken to an upstream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// What the upstream chooses while the TLS session is set up; HTTP/1.1 where there is none.
    Negotiated,
    /// HTTP/2, and without TLS from the first byte: what gRPC is spoken over.
    Http2,
}

/// The lanes to one upstream.
#[derive(Clone)]
pub(super) struct Lanes {
    connector: Connector,
    protocol: Protocol,
    lanes: Arc<Mutex<Vec<Arc<Lane>>>>,
}

#[derive(Debug)]
struct Lane {
    client: Client,
    open: AtomicUsize,
}

/// A place in a lane, until it is dropped.
#[derive(Debug)]
pub struct Taken(Arc<Lane>);

impl Lanes {
    /// Lanes over connections of that sort.
    pub(super) fn new(connector: Connector, protocol: Protocol) -> Self {
        Self { connector, protocol, lanes: Arc::default() }
    }

    /// A place for one request: in the first lane that has one, so that few connections are kept open.
    #[must_use]
    pub(super) fn take(&self) -> Taken {
        // Nothing that can panic happens while it is held.
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = if self.protocol == Protocol::Http1 { usize::MAX } else { SHARED };
        // Places are only ever taken under the lock.
        let free = lanes.iter().find(|lane| lane.open.load(Ordering::Relaxed) < shared);
        let lane = free.map(Arc::clone).unwrap_or_else(|| {
            let made = Arc::new(Lane { client: self.client(), open: AtomicUsize::new(0) });
            lanes.push(Arc::clone(&made));
            made
        });
        lane.open.fetch_add(1, Ordering::Relaxed);
        Taken(lane)
    }

    /// Connections that are kept. Only a request that was never started on one that had ended is tried again: servers
    /// close what is idle when they like.
    fn client(&self) -> Client {
        let mut builder = HyperClient::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(15))
            .retry_canceled_requests(true)
            .set_host(false)
            .http1_preserve_header_case(false)
            .http2_initial_stream_window_size(WINDOW)
            .http2_initial_connection_window_size(SHARED_WINDOW)
            .http2_only(self.protocol == Protocol::Http2);
        if self.protocol == Protocol::Negotiated {
            // Servers of gRPC take being asked often for an attack.
            builder.http2_keep_alive_interval(SILENT).http2_keep_alive_timeout(SILENT);
        }
        builder.build(self.connector.clone())
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl Taken {
    /// The connections of the lane.
    #[must_use]
    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body, which keeps its place in a lane where it has one.
pub type AnswerBody = Keeping<Incoming, Option<Taken>>;
