//! The proxy behind us: everything that leaves does so through it, where one is configured, but for what is excepted.
//!
//! Leaves out what leaves.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::{Service, ServiceExt as _};
use zeroize::Zeroizing;

use crate::config::Chain;

/// What is never asked of another proxy: it would take it for its own machine.
const LOCAL: &str = "localhost,127.0.0.0/8,::1";

/// How long a proxy may take to connect.
const CONNECT: Duration = Duration::from_secs(9);

/// By which way connections leave.
#[derive(Clone, Default)]
pub struct Outlet(Option<Arc<Through>>);

struct Through {
    proxy: Uri,
    authorization: Option<HeaderValue>,
    matcher: Matcher,
    /// For the provider's own library, which makes its connections itself.
    library: ProxyConfig,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outlet").field(&self.0.as_ref().map(|through| &through.proxy)).finish()
    }
}

impl Outlet {
    /// The way out of a configuration.
    ///
    /// # Errors
    /// The proxy's credentials cannot be read.
    pub fn new(chain: Option<&Chain>) -> anyhow::Result<Self> {
        let Some(chain) = chain else { return Ok(Self::default()) };
        let direct = chain.direct.iter().map(String::as_str).chain([LOCAL]).collect::<Vec<_>>().join(",");
        let mut library = ProxyConfig::all(chain.uri.clone())?.no_proxy(&direct);
        let matcher = Matcher::builder().all(chain.uri.to_string()).no(direct).build();
        let authorization = match &chain.credentials {
            None => None,
            Some(path) => {
                let text = std::fs::read_to_string(path).map(Zeroizing::new);
                let text = text.with_context(|| format!("cannot read `{}`", path.display()))?;
                let line = text.trim();
                let parts = line.split_once(':').filter(|_| !line.contains(char::is_control));
                let (name, password) = parts
                    .with_context(|| format!("`{}` is not one line of `name:password`", path.display()))?;
                library = library.with_basic_auth(name, password);
                let encoded = Zeroizing::new(format!("Basic {}", STANDARD.encode(line)));
                let mut value = HeaderValue::from_str(&encoded)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self(Some(Arc::new(Through { proxy: chain.uri.clone(), authorization, matcher, library }))))
    }

    /// The proxy that a connection goes through, where it does.
    #[must_use]
    pub fn proxy_for(&self, host: &str, port: u16) -> Option<&Uri> {
        let through = self.0.as_ref()?;
        let to = format!("https://{host}:{port}/").parse().ok()?;
        through.matcher.intercept(&to).map(|_| &through.proxy)
    }

    /// Connects to a host through the proxy.
    ///
    /// # Errors
    /// What the proxy said, or that it is not there.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        let to: Uri = format!("https://{host}:{port}/").parse().map_err(|_| "no such host".to_owned())?;
        let asked = self.tunnel(http).ok_or("there is no proxy")?.oneshot(to);
        match timeout(CONNECT, asked).await {
            Ok(Ok(stream)) => Ok(stream.into_inner()),
            Ok(Err(error)) => Err(format!("the proxy behind the gate did not connect: {error}")),
            Err(_late) => Err("the proxy behind the gate did not answer in time".to_owned()),
        }
    }

    /// What the provider's own library makes its connections with, where they have to go through the proxy.
    #[must_use]
    pub fn library(&self) -> Option<SharedHttpClient> {
        let proxy = self.0.as_ref()?.library.clone();
        Some(Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder().proxy_config(proxy.clone());
            connector.set_connector_settings(settings.cloned());
            connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            connector.tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build()
        }))
    }

    fn tunnel<C>(&self, connector: C) -> Option<Tunnel<C>> {
        let through = self.0.as_ref()?;
        let tunnel = Tunnel::new(through.proxy.clone(), connector);
        Some(match &through.authorization {
            Some(value) => tunnel.with_auth(value.clone()),
            None => tunnel,
        })
    }

    /// Connections that leave by it.
    pub fn around<C: Clone>(&self, direct: C) -> Leaving<C> {
        Leaving { outlet: self.clone(), through: self.tunnel(direct.clone()), direct }
    }
}

/// Makes connections, directly or through a proxy.
#[derive(Debug, Clone)]
pub struct Leaving<C> {
    outlet: Outlet,
    direct: C,
    through: Option<Tunnel<C>>,
}

/// What keeps a connection from being made.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl<C> Service<Uri> for Leaving<C>
where
    C: Service<Uri>,
    C::Response: Read + Write + Unpin + Send + 'static,
    C::Error: Into<Failure>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        // Both are the same connector, which is always ready.
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let port = to.port_u16().unwrap_or(if to.scheme_str() == Some("http") { 80 } else { 443 });
        let proxied = to.host().is_some_and(|host| self.outlet.proxy_for(host, port).is_some());
        match &mut self.through {
            Some(through) if proxied => {
                // Where nothing is said, the library takes 443 for the port.
                let asked = through.call(with_port(&to, port).unwrap_or(to));
                Box::pin(async move { asked.await.map_err(Into::into) })
            }
            Some(_) | None => {
                let asked = self.direct.call(to);
                Box::pin(async move { asked.await.map_err(Into::into) })
            }
        }
    }
}

fn with_port(to: &Uri, port: u16) -> Option<Uri> {
    format!("{}://{}:{port}/", to.scheme_str()?, to.host()?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_excepted_goes_by_itself() {
        let direct = ["10.0.0.0/8", ".internal.example", "one.example"].map(str::to_owned).into();
        let uri = "http://proxy.example:3128".parse().unwrap();
        let outlet = Outlet::new(Some(&Chain { uri, credentials: None, direct })).unwrap();
        for (host, through) in [
            ("sts.amazonaws.com", true),
            ("other.example", true),
            ("192.0.2.1", true),
            ("one.example", false),
            ("a.internal.example", false),
            ("10.1.2.3", false),
            ("127.0.0.1", false),
            ("localhost", false),
            ("[::1]", false),
        ] {
            assert_eq!(outlet.proxy_for(host, 443).is_some(), through, "{host}");
        }
        assert!(Outlet::default().proxy_for("sts.amazonaws.com", 443).is_none());
    }

    #[test]
    fn credentials_are_one_line_and_shown_to_nobody() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let uri: Uri = "http://proxy.example:3128".parse().unwrap();
        let chain = Chain { uri, credentials: Some(file.path().to_owned()), direct: Vec::new() };
        for (text, well) in
            [("gate:of-the-proxy\n", true), ("gate", false), ("a:b\nc:d\n", false), ("", false)]
        {
            std::fs::write(file.path(), text).unwrap();
            let outlet = Outlet::new(Some(&chain));
            assert_eq!(outlet.is_ok(), well, "{text:?}");
            assert!(!format!("{outlet:?}").contains("of-the-proxy"));
        }
    }
}
