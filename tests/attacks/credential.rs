//! Credentials and signatures by somebody who has a signer of their own: well made, and not to be taken.
//!
//! Leaves out what is changed after signing with ours (`identity.rs`).

use super::attempt::{Attempt, check, passes, sent, stays};
use crate::harness::{Client, Craft, Gate, Setup};

fn stop(client: &Client) -> Craft {
    Craft::form(client, "ec2", "Action=StopInstances&Version=2016-11-15&InstanceId.1=i-0a")
}

fn put(client: &Client) -> Craft {
    Craft::new(client, "s3", "PUT", "/some-bucket/key", b"hello")
}

fn of_another_time(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let minutes = |number: i64| {
        stop(&alice)
            .but(|craft| craft.time = craft.time.checked_add(jiff::Span::new().minutes(number)).unwrap())
    };
    vec![
        stays("signed twenty minutes ago", minutes(-20).bytes()),
        stays("signed for in twenty minutes", minutes(20).bytes()),
        stays("signed a year ago", minutes(-60 * 24 * 365).bytes()),
        stays(
            "the credential is of another day",
            stop(&alice).but(|c| c.day = Some("20200101".to_owned())).bytes(),
        ),
        stays(
            "the credential's day is none",
            stop(&alice).but(|c| c.day = Some("20261399".to_owned())).bytes(),
        ),
    ]
}

fn of_another_place(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let region = |text: &str| stop(&alice).but(|craft| craft.region = text.to_owned()).bytes();
    let service = |text: &str| stop(&alice).but(|craft| craft.service = text.to_owned()).bytes();
    vec![
        stays("a region that builds a host", region("us-east-1.evil.example")),
        stays("a region with an at sign", region("us-east-1@evil.example")),
        stays("a region with a port", region("us-east-1:443")),
        stays("a region in capitals", region("US-EAST-1")),
        stays("a region of another partition", region("cn-north-1")),
        stays("an empty region", region("")),
        stays("a region with a space", region("us-east-1 ")),
        stays("a region that is a path", region("..")),
        stays("a service that is a host", service("ec2.evil.example")),
        stays("a service in capitals", service("EC2")),
        stays("an empty service", service("")),
        stays("another terminator", stop(&alice).but(|c| c.terminator = "aws5_request".to_owned()).bytes()),
    ]
}

fn of_another_kind(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let plain = |name: &str, value: &str| {
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\n{name}: {value}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: 35\r\n\r\nAction=StopInstances&InstanceId.1=i",
            alice.gate
        );
        head.into_bytes()
    };
    let id = &alice.key.id;
    let query = |query: &str| {
        format!("GET /?Action=StopInstances&InstanceId.1=i&{query} HTTP/1.1\r\nhost: {}\r\n\r\n", alice.gate)
            .into_bytes()
    };
    let v2 = format!("AWSAccessKeyId={id}&SignatureVersion=2&SignatureMethod=HmacSHA256&Signature=AAAA");
    let policy = format!(
        "--b\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\nk\r\n--b\r\ncontent-disposition: form-data; \
         name=\"x-amz-credential\"\r\n\r\n{id}/20260101/us-east-1/s3/aws4_request\r\n--b\r\ncontent-disposition: \
         form-data; name=\"policy\"\r\n\r\ne30=\r\n--b\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n"
    );
    let form = format!(
        "POST /some-bucket HTTP/1.1\r\nhost: {}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n{policy}",
        alice.gate,
        policy.len()
    );
    vec![
        stays("Signature Version 2 in the query", query(&v2)),
        stays("Signature Version 2 in a header", plain("authorization", &format!("AWS {id}:AAAA"))),
        stays(
            "Version 3",
            plain(
                "x-amzn-authorization",
                &format!("AWS3 AWSAccessKeyId={id},Algorithm=HmacSHA256,Signature=A"),
            ),
        ),
        stays(
            "Signature Version 4a",
            stop(&alice)
                .but(|c| c.algorithm = "AWS4-ECDSA-P256-SHA256".to_owned())
                .with("x-amz-region-set", "*")
                .bytes(),
        ),
        stays(
            "the algorithm in small letters",
            stop(&alice).but(|c| c.algorithm = "aws4-hmac-sha256".to_owned()).bytes(),
        ),
        stays("a bearer token", plain("authorization", "Bearer abc")),
        stays("basic credentials", plain("authorization", "Basic YTpi")),
        stays("a cookie", plain("cookie", &format!("aws={id}"))),
        stays("no credential", plain("x-nothing", "here")),
        stays("an S3 browser form", form.into_bytes()),
        stays("an access token in the query", query("access_token=abc")),
    ]
}

