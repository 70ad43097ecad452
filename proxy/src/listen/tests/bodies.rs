//! Bodies: held under cap and budget, or streaming.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::harness::{CAP, Gate, answers, quick, read_to_end};
use crate::held::Budget;
use crate::listen::ListenSettings;

fn post(path: &str, framing: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n{framing}\r\n\r\n")
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_on_its_head() {
    let gate = Gate::start(quick()).await;
    let head = post("/a", &format!("content-length: {}", CAP + 1));
    assert_eq!(answers(&gate.talk(head.as_bytes()).await), "413 body_too_large");
}

#[tokio::test]
async fn a_chunked_body_over_the_cap_is_refused_while_it_arrives() {
    let gate = Gate::start(quick()).await;
    let mut raw = post("/a", "transfer-encoding: chunked").into_bytes();
    for _ in 0..40 {
        raw.extend_from_slice(b"10000\r\n");
        raw.extend_from_slice(&[b'a'; 0x10000]);
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(answers(&gate.talk(&raw).await), "413 body_too_large");
    gate.at_rest().await;
}

#[tokio::test]
async fn who_is_denied_while_sending_still_reads_why() {
    let gate = Gate::start(quick()).await;
    let mut raw = post("/deny", "content-length: 8000000").into_bytes();
    raw.resize(raw.len() + 8_000_000, b'a');
    let mut socket = gate.connect().await;
    // Many clients read nothing once they could not write.
    socket.write_all(&raw).await.expect("the connection is not reset while the client sends");
    assert_eq!(answers(&read_to_end(&mut socket).await), "403 denied on its head");
}

#[tokio::test]
async fn nobody_is_told_to_go_on_before_the_verdict() {
    let gate = Gate::start(quick()).await;
    let head = "POST /deny HTTP/1.1\r\nhost: gate\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
    let answer = gate.talk(head.as_bytes()).await;
    assert_eq!(answers(&answer), "403 denied on its head");
    assert!(answer.starts_with("HTTP/1.1 403"), "no `100 Continue` comes first: {answer}");
}

#[tokio::test]
async fn who_waits_to_go_on_is_told_when_the_body_is_wanted() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    socket.write_all(post("/a", "expect: 100-continue\r\ncontent-length: 3").as_bytes()).await.unwrap();
    let mut told = [0; 25];
    socket.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"abc").await.unwrap();
    assert_eq!(answers(&read_to_end(&mut socket).await), "200 POST /a host=gate 3");
}

#[tokio::test]
async fn a_broken_chunk_refuses_the_request_it_is_in() {
    for (chunks, reason) in [
        ("5;x=y\r\nhello\r\n0\r\n\r\n", "400 framing_chunk_extension"),
        ("5\r\nhelloX\r\n0\r\n\r\n", "400 framing_chunk_end"),
        ("5\r\nhello\r\n0x0\r\n\r\n", "400 framing_chunk_size"),
        ("5\r\nhello\r\n0\r\nhost: evil\r\n\r\n", "400 framing_trailer"),
        ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32 : a\r\n\r\n", "400 framing_trailers"),
    ] {
        for path in ["/a", "/stream"] {
            let gate = Gate::start(quick()).await;
            let raw = post(path, "transfer-encoding: chunked") + chunks;
            assert_eq!(answers(&gate.talk(raw.as_bytes()).await), reason, "`{chunks:?}` to `{path}`");
            assert!(gate.passed().is_empty());
        }
    }
}

#[tokio::test]
async fn chunks_and_known_trailers_pass() {
    let gate = Gate::start(quick()).await;
    let raw =
        post("/a", "transfer-encoding: chunked") + "5\r\nhello\r\n0\r\nx-amz-checksum-crc32: AAAA\r\n\r\n";
    assert_eq!(answers(&gate.talk(raw.as_bytes()).await), "200 POST /a host=gate 5");
}

#[tokio::test]
async fn who_has_sent_nothing_yet_takes_nothing_from_others() {
    let gate = Gate::start_with(quick(), Budget::new(CAP, 2 * CAP)).await;
    let mut promises = Vec::new();
    for _ in 0..20 {
        let mut socket = gate.connect().await;
        socket.write_all(post("/a", &format!("content-length: {CAP}")).as_bytes()).await.unwrap();
        promises.push(socket);
    }
    sleep(Duration::from_millis(100)).await;
    let raw = post("/a", "content-length: 20000") + &"a".repeat(20_000);
    assert_eq!(answers(&gate.talk(raw.as_bytes()).await), "200 POST /a host=gate 20000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_that_hold_bodies_stay_inside_the_budget() {
    const BUDGET: u64 = 8 << 20;
    let settings =
        ListenSettings { connections_per_peer: 2_000, body_timeout: Duration::from_secs(15), ..quick() };
    let gate = Gate::start_with(settings, Budget::new(BUDGET, 2 * BUDGET)).await;
    let budget = gate.budget.clone();
    let watch = tokio::spawn(async move {
        let mut most = 0;
        loop {
            most = most.max(budget.unproven_in_use());
            assert!(most <= BUDGET, "{most} bytes are held");
            sleep(Duration::from_millis(1)).await;
            if budget.unproven_in_use() == 0 && most > BUDGET / 2 {
                return most;
            }
        }
    });
    let mut clients = JoinSet::new();
    for _ in 0..1_000 {
        let mut socket = gate.connect().await;
        clients.spawn(async move {
            // Half of the body, then a pause in which all of them hold theirs.
            let _ = socket.write_all(post("/a", "content-length: 65536").as_bytes()).await;
            let _ = socket.write_all(&[b'a'; 32_768]).await;
            sleep(Duration::from_secs(2)).await;
            let _ = socket.write_all(&[b'a'; 32_768]).await;
            answers(&read_to_end(&mut socket).await)
        });
    }
    let (mut passed, mut busy) = (0, 0);
    while let Some(answer) = clients.join_next().await {
        match answer.unwrap().as_str() {
            "200 POST /a host=gate 65536" => passed += 1,
            "503 held_bytes_exhausted" => busy += 1,
            other => panic!("`{other}`"),
        }
    }
    assert_eq!(passed + busy, 1_000);
    assert!(passed >= 64 && busy > 0, "{passed} passed, {busy} did not");
    assert!(watch.await.unwrap() > BUDGET / 2, "the budget was put to use");
    gate.at_rest().await;
}
