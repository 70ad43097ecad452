//! Clients that leave, at every stage, and a gate that does.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::harness::{Gate, answers, quick, read_to_end};
use crate::listen::{Drained, ListenSettings};

#[tokio::test]
async fn who_has_said_all_still_gets_the_answer() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    socket.write_all(b"POST /slow HTTP/1.1\r\nhost: gate\r\ncontent-length: 3\r\n\r\nabc").await.unwrap();
    socket.shutdown().await.unwrap();
    assert_eq!(answers(&read_to_end(&mut socket).await), "200 POST /slow host=gate 3");
    gate.at_rest().await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_never_passed_on() {
    for head in ["content-length: 10\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
        let gate = Gate::start(quick()).await;
        let mut socket = gate.connect().await;
        socket.write_all(format!("POST /a HTTP/1.1\r\nhost: gate\r\n{head}").as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        assert_eq!(answers(&read_to_end(&mut socket).await), "408 body_short");
        assert!(gate.passed().is_empty());
        gate.at_rest().await;
    }
}

#[tokio::test]
async fn half_a_head_is_no_request() {
    let gate = Gate::start(quick()).await;
    let mut socket = gate.connect().await;
    socket.write_all(b"DELETE /a HTTP/1.1\r\nhost: gate\r\n").await.unwrap();
    socket.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut socket).await, "");
    assert!(gate.passed().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_vanish_at_every_byte_leave_nothing_behind() {
    let raw: &[u8] =
        b"POST /a HTTP/1.1\r\nhost: gate\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\
        GET /b HTTP/1.1\r\nhost: gate\r\n\r\nGET /c HTTP/1.1\r\nhost: gate\r\nx y: z\r\n\r\n";
    let settings = ListenSettings { connections: 2_000, connections_per_peer: 2_000, ..quick() };
    let gate = Gate::start(settings).await;
    for round in 0..1_000 {
        let mut socket = gate.connect().await;
        let (part, _) = raw.split_at(round % (raw.len() + 1));
        let _ = socket.write_all(part).await;
        if round % 3 == 0 {
            // A reset instead of an orderly end.
            socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(socket);
    }
    gate.at_rest().await;
    // The system keeps some that were reset at once to itself.
    assert!(gate.counts.accepted() > 600, "{} were accepted", gate.counts.accepted());
    let passed = gate.passed();
    assert!(passed.iter().all(|line| ["POST /a host=gate 5", "GET /b host=gate 0"].contains(&line.as_str())));
    assert!(!passed.is_empty(), "some of them sent whole requests");
}

#[tokio::test]
async fn a_listener_told_to_stop_lets_requests_end() {
    let mut gate = Gate::start(quick()).await;
    let mut idle = gate.connect().await;
    idle.write_all(b"GET /a HTTP/1.1\r\nhost: gate\r\n\r\n").await.unwrap();
    let mut busy = gate.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: gate\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    gate.stop();
    assert_eq!(answers(&read_to_end(&mut idle).await), "200 GET /a host=gate 0");
    let answer = read_to_end(&mut busy).await;
    assert_eq!(answers(&answer), "200 GET /slow host=gate 0");
    assert!(answer.contains("connection: close"), "the client is told to go elsewhere: {answer}");
    let address = gate.address;
    assert_eq!(gate.drained().await, Drained { cut: 0 });
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_in_the_end() {
    let gate = Gate::start(quick()).await;
    let mut stuck = gate.connect().await;
    stuck.write_all(b"GET /stuck HTTP/1.1\r\nhost: gate\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(gate.drained().await, Drained { cut: 1 });
    assert_eq!(read_to_end(&mut stuck).await, "");
}

#[tokio::test]
async fn a_peer_has_its_share_of_connections() {
    let gate = Gate::start(ListenSettings { connections_per_peer: 2, ..quick() }).await;
    let mut first = gate.connect().await;
    first.write_all(b"GET /slow HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n").await.unwrap();
    let _second = gate.connect().await;
    sleep(Duration::from_millis(50)).await;
    let mut third = gate.connect().await;
    assert_eq!(read_to_end(&mut third).await, "");
    assert_eq!(gate.counts.turned_away(), 1);
    assert_eq!(answers(&read_to_end(&mut first).await), "200 GET /slow host=gate 0");
    let fourth = gate.talk(b"GET /a HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\r\n").await;
    assert_eq!(answers(&fourth), "200 GET /a host=gate 0", "a seat is given back");
}
