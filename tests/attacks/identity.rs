//! Requests with a credential that is not quite one: replayed, re-timed, changed after signing, for another region
//! or host, revoked.
//!
//! Leaves out framing (`raw.rs`).

use std::io::Write;

use crate::harness::{Client, Gate, Key, Reply, Sent, Setup, a_change, read_reply};

fn gate() -> Gate {
    Gate::start(Setup::default())
}

/// Sends bytes as they are.
fn raw(client: &Client, head: &str, body: &[u8]) -> Reply {
    let mut stream = client.connect().unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    read_reply(&mut stream, false).expect("the gate answers")
}

/// A signed change, altered after it was signed, must reach nothing.
#[track_caller]
fn check(alter: impl Fn(String, Vec<u8>) -> (String, Vec<u8>)) {
    let gate = gate();
    let client = gate.client("alice");
    assert_eq!(client.send(&a_change(1)).status, 200, "the change as it was signed is admitted");
    let (head, body) = client.bytes(&a_change(2));
    let (head, body) = alter(String::from_utf8(head).unwrap(), body);
    let reply = raw(&client, &head, &body);
    assert!(matches!(reply.status, 400 | 403 | 421), "{}: {}", reply.status, reply.text());
    assert_eq!(gate.recorder.arrived().len(), 1, "only the change as it was signed arrived");
    gate.finish();
}

#[test]
fn a_body_changed_after_signing() {
    check(|head, body| {
        (head, String::from_utf8(body).unwrap().replace("StopInstances", "RunsInstances").into_bytes())
    });
}

#[test]
fn a_target_changed_after_signing() {
    check(|head, body| (head.replacen("POST / ", "POST /?Action=TerminateInstances ", 1), body));
}

#[test]
fn a_signature_with_one_digit_changed() {
    check(|head, body| {
        let at = head.find("Signature=").unwrap() + 10;
        let digit = if &head[at..=at] == "0" { "1" } else { "0" };
        (format!("{}{digit}{}", &head[..at], &head[at + 1..]), body)
    });
}

#[test]
fn a_time_changed_after_signing() {
    check(|head, body| {
        let at = head.find("x-amz-date: ").unwrap() + 12;
        (format!("{}20200101T000000Z{}", &head[..at], &head[at + 16..]), body)
    });
}

#[test]
fn a_host_changed_after_signing() {
    check(|head, body| {
        let host = head.lines().find(|line| line.starts_with("host: ")).unwrap().to_owned();
        (head.replace(&host, "host: ec2.us-east-1.amazonaws.com"), body)
    });
}

#[test]
fn a_content_type_changed_after_signing() {
    check(|head, body| (head.replace("x-www-form-urlencoded", "x-amz-json-1.0"), body))
}

#[test]
fn another_access_key_over_the_same_signature() {
    check(|head, body| {
        let at = head.find("Credential=").unwrap() + 11;
        let end = at + head[at..].find('/').unwrap();
        (format!("{}AKIAAAAAAAAAAAAAAAAA{}", &head[..at], &head[end..]), body)
    });
}

#[test]
fn a_second_authorization() {
    check(|head, body| {
        let line = head.lines().find(|line| line.starts_with("authorization: ")).unwrap().to_owned();
        (head.replacen(&line, &format!("{line}\r\n{line}"), 1), body)
    });
}

#[test]
fn a_second_way_to_say_who_asks() {
    check(|head, body| (head.replacen("POST / ", "POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 ", 1), body));
}

#[test]
fn a_security_token_put_beside_a_lasting_key() {
    check(|head, body| (head.replacen("\r\n", "\r\nx-amz-security-token: AAAA\r\n", 1), body));
}

/// A request that is signed well, by a key or for a scope that must not do.
#[track_caller]
fn check_signed(change: impl Fn(&mut Client, &mut Sent)) {
    let gate = gate();
    let mut client = gate.client("alice");
    let mut sent = a_change(2);
    change(&mut client, &mut sent);
    let reply = client.send(&sent);
    assert!(matches!(reply.status, 400 | 403 | 421), "{}: {}", reply.status, reply.text());
    assert!(gate.recorder.arrived().is_empty(), "nothing arrived");
    gate.finish();
}

#[test]
fn a_key_that_was_never_issued() {
    check_signed(|client, _| {
        client.key = Key { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: client.key.secret.clone() };
    });
}

#[test]
fn the_real_key_of_the_upstream() {
    check_signed(|client, _| {
        let real = Setup::default().real;
        client.key = Key { id: real.0, secret: real.1 };
    });
}

/// Our own signer signs for no such region; whoever attacks has one that does.
fn with_region(region: &'static str) {
    check(move |head, body| (head.replacen("/us-east-1/", &format!("/{region}/"), 1), body));
}

#[test]
fn a_region_that_would_build_another_host() {
    with_region("us-east-1.evil.example");
}

#[test]
fn a_region_that_is_a_path() {
    with_region("..%2f..%2f");
}

#[test]
fn a_region_that_is_none() {
    check_signed(|client, _| client.region = "us-nowhere-7");
}

#[test]
fn a_signing_name_for_another_service_than_the_call() {
    check_signed(|_, sent| sent.service = "s3");
}

#[test]
fn a_signing_name_that_is_none() {
    check_signed(|_, sent| sent.service = "evil");
}

#[test]
fn an_action_given_twice() {
    check_signed(|_, sent| sent.body.extend_from_slice(b"&Action=DescribeInstances"));
}

#[test]
fn an_action_in_the_query_and_another_in_the_body() {
    check_signed(|_, sent| sent.target = "/?Action=DescribeInstances&Version=2016-11-15".to_owned());
}

#[test]
fn two_markers_of_two_protocols() {
    check_signed(|_, sent| sent.headers.push(("x-amz-target", "DynamoDB_20120810.ListTables".to_owned())));
}

#[test]
fn a_method_override() {
    check_signed(|_, sent| sent.headers.push(("x-http-method-override", "DELETE".to_owned())));
}

#[test]
fn an_encoding_that_hides_the_body() {
    check_signed(|_, sent| sent.headers.push(("content-encoding", "br".to_owned())));
}

#[test]
fn a_form_in_another_charset() {
    check_signed(|_, sent| {
        sent.headers = vec![("content-type", "application/x-www-form-urlencoded; charset=utf-7".to_owned())];
    });
}

#[test]
fn an_operation_that_does_not_exist() {
    check_signed(|_, sent| *sent = Sent::ec2("DescribeEverythingAndDeleteIt"));
}

#[test]
fn a_revoked_key_is_refused_from_the_next_request_on() {
    let gate = gate();
    let client = gate.client("alice");
    assert_eq!(client.send(&a_change(1)).status, 200);
    let revoked = gate.run(&["key", "revoke", &gate.key("alice").id]);
    assert!(revoked.status.success(), "{}", crate::harness::said(&revoked));
    // The running gate takes up what another process changed within a moment.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let mut last = client.send(&Sent::ec2("DescribeInstances"));
    while last.status == 200 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(100));
        last = client.send(&Sent::ec2("DescribeInstances"));
    }
    assert_eq!(last.status, 403, "{}", last.text());
    assert_eq!(client.send(&a_change(2)).status, 403);
    gate.finish();
}
