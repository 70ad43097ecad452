//! Tokens of an app's installations: what GitHub hands out stays in the gate, and ends with ours.
//!
//! GitHub is a stand-in that says whose token it was asked with: nobody runs one in a test.

use crate::harness::{Answer, Arrived, Recorder};
use crate::planes::served::{self, REAL};

const HANDED: &str = "ghs_a0realtoken0of0the0installation";

fn hub() -> Recorder {
    let hub = Recorder::start();
    hub.answer(|asked: &Arrived| match (asked.method.as_str(), asked.target.as_str()) {
        ("POST", "/app/installations/7/access_tokens") => Answer::Body(
            201,
            format!(
                "{{\"token\":\"{HANDED}\",\"expires_at\":\"2100-01-01T00:00:00Z\",\"permissions\":{{\"contents\":\"read\"}}}}"
            ),
        ),
        ("DELETE", "/installation/token") => Answer::Body(204, String::new()),
        _ => Answer::Body(200, "{\"name\":\"web\"}".to_owned()),
    });
    hub
}

#[test]
fn a_token_of_an_installation_is_exchanged_used_and_ended() {
    let hub = hub();
    let base = format!("http://{}", hub.address);
    let gate = served::gate_alone("github", &base, "{ token_file = {token} }", "enforce");
    gate.must_not_write(HANDED);
    let app = gate.bearer("served", "alice", "person");
    // What the gate asks with is not ended by whoever has none of its own.
    let refused = served::ask(&gate, &app, "DELETE /installation/token", "");
    assert_eq!((refused.status, refused.reason()), (403, "custody_leak"));
    let made = served::ask(&gate, &app, "POST /app/installations/7/access_tokens", "{}");
    let body: serde_json::Value =
        serde_json::from_slice(&made.body).unwrap_or_else(|_| panic!("{}", made.text()));
    let minted = body["token"].as_str().unwrap();
    assert!(made.status == 201 && minted.starts_with("ordain."), "{}", made.text());
    assert_eq!(
        (&body["expires_at"], &body["permissions"]["contents"]),
        (&"2100-01-01T00:00:00Z".into(), &"read".into())
    );
    gate.must_not_write(minted);
    let read = served::ask(&gate, minted, "GET /repos/acme/web", "");
    assert_eq!(read.status, 200, "{}", read.text());
    let ended = served::ask(&gate, minted, "DELETE /installation/token", "");
    assert_eq!(ended.status, 204, "{}", ended.text());
    let over = served::ask(&gate, minted, "GET /repos/acme/web", "");
    assert_eq!((over.status, over.reason()), (403, "key_revoked"));
    let shown: Vec<String> = hub
        .arrived()
        .iter()
        .filter(|one| one.target != "/rate_limit")
        .map(|one| one.header("authorization").unwrap_or_default().to_owned())
        .collect();
    let with = |token: &str| format!("Bearer {token}");
    assert_eq!(shown, [with(REAL), with(HANDED), with(HANDED)]);
    gate.finish();
}
