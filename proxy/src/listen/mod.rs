//! Ways in: connections become requests that can be read in one way only.
//!
//! A listener knows nothing of planes, actors or rules. It hands every request, and every refusal of one,
//! to the same service. Leaves out what follows a change of protocol (`stream`).

mod accept;
mod body;
mod busy;
mod connection;
mod egress;
mod guard;
mod patience;
mod peers;
mod reverse;
mod serve;
mod stream;
mod tls;
mod transparent;
mod tunnel;
mod unix;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use ordain_action::Party;

pub use accept::{Drained, Entrance, ListenCounts, run};
pub use body::{BodyError, Pace, RequestBody};
pub use egress::{Opening, Passage, Tunnels};
pub use guard::guard;
pub use ordain_decode::form::http1::{ProxyRefusal, Refusal as GuardRefusal};
pub use tls::{Clients, ReadTls, Tls, TlsError, Verifier};
pub use transparent::{Redirected, Redirection};
pub use tunnel::{Over, Passed};
pub use unix::{Socket, run_socket};

/// The bodies a service may answer with.
pub trait AnswerBody: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static {}

impl<B> AnswerBody for B where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static
{
}

/// What a listener is built from.
#[derive(Debug, Clone)]
pub struct ListenSettings {
    /// The certificate; plain text without one.
    pub tls: Option<Tls>,
    /// What holds clients to the certificates that they show, under a certificate of our own authority.
    pub clients: Option<Verifier>,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one peer.
    pub connections_per_peer: usize,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
    /// For a TLS handshake, and for a head, to be complete.
    pub header_timeout: Duration,
    /// Between two requests of a connection.
    pub idle_timeout: Duration,
    /// For the next piece of a body, and for a stalled client to take the next piece of an answer.
    pub body_timeout: Duration,
    /// Bytes a second that a body must arrive at; `body_timeout` is the most it may fall behind.
    pub body_rate: u64,
    /// For requests in flight to end once the listener is told to stop.
    pub drain: Duration,
}

impl Default for ListenSettings {
    fn default() -> Self {
        Self {
            tls: None,
            clients: None,
            connections: 4_096,
            connections_per_peer: 1_024,
            streams: 128,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            body_timeout: Duration::from_secs(30),
            body_rate: 1_024,
            drain: Duration::from_secs(25),
        }
    }
}

/// How a connection came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayIn {
    /// To an address of ours: `host` names us, and the upstream follows from the credential.
    Reverse,
    /// Through a tunnel to this host and port of a control plane: every `host` must name both.
    Tunnel(Arc<str>, u16),
    /// Asked of us as a proxy, without a tunnel: each target is a whole URL, and its host must be a control plane's.
    Forward,
    /// Sent on to us by the system while it was on its way to this host of a control plane: every `host` must name it.
    /// On plain text nobody has named one before the first head: each `host` must be a control plane's.
    Transparent(Option<Arc<str>>),
}

/// What the TLS handshake said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// The name the client connected to, when it gave one.
    pub server_name: Option<String>,
    /// The protocol agreed on is HTTP/2.
    pub http2: bool,
    /// The client's certificate, DER, where it showed one: it comes from an authority that is trusted for that.
    pub client: Option<Arc<[u8]>>,
}

/// Who asked a proxy for what comes through it, shown by an issued key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The party.
    pub party: Party,
    /// For whom it acts.
    pub on_behalf_of: Vec<Party>,
    /// The key's id.
    pub id: Arc<str>,
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// The client's address.
    pub peer: SocketAddr,
    /// The address it connected to.
    pub local: SocketAddr,
    /// What the TLS handshake said; none on plain text.
    pub tls: Option<Arc<TlsInfo>>,
    /// How the connection came in.
    pub way_in: WayIn,
    /// Who asked for it, where a proxy was told.
    pub asker: Option<Arc<Asker>>,
    /// The user at the other end, as the system says, on a socket of this machine.
    pub uid: Option<u32>,
    /// Why the request is refused. It must be answered with that and nothing else: the request that comes
    /// with it is a stand-in without headers, under a method that no plane has.
    pub refused: Option<GuardRefusal>,
    /// Whether who sent it says no more.
    pub silence: Silence,
}

/// Whether a client says no more on its connection, once its request is whole. It may have gone, or wait for its answer:
/// nobody can tell the two apart before something is written. Over HTTP/2 whoever goes is told to the handler itself.
#[derive(Debug, Clone, Default)]
pub struct Silence(Option<Arc<connection::Verge>>);

impl Silence {
    /// It does.
    #[must_use]
    pub fn has_fallen(&self) -> bool {
        self.0.as_ref().is_some_and(|verge| verge.is_silent())
    }
}

#[cfg(test)]
mod tests;
