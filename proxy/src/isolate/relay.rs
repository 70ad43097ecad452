//! What is connected to inside goes on to the gate, outside: bytes as they are, or of the admin address the one question
//! that a client asks there: for its credential, as each plane's clients ask it.
//!
//! Leaves out what is said: TLS, too, is between the program and the gate.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::{hop, own};

/// Connections at once at one address, two open files each; more wait until one ends.
const AT_ONCE: usize = 256;

/// How long is waited where nothing can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// What an address inside leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The same address outside, whatever is said.
    Whole(SocketAddr),
    /// The same address outside, which is asked for a credential and for nothing else.
    Credentials(SocketAddr),
}

impl Door {
    /// The address, inside and outside.
    #[must_use]
    pub const fn address(self) -> SocketAddr {
        match self {
            Self::Whole(address) | Self::Credentials(address) => address,
        }
    }
}

/// What is passed on while the program runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Relays {
    _running: JoinSet<()>,
}

impl Relays {
    /// Passes on what is connected to at each of these, to its door.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(listeners: Vec<std::net::TcpListener>, doors: &[Door]) -> io::Result<Self> {
        let mut all = JoinSet::new();
        for (listener, door) in listeners.into_iter().zip(doors) {
            listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(listener)?;
            match *door {
                Door::Whole(address) => drop(all.spawn(whole(listener, address))),
                Door::Credentials(address) => drop(all.spawn(credentials(listener, address))),
            }
        }
        Ok(Self { _running: all })
    }
}

async fn whole(listener: TcpListener, to: SocketAddr) {
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    let mut open = JoinSet::new();
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        while open.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((client, _)) => {
                open.spawn(async move {
                    // How it ended is said to either end by how its connection ends.
                    let _ended = pass_on(client, to).await;
                    drop(seat);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn pass_on(mut client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(to).await;
    if server.is_err() {
        // As if it had been refused: nobody is to take an empty answer for one.
        client.set_zero_linger()?;
    }
    let mut server = server?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let copied = copy_bidirectional(&mut client, &mut server).await;
    if copied.is_err() {
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    copied.map(drop)
}

/// The admin address is asked by operators, too: of all that it answers, this is what an isolated program gets.
async fn credentials(listener: TcpListener, to: SocketAddr) {
    let router = Router::new()
        .route(own::CREDENTIALS, get(ask))
        .route(own::AZURE, get(ask))
        .route(&format!("{}/{{*rest}}", own::GOOGLE), get(ask))
        .method_not_allowed_fallback(nothing_else)
        .fallback(nothing_else)
        .with_state(to);
    // It serves until it is dropped.
    let _ended = axum::serve(listener, router).await;
}

async fn nothing_else() -> Response<Body> {
    said(
        StatusCode::FORBIDDEN,
        "Forbidden",
        "an isolated program is given its credential here, and nothing else",
    )
}

fn said(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

async fn ask(State(to): State<SocketAddr>, target: Uri, headers: HeaderMap) -> Response<Body> {
    match asked(to, target, headers).await {
        Ok(answer) => answer,
        Err(error) => {
            let message = format!("the gate does not answer ({error}); try again, or tell the operator");
            said(StatusCode::BAD_GATEWAY, "Unavailable", &message)
        }
    }
}

/// Asks the gate with the headers that came, for it to judge by, and with no body.
async fn asked(to: SocketAddr, target: Uri, mut headers: HeaderMap) -> anyhow::Result<Response<Body>> {
    hop::strip(&mut headers);
    for name in [header::CONTENT_LENGTH, header::EXPECT] {
        headers.remove(name);
    }
    let mut request = Request::get(target).body(Body::empty())?;
    *request.headers_mut() = headers;
    let stream = TcpStream::connect(to).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer's last byte.
    tokio::spawn(connection);
    let mut answer = sender.send_request(request).await?.map(Body::new);
    hop::strip(answer.headers_mut());
    Ok(answer)
}
