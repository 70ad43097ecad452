//! Sends what was judged, once, and says how far it got.
//!
//! Takes only what came out of a `Sendable`, so that nothing leaves that was not recorded. Leaves out which host a
//! request goes to (the room and configuration decide) and signing (`outgoing.rs`).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ordain_action::Outcome;
use ordain_evidence::Released;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tower::Service;
use zeroize::Zeroizing;

use crate::answer;
use crate::chain::{Leaving, Outlet};
use crate::connector::{Answered, GONE, Kept, Waited, answer_of};
use crate::held::OutgoingBody;
use crate::machine::Elsewhere;
use crate::payload::{BodyError, BrokenOff, PayloadBody};

/// A body on its way upstream.
#[derive(Debug)]
pub enum OutBody {
    /// Held whole.
    Whole(OutgoingBody),
    /// Passed on as it arrives.
    Streaming(Box<PayloadBody>),
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Streaming(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Streaming(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Streaming(body) => body.size_hint(),
        }
    }
}

/// The same request, where its body is held.
fn copied(request: &Request<OutBody>) -> Option<Request<OutBody>> {
    let OutBody::Whole(body) = request.body() else { return None };
    let mut copy = Request::new(OutBody::Whole(body.clone()));
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    *copy.version_mut() = request.version();
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

/// The upstream was not reached, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// No connection could be made: nothing was sent.
    #[error("the upstream cannot be reached: {0}")]
    NotStarted(String),
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
            Self::Unanswered { .. } => Outcome::Unknown { why: "upstream_unanswered" },
            Self::Broken(_) => Outcome::Unknown { why: "payload_broken_off" },
            Self::Late(_) => Outcome::Unknown { why: "upstream_late" },
        }
    }
}

type Client = HyperClient<Kept<HttpsConnector<Leaving<Elsewhere<HttpConnector<GuardedResolver>>>>>, OutBody>;

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
        Ok(Forwarder::made(self, tls, name.transpose()?))
    }
}

/// Connections to a service that hands out credentials of our own. It is no upstream: no request of an actor's is ever one
/// of these, and no upstream's connections are.
#[derive(Debug)]
pub struct Messenger(Forwarder);

