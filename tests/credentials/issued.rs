//! A key that is made through the gate, used by its issued id, and ended by it.
//!
//! Leaves out the real credential of the upstream itself.

use std::time::Duration;

use super::*;
use crate::harness::{Client, Key, Reply, eventually};

const REAL: &str = "AKIAMADEBYTHESTUB000";

/// A gate before an account in which a key can be made; the key as alice was given it.
fn with_a_key() -> (Gate, Key) {
    with_a_key_in(Setup::default())
}

fn with_a_key_in(setup: Setup) -> (Gate, Key) {
    let gate = Gate::start(setup);
    gate.recorder.answer(|one| {
        let text = one.body_text();
        let says = |body: String| {
            Answer::Body(200, format!("<Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">{body}</Response>"))
        };
        if text.contains("Action=CreateAccessKey") {
            return says(format!(
                "<CreateAccessKeyResult><AccessKey><UserName>bob</UserName><AccessKeyId>{REAL}</AccessKeyId>\
                 <Status>Active</Status><SecretAccessKey>the-real-secret-of-the-stub</SecretAccessKey></AccessKey>\
                 </CreateAccessKeyResult>"
            ));
        }
        if text.contains("Action=ListAccessKeys") {
            return says(format!(
                "<ListAccessKeysResult><AccessKeyMetadata><member><AccessKeyId>{REAL}</AccessKeyId></member><member>\
                 <AccessKeyId>AKIAOFSOMEBODYELSE00</AccessKeyId></member></AccessKeyMetadata></ListAccessKeysResult>"
            ));
        }
        says(String::new())
    });
    let made = iam(&gate.client("alice"), "CreateAccessKey&UserName=bob");
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(!made.text().contains(REAL) && !made.text().contains("the-real-secret"), "{}", made.text());
    let between = |start: &str, end: &str| {
        let text = made.text();
        let rest = text.split_once(start).unwrap().1;
        rest.split_once(end).unwrap().0.to_owned()
    };
    let key = Key {
        id: between("<AccessKeyId>", "</AccessKeyId>"),
        secret: between("<SecretAccessKey>", "</SecretAccessKey>"),
    };
    (gate, key)
}

fn iam(client: &Client, call: &str) -> Reply {
    client.send(&Sent::form("iam", &format!("Action={call}&Version=2010-05-08")))
}

fn last(gate: &Gate) -> String {
    gate.recorder.arrived().last().unwrap().body_text()
}

#[test]
fn the_provider_is_asked_about_the_real_key() {
    let (gate, key) = with_a_key();
    let alice = gate.client("alice");
    let used = iam(&alice, &format!("GetAccessKeyLastUsed&AccessKeyId={}", key.id));
    assert_eq!(used.status, 200, "{}", used.text());
    assert_eq!(last(&gate), format!("Action=GetAccessKeyLastUsed&AccessKeyId={REAL}&Version=2010-05-08"));
    let body = format!("Action=GetAccessKeyInfo&AccessKeyId={}&Version=2011-06-15", key.id);
    let info = alice.send(&Sent::form("sts", &body));
    assert_eq!(info.status, 200, "{}", info.text());
    assert_eq!(last(&gate), body.replace(&key.id, REAL));
    let listed = iam(&alice, "ListAccessKeys&UserName=bob");
    assert!(
        listed.complete && listed.text().contains(&key.id) && !listed.text().contains(REAL),
        "{}",
        listed.text()
    );
    assert!(listed.text().contains("AKIAOFSOMEBODYELSE00"));
    gate.finish();
}

/// One thread serves requests, and what is kept of keys cannot be written: who makes or ends a key waits, alone.
#[test]
fn who_makes_or_ends_a_key_waits_for_the_disk_and_nobody_else_does() {
    let one = Setup { environment: vec![("TOKIO_WORKER_THREADS", "1".to_owned())], ..Setup::default() };
    let (gate, key) = with_a_key_in(one);
    let lock = std::fs::File::open(gate.folder.path().join("state/keys.lock")).unwrap();
    for call in ["CreateAccessKey&UserName=bob".to_owned(), format!("DeleteAccessKey&AccessKeyId={}", key.id)]
    {
        lock.lock().unwrap();
        std::thread::scope(|scope| {
            let client = gate.client("alice");
            let waits = scope.spawn(move || iam(&client, &call).status);
            // The provider has answered, and a while after that nothing more is to be done but to write.
            let before = gate.recorder.arrived().len();
            eventually("it left", || gate.recorder.arrived().len() > before || waits.is_finished());
            for _ in 0..20 {
                let read = gate.client("alice").try_send(&Sent::ec2("DescribeInstances"));
                assert_eq!(read.map_or(0, |reply| reply.status), 200, "nobody else waits");
                std::thread::sleep(Duration::from_millis(50));
            }
            assert!(!waits.is_finished(), "answered before it was written");
            lock.unlock().unwrap();
            assert_eq!(waits.join().unwrap(), 200);
        });
    }
    gate.finish();
}

#[test]
fn a_key_rests_wakes_and_ends_with_the_real_one() {
    let (gate, key) = with_a_key();
    let (alice, bob) = (gate.client("alice"), Client::new(gate.address, &key));
    let read = Sent::ec2("DescribeInstances");
    assert_eq!(bob.send(&read).status, 200);
    assert_eq!(gate.recorder.arrived().last().unwrap().signed_with(), REAL);
    for (status, expected) in [("Inactive", "key_inactive"), ("Active", "")] {
        let call = format!("UpdateAccessKey&AccessKeyId={}&Status={status}&UserName=bob", key.id);
        let updated = iam(&alice, &call);
        assert_eq!(updated.status, 200, "{}", updated.text());
        assert_eq!(last(&gate), format!("Action={call}&Version=2010-05-08").replace(&key.id, REAL));
        assert_eq!(bob.send(&read).reason(), expected);
    }
    let deleted = iam(&alice, &format!("DeleteAccessKey&UserName=bob&AccessKeyId={}", key.id));
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(
        last(&gate),
        format!("Action=DeleteAccessKey&UserName=bob&AccessKeyId={REAL}&Version=2010-05-08")
    );
    assert_eq!(bob.send(&read).reason(), "key_revoked");
    let changes: Vec<String> = gate
        .ledger()
        .refresh()
        .iter()
        .filter(|entry| entry.says["what"] == "key" && entry.text("author") == "alice")
        .map(|entry| entry.text("summary").split(',').next().unwrap_or_default().replace(&key.id, "KEY"))
        .collect();
    assert_eq!(changes, ["make inactive KEY", "make active KEY", "revoke KEY"]);
    gate.finish();
}

#[test]
fn another_actors_key_and_one_of_the_gate_are_never_named_to_the_provider() {
    let (gate, key) = with_a_key();
    let before = gate.recorder.arrived().len();
    let own = gate.key("alice").id.clone();
    for (actor, id, reason) in [
        ("robot", key.id.as_str(), "foreign_key"),
        ("mallory", key.id.as_str(), "foreign_key"),
        ("alice", "AKORAAAAAAAAAAAAAAAA", "foreign_key"),
        ("alice", own.as_str(), "key_of_the_gate"),
        ("alice", "%41KORAAAAAAAAAAAAAAAA", "foreign_key"),
    ] {
        let reply = iam(&gate.client(actor), &format!("DeleteAccessKey&UserName=bob&AccessKeyId={id}"));
        assert_eq!((reply.status, reply.reason()), (403, reason), "{}", reply.text());
    }
    let escaped = key.id.replace("AKOR", "%41KOR");
    let reply = iam(&gate.client("alice"), &format!("DeleteAccessKey&UserName=bob&AccessKeyId={escaped}"));
    assert_eq!((reply.status, reply.reason()), (400, "issued_id_misplaced"), "{}", reply.text());
    assert_eq!(gate.recorder.arrived().len(), before);
    assert_eq!(Client::new(gate.address, &key).send(&Sent::ec2("DescribeInstances")).status, 200);
    gate.finish();
}
