//! Waiting for an answer: by the command line, and kept waiting by the gate where it was told to.
//!
//! Leaves out what is approved (`mod.rs`).

use std::thread;
use std::time::Duration;

use super::{Desk, INSTANCE, held};
use crate::harness::{Sent, eventually, said};

#[test]
fn waiting_ends_as_the_hold_does() {
    let desk = Desk::new("", None);
    let id = desk.held("alice");
    let still = desk.gate.run(&["hold", "wait", &id, "--timeout", "1s"]);
    assert_eq!(still.status.code(), Some(3), "{}", said(&still));
    assert!(said(&still).contains("waits for platform"), "{}", said(&still));
    desk.approve(&id, "olivia");
    let approved = desk.gate.run(&["hold", "wait", &id]);
    assert_eq!(approved.status.code(), Some(0), "{}", said(&approved));
    assert!(said(&approved).contains("send the same request again, once"), "{}", said(&approved));
    let other = held(&desk.send("alice", "TerminateInstances&InstanceId.1=i-0123456789abcdef1"));
    desk.gate.run(&["hold", "deny", &other, "--why", "no"]);
    let denied = desk.gate.run(&["hold", "wait", &other]);
    assert_eq!(denied.status.code(), Some(1), "{}", said(&denied));
    let unknown = desk.gate.run(&["hold", "wait", "01999999-0000-7000-8000-000000000001"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", said(&unknown));
    let listed = desk.gate.run(&["hold", "list"]);
    let text = said(&listed);
    assert!(text.contains(&id) && !text.contains(&other), "{text}");
    assert!(text.contains("person `alice`: `ec2:TerminateInstances` on"), "{text}");
    desk.gate.finish();
}

#[test]
fn a_hold_is_shown_with_all_that_it_would_do() {
    let desk = Desk::new("", None);
    let id = desk.held("robot");
    let shown = said(&desk.gate.run(&["hold", "show", &id]));
    for part in [
        "ec2:TerminateInstances (delete)",
        &format!("target ec2:instance arn:aws:ec2:us-east-1:123456789012:instance/{INSTANCE}"),
        &format!("InstanceId.1 = {INSTANCE}"),
        "which two of `platform` have to want",
        "platform: 0 of 1 approvals",
        "may approve: alice, olivia",
        "asked by agent robot",
        "for platform to approve",
    ] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    assert!(!shown.contains("omar"), "who runs it is not among those who may: {shown}");
    desk.gate.finish();
}

/// Kept waiting, whoever asks is answered as if nothing had been in the way.
#[test]
fn serial_whoever_is_kept_waiting_is_answered_once_it_is_approved() {
    let desk = Desk::new("[holds]\npark = \"20s\"\nparked = 2\n", None);
    let client = desk.gate.client("alice");
    let call = format!("TerminateInstances&InstanceId.1={INSTANCE}");
    let sent = Sent::ec2(&call);
    let waiting = thread::spawn(move || client.send(&sent));
    let mut id = String::new();
    eventually("it waits", || {
        let listed = desk.gate.run(&["-o", "json", "hold", "list"]);
        let listed: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap_or_default();
        id = listed.first().and_then(|hold| hold["id"].as_str()).unwrap_or_default().to_owned();
        !id.is_empty()
    });
    assert_eq!(desk.arrived("TerminateInstances"), 0);
    desk.approve(&id, "olivia");
    let reply = waiting.join().unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(desk.arrived("TerminateInstances"), 1);
    desk.settled();
    assert_eq!(desk.state(&id), "used");
    desk.gate.finish();
}

/// Nothing is sent for somebody who has gone, and what waits for them waits on.
#[test]
fn serial_whoever_went_while_they_waited_has_nothing_sent() {
    let desk = Desk::new("[holds]\npark = \"20s\"\nparked = 1\n", None);
    let client = desk.gate.client("alice");
    let (head, body) = client.bytes(&Sent::ec2(&format!("TerminateInstances&InstanceId.1={INSTANCE}")));
    let mut stream = client.connect().unwrap();
    std::io::Write::write_all(&mut stream, &[head, body].concat()).unwrap();
    let mut id = String::new();
    eventually("it waits", || {
        let listed = desk.gate.run(&["-o", "json", "hold", "list"]);
        let listed: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap_or_default();
        id = listed.first().and_then(|hold| hold["id"].as_str()).unwrap_or_default().to_owned();
        !id.is_empty()
    });
    // There is one place, and it is taken: another is told at once.
    let other = desk.send("alice", "TerminateInstances&InstanceId.1=i-0123456789abcdef1");
    held(&other);
    drop(stream);
    thread::sleep(Duration::from_millis(800));
    desk.approve(&id, "olivia");
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(desk.arrived("TerminateInstances"), 0);
    assert_eq!(desk.state(&id), "approved");
    // Who comes back finds it approved.
    assert_eq!(desk.terminate("alice").status, 200);
    assert_eq!(desk.arrived("TerminateInstances"), 1);
    desk.gate.finish();
}
