//! Sends what was judged, once, and says how far it got.
//!
//! Takes only what came out of a `Sendable`, so that nothing leaves that was not recorded. Leaves out which host a
//! request goes to (the room and configuration decide) and signing (`outgoing.rs`).

mod body;
mod connector;
mod lanes;
mod messenger;
mod resolver;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper_rustls::FixedServerNameResolver;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ordain_action::Outcome;
use ordain_evidence::Released;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use self::body::{Noting, copied};
use self::connector::{Answered, GONE, Kept, Waited, answer_of};
use self::lanes::{Client, Connector, Lanes};
use self::resolver::GuardedResolver;
use crate::answer::{self, HeldAnswer};
use crate::chain::Outlet;
use crate::held::OutgoingBody;
use crate::machine::Elsewhere;
use crate::payload::BrokenOff;

pub use self::body::OutBody;
pub use self::lanes::{AnswerBody, Protocol, Taken};
pub use self::messenger::{Asking, Asks, Messenger};
pub use self::resolver::is_forbidden;

/// How long the other side of a conversation may say nothing at all.
const CONVERSATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The one call of gRPC that the gate makes itself.
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// The upstream was not reached, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// No connection could be made: nothing was sent.
    #[error("the upstream cannot be reached: {0}")]
    NotStarted(String),
    /// The upstream refused it before it looked at it: nothing was done.
    #[error("the upstream refused the request before it looked at it")]
    Refused,
    /// The request was started and no answer came: it may or may not have taken effect.
    #[error("the upstream took the request and did not answer: {why}")]
    Unanswered {
        /// What became of the connection.
        why: String,
        /// The connection had been kept from an earlier answer: it may have ended before the request came.
        kept: bool,
    },
    /// The body was broken off, on the caller's account: what was sent of it is not whole, and takes no effect as far
    /// as the provider keeps to its length.
    #[error("the body was broken off: {0}")]
    Broken(BrokenOff),
    /// Who asked for it may do so no more, or the gate stops: it may or may not have taken effect.
    #[error("it was ended before it was answered")]
    Over,
    /// The answer did not begin in time: it may or may not have taken effect.
    #[error("the upstream did not answer within {0:?}")]
    Late(Duration),
}

impl ForwardError {
    /// What the evidence says of it.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::NotStarted(_) => Outcome::NotSent { why: "upstream_unreachable" },
            Self::Refused => Outcome::NotSent { why: "upstream_refused_stream" },
            Self::Unanswered { .. } => Outcome::Unknown { why: "upstream_unanswered" },
            Self::Broken(_) => Outcome::Unknown { why: "payload_broken_off" },
            Self::Over => Outcome::Unknown { why: "ended_unanswered" },
            Self::Late(_) => Outcome::Unknown { why: "upstream_late" },
        }
    }
}

/// What all connections to upstreams have in common.
#[derive(Debug, Clone)]
pub struct Outward {
    own: Arc<[SocketAddr]>,
    outlet: Outlet,
    // In milliseconds, so that it can be set while requests are sent.
    timeout: Arc<AtomicU64>,
}

/// Whom an upstream is believed, and as whom it is connected to.
#[derive(Debug, Default)]
pub struct Trust {
    /// The authorities that its certificate must come from; the system's where there are none.
    pub roots: Option<Vec<CertificateDer<'static>>>,
    /// The name that its certificate must have, where that is not the host's.
    pub name: Option<String>,
    /// A client certificate, and its key.
    pub client: Option<(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>)>,
    /// The HTTP that is spoken to it.
    pub protocol: Protocol,
}

impl Outward {
    /// What never connects to `own` addresses, and waits for answers for `timeout`.
    #[must_use]
    pub fn new(own: Vec<SocketAddr>, timeout: Duration) -> Self {
        let made = Self { own: own.into(), outlet: Outlet::default(), timeout: Arc::default() };
        made.set_timeout(timeout);
        made
    }

