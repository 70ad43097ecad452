//! HTTP/2: the same rules on its fields, and limits on its frames.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use super::harness::{CAP, Gate, answers, quick};
use crate::listen::ListenSettings;

async fn client<T, B>(stream: T) -> SendRequest<B>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let (client, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn text(answer: hyper::Result<Response<Incoming>>) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return format!("no answer: {error:?}"),
    };
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        bytes.extend_from_slice(frame.data_ref().unwrap());
    }
    format!("{status} {}", String::from_utf8_lossy(&bytes))
}

/// One GET over a stream of its own.
pub(super) async fn get_over<T>(stream: T, uri: &str) -> String
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut client = client(stream).await;
    let request = Request::get(uri).body(Full::new(Bytes::new())).unwrap();
    text(client.send_request(request).await).await
}

#[tokio::test]
async fn fields_keep_the_rules_of_http1() {
    let gate = Gate::start(quick()).await;
    let mut client = client(gate.connect().await).await;
    for (method, uri, headers, expected) in [
        ("GET", "http://gate/a?b", &[][..], "200 GET /a?b host=gate 0"),
        ("GET", "http://gate/a", &[("host", "GATE")][..], "200 GET /a host=GATE 0"),
        ("GET", "http://gate/a", &[("te", "trailers")][..], "200 GET /a host=gate 0"),
        ("GET", "http://gate/a", &[("host", "other")][..], "421 host_disagrees"),
        ("GET", "http://gate/a", &[("host", "gate"), ("host", "gate")][..], "400 host_twice"),
        ("GET", "http://gate/%zz", &[][..], "400 framing_percent_encoding"),
        ("TRACE", "http://gate/a", &[][..], "400 framing_method"),
        ("get", "http://gate/a", &[][..], "400 framing_method"),
        ("GET", "http://gate/a", &[("x-http-method", "DELETE")][..], "400 framing_override"),
        (
            "GET",
            "http://gate/a",
            &[("authorization", "a"), ("authorization", "b")][..],
            "400 framing_given_twice",
        ),
        ("GET", "http://gate/a", &[("x_amz_target", "a")][..], "400 framing_underscore_twin"),
        ("GET", "http://gate/a", &[("transfer_encoding", "chunked")][..], "400 framing_underscore_twin"),
        ("GET", "http://gate/a", &[("expect", "200-maybe")][..], "417 framing_expect"),
        ("GET", "http://gate/a", &[("trailer", "authorization")][..], "400 framing_trailer"),
        ("GET", "http://gate/a", &[("http2-settings", "AAMAAABk")][..], "400 framing_upgrade"),
    ] {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap();
        assert_eq!(text(client.send_request(request).await).await, expected, "{method} {uri} {headers:?}");
    }
    assert_eq!(gate.passed().len(), 3);
}

#[tokio::test]
async fn bodies_are_held_under_the_same_cap() {
    let gate = Gate::start(quick()).await;
    let mut client = client(gate.connect().await).await;
    for (length, expected) in
        [(3, "200 POST /a host=gate 3"), (usize::try_from(CAP).unwrap() + 1, "413 body_too_large")]
    {
        let body = Full::new(Bytes::from(vec![b'a'; length]));
        let request = Request::post("http://gate/a").body(body).unwrap();
        assert_eq!(text(client.send_request(request).await).await, expected);
    }
    assert_eq!(gate.budget.unproven_in_use() + gate.budget.proven_in_use(), 0);
}

/// A body of these frames, each after a pause.
fn frames(
    frames: Vec<Frame<Bytes>>,
    pause: Duration,
) -> impl Body<Data = Bytes, Error = std::io::Error> + Unpin {
    let stream = futures_util::stream::unfold(frames.into_iter(), move |mut left| async move {
        let frame = left.next()?;
        sleep(pause).await;
        Some((Ok(frame), left))
    });
    StreamBody::new(Box::pin(stream))
}

#[tokio::test]
async fn a_body_must_come_in_time_and_with_known_trailers() {
    let gate = Gate::start(quick()).await;
    let mut client = client(gate.connect().await).await;
    let data = || Frame::data(Bytes::from_static(b"abc"));
    let trailers = |name: &'static str| {
        let mut map = HeaderMap::new();
        map.insert(name, "x".parse().unwrap());
        Frame::trailers(map)
    };
    let short = Duration::from_millis(10);
    for (body, pause, expected) in [
        (vec![data(), data()], short, "200 POST /a host=gate 6"),
        (vec![data(), data()], Duration::from_secs(2), "408 body_late"),
        (vec![data(), trailers("grpc-status")], short, "200 POST /a host=gate 3"),
        (vec![data(), trailers("authorization")], short, "400 framing_trailer"),
    ] {
        let request = Request::post("http://gate/a").body(frames(body, pause)).unwrap();
        assert_eq!(text(client.send_request(request).await).await, expected);
    }
    assert_eq!(gate.budget.unproven_in_use() + gate.budget.proven_in_use(), 0);
}