/// What such a service is asked.
#[derive(Debug)]
pub struct Asking {
    /// The whole URL.
    pub uri: Uri,
    /// Headers beside those of every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is posted, and of which type it is; without it something is got.
    pub body: Option<(&'static str, Zeroizing<String>)>,
}

impl Messenger {
    /// The status and the body of the answer. A redirect is one like any other: nothing is followed.
    ///
    /// # Errors
    /// Why there is no answer, without anything that was asked.
    pub async fn ask(&self, asking: Asking) -> Result<(StatusCode, Bytes), String> {
        let body = asking.body.as_ref().map(|(_, body)| Bytes::copy_from_slice(body.as_bytes()));
        let mut request = Request::new(OutBody::Whole(body.map(OutgoingBody::of).unwrap_or_default()));
        if let Some((kind, body)) = &asking.body {
            *request.method_mut() = Method::POST;
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            request.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        }
        self.0.asked(request, asking.uri, asking.headers).await
    }
}

/// Connections to upstreams.
#[derive(Debug, Clone)]
pub struct Forwarder {
    client: Client,
    // Keeps no connection: whatever it sends goes over one that was made for it.
    anew: Client,
    timeout: Arc<AtomicU64>,
}

impl Forwarder {
    fn made(outward: &Outward, tls: rustls::ClientConfig, name: Option<ServerName<'static>>) -> Self {
        let resolver = GuardedResolver(GaiResolver::new());
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(Duration::from_secs(10)));
        let mut connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        if let Some(name) = name {
            connector = connector.with_server_name_resolver(FixedServerNameResolver::new(name));
        }
        let connector = Kept(connector.enable_http1().wrap_connector(
            outward.outlet.around(Elsewhere { direct: http, own: Arc::clone(&outward.own) }),
        ));
        // Only a request that was never started on a reused connection is tried again, and servers that
        // close idle connections make that necessary.
        let client = HyperClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(15))
            .retry_canceled_requests(true)
            .set_host(false)
            .http1_preserve_header_case(false)
            .build(connector.clone());
        let anew = HyperClient::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .set_host(false)
            .http1_preserve_header_case(false)
            .build(connector);
        Self { client, anew, timeout: Arc::clone(&outward.timeout) }
    }

    /// Sends a request whose URI is whole and whose headers are final.
    ///
    /// A read whose connection had been kept, and ended before any answer, is sent once more over a new one: upstreams
    /// close what is idle when they like. What changes anything is sent once, whatever comes of it.
    ///
    /// # Errors
    /// [`ForwardError`], which says whether the request may have taken effect.
    pub async fn send(
        &self,
        request: Released<Request<OutBody>>,
    ) -> Result<Response<Incoming>, ForwardError> {
        let again = request.again(copied);
        match (self.exchange(&self.client, request.send()).await, again) {
            (Err(ForwardError::Unanswered { kept: true, .. }), Some(again)) => {
                self.exchange(&self.anew, again.send()).await
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
        let answer = self.exchange(&self.client, asking).await.ok()?;
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
        self.asked(Request::new(OutBody::Whole(OutgoingBody::default())), uri, credential).await
    }

    async fn asked(
        &self,
        mut asking: Request<OutBody>,
        uri: Uri,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Result<(StatusCode, Bytes), String> {
        let host = uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
        *asking.uri_mut() = uri;
        asking.headers_mut().insert(header::HOST, host.ok_or("it has no host")?);
        asking.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        asking.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("ordain"));
        asking.headers_mut().extend(headers);
        let answer = self.exchange(&self.client, asking).await.map_err(|error| error.to_string())?;
        let answer = answer::hold(answer).await;
        let answer = answer.map_err(|_| "its answer did not come whole")?;
        Ok((answer.head.status, answer.body))
    }

    async fn exchange(
        &self,
        client: &Client,
        mut request: Request<OutBody>,
    ) -> Result<Response<Incoming>, ForwardError> {
        let timeout = Duration::from_millis(self.timeout.load(Ordering::Relaxed));
        let captured = capture_connection(&mut request);
        let connection = || Answered::of(captured.connection_metadata().as_ref());
        match answer_of(client.request(request), timeout, GONE, connection).await {
            Ok(Ok(response)) => {
                Answered::note(response.extensions());
                Ok(response)
            }
            Ok(Err(error)) if error.is_connect() => Err(ForwardError::NotStarted(chain(&error))),
            Ok(Err(error)) => Err(match BrokenOff::behind(&error) {
                Some(broken) => ForwardError::Broken(broken),
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

/// Looks names up, and refuses addresses that no control plane has.
#[derive(Debug, Clone)]
struct GuardedResolver(GaiResolver);

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let shown = name.as_str().to_owned();
        let found = self.0.call(name);
        Box::pin(async move {
            let all: Vec<SocketAddr> = found.await?.collect();
            match all.iter().find(|address| is_forbidden(address.ip())) {
                // One forbidden address among several is a rebinding attempt as likely as a mistake.
                Some(address) => Err(std::io::Error::other(format!(
                    "`{shown}` resolves to `{address}`, which is never an upstream"
                ))),
                None => Ok(all.into_iter()),
            }
        })
    }
}

/// Link-local and metadata addresses are never an upstream.
#[must_use]
pub fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => {
            // fd00:ec2::254 and its neighbours serve instance metadata over IPv6.
            let metadata = v6.segments().starts_with(&[0xfd00, 0x0ec2]);
            let mapped = v6.to_ipv4_mapped().is_some_and(|v4| is_forbidden(IpAddr::V4(v4)));
            metadata
                || mapped
                || v6.is_unicast_link_local()
                || v6 == Ipv6Addr::UNSPECIFIED
                || v6.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_name_and_no_address_leads_to_ourselves() {
        let own = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = own.local_addr().unwrap().port();
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let outward = Outward::new(vec![own.local_addr().unwrap()], Duration::from_millis(500));
        let forwarder = outward.forwarder(Trust::default()).unwrap();
        let look = async |host: &str, port: u16| {
            forwarder.look(format!("http://{host}:{port}/").parse().unwrap(), None).await.unwrap_err()
        };
        let all = if_addrs::get_if_addrs().unwrap().into_iter().map(|one| one.ip());
        let v4 = all.filter(std::net::IpAddr::is_ipv4).map(|ip| ip.to_string());
        for host in v4.chain(["localhost".to_owned()]) {
            let why = look(&host, port).await;
            assert!(why.contains("is this gate itself"), "{host}: {why}");
        }
        // Another port of this machine is somebody else.
        let why = look("localhost", other.local_addr().unwrap().port()).await;
        assert!(why.contains("did not answer within"), "{why}");
    }

    #[test]
    fn metadata_addresses_are_never_an_upstream_in_any_notation() {
        for address in
            ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1", "0.0.0.0", "::"]
        {
            assert!(is_forbidden(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "52.94.76.1", "2600:1f18::1"] {
            assert!(!is_forbidden(address.parse().unwrap()), "{address}");
        }
    }
}
