//! Connections with PostgreSQL: few, kept, each with its statements, over TLS wherever they leave the machine.
//!
//! Leaves out what is asked over them (`postgres.rs`).

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, Error, Statement};

use super::claim::StoreError;

/// The most connections at once.
const CONNECTIONS: usize = 8;

/// How long a connection may take to be made, and one to be free.
const PATIENCE: Duration = Duration::from_secs(3);

/// For how long nobody tries anew after a connection could not be made.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a connection is silent before it is asked whether it is still there, and between asking again.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What every connection is told first: a commit is one only when it is on the disk, nobody waits for ever, and a gate
/// that hangs with a budget in its hand loses it.
pub(super) const SESSION: &str = "SET synchronous_commit TO on; SET lock_timeout TO '3s'; SET statement_timeout TO '4s'; \
     SET idle_in_transaction_session_timeout TO '6s'; \
     SET default_transaction_isolation TO 'read committed'";

/// A server, and how it is reached.
#[derive(Clone)]
pub struct Server {
    config: Config,
    password: Option<PathBuf>,
    trust: Option<PathBuf>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        f.debug_struct("Server")
            .field("hosts", &config.get_hosts())
            .field("ports", &config.get_ports())
            .field("user", &config.get_user())
            .field("database", &config.get_dbname())
            .field("tls", &config.get_ssl_mode())
            .field("password", &self.password)
            .field("trust", &self.trust)
            .finish()
    }
}

impl Server {
    /// The server of a connection string, with the file of the password and that of the authorities.
    ///
    /// # Errors
    /// What is wrong with it, in words that say what to do.
    pub fn new(text: &str, password: Option<PathBuf>, trust: Option<PathBuf>) -> Result<Self, String> {
        let mut config: Config = text
            .parse()
            .map_err(|error| format!("{error}; give one such as `postgres://ordain@db.internal/ordain`"))?;
        if config.get_password().is_some() {
            return Err("keep the password out of it, in a file named as `password_file`".to_owned());
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(
                "it names no host; give one such as `postgres://ordain@db.internal/ordain`".to_owned()
            );
        }
        // Whoever stands between could let anything be spent twice: TLS may be left out, but not by chance.
        let says = text.contains("sslmode");
        if !says {
            // An address that is given beside a host is the one that is connected to.
            let addressed = config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
            let near = addressed && config.get_hosts().iter().all(is_near);
            config.ssl_mode(if near { SslMode::Disable } else { SslMode::Require });
        } else if config.get_ssl_mode() == SslMode::Prefer {
            return Err("`sslmode` is `prefer`; write `require` or `disable`".to_owned());
        }
        config.connect_timeout(PATIENCE).application_name("ordain");
        config
            .keepalives(true)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE)
            .keepalives_retries(3);
        Ok(Self { config, password, trust })
    }

    async fn connect(&self) -> Result<Connected, String> {
        let mut config = self.config.clone();
        if let Some(path) = &self.password {
            let text = tokio::fs::read_to_string(path)
                .await
                .map_err(|error| format!("the password cannot be read: `{}`: {error}", path.display()))?;
            config.password(text.trim_end_matches(['\r', '\n']));
        }
        let tls = Tls::new(self.trust.as_deref())?;
        let (client, connection) = config.connect(tls).await.map_err(|error| told(&error))?;
        // It ends when its client is dropped, or the server goes; the client says so.
        tokio::spawn(async move { drop(connection.await) });
        client.batch_execute(SESSION).await.map_err(|error| told(&error))?;
        Ok(Connected { client, statements: Mutex::default(), seat: None })
    }
}

fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

fn told(error: &Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(server), _) => server.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// A connection in use.
pub(crate) struct Connected {
    client: Client,
    statements: Mutex<Vec<(&'static str, Statement)>>,
    seat: Option<OwnedSemaphorePermit>,
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected").finish_non_exhaustive()
    }
}

impl Connected {
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) const fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// A statement that the server has read before.
    pub(crate) async fn prepared(&self, text: &'static str) -> Result<Statement, Error> {
        let find = |statements: &Vec<(&'static str, Statement)>| {
            statements.iter().find(|(known, _)| *known == text).map(|(_, statement)| statement.clone())
        };
        let known = find(&self.statements.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(text).await?;
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        statements.push((text, statement.clone()));
        Ok(statement)
    }
}

