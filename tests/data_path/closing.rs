//! Connections that close: an upstream's idle ones, at any time, and one peer's too many.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Answer, Arrived, Gate, Sent, Setup, a_change, full};

/// Sends requests from several clients with pauses, and says which failed.
fn asked(gate: &Gate, clients: usize, each: usize, pause: fn(usize) -> u64) -> Vec<String> {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..clients)
            .map(|worker| {
                let client = gate.client("alice");
                scope.spawn(move || {
                    let mut failed = Vec::new();
                    let mut stream = client.connect().unwrap();
                    for turn in 0..each {
                        let number = worker * each + turn;
                        let sent =
                            if turn % 4 == 0 { Sent::ec2("DescribeInstances") } else { a_change(number) };
                        let what = if turn % 4 == 0 { "read" } else { "change" };
                        match client.send_on(&mut stream, &sent) {
                            Ok(reply) if reply.status == 200 => {}
                            Ok(reply) => failed.push(format!("{what} {} {}", reply.status, reply.reason())),
                            Err(error) => {
                                failed.push(format!("{what} {number}: {error}"));
                                stream = client.connect().unwrap();
                            }
                        }
                        thread::sleep(Duration::from_millis(pause(number)));
                    }
                    failed
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// A connection that the upstream has closed is not sent on: no request fails that need not.
#[test]
fn serial_an_upstream_that_closes_what_is_idle() {
    let requests = if full() { 200 } else { 30 };
    let gate = Gate::start(Setup::default());
    gate.recorder.close_idle();
    // One client, which pauses for longer than the upstream waits: each connection was closed before it is wanted.
    let failed = asked(&gate, 1, requests, |number| 100 + (number as u64 * 31) % 40);
    let (arrived, connections) = (gate.recorder.arrived().len(), gate.recorder.connections());
    eprintln!("{requests} requests over {connections} upstream connections, {} failed", failed.len());
    assert!(failed.is_empty(), "failed for no reason of their own: {failed:?}");
    assert_eq!(arrived, requests, "each arrived once");
    assert!(connections > requests / 2, "only {connections} connections: the upstream closed none");
    gate.finish();
}

/// Closed in the moment in which a request is written, it may or may not have been read: a change is not sent again, and
/// its caller is told that nobody knows. A read is, and its caller notices nothing.
#[test]
fn serial_an_upstream_that_closes_at_any_moment() {
    let each = if full() { 1_000 } else { 60 };
    let gate = Gate::start(Setup::default());
    gate.recorder.close_idle();
    let failed = asked(&gate, 6, each, |number| (number as u64 * 31) % 40);
    let connections = gate.recorder.connections();
    eprintln!("{} requests over {connections} upstream connections, {} failed", 6 * each, failed.len());
    assert!(failed.iter().all(|why| why == "change 502 upstream_unanswered"), "{failed:?}");
    assert!(failed.len() * 4 < each * 6, "more than chance: {}", failed.len());
    let (arrived, changes) = (arrived(&gate, "StopInstances"), 6 * (each - each.div_ceil(4)));
    assert!(arrived <= changes, "{arrived} arrived: something was sent twice");
    assert!(arrived + failed.len() >= changes, "{arrived} arrived and {} failed", failed.len());
    // That no decision arrived twice, and that each has its outcome, is seen to at the end of every test.
    gate.finish();
}

fn arrived(gate: &Gate, operation: &str) -> usize {
    let of_operation = |one: &&Arrived| one.body_text().contains(operation);
    gate.recorder.arrived().iter().filter(of_operation).count()
}

/// The same, moment by moment: what is asked once more, and what is not.
#[test]
fn only_a_read_on_a_kept_connection_is_asked_once_more() {
    let gate = Gate::start(Setup::default());
    let client = gate.client("alice");
    let read = Sent::ec2("DescribeInstances");
    let end_next = |operation: &'static str, times: usize| {
        let left = AtomicUsize::new(times);
        gate.recorder.answer(move |one| {
            let take = |left: usize| left.checked_sub(1);
            let ends = one.body_text().contains(operation)
                && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
            if ends { Answer::Reset } else { Answer::well() }
        });
    };
    let check = |sent: &Sent, status: u16, operation: &str, times: usize| {
        // A connection is put back a moment after its answer has ended.
        std::thread::sleep(Duration::from_millis(50));
        let before = arrived(&gate, operation);
        let reply = client.send(sent);
        assert_eq!((reply.status, arrived(&gate, operation) - before), (status, times), "{}", reply.text());
    };
    // A connection is kept from here on.
    check(&read, 200, "DescribeInstances", 1);
    end_next("DescribeInstances", 1);
    check(&read, 200, "DescribeInstances", 2);
    // The one that was made for it is not kept, so that this one is new: what ends it is no idle time.
    end_next("DescribeInstances", 1);
    check(&read, 502, "DescribeInstances", 1);
    // Twice is all.
    check(&read, 200, "DescribeInstances", 1);
    end_next("DescribeInstances", 2);
    check(&read, 502, "DescribeInstances", 2);
    // And a change is sent once.
    check(&read, 200, "DescribeInstances", 1);
    end_next("StopInstances", 1);
    check(&a_change(1), 502, "StopInstances", 1);
    gate.finish();
}

/// One peer takes up its own seats, and nobody else's.
#[test]
fn a_peer_with_too_many_connections_is_turned_away_alone() {
    let settings = "[limits]\nconnections_per_peer = 4\n".to_owned();
    let gate = Gate::start(Setup { settings, ..Setup::default() });
    let client = gate.client("alice");
    let mut taken: Vec<TcpStream> = (0..4).map(|_| client.connect().unwrap()).collect();
    for stream in &mut taken {
        assert_eq!(client.send_on(stream, &Sent::ec2("DescribeInstances")).unwrap().status, 200);
    }
    let mut fifth = client.connect().unwrap();
    drop(fifth.write_all(b"GET / HTTP/1.1\r\n"));
    let mut answer = Vec::new();
    drop(fifth.read_to_end(&mut answer));
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 503"),
        "a fifth connection: {}",
        String::from_utf8_lossy(&answer)
    );
    // Another peer of the same loopback network.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0)).into()).unwrap();
    socket.connect(&client.gate.into()).unwrap();
    let mut other = TcpStream::from(socket);
    assert_eq!(client.send_on(&mut other, &a_change(1)).unwrap().status, 200);
    // A seat is free again once its connection is gone.
    drop(taken.pop());
    let until = std::time::Instant::now() + Duration::from_secs(5);
    while client.try_send(&a_change(2)).map_or(0, |reply| reply.status) != 200 {
        assert!(std::time::Instant::now() < until, "the seat was not given back");
        thread::sleep(Duration::from_millis(20));
    }
    gate.finish();
}

/// A gate that is its own upstream would send to itself without end.
#[test]
fn our_own_address_is_no_upstream() {
    let gate = Gate::start(Setup::default());
    let file = gate.folder.path().join("gate.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let port = free_port();
    for own in [
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
        "http://169.254.169.254".to_owned(),
    ] {
        let other = settings
            .replace("data = \"127.0.0.1:0\"", &format!("data = \"127.0.0.1:{port}\""))
            .replace(&format!("http://{}", gate.recorder.address), &own)
            .replace("/state\"", "/other\"")
            .replace("/state/ledger\"", "/other/ledger\"");
        std::fs::write(&file, other).unwrap();
        let refused = gate.run(&["serve"]);
        assert_eq!(refused.status.code(), Some(2), "`{own}`: {}", crate::harness::said(&refused));
    }
    std::fs::write(&file, settings).unwrap();
    gate.finish();
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
