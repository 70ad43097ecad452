//! What waits is answered by people who are logged in: as themselves, with the role for it, and never for what they ask.
//!
//! Leaves out whose answers count (`rules`) and signatures (`tests/holds/`).

use serde_json::Value;

use super::{PASSWORD, account, ask, gate_with, log_in};
use crate::harness::{Gate, Reply, Sent, said};

const RULES: &str = r#"
@id("four-eyes-on-deletes")
@class("hold")
@reason("`{actor}` would delete `{resource}`, which two of `{owner}` have to want")
@remedy("ask another of `{owner}`")
forbid (principal, action == Action::"delete", resource);
"#;

fn gate() -> Gate {
    gate_with(|setup| setup.model.push(("rules.cedar", RULES.to_owned())))
}

fn terminate(gate: &Gate) -> Reply {
    gate.client("alice").send(&Sent::ec2("TerminateInstances&InstanceId.1=i-0123456789abcdef0"))
}

fn held(gate: &Gate) -> String {
    let reply = terminate(gate);
    reply.header("ordain-hold-id").unwrap_or_else(|| panic!("no hold: {}", reply.text())).to_owned()
}

fn answer(gate: &Gate, id: &str, token: &str, body: &str) -> Reply {
    ask(gate, &format!("POST /v1/holds/{id}/answers"), token, body)
}

#[test]
fn whoever_is_logged_in_approves_what_is_theirs_and_not_their_own() {
    let gate = gate();
    let id = held(&gate);
    let bob = account(&gate, "bob", &["approver"]);
    let carol = account(&gate, "carol", &["viewer", "operator", "admin"]);
    let alice = account(&gate, "alice", &["approver"]);
    let mallory = account(&gate, "mallory", &["approver"]);
    let session = |who: &str, shows: &super::Authenticator| log_in(&gate, who, &shows.code(0));
    let yes = r#"{"approves": true}"#;
    for (token, says) in [
        (session("carol", &carol), "has not the role `approver`"),
        (session("alice", &alice), "`alice` asks for it and cannot approve it"),
        (session("mallory", &mallory), "`mallory` is none of `platform`"),
    ] {
        let listed = ask(&gate, "GET /v1/holds", &token, "");
        assert!(listed.text().contains(&id), "{}", listed.text());
        let refused = answer(&gate, &id, &token, yes);
        assert_eq!(refused.status, 403);
        assert!(refused.text().contains(says), "{}", refused.text());
        // Nor in somebody else's name.
        let borrowed = answer(&gate, &id, &token, r#"{"approves": true, "by": "bob"}"#);
        assert_eq!(borrowed.status, 403, "{}", borrowed.text());
    }
    assert_eq!(terminate(&gate).status, 403);
    let bob = session("bob", &bob);
    let approved = answer(&gate, &id, &bob, yes);
    assert_eq!(approved.status, 200, "{}", approved.text());
    let shown: Value = serde_json::from_slice(&approved.body).unwrap();
    assert_eq!((&shown["state"], &shown["answers"][0]["signed"]), (&"approved".into(), &false.into()));
    assert_eq!(terminate(&gate).status, 200);
    let mut ledger = gate.ledger();
    let told = |entry: &&crate::harness::Entry| entry.text("summary").contains("approved hold");
    let entry = ledger.refresh().iter().find(told).expect("it is in the ledger").clone();
    assert_eq!(entry.text("author"), "bob");
    assert!(entry.text("summary").contains("(password and code)"), "{}", entry.text("summary"));
    let replayed = gate.run(&["replay"]);
    assert!(replayed.status.success(), "{}", said(&replayed));
    gate.finish();
}

/// The whole of it at a keyboard: logged in, shown, asked, approved.
#[test]
fn the_command_line_answers_in_the_name_of_who_is_logged_in() {
    let gate = gate();
    let home = gate.folder.path().join("bobs-home");
    let home = [("HOME", home.to_str().unwrap()), ("XDG_STATE_HOME", home.to_str().unwrap())];
    let bob = account(&gate, "bob", &["approver"]);
    let nobody = gate.run_in(&home, &["hold", "approve", &held(&gate), "--yes"]);
    assert!(said(&nobody).contains("nobody is logged in"), "{}", said(&nobody));
    let given = format!("{PASSWORD}\n{}\n", bob.code(0));
    let logged_in = gate.run_given(&given, &home, &["login", "--as", "bob"]);
    assert!(logged_in.status.success(), "{}", said(&logged_in));
    let token = std::fs::read_to_string(gate.folder.path().join("bobs-home/ordain/session.json")).unwrap();
    let token: Value = serde_json::from_str(&token).unwrap();
    gate.must_not_write(token["token"].as_str().unwrap());
    let id = held(&gate);
    let unread = gate.run_in(&home, &["hold", "approve", &id]);
    assert!(said(&unread).contains("nobody is there to read this"), "{}", said(&unread));
    let approved = gate.run_in(&home, &["hold", "approve", &id, "--yes"]);
    assert!(approved.status.success(), "{}", said(&approved));
    assert!(said(&approved).contains("`bob` approved"), "{}", said(&approved));
    assert_eq!(terminate(&gate).status, 200);
    let again = held(&gate);
    let denied = gate.run_in(&home, &["hold", "deny", &again, "--why", "once is enough"]);
    assert!(denied.status.success(), "{}", said(&denied));
    assert!(terminate(&gate).text().contains("`bob` denied hold"), "it is said in their name");
    gate.finish();
}
