//! A listener with a service that says what reached it, and clients that write bytes as they are told.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::held::{Budget, Held, Need};
use crate::listen::{ConnectionInfo, Drained, Entrance, ListenCounts, ListenSettings, RequestBody, run};

/// Longer than any test should take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The cap on bodies of the service.
pub(super) const CAP: u64 = 1024 * 1024;

/// A listener that runs.
pub(super) struct Gate {
    pub(super) address: std::net::SocketAddr,
    pub(super) counts: Arc<ListenCounts>,
    pub(super) budget: Budget,
    /// What was passed on, one line a request.
    pub(super) passed: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Drained>,
}

/// Times short enough to wait for.
pub(super) fn quick() -> ListenSettings {
    ListenSettings {
        header_timeout: Duration::from_millis(400),
        idle_timeout: Duration::from_millis(600),
        body_timeout: Duration::from_millis(400),
        drain: Duration::from_millis(800),
        ..ListenSettings::default()
    }
}

impl Gate {
    pub(super) async fn start(settings: ListenSettings) -> Self {
        Self::start_with(settings, Budget::new(64 << 20, 16 << 20)).await
    }

    pub(super) async fn start_with(settings: ListenSettings, budget: Budget) -> Self {
        Self::start_at(Entrance::Reverse(None), settings, budget).await
    }

    pub(super) async fn start_at(entrance: Entrance, settings: ListenSettings, budget: Budget) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(ListenCounts::default());
        let passed = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel::<()>();
        let service = {
            let (budget, passed) = (budget.clone(), Arc::clone(&passed));
            move |info: ConnectionInfo, request: Request<RequestBody>| {
                let (budget, passed) = (budget.clone(), Arc::clone(&passed));
                async move {
                    match request.uri().path() {
                        "/quiet" => Response::new(quiet().boxed()),
                        _ => answer(info, request, budget, passed).await.map(BodyExt::boxed),
                    }
                }
            }
        };
        let shutdown = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(run(
            listener,
            entrance,
            Arc::new(ArcSwap::from_pointee(settings)),
            Arc::clone(&counts),
            service,
            shutdown,
        ));
        Self { address, counts, budget, passed, stop: Some(stop), task }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Writes everything, keeps the writing half open, and reads until the gate closes.
    pub(super) async fn talk(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect().await;
        let _ = socket.write_all(bytes).await;
        read_to_end(&mut socket).await
    }

    /// Tells the listener to stop.
    pub(super) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(super) async fn drained(mut self) -> Drained {
        self.stop();
        timeout(PATIENCE, self.task).await.unwrap().unwrap()
    }

    /// Waits until all connections are closed and nothing is held, for as long as that may take.
    pub(super) async fn at_rest(&self) {
        for _ in 0..400 {
            let held = self.budget.proven_in_use() + self.budget.unproven_in_use();
            if self.counts.open() == 0 && held == 0 {
                return;
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("{} connections are open, {} bytes held", self.counts.open(), self.budget.unproven_in_use());
    }

    pub(super) fn passed(&self) -> Vec<String> {
        self.passed.lock().unwrap().clone()
    }
}

/// Everything until the other side closes, also when it resets.
pub(super) async fn read_to_end<T: AsyncRead + Unpin>(socket: &mut T) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match timeout(PATIENCE, socket.read(&mut piece)).await.expect("the gate closes in time") {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&bytes).into_owned(),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// The statuses and bodies of answers, in order: what a test wants to see of them.
pub(super) fn answers(raw: &str) -> String {
    let mut lines = Vec::new();
    let mut rest = raw;
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let status = head.split(' ').nth(1).unwrap_or("?");
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let (body, next) = after.split_at_checked(length).unwrap_or((after, ""));
        lines.push(format!("{status} {body}").trim_end().to_owned());
        rest = next;
    }
    lines.join("\n")
}

async fn answer(
    info: ConnectionInfo,
    request: Request<RequestBody>,
    budget: Budget,
    passed: Arc<Mutex<Vec<String>>>,
) -> Response<Full<Bytes>> {
    if let Some(refusal) = info.refused {
        assert!(request.headers().get("authorization").is_none(), "nothing of a refused request is shown");
        return reply(refusal.kind().status(), refusal.reason_code());
    }
    let line = format!("{} {}", request.method(), request.uri());
    match request.uri().path() {
        "/deny" => return reply(403, "denied on its head"),
        "/stream" => return streamed(request).await,
        _ => {}
    }
    let mut held = match Held::take(request, Need::Whole { cap: CAP }, &budget).await {
        Ok(held) => held,
        Err(error) => return reply(error.kind().status(), error.reason_code()),
    };
    if let Err(error) = held.prove(&budget) {
        return reply(error.kind().status(), error.reason_code());
    }
    match held.head().uri.path() {
        "/slow" => sleep(Duration::from_millis(300)).await,
        "/large" => return reply(200, &"a".repeat(64 << 20)),
        "/stuck" => sleep(PATIENCE * 2).await,
        _ => {}
    }
    let host =
        held.head().headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("none").to_owned();
    let length = held.bytes().map_or(0, Bytes::len);
    let line = format!("{line} host={host} {length}");
    passed.lock().unwrap().push(line.clone());
    reply(200, &line)
}

/// An answer whose upstream says nothing for a while, as a watch's does.
fn quiet() -> impl Body<Data = Bytes, Error = Infallible> {
    StreamBody::new(stream::once(Box::pin(async {
        sleep(Duration::from_millis(1_500)).await;
        Ok(Frame::data(Bytes::from_static(b"at last")))
    })))
}

async fn streamed(request: Request<RequestBody>) -> Response<Full<Bytes>> {
    let mut body = request.into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => length += frame.data_ref().map_or(0, Bytes::len),
            Err(error) => return reply(error.kind().status(), error.reason_code()),
        }
    }
    reply(200, &format!("streamed {length}"))
}

fn reply(status: u16, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status.try_into().unwrap();
    response
}
