//! Whoever is slow holds nothing for long.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::harness::{Gate, answers, quick, read_to_end};
use crate::listen::ListenSettings;

const HEAD: &[u8] = b"POST /a HTTP/1.1\r\nhost: gate\r\ncontent-length: 10\r\n\r\n";

#[tokio::test]
async fn a_head_that_drips_is_given_up() {
    let gate = Gate::start(quick()).await;
    let (mut reader, mut writer) = gate.connect().await.into_split();
    let drip = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nhost: gate\r\nx: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".iter().cycle() {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(30)).await;
        }
    });
    let begun = Instant::now();
    let answer = read_to_end(&mut reader).await;
    assert_eq!(answers(&answer), "408 framing_head_late");
    assert!(begun.elapsed() < Duration::from_secs(3), "a byte now and then buys no time");
    drip.abort();
}

#[tokio::test]
async fn a_silent_connection_is_closed_without_a_word() {
    let gate = Gate::start(quick()).await;
    let begun = Instant::now();
    assert_eq!(gate.talk(b"").await, "");
    assert!(begun.elapsed() >= Duration::from_millis(350) && begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_a_while_and_not_before() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    socket.write_all(b"GET /a HTTP/1.1\r\nhost: gate\r\n\r\n").await.unwrap();
    // Longer than a head may take, shorter than a pause may.
    sleep(Duration::from_millis(500)).await;
    socket.write_all(b"GET /b HTTP/1.1\r\nhost: gate\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    assert_eq!(answers(&read_to_end(&mut socket).await), "200 GET /a host=gate 0\n200 GET /b host=gate 0");
    assert!(begun.elapsed() >= Duration::from_millis(500), "the pause begins anew with each request");
}

#[tokio::test]
async fn a_request_that_takes_long_is_not_an_idle_connection() {
    let settings = ListenSettings { idle_timeout: Duration::from_millis(50), ..quick() };
    let gate = Gate::start(settings).await;
    assert_eq!(
        answers(&gate.talk(b"GET /slow HTTP/1.1\r\nhost: gate\r\n\r\n").await),
        "200 GET /slow host=gate 0"
    );
}

#[tokio::test]
async fn a_body_that_stops_is_given_up() {
    let gate = Gate::start(quick()).await;
    let answer = gate.talk(&[HEAD, b"abc"].concat()).await;
    assert_eq!(answers(&answer), "408 body_late");
    gate.at_rest().await;
}

#[tokio::test]
async fn a_body_that_drips_is_given_up() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    socket.write_all(b"POST /a HTTP/1.1\r\nhost: gate\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    let (mut reader, mut writer) = socket.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let answer = read_to_end(&mut reader).await;
    assert_eq!(answers(&answer), "408 body_late");
    assert!(begun.elapsed() < Duration::from_secs(5), "the pieces come in time, the body does not");
    drip.abort();
}

#[tokio::test]
async fn a_fast_beginning_does_not_pay_for_a_drip() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    socket.write_all(b"POST /a HTTP/1.1\r\nhost: gate\r\ncontent-length: 900000\r\n\r\n").await.unwrap();
    socket.write_all(&[b'a'; 800_000]).await.unwrap();
    let begun = Instant::now();
    let (mut reader, mut writer) = socket.into_split();
    let drip = tokio::spawn(async move {
        while writer.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    });
    let answer = read_to_end(&mut reader).await;
    assert_eq!(answers(&answer), "408 body_late");
    assert!(begun.elapsed() < Duration::from_secs(5));
    gate.at_rest().await;
    drip.abort();
}

#[tokio::test]
async fn a_slow_body_that_is_fast_enough_passes() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    let head = b"POST /a HTTP/1.1\r\nhost: gate\r\ncontent-length: 40960\r\nconnection: close\r\n\r\n";
    socket.write_all(head).await.unwrap();
    for _ in 0..10 {
        sleep(Duration::from_millis(100)).await;
        socket.write_all(&[b'a'; 4096]).await.unwrap();
    }
    assert_eq!(answers(&read_to_end(&mut socket).await), "200 POST /a host=gate 40960");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    socket.write_all(b"GET /large HTTP/1.1\r\nhost: gate\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(gate.counts.open(), 1, "the answer is larger than what the system takes");
    gate.at_rest().await;
    drop(socket);
}
