//! What our scanner accepts, hyper reads in the same way, and nothing that it refuses arrives anywhere.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ordain_decode::form::http1::{Framer, read_head};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::harness::{Gate, quick};

/// Messages as our scanner splits them: method, path and body length of each one that is complete.
fn ours(raw: &[u8]) -> (Vec<String>, bool) {
    let mut framer = Framer::default();
    let mut rest = raw;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let starts = framer.between_messages();
        let examined = framer.examine(rest);
        let (cleared, after) = rest.split_at(examined.cleared);
        if examined.refused.is_some() {
            return (messages, true);
        }
        if cleared.is_empty() || !starts || !framer.between_messages() {
            return (messages, false);
        }
        messages.push(message(cleared));
        rest = after;
    }
    (messages, false)
}

fn message(cleared: &[u8]) -> String {
    let end = cleared.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let head = read_head(&cleared[..end]).unwrap();
    let target = String::from_utf8(head.target.to_vec()).unwrap();
    let path = target.strip_prefix("http://a").unwrap_or(&target);
    let host = String::from_utf8(head.host.to_vec()).unwrap();
    let body = &cleared[end..];
    let length = match head.framing {
        ordain_decode::form::http1::Framing::Chunked => plain_chunks(body),
        _ => body.len(),
    };
    format!("{} {path} {host} {length}", String::from_utf8_lossy(head.method))
}

/// The length of a body that is known to be well chunked, counted in another way than the scanner does.
fn plain_chunks(body: &[u8]) -> usize {
    let mut rest = std::str::from_utf8(body).unwrap();
    let mut total = 0;
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return total;
        }
        total += size;
        rest = after.split_at(size + 2).1;
    }
}

/// Messages as hyper reads them, without a guard.
async fn theirs(raw: &[u8]) -> Vec<String> {
    let (mut near, far) = tokio::io::duplex(1 << 20);
    near.write_all(raw).await.unwrap();
    near.shutdown().await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let service = service_fn(move |request: Request<Incoming>| {
        let note = Arc::clone(&note);
        async move {
            let (parts, mut body) = request.into_parts();
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else {
                    return Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())));
                };
                length += frame.data_ref().map_or(0, Bytes::len);
            }
            let path = parts.uri.path_and_query().unwrap();
            let host = parts.headers.get("host").map_or("none", |host| host.to_str().unwrap());
            note.lock().unwrap().push(format!("{} {path} {host} {length}", parts.method));
            Ok(Response::new(Full::new(Bytes::new())))
        }
    });
    let drain = tokio::spawn(async move {
        let mut sink = Vec::new();
        let _ = near.read_to_end(&mut sink).await;
    });
    let served = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(far), service);
    let _ = tokio::time::timeout(Duration::from_secs(5), served).await.expect("hyper comes to an end");
    drain.abort();
    seen.lock().unwrap().clone()
}

fn pieces() -> impl Strategy<Value = String> {
    let line = prop::sample::select(
        &[
            "content-length: 0\r\n",
            "content-length: 3\r\n",
            "Content-Length:3 \r\n",
            "content-length: 03\r\n",
            "transfer-encoding: chunked\r\n",
            "Transfer-Encoding: Chunked\r\n",
            "transfer-encoding: x\r\n",
            "x: y\r\n",
            "x:\t y\t\r\n",
            "te: trailers\r\n",
            "connection: keep-alive\r\n",
            "x-y-z: é\r\n",
            " x\r\n",
            "expect: 100-continue\r\n",
            "x : y\r\n",
            "content_length: 3\r\n",
            "x: a\rb\r\n",
            "host: a\r\n",
            "\n",
        ][..],
    );
    let first = prop::sample::select(
        &[
            "GET / HTTP/1.1\r\n",
            "POST /a/%2F?b={c}|[d] HTTP/1.1\r\n",
            "PUT http://a/x HTTP/1.1\r\n",
            "DELETE /b#c HTTP/1.1\r\n",
            "PATCH //x HTTP/1.1\r\n",
            "HEAD /~!$&'()*+,;=:@ HTTP/1.1\r\n",
            "GET / HTTP/2.0\r\n",
            "GET /\r\n",
            "POST /a\u{a0} HTTP/1.1\r\n",
        ][..],
    );
    let body = prop::sample::select(
        &[
            "",
            "",
            "abc",
            "3\r\nabc\r\n0\r\n\r\n",
            "0\r\n\r\n",
            "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
            "5\r\nabc",
            "3;x\r\nabc\r\n0\r\n\r\n",
        ][..],
    );
    let host = prop::sample::select(&["host: a\r\n", "Host:a\r\n", "host: a\r\n", "host: b\r\n", ""][..]);
    let message = (first, host, prop::collection::vec(line, 0..3), body)
        .prop_map(|(first, host, lines, body)| format!("{first}{host}{}\r\n{body}", lines.concat()));
    prop::collection::vec(message, 1..4).prop_map(|messages| messages.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_accept_hyper_reads_the_same_way(raw in pieces()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (accepted, _) = ours(raw.as_bytes());
        let read = runtime.block_on(theirs(raw.as_bytes()));
        // hyper may go on where we stop; what we passed on, it must have read just so.
        prop_assert!(read.starts_with(&accepted), "we read {accepted:?}, hyper {read:?}, of {raw:?}");
    }

    #[test]
    fn behind_the_guard_arrives_what_the_scanner_accepts(raw in pieces()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (accepted, refused) = ours(raw.as_bytes());
        let (passed, answer) = runtime.block_on(async {
            let gate = Gate::start(quick()).await;
            let mut socket = gate.connect().await;
            socket.write_all(raw.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
            let answer = super::harness::read_to_end(&mut socket).await;
            (gate.passed(), answer)
        });
        prop_assert_eq!(passed.len(), accepted.len(), "of {:?}: {:?}", raw, passed);
        let four = ["HTTP/1.1 400", "HTTP/1.1 417", "HTTP/1.1 421"];
        prop_assert!(!refused || four.iter().any(|status| answer.contains(status)), "a refusal is answered: {answer}");
    }
}
