//! An API of which nothing is known: its owner asks what they like, others nothing at all.
//!
//! Leaves out what is read of a request (the room's own cases).

use crate::harness::Recorder;
use crate::planes::served;

#[test]
fn only_its_owner_asks_an_api_of_which_nothing_is_known() {
    let upstream = Recorder::start();
    let gate = served::gate(
        "unknown",
        &format!("http://{}", upstream.address),
        "{ token_file = {token} }",
        "enforce",
    );
    upstream.watch(&gate.ledger_folder());
    let [alice, carol, robot] = [("alice", "person"), ("carol", "person"), ("robot", "agent")]
        .map(|(actor, kind)| gate.bearer("served", actor, kind));
    assert_eq!(served::ask(&gate, &alice, "GET /v1/things", "").status, 200);
    assert_eq!(served::ask(&gate, &alice, "PUT /v1/things/1", r#"{"a":1}"#).status, 200);
    for (who, asked) in
        [(&carol, "GET /v1/things"), (&carol, "DELETE /v1/things/1"), (&robot, "GET /v1/things")]
    {
        let reply = served::ask(&gate, who, asked, "");
        let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(
            (reply.status, &problem["status"], &problem["title"]),
            (403, &403.into(), &"Forbidden".into())
        );
        assert!(problem["detail"].as_str().unwrap().contains("api:"), "{problem}");
    }
    let reply = served::ask(&gate, &alice, "POST /v1/things", r#"{"a":1,"a":2}"#);
    assert_eq!((reply.status, reply.reason()), (403, "duplicate_parameter"));
    let arrived: Vec<_> = upstream.arrived().into_iter().filter(|one| one.decision.is_some()).collect();
    let targets: Vec<_> = arrived.iter().map(|one| (one.method.as_str(), one.target.as_str())).collect();
    assert_eq!(targets, [("GET", "/v1/things"), ("PUT", "/v1/things/1")]);
    assert!(
        arrived.iter().all(|one| one.recorded_before),
        "a GET is no read here, and is recorded like any change"
    );
    gate.finish();
}
