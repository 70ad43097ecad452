//! What is refused, what passes, and in which order answers come.

use std::time::Duration;

use expect_test::{Expect, expect};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::harness::{Gate, answers, quick, read_to_end};

async fn check(raw: &str, expected: Expect) {
    let gate = Gate::start(quick()).await;
    let answer = gate.talk(raw.as_bytes()).await;
    expected.assert_eq(&answers(&answer));
}

#[tokio::test]
async fn a_clean_request_passes() {
    check(
        "POST /a HTTP/1.1\r\nhost: gate\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
        expect!["200 POST /a host=gate 3"],
    )
    .await;
}

#[tokio::test]
async fn an_absolute_target_arrives_as_its_path() {
    check(
        "GET http://gate/a?b HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n",
        expect!["200 GET /a?b host=gate 0"],
    )
    .await;
}

#[tokio::test]
async fn a_refusal_keeps_its_place_in_the_pipeline() {
    check(
        "GET /slow HTTP/1.1\r\nhost: gate\r\n\r\nGET /b HTTP/1.1\r\nhost: gate\r\n\r\n\
         GET /c HTTP/1.1\r\nhost: gate\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n\
         GET /d HTTP/1.1\r\nhost: gate\r\n\r\n",
        expect![[r#"
            200 GET /slow host=gate 0
            200 GET /b host=gate 0
            400 framing_length_and_encoding"#]],
    )
    .await;
}

#[tokio::test]
async fn a_long_head_in_pieces_passes_below_the_limit() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    let query = "a".repeat(40_000);
    let token = "b".repeat(20_000);
    let head =
        format!("POST /a?{query} HTTP/1.1\r\nhost: gate\r\nx: {token}\r\ncontent-length: 5\r\n\r\nhel");
    for piece in head.as_bytes().chunks(7_001) {
        socket.write_all(piece).await.unwrap();
        socket.flush().await.unwrap();
        sleep(Duration::from_millis(2)).await;
    }
    socket.write_all(b"loGET /b HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n").await.unwrap();
    let answer = answers(&read_to_end(&mut socket).await);
    assert_eq!(answer, format!("200 POST /a?{query} host=gate 5\n200 GET /b host=gate 0"));
}
