//! Where the real credential comes from: every source that the provider's own tools know, each in front of the program
//! as it is started.
//!
//! The provider's endpoints are stubs of ours on ports of this machine, which know only the one answer a test needs.
//! Leaves out what the credentials are used for.

mod end;
mod issued;
mod services;
mod sources;

use jiff::{SignedDuration, Timestamp};

use crate::harness::{Answer, Gate, Recorder, Sent, Setup, now};

/// A stub of one of the provider's endpoints.
fn stub(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Recorder {
    let stub = Recorder::start();
    stub.answer(move |one| answer(&one.target));
    stub
}

/// The credential that a stub hands out, as containers and instances get it.
fn in_json(id: &str, expires: Timestamp) -> String {
    serde_json::json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": now().to_string(),
        "AccessKeyId": id, "SecretAccessKey": "a-secret-of-the-stub", "Token": format!("token-of-{id}"),
        "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
    .to_string()
}

/// The answer of a token service to one of its operations.
fn in_xml(operation: &str, id: &str) -> Answer {
    let expires = in_an_hour().strftime("%Y-%m-%dT%H:%M:%SZ");
    Answer::Body(
        200,
        format!(
            "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result><Credentials>\
             <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>a-secret-of-the-stub</SecretAccessKey>\
             <SessionToken>token-of-{id}</SessionToken><Expiration>{expires}</Expiration></Credentials>\
             <AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>\
             </AssumedRoleUser></{operation}Result></{operation}Response>"
        ),
    )
}

fn in_an_hour() -> Timestamp {
    now() + SignedDuration::from_hours(1)
}

/// A setup whose upstream has these credentials, with a home folder of its own.
fn setup(credentials: &str, home: &Home, variables: &[(&'static str, String)]) -> Setup {
    let mut environment = vec![
        ("HOME", home.0.path().display().to_string()),
        ("AWS_CONFIG_FILE", home.0.path().join("config").display().to_string()),
    ];
    environment.extend_from_slice(variables);
    Setup { credentials: Some(credentials.to_owned()), environment, ..Setup::default() }
}

/// A home folder.
struct Home(tempfile::TempDir);

impl Home {
    fn new(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("config", config);
        home
    }

    fn write(&self, path: &str, text: &str) -> String {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

/// Has a read and a change go through, and says which key and token they left with.
fn check(setup: Setup, id: &str, token: Option<&str>) -> Gate {
    let gate = Gate::start(setup);
    let alice = gate.client("alice");
    for sent in [Sent::ec2("DescribeInstances"), crate::harness::a_change(1)] {
        let reply = alice.send(&sent);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let arrived = gate.recorder.arrived();
    assert_eq!(arrived.len(), 2);
    for one in &arrived {
        assert_eq!((one.signed_with().as_str(), one.header("x-amz-security-token")), (id, token));
    }
    gate
}
