//! What is refused, what passes, and in which order answers come.

use expect_test::{Expect, expect};

use super::harness::{Gate, answers, quick};

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
