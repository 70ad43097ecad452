//! Watches: an upstream that begins to answer and goes on for as long as its client listens, and a client of many.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const IDENTITY: &str = "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-system\",\"uid\":\"bench\"}}";
const EVENT: &str =
    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"1\"}}}\n";

/// Serves one event to each watch, and then nothing, until the process ends.
///
/// # Errors
/// What the system says of the socket.
pub async fn run(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(answer);
            drop(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let body = if request.uri().query().is_some_and(|query| query.contains("watch=")) {
        let mut event = Some(Ok(Frame::data(Bytes::from_static(EVENT.as_bytes()))));
        BodyExt::boxed(StreamBody::new(futures_util::stream::poll_fn(move |_| match event.take() {
            Some(first) => std::task::Poll::Ready(Some(first)),
            None => std::task::Poll::Pending,
        })))
    } else {
        Full::new(Bytes::from_static(IDENTITY.as_bytes())).boxed()
    };
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Opens so many watches, each on a connection of its own, and reads the first event of each.
///
/// # Errors
/// One of them is not answered.
pub async fn open(to: SocketAddr, request: Arc<[u8]>, count: usize) -> anyhow::Result<Vec<TcpStream>> {
    let mut open = Vec::with_capacity(count);
    for number in 0..count {
        let mut stream = TcpStream::connect(to).await.with_context(|| format!("watch {number}"))?;
        stream.write_all(&request).await?;
        let mut read = Vec::with_capacity(1024);
        while !read.windows(8).any(|part| part == b"BOOKMARK") {
            ensure!(
                stream.read_buf(&mut read).await? > 0,
                "watch {number}: {}",
                String::from_utf8_lossy(&read)
            );
        }
        ensure!(read.starts_with(b"HTTP/1.1 200"), "watch {number}: {}", String::from_utf8_lossy(&read));
        open.push(stream);
    }
    Ok(open)
}