fn not_covered(gate: &Gate) -> Vec<Attempt> {
    let alice = gate.client("alice");
    let added = |name: &str, value: &str| put(&alice).adding(name, value).bytes();
    let listed = |list: &str| stop(&alice).but(|craft| craft.signed = Some(list.to_owned())).bytes();
    vec![
        stays("an ACL added", added("x-amz-acl", "public-read")),
        stays("a grant added", added("x-amz-grant-full-control", "id=1")),
        stays("a copy source added", added("x-amz-copy-source", "/other/key")),
        stays("governance bypassed", added("x-amz-bypass-governance-retention", "true")),
        stays("tags added", added("x-amz-tagging", "team=mine")),
        stays("a website redirect added", added("x-amz-website-redirect-location", "https://evil.example")),
        stays("an account added", added("x-amz-account-id", "999999999999")),
        stays("a target added", stop(&alice).adding("x-amz-target", "DynamoDB_20120810.DeleteTable").bytes()),
        stays("the host is not signed", listed("content-type;x-amz-date")),
        stays("a signed header named twice", listed("content-type;host;host;x-amz-date")),
        stays("signed headers out of order", listed("x-amz-date;host;content-type")),
        stays("signed headers in capitals", listed("Content-Type;Host;X-Amz-Date")),
        stays("a signed header that is not there", listed("content-type;host;x-amz-acl;x-amz-date")),
        stays("no signed header", listed("")),
        stays(
            "a change whose body is not under the signature",
            stop(&alice).but(|c| c.payload = Some("UNSIGNED-PAYLOAD".to_owned())).bytes(),
        ),
        stays(
            "a hash in capitals",
            put(&alice).but(|c| c.payload = c.payload.take().map(|hash| hash.to_uppercase())).bytes(),
        ),
        stays(
            "an event stream",
            put(&alice).but(|c| c.payload = Some("STREAMING-AWS4-HMAC-SHA256-EVENTS".to_owned())).bytes(),
        ),
        stays("a second date", stop(&alice).adding("x-amz-date", "20260101T000000Z").bytes()),
        stays("a second host", stop(&alice).adding("host", "evil.example").bytes()),
        stays(
            "a second content type",
            stop(&alice).adding("content-type", "application/x-amz-json-1.0").bytes(),
        ),
    ]
}

fn presigned(gate: &Gate) -> Vec<Attempt> {
    let (alice, mallory) = (gate.client("alice"), gate.client("mallory"));
    let get = Craft::new(&alice, "s3", "GET", "/some-bucket/key", b"");
    let url = get.presigned(300);
    let method = |method: &str| get.clone().but(|craft| craft.method = method.to_owned()).by_url(&url);
    let terminate = |client: &Client| {
        Craft::new(
            client,
            "ec2",
            "GET",
            "/?Action=TerminateInstances&InstanceId.1=i-0a&Version=2016-11-15",
            b"",
        )
    };
    let old =
        get.clone().but(|craft| craft.time = craft.time.checked_sub(jiff::Span::new().minutes(10)).unwrap());
    let elsewhere = url.replacen("/some-bucket/key", "/some-bucket/other", 1);
    let signed_too =
        get.head().0.lines().find(|line| line.starts_with("authorization: ")).unwrap()[15..].to_owned();
    vec![
        stays("a URL for GET used for DELETE", method("DELETE")),
        stays("a URL for GET used for PUT", method("PUT")),
        stays("a URL for GET used for HEAD", method("HEAD")),
        stays("a URL for another key", get.by_url(&elsewhere)),
        stays("a URL that has ended", old.by_url(&old.presigned(60))),
        stays("a URL for longer than a week", get.by_url(&get.presigned(604_801))),
        stays("a URL that never ends", get.by_url(&get.presigned(u64::MAX))),
        stays("a URL and a header", get.clone().adding("authorization", &signed_too).by_url(&url)),
        stays("a life given twice", get.by_url(&format!("{url}&X-Amz-Expires=600"))),
        stays("a signature given twice", get.by_url(&format!("{url}&X-Amz-Signature={}", "0".repeat(64)))),
        stays("a subresource added", get.by_url(&format!("{url}&acl"))),
        stays("an ACL added to a URL", get.clone().adding("x-amz-acl", "public-read").by_url(&url)),
        stays("a token added to a URL", get.by_url(&format!("{url}&X-Amz-Security-Token=AAAA"))),
        passes(
            "a stranger's presigned GET that terminates",
            terminate(&mallory).by_url(&terminate(&mallory).presigned(300)),
        ),
        stays("the same, terminating another", {
            let url = terminate(&alice).presigned(300).replacen("i-0a", "i-0b", 1);
            terminate(&alice).by_url(&url)
        }),
    ]
}

