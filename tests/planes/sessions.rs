//! A session is a credential: those of the gate's own stay with it, and a caller's is no second one beside it.
//!
//! Leaves out sessions that are asked for, which each plane's room reads.

use std::io::Write as _;
use std::net::TcpStream;

use crate::harness::{Answer, Recorder, read_reply};
use crate::planes::served;

const CREDENTIALS: &str = "{ token_file = {token} }";

#[test]
fn cookies_go_neither_way_where_the_credential_is_the_gates() {
    let upstream = Recorder::start();
    upstream.answer(|_| Answer::With("set-cookie", "sid=the-gates".to_owned(), "{}".to_owned()));
    let base = format!("http://{}", upstream.address);
    let gate = served::gate("okta", &base, CREDENTIALS, "enforce");
    let token = gate.bearer("served", "alice", "person");
    for (method, path) in [("GET", "/api/v1/users/u1"), ("POST", "/api/v1/users/u1/lifecycle/suspend")] {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncookie: sid=another\r\n\
             content-length: 0\r\nconnection: close\r\n\r\n",
            gate.address
        );
        let mut stream = TcpStream::connect(gate.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let reply = read_reply(&mut stream, false).unwrap();
        assert_eq!((reply.status, reply.header("set-cookie")), (200, None), "{method}: {}", reply.text());
    }
    let arrived: Vec<_> = upstream.arrived().into_iter().filter(|one| one.decision.is_some()).collect();
    assert_eq!(arrived.len(), 2);
    for one in arrived {
        assert_eq!(one.header("cookie"), None, "{}", one.target);
        assert_eq!(one.header("authorization").unwrap(), format!("Bearer {}", served::REAL));
    }
    gate.finish();
}