    /// The same, through the proxy behind us where there is one.
    #[must_use]
    pub fn leaving_by(self, outlet: Outlet) -> Self {
        Self { outlet, ..self }
    }

    /// By which way connections leave.
    #[must_use]
    pub const fn outlet(&self) -> &Outlet {
        &self.outlet
    }

    /// Sets how long answers are waited for, for requests sent from now on.
    pub fn set_timeout(&self, timeout: Duration) {
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self.timeout.store(millis, Ordering::Relaxed);
    }

    /// Connections to a service that hands out credentials of our own.
    ///
    /// # Errors
    /// A text naming what is wrong with the certificates.
    pub fn messenger(&self, trust: Trust) -> Result<Messenger, String> {
        self.forwarder(trust).map(Messenger)
    }

    /// Connections to an upstream, which share nothing with those to others.
    ///
    /// # Errors
    /// A text naming what is wrong with the certificates.
    pub fn forwarder(&self, trust: Trust) -> Result<Forwarder, String> {
        let mut roots = rustls::RootCertStore::empty();
        match trust.roots {
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
            Some(given) => {
                for certificate in given {
                    roots
                        .add(certificate)
                        .map_err(|error| format!("a trusted certificate cannot be read: {error}"))?;
                }
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(roots);
        let tls = match trust.client {
            None => tls.with_no_client_auth(),
            Some((chain, key)) => tls
                .with_client_auth_cert(chain, key.clone_key())
                .map_err(|error| format!("the client certificate cannot be used: {error}"))?,
        };
        let name = trust.name.map(|name| {
            ServerName::try_from(name).map_err(|_| "the server's name is none that a certificate can have")
        });
        Ok(Forwarder::made(self, tls, name.transpose()?, trust.protocol))
    }
}

/// Connections to upstreams.
#[derive(Debug, Clone)]
pub struct Forwarder {
    usual: Ways,
    // What gRPC is spoken over, whatever is spoken otherwise.
    rpc: Ways,
    timeout: Arc<AtomicU64>,
}

/// Connections over which one sort of HTTP is spoken.
#[derive(Debug, Clone)]
struct Ways {
    lanes: Lanes,
    // Keeps no connection: whatever it sends goes over one that was made for it.
    anew: Client,
}

impl Forwarder {
    fn made(
        outward: &Outward,
        tls: rustls::ClientConfig,
        name: Option<ServerName<'static>>,
        protocol: Protocol,
    ) -> Self {
        let connector = |protocol: Protocol| -> Connector {
            let mut http = HttpConnector::new_with_resolver(GuardedResolver(GaiResolver::new()));
            http.enforce_http(false);
            http.set_nodelay(true);
            http.set_connect_timeout(Some(Duration::from_secs(10)));
            // What is open for hours and says nothing must not outlive its other end.
            http.set_keepalive(Some(Duration::from_secs(60)));
            let mut tls =
                hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
            if let Some(name) = &name {
                tls = tls.with_server_name_resolver(FixedServerNameResolver::new(name.clone()));
            }
            let around = outward.outlet.around(Elsewhere { direct: http, own: Arc::clone(&outward.own) });
            Kept(match protocol {
                Protocol::Http1 => tls.enable_http1().wrap_connector(around),
                Protocol::Negotiated => tls.enable_all_versions().wrap_connector(around),
                Protocol::Http2 => tls.enable_http2().wrap_connector(around),
            })
        };
        let ways = |protocol: Protocol| {
            // A change of protocol is asked for in HTTP/1.1, and makes the connection its own.
            let single = if protocol == Protocol::Http2 { Protocol::Http2 } else { Protocol::Http1 };
            let anew = HyperClient::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_max_idle_per_host(0)
                .retry_canceled_requests(false)
                .set_host(false)
                .http1_preserve_header_case(false)
                .http2_only(single == Protocol::Http2)
                .build(connector(single));
            Ways { lanes: Lanes::new(connector(protocol), protocol), anew }
        };
        let usual = ways(protocol);
        let rpc = if protocol == Protocol::Http2 { usual.clone() } else { ways(Protocol::Http2) };
        Self { usual, rpc, timeout: Arc::clone(&outward.timeout) }
    }

    /// By which way a request goes: what takes trailers is a call over gRPC.
    fn way(&self, request: &Request<OutBody>) -> &Ways {
        if request.headers().contains_key(header::TE) { &self.rpc } else { &self.usual }
    }

    /// Sends a request whose URI is whole and whose headers are final.
    ///
    /// A read whose connection had been kept, and ended before any answer, is sent once more over a new one: upstreams
    /// close what is idle when they like. So is one that the upstream did not look at. What changes anything is sent
    /// once, whatever comes of it.
    ///
    /// # Errors
    /// [`ForwardError`], which says whether the request may have taken effect.
    pub async fn send(
        &self,
        request: Released<Request<OutBody>>,
    ) -> Result<Response<AnswerBody>, ForwardError> {
        let again = request.again(copied);
        let request = request.send();
        let first = if request.headers().contains_key(header::UPGRADE) {
            self.exchange_alone(request).await
        } else {
            self.exchange(request).await
        };
        match (first, again) {
            (Err(ForwardError::Unanswered { kept: true, .. } | ForwardError::Refused), Some(again)) => {
                self.exchange_alone(again.send()).await
            }
            (answer, _) => answer,
        }
    }

    /// What a server says the time is: the `date` of its answer to a `GET` that carries nothing, no credential either.
    pub async fn date_at(&self, uri: Uri) -> Option<String> {
        let host = HeaderValue::from_str(uri.authority()?.as_str()).ok()?;
        let mut asking = Request::new(OutBody::Whole(OutgoingBody::default()));
        *asking.uri_mut() = uri;
        asking.headers_mut().insert(header::HOST, host);
        asking.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("ordain doctor"));
        let answer = self.exchange(asking).await.ok()?;
        answer.headers().get(header::DATE)?.to_str().ok().map(str::to_owned)
    }

    /// Looks at an upstream for the gate itself: a `GET`, which changes nothing, with the gate's own credential. The
    /// status and the body of its answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn look(
        &self,
        uri: Uri,
        credential: Option<(HeaderName, HeaderValue)>,
    ) -> Result<(StatusCode, Bytes), String> {
        let asking = Request::new(OutBody::Whole(OutgoingBody::default()));
        self.asked(asking, uri, credential).await.map(|answer| (answer.head.status, answer.body))
    }

