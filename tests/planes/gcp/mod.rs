//! Google Cloud: every request that Google's own Python client makes, and what of them goes through a gate, a day of it
//! in front of servers among it.
//!
//! Leaves out Google's servers: what is sent arrives at one that keeps it.

mod acting;
mod emulators;
mod rpc;
mod sweep;
mod sweep_rpc;
mod through;

use std::io::Write as _;
use std::net::TcpStream;

use crate::harness::{Answer, Gate, Recorder, read_reply};
use crate::planes::served;

/// What a gate answers to a request for a service of Google's, and why where it refuses.
fn answer(gate: &Gate, token: &str, host: &str, line: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(gate.address).unwrap();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: {host}.gate.internal\r\nauthorization: Bearer {token}\r\n{headers}content-length: \
         {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let reply = read_reply(&mut stream, false).unwrap();
    (reply.status, reply.header("ordain-reason-code").unwrap_or_default().to_owned())
}

/// Google's client for Python sends a GET by POST where its address is longer than 2,048 bytes.
#[test]
fn a_long_get_goes_through_and_a_hidden_change_does_not_in_any_mode() {
    for mode in ["enforce", "shadow"] {
        let google = Recorder::start();
        google.answer(|_| Answer::Body(200, "{}".to_owned()));
        let base = format!("http://{}", google.address);
        let gate = served::gate_alone("gcp", &base, "{ token_file = {token} }", mode);
        let token = gate.bearer("served", "alice", "person");
        let compute = |line: &str, headers: &str, body: &str| {
            answer(&gate, &token, "compute.googleapis.com", line, headers, body)
        };
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        let long = format!("filter={}", "x".repeat(2_100));
        let line = "POST /compute/v1/projects/acme/global/firewalls";
        let read = compute(line, &format!("x-http-method-override: GET\r\n{form}"), &long);
        assert_eq!(read, (200, String::new()), "{mode}");
        let arrived = google.arrived();
        let last = arrived.last().unwrap();
        assert_eq!((last.method.as_str(), last.header("x-http-method-override")), ("POST", Some("GET")));
        assert_eq!(last.body, long.as_bytes());
        let list = "GET /compute/v1/projects/acme/zones/z/instances";
        for (line, headers, reason) in [
            (format!("{list}?access_token=x"), "", "two_credentials"),
            (format!("{list}?key=x"), "", "second_credential"),
            (list.to_owned(), "x-goog-api-key: x\r\n", "second_credential"),
            (list.to_owned(), "x-http-method: DELETE\r\n", "framing_override"),
            (
                line.to_owned(),
                "x-http-method-override: GET\r\nx-http-method-override: DELETE\r\n",
                "framing_given_twice",
            ),
        ] {
            let refused = compute(&line, headers, "");
            assert!(refused.0 >= 400, "{mode}: {line} {headers}: {refused:?}");
            assert_eq!(refused.1, reason, "{mode}: {line} {headers}");
        }
        assert_eq!(google.arrived().len(), arrived.len(), "{mode}");
        gate.finish();
    }
}