#[tokio::test]
async fn a_preface_in_pieces_is_a_preface() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    for piece in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".chunks(5) {
        socket.write_all(piece).await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }
    let mut answer = [0; 9];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[3], 4, "the answer is a SETTINGS frame");
}

#[tokio::test]
async fn what_only_begins_like_the_preface_is_http1() {
    let gate = Gate::start(quick()).await;
    let answer = gate.talk(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX").await;
    assert_eq!(answers(&answer), "400 framing_version");
    let answer = gate.talk(b"PUT /a HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n").await;
    assert_eq!(answers(&answer), "200 PUT /a host=gate 0");
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// `:method`, `:scheme`, `:path` and `:authority` of `POST http://a/`, and more fields in literal form.
fn head(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = vec![0x83, 0x86, 0x84, 0x41, 1, b'a'];
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

async fn raw(gate: &Gate, frames: &[Vec<u8>]) -> Vec<(u8, u32, Vec<u8>)> {
    let mut socket = gate.connect().await;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    bytes.extend(frames.concat());
    let _ = socket.write_all(&bytes).await;
    let _ = socket.shutdown().await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let mut rest = &answer[..];
    let mut seen = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<9>() {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let (payload, next) = after.split_at(length.min(after.len()));
        seen.push((head[3], stream, payload.to_vec()));
        rest = next;
    }
    seen
}

#[tokio::test]
async fn what_http2_forbids_never_arrives() {
    const RESET: u8 = 3;
    const AWAY: u8 = 7;
    for (fields, body) in [
        (&[("connection", "close")][..], &b""[..]),
        (&[("transfer-encoding", "chunked")][..], b""),
        (&[("upgrade", "h2c")][..], b""),
        (&[("te", "gzip")][..], b""),
        (&[("Host", "a")][..], b""),
        (&[("content-length", "5")][..], b"abc"),
        (&[("content-length", "2")][..], b"abc"),
        (&[(":path", "/b")][..], b""),
        (&[("x", "a\r\nb: c")][..], b""),
    ] {
        let gate = Gate::start(quick()).await;
        let frames = [frame(1, 4, 1, &head(fields)), frame(0, 1, 1, body)];
        let answer = raw(&gate, &frames).await;
        assert!(gate.passed().is_empty(), "{fields:?} arrived as {:?}", gate.passed());
        let ended = answer.iter().any(|(kind, _, _)| matches!(*kind, RESET | AWAY));
        let refused = answer.iter().any(|(kind, stream, _)| *kind == 1 && *stream == 1);
        assert!(ended || refused, "{fields:?} got {answer:?}");
        gate.at_rest().await;
    }
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let gate = Gate::start(quick()).await;
    let mut frames = Vec::new();
    for index in 0..2_000_u32 {
        frames.push(frame(1, 4, 2 * index + 1, &head(&[])));
        frames.push(frame(3, 0, 2 * index + 1, &8_u32.to_be_bytes()));
    }
    let answer = raw(&gate, &frames).await;
    let away = answer.iter().find(|(kind, _, _)| *kind == 7).expect("the connection is ended");
    assert_eq!(&away.2[4..8], 11_u32.to_be_bytes(), "with ENHANCE_YOUR_CALM");
    gate.at_rest().await;
}

#[tokio::test]
async fn a_head_that_never_ends_ends_the_connection() {
    let gate = Gate::start(quick()).await;
    let mut frames = vec![frame(1, 0, 1, &head(&[]))];
    for _ in 0..2_000 {
        let block = [&[0, 1, b'x', 127, 0xff][..], &[b'a'; 200][..]].concat();
        frames.push(frame(9, 0, 1, &block[..4]));
    }
    raw(&gate, &frames).await;
    assert!(gate.passed().is_empty());
    gate.at_rest().await;
}

#[tokio::test]
async fn streams_are_limited_and_the_rest_waits() {
    let gate = Gate::start(ListenSettings { streams: 4, ..quick() }).await;
    let mut client = client::<_, Full<Bytes>>(gate.connect().await).await;
    // A client learns the limit with the first answer; what it sends before may be refused.
    let request = Request::get("http://gate/a").body(Full::new(Bytes::new())).unwrap();
    assert_eq!(text(client.send_request(request).await).await, "200 GET /a host=gate 0");
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let mut client = client.clone();
        answers.spawn(async move {
            client.ready().await.unwrap();
            let request = Request::get("http://gate/slow").body(Full::new(Bytes::new())).unwrap();
            text(client.send_request(request).await).await
        });
    }
    let begun = std::time::Instant::now();
    while let Some(answer) = answers.join_next().await {
        assert_eq!(answer.unwrap(), "200 GET /slow host=gate 0");
    }
    assert!(begun.elapsed() > Duration::from_millis(1_100), "four at once, sixteen in all");
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go() {
    let gate = Gate::start(quick()).await;
    let mut client = client(gate.connect().await).await;
    let request = Request::get("http://gate/a").body(Full::new(Bytes::new())).unwrap();
    assert_eq!(text(client.send_request(request).await).await, "200 GET /a host=gate 0");
    gate.at_rest().await;
}

/// Writes these frames, keeps the connection open, and waits until the gate has had enough.
async fn outlast(gate: &Gate, frames: &[Vec<u8>], alive: bool) {
    let mut socket = gate.connect().await;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frames.concat());
    socket.write_all(&bytes).await.unwrap();
    let (mut reader, mut writer) = socket.into_split();
    // It is alive, and says so for as long as it may.
    let pings = tokio::spawn(async move {
        while !alive || writer.write_all(&frame(6, 0, 0, b"12345678")).await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let _ =
        tokio::time::timeout(Duration::from_secs(10), tokio::io::copy(&mut reader, &mut tokio::io::sink()))
            .await
            .expect("the gate has enough at some time");
    pings.abort();
    gate.at_rest().await;
}

#[tokio::test]
async fn a_client_that_only_pings_is_idle() {
    outlast(&Gate::start(quick()).await, &[frame(4, 0, 0, &[])], true).await;
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_let_go() {
    // SETTINGS_INITIAL_WINDOW_SIZE of 0: not a byte of the answer may be sent.
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let gate = Gate::start(quick()).await;
    outlast(&gate, &[settings, frame(1, 5, 1, &head(&[]))], true).await;
    assert_eq!(gate.passed(), ["POST / host=a 0"], "the request itself was answered");
}

/// The upstream is what is silent, for longer than a client may take nothing and longer than a connection may idle.
#[tokio::test]
async fn who_waits_for_the_upstream_is_not_let_go() {
    let gate = Gate::start(quick()).await;
    let mut client = client(gate.connect().await).await;
    let request = Request::get("http://gate/quiet").body(Full::new(Bytes::new())).unwrap();
    assert_eq!(text(client.send_request(request).await).await, "200 at last");
    gate.at_rest().await;
}

#[tokio::test]
async fn a_body_that_never_comes_holds_nothing() {
    let gate = Gate::start(quick()).await;
    let head = frame(1, 4, 1, &head(&[("content-length", "9")]));
    outlast(&gate, &[frame(4, 0, 0, &[]), head], true).await;
    assert!(gate.passed().is_empty());
}

#[tokio::test]
async fn a_head_that_stops_half_way_holds_nothing() {
    outlast(&Gate::start(quick()).await, &[frame(4, 0, 0, &[]), frame(1, 0, 1, &head(&[]))], false).await;
    outlast(&Gate::start(quick()).await, &[], false).await;
}

#[tokio::test]
async fn clients_that_vanish_leave_nothing_behind() {
    let gate = Gate::start(quick()).await;
    for round in 0..200_usize {
        let mut socket = gate.connect().await;
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend(frame(4, 0, 0, &[]));
        bytes.extend(frame(1, 4, 1, &head(&[("content-length", "6")])));
        bytes.extend(frame(0, 0, 1, b"abc"));
        bytes.extend(frame(0, 1, 1, b"def"));
        bytes.truncate(24 + round % (bytes.len() - 24));
        let _ = socket.write_all(&bytes).await;
    }
    gate.at_rest().await;
    assert!(gate.passed().is_empty(), "none of them sent a whole request: {:?}", gate.passed());
}

#[tokio::test]
async fn a_listener_told_to_stop_lets_streams_end() {
    let mut gate = Gate::start(quick()).await;
    let mut client = client(gate.connect().await).await;
    let request = Request::get("http://gate/slow").body(Full::new(Bytes::new())).unwrap();
    let answer = client.send_request(request);
    let stop = async {
        sleep(Duration::from_millis(100)).await;
        gate.stop();
    };
    let (answer, ()) = tokio::join!(answer, stop);
    assert_eq!(text(answer).await, "200 GET /slow host=gate 0");
    assert_eq!(gate.drained().await.cut, 0);
}