    /// The same with headers of its own and, where there is one, with a body that is posted: what an inventory is asked, which
    /// reads it alone (`upstream::Ask`).
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn inquire(
        &self,
        uri: Uri,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes), String> {
        let mut asking = Request::new(OutBody::Whole(OutgoingBody::default()));
        if let Some(body) = body {
            *asking.method_mut() = http::Method::POST;
            asking.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
            *asking.body_mut() = OutBody::Whole(OutgoingBody::of(body));
        }
        self.asked(asking, uri, headers).await.map(|answer| (answer.head.status, answer.body))
    }

    /// The same for what else the gate asks.
    async fn asked(
        &self,
        asking: Request<OutBody>,
        uri: Uri,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Result<HeldAnswer, String> {
        let answer = self.begun(asking, uri, headers).await?;
        answer::hold(answer).await.map_err(|_| "its answer did not come whole".to_owned())
    }

    /// The same as far as the answer's head.
    async fn begun(
        &self,
        mut asking: Request<OutBody>,
        uri: Uri,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Result<Response<AnswerBody>, String> {
        let host = uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
        *asking.uri_mut() = uri;
        asking.headers_mut().insert(header::HOST, host.ok_or("it has no host")?);
        asking.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("ordain"));
        asking.headers_mut().extend(headers);
        let json = HeaderValue::from_static("application/json");
        asking.headers_mut().entry(header::ACCEPT).or_insert(json);
        self.exchange(asking).await.map_err(|error| error.to_string())
    }

    /// Asks an API over gRPC at a base URL whether it is well, with the gate's own credential: a call that changes nothing,
    /// and that nobody has to know. The statuses of HTTP and of gRPC.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn health(
        &self,
        base: &Uri,
        credential: Option<(HeaderName, HeaderValue)>,
    ) -> Result<(StatusCode, Option<u16>), String> {
        let path = format!("{}{HEALTH}", base.path().trim_end_matches('/'));
        let uri = Uri::builder()
            .scheme(base.scheme_str().unwrap_or("https"))
            .authority(base.authority().map_or("", |at| at.as_str()))
            .path_and_query(path)
            .build()
            .map_err(|error| error.to_string())?;
        let empty = OutgoingBody::of(Bytes::from_static(&[0; 5]));
        let mut asking = Request::new(OutBody::Whole(empty));
        *asking.method_mut() = http::Method::POST;
        *asking.uri_mut() = uri;
        let headers = asking.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("ordain"));
        headers.extend(credential);
        let answer = self.exchange(asking).await.map_err(|error| error.to_string())?;
        let answer = answer::hold(answer).await.map_err(|_| "its answer did not come whole")?;
        let of = |headers: &http::HeaderMap| headers.get("grpc-status")?.to_str().ok()?.parse().ok();
        let status = answer.trailers.as_ref().and_then(of).or_else(|| of(&answer.head.headers));
        Ok((answer.head.status, status))
    }

    /// Over a connection that may be shared, and is kept.
    async fn exchange(&self, request: Request<OutBody>) -> Result<Response<AnswerBody>, ForwardError> {
        let taken = self.way(&request).lanes.take();
        let answer = self.ask(taken.client(), request).await?;
        Ok(answer.map(|body| AnswerBody::new(body, Some(taken))))
    }

    /// Over a connection that is made for it.
    async fn exchange_alone(&self, request: Request<OutBody>) -> Result<Response<AnswerBody>, ForwardError> {
        let answer = self.ask(&self.way(&request).anew, request).await?;
        Ok(answer.map(|body| AnswerBody::new(body, None)))
    }

    async fn ask(
        &self,
        client: &Client,
        mut request: Request<OutBody>,
    ) -> Result<Response<Incoming>, ForwardError> {
        let timeout = match request.body() {
            // The other side may have nothing to say before it was told something.
            OutBody::Passing(body) if body.0.lasts() => CONVERSATION,
            OutBody::Whole(_) | OutBody::Streaming(_) | OutBody::Passing(_) => {
                Duration::from_millis(self.timeout.load(Ordering::Relaxed))
            }
        };
        let captured = capture_connection(&mut request);
        let (request, broken) = Noting::of(request);
        let connection = || Answered::of(captured.connection_metadata().as_ref());
        match answer_of(client.request(request), timeout, GONE, connection).await {
            Ok(Ok(response)) => {
                Answered::note(response.extensions());
                Ok(response)
            }
            Ok(Err(error)) if error.is_connect() => Err(ForwardError::NotStarted(chain(&error))),
            // Over HTTP/2 the error that a body ended in is not among what its request ended in.
            Ok(Err(error)) if broken.get().is_none() && is_refused(&error) => Err(ForwardError::Refused),
            Ok(Err(error)) => Err(match broken.get() {
                Some(broken) => ForwardError::Broken(broken.clone()),
                None => {
                    let kept = Answered::of(error.connect_info()).is_some_and(|known| known.before());
                    ForwardError::Unanswered { why: chain(&error), kept }
                }
            }),
            Err(Waited::Ended(known)) => {
                Err(ForwardError::Unanswered { why: "its connection ended".to_owned(), kept: known.before() })
            }
            Err(Waited::Late) => Err(ForwardError::Late(timeout)),
        }
    }
}

/// Whether the upstream says that it did nothing of a request: by its own reset, or since it closes the connection and
/// took none as late as that (RFC 9113 sections 6.8 and 8.7).
fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            return error.is_remote() && (refused || error.is_go_away());
        }
        cause = error.source();
    }
    false
}

/// An error with all its causes: hyper's own text alone says only `client error`.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
