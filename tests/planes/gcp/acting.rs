//! Tokens of service accounts, by google-auth's own way of being another: what Google hands out stays in the gate.
//!
//! Leaves out what goes round the gate (`sts`, `oauth2`), and gRPC, where such a token is refused.

use jiff::SignedDuration;

use crate::harness::{Answer, Arrived, Recorder, now, said};
use crate::planes::served::{self, REAL};

const HANDED: &str = "ya29.c.real-token-of-the-service-account";

/// Stands in for Google: hands a token out, and says whose it is asked with.
fn google(handed: impl Fn(&str) -> String + Send + Sync + 'static) -> Recorder {
    let google = Recorder::start();
    google.answer(move |asked: &Arrived| {
        if asked.target.ends_with(":generateAccessToken") {
            let until = now() + SignedDuration::from_hours(1);
            return Answer::Body(200, handed(&until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
        }
        let by = match asked.header("authorization").and_then(|shown| shown.strip_prefix("Bearer ")) {
            Some(HANDED) => "web",
            Some(REAL) => "gate",
            _ => "nobody",
        };
        Answer::Body(200, format!("{{\"by\":\"{by}\"}}"))
    });
    google
}

#[test]
fn a_token_of_a_service_account_is_exchanged_and_used() {
    let Some(python) = served::python() else { return };
    let google = google(|until| format!("{{\"accessToken\":\"{HANDED}\",\"expireTime\":\"{until}\"}}"));
    let base = format!("http://{}", google.address);
    let gate = served::gate_alone("gcp", &base, "{ token_file = {token} }", "enforce");
    gate.must_not_write(HANDED);
    let token = gate.bearer("served", "alice", "person");
    let how = format!("gate.internal:{}", gate.address.port());
    let output = served::script(&python, "gcp/impersonate.py", &[&how, &token]);
    assert!(output.status.success(), "{} {}", said(&output), gate.log());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "200 {'by': 'web'}\nordain 60\n");
    let asked: Vec<Option<String>> =
        google.arrived().iter().map(|one| one.header("authorization").map(str::to_owned)).collect();
    assert_eq!(asked, [Some(format!("Bearer {REAL}")), Some(format!("Bearer {HANDED}"))]);
    gate.finish();
}

#[test]
fn what_cannot_be_exchanged_exactly_reaches_nobody() {
    for (which, handed) in [
        ("no end", format!("{{\"accessToken\":\"{HANDED}\"}}")),
        (
            "twice",
            format!(
                "{{\"accessToken\":\"{HANDED}\",\"expireTime\":\"2030-01-01T00:00:00Z\",\"x\":\"{HANDED}\"}}"
            ),
        ),
        (
            "one name twice",
            format!(
                "{{\"accessToken\":\"x\",\"accessToken\":\"{HANDED}\",\"expireTime\":\"2030-01-01T00:00:00Z\"}}"
            ),
        ),
        ("no token", format!("{{\"token\":\"{HANDED}\",\"expireTime\":\"2030-01-01T00:00:00Z\"}}")),
        ("no JSON", HANDED.to_owned()),
    ] {
        let google = google(move |_| handed.clone());
        let base = format!("http://{}", google.address);
        let gate = served::gate_alone("gcp", &base, "{ token_file = {token} }", "enforce");
        gate.must_not_write(HANDED);
        let token = gate.bearer("served", "alice", "person");
        let line = "POST /v1/projects/-/serviceAccounts/web@acme.iam.gserviceaccount.com:generateAccessToken";
        let headers = "content-type: application/json\r\n";
        let refused = super::answer(
            &gate,
            &token,
            "iamcredentials.googleapis.com",
            line,
            headers,
            r#"{"scope":["x"]}"#,
        );
        assert_eq!(refused, (403, "custody_leak".to_owned()), "{which}");
        assert_eq!(google.arrived().len(), 1, "{which}");
        // Nothing that was made for it is left to be used.
        let listed = gate.run(&["-o", "json", "key", "list"]);
        let keys: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
        let ours = keys.iter().filter(|key| key["upstream"] == "served" && key["state"] != "revoked");
        let ours: Vec<_> = ours.map(|key| key["state"].as_str().unwrap()).collect();
        assert!(matches!(ours.as_slice(), [only] if only.starts_with("valid until")), "{which}: {ours:?}");
        gate.finish();
    }
}
