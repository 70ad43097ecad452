//! A session is a credential: those of the gate's own stay with it, and a caller's is no second one beside it.
//!
//! Leaves out sessions that are asked for, which each plane's room reads.

use crate::harness::{Answer, Recorder};
use crate::planes::served;

const CREDENTIALS: &str = "{ token_file = {token} }";

#[test]
fn cookies_go_neither_way_where_the_credential_is_the_gates() {
    let upstream = Recorder::start();
    upstream.answer(|_| Answer::With("set-cookie", "sid=the-gates".to_owned(), "{}".to_owned()));
    let base = format!("http://{}", upstream.address);
    let gate = served::gate("okta", &base, CREDENTIALS, "enforce");
    let token = gate.bearer("served", "alice", "person");
    for asked in ["GET /api/v1/users/u1", "POST /api/v1/users/u1/lifecycle/suspend"] {
        let reply = served::ask(&gate, &token, asked, "");
        assert_eq!((reply.status, reply.header("set-cookie")), (200, None), "{asked}: {}", reply.text());
    }
    let arrived: Vec<_> = upstream.arrived().into_iter().filter(|one| one.decision.is_some()).collect();
    assert_eq!(arrived.len(), 2);
    for one in arrived {
        assert_eq!(one.header("cookie"), None, "{}", one.target);
        assert_eq!(one.header("authorization").unwrap(), format!("Bearer {}", served::REAL));
    }
    gate.finish();
}