/// Connections that are kept. One that is not given back is closed, and with it what was under way.
#[derive(Debug)]
pub(crate) struct Pool {
    server: Server,
    seats: Arc<Semaphore>,
    idle: Mutex<Vec<Connected>>,
    failed: Mutex<Option<(Instant, String)>>,
}

impl Pool {
    pub(crate) fn new(server: Server) -> Self {
        let seats = Arc::new(Semaphore::new(CONNECTIONS));
        Self { server, seats, idle: Mutex::default(), failed: Mutex::default() }
    }

    pub(crate) async fn take(&self) -> Result<Connected, StoreError> {
        let unavailable =
            |why: String| StoreError::Unavailable(format!("the counted state cannot be reached: {why}"));
        let seat = tokio::time::timeout(PATIENCE, Arc::clone(&self.seats).acquire_owned()).await;
        let Ok(Ok(seat)) = seat else {
            return Err(unavailable("all connections are busy".to_owned()));
        };
        let kept = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|connected| !connected.client.is_closed());
            idle.pop()
        };
        if let Some(connected) = kept {
            return Ok(Connected { seat: Some(seat), ..connected });
        }
        let lately = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, why)) = lately.filter(|(when, _)| when.elapsed() < PAUSE) {
            return Err(unavailable(why));
        }
        let connected = tokio::time::timeout(PATIENCE, self.server.connect()).await;
        let connected =
            connected.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match connected {
            Ok(connected) => {
                *failed = None;
                Ok(Connected { seat: Some(seat), ..connected })
            }
            Err(why) => {
                *failed = Some((Instant::now(), why.clone()));
                Err(unavailable(why))
            }
        }
    }

    pub(crate) fn give_back(&self, mut connected: Connected) {
        let seat = connected.seat.take();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connected);
        drop(seat);
    }
}

/// TLS as the rest of the program has it.
#[derive(Clone)]
struct Tls(tokio_rustls::TlsConnector);

impl Tls {
    fn new(trust: Option<&Path>) -> Result<Self, String> {
        let mut roots = rustls::RootCertStore::empty();
        match trust {
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
            Some(path) => {
                let unread =
                    |error: &dyn fmt::Display| format!("`{}` cannot be read: {error}", path.display());
                let all = CertificateDer::pem_file_iter(path).map_err(|error| unread(&error))?;
                for certificate in all {
                    let certificate = certificate.map_err(|error| unread(&error))?;
                    roots.add(certificate).map_err(|error| unread(&error))?;
                }
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config).into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = std::io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> std::io::Result<Handshake> {
        // It is asked for over a socket of this machine too, where it is not used and there is no name.
        Ok(Handshake { connector: self.0.clone(), name: ServerName::try_from(domain.to_owned()).ok() })
    }
}

/// A handshake to be made.
struct Handshake {
    connector: tokio_rustls::TlsConnector,
    name: Option<ServerName<'static>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Handshake {
    type Stream = Encrypted<S>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name =
                self.name.ok_or_else(|| std::io::Error::other("a certificate can have no such name"))?;
            self.connector.connect(name, stream).await.map(Encrypted)
        })
    }
}

/// What goes over TLS.
struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_left_out_only_where_all_that_is_connected_to_is_this_machine() {
        let mode = |text: &str| Server::new(text, None, None).unwrap().config.get_ssl_mode();
        assert_eq!(mode("host=localhost user=o"), SslMode::Disable);
        assert_eq!(mode("host=/run/postgresql user=o"), SslMode::Disable);
        assert_eq!(mode("hostaddr=127.0.0.1 user=o"), SslMode::Disable);
        assert_eq!(mode("host=localhost hostaddr=::1 user=o"), SslMode::Disable);
        assert_eq!(mode("host=db.internal user=o"), SslMode::Require);
        assert_eq!(mode("hostaddr=10.0.0.5 user=o"), SslMode::Require);
        assert_eq!(mode("host=localhost hostaddr=10.0.0.5 user=o"), SslMode::Require);
        assert_eq!(mode("host=localhost,localhost hostaddr=127.0.0.1,10.0.0.5 user=o"), SslMode::Require);
        assert_eq!(mode("host=db.internal hostaddr=127.0.0.1 user=o"), SslMode::Require);
        assert_eq!(mode("hostaddr=10.0.0.5 user=o sslmode=disable"), SslMode::Disable);
    }
}