#[test]
fn signatures_of_another_time_or_place() {
    check(Setup::default, |gate| {
        [of_another_time(gate), of_another_place(gate)].into_iter().flatten().collect()
    });
}

#[test]
fn credentials_of_another_kind() {
    check(Setup::default, of_another_kind);
}

#[test]
fn what_a_signature_does_not_cover() {
    check(Setup::default, not_covered);
}

#[test]
fn presigned_urls_bent() {
    check(Setup::default, presigned);
}

/// A URL outlives neither its key nor its actor's leaving.
#[test]
fn a_presigned_url_used_after_its_key_was_revoked() {
    let gate = Gate::start(Setup { mode: "shadow", ..Setup::default() });
    let alice = gate.client("alice");
    let get = Craft::new(&alice, "s3", "GET", "/some-bucket/key", b"");
    let url = get.presigned(3_600);
    assert_eq!(sent(&alice, &get.by_url(&url)).unwrap().0, 200, "the URL as it was made");
    assert!(gate.run(&["key", "revoke", &alice.key.id]).status.success());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while sent(&alice, &get.by_url(&url)).unwrap().0 == 200 {
        assert!(std::time::Instant::now() < until, "the running gate never took the revocation up");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let arrived = gate.recorder.arrived().len();
    assert_eq!(sent(&alice, &get.by_url(&url)).unwrap(), (403, "key_revoked".to_owned()));
    assert_eq!(gate.recorder.arrived().len(), arrived);
    gate.finish();
}

/// A presigned GET that terminates is recorded as what it is.
#[test]
fn a_change_in_the_query_of_a_get_is_judged_as_a_change() {
    let gate = Gate::start(Setup { mode: "shadow", ..Setup::default() });
    let mallory = gate.client("mallory");
    let craft = Craft::new(
        &mallory,
        "ec2",
        "GET",
        "/?Action=TerminateInstances&InstanceId.1=i-0a&Version=2016-11-15",
        b"",
    );
    assert_eq!(sent(&mallory, &craft.by_url(&craft.presigned(300))).unwrap().0, 200);
    assert_eq!(sent(&mallory, &craft.bytes()).unwrap().0, 200);
    let mut ledger = gate.ledger();
    let decisions: Vec<_> = ledger.refresh().iter().filter(|entry| entry.is_decision()).cloned().collect();
    assert_eq!(decisions.len(), 2);
    for decision in decisions {
        assert_eq!(decision.operations(), ["ec2:TerminateInstances"]);
        assert_eq!((decision.text("ruling"), decision.text("effect")), ("deny", "shadowed"));
    }
    gate.finish();
}

/// On a listener of our own the host is ours, whatever it is called: where a request goes never comes from it.
#[test]
fn a_host_never_chooses_the_upstream() {
    let gate = Gate::start(Setup::default());
    let alice = gate.client("alice");
    for host in [
        "ec2.us-east-1.amazonaws.com",
        "ec2.eu-west-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com",
        "169.254.169.254",
        "evil.example:80",
        "localhost",
    ] {
        let craft = stop(&alice).but(|craft| craft.host = host.to_owned());
        assert_eq!(sent(&alice, &craft.bytes()).unwrap().0, 200, "{host}");
        let arrived = gate.recorder.arrived();
        assert_eq!(
            arrived.last().unwrap().header("host"),
            Some(&*gate.recorder.address.to_string()),
            "{host}"
        );
    }
    gate.finish();
}
