//! Holds through the whole gate: asked for, approved with a real key, and done once, with either engine, through races,
//! kills and restarts.
//!
//! Leaves out whose answers count (`rules`), keeping them (`state`), and what each client makes of a hold (`clients.rs`).

mod clients;
mod waiting;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::harness::{Answer, Gate, PostgresServer, Reply, Sent, Setup, eventually, said, skipped, variable};

const INSTANCE: &str = "i-0123456789abcdef0";

/// Whoever deletes anything needs another of its owner, and nobody is asked about starting.
const RULES: &str = r#"
@id("four-eyes-on-deletes")
@class("hold")
@reason("`{actor}` would delete `{resource}`, which two of `{owner}` have to want")
@remedy("ask another of `{owner}`")
forbid (principal, action == Action::"delete", resource);
"#;

/// A gate with two owners who have keys, of whom one runs the robot.
struct Desk {
    gate: Gate,
    keys: tempfile::TempDir,
}

impl Desk {
    fn new(settings: &str, server: Option<&PostgresServer>) -> Self {
        Self::with(settings, server, "", "enforce")
    }

    fn with(settings: &str, server: Option<&PostgresServer>, model: &str, mode: &'static str) -> Self {
        Self::started(settings, model, RULES, |setup| {
            setup.mode = mode;
            if let Some(server) = server {
                setup.settings.push_str(&format!("\n[counted]\npostgres = {:?}\n", server.url()));
            }
        })
    }

    fn started(settings: &str, model: &str, rules: &str, change: impl FnOnce(&mut Setup)) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let person = |name: &str| {
            let key = keys.path().join(name);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
                .arg(&key)
                .status();
            assert!(made.expect("OpenSSH is installed").success());
            let public = fs::read_to_string(key.with_extension("pub")).unwrap();
            format!(
                "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: {name}}}\nspec: {{kind: person, \
                 memberOf: [platform], signingKeys: [\"{}\"]}}\n",
                public.trim()
            )
        };
        let host = format!(
            "---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {{name: host}}\nspec: {{type: \"ec2:instance\", \
             owner: platform, name: \"arn:aws:ec2:us-east-1:123456789012:instance/{INSTANCE}\", identifiers: [{INSTANCE}]}}\n"
        );
        let people = ["olivia", "omar"].map(person).concat() + &host;
        let mut setup = Setup { settings: settings.to_owned(), ..Setup::default() };
        let base = setup.model[0].1.replace(
            "spec: {kind: agent, memberOf: [platform]}",
            "spec: {kind: agent, memberOf: [platform], operators: [omar]}",
        );
        setup.model = vec![
            ("model.yaml", base),
            ("people.yaml", format!("{people}{model}")),
            ("rules.cedar", rules.to_owned()),
        ];
        change(&mut setup);
        Self { gate: Gate::start(setup), keys }
    }

    fn send(&self, actor: &str, call: &str) -> Reply {
        self.gate.client(actor).send(&Sent::ec2(call))
    }

    fn terminate(&self, actor: &str) -> Reply {
        self.send(actor, &format!("TerminateInstances&InstanceId.1={INSTANCE}"))
    }

    /// Sends what waits, and tells as which hold.
    fn held(&self, actor: &str) -> String {
        held(&self.terminate(actor))
    }

    fn try_approve(&self, id: &str, by: &str) -> Output {
        let key = self.keys.path().join(by);
        self.gate.run(&["hold", "approve", id, "--as", by, "--yes", "--key", key.to_str().unwrap()])
    }

    fn approve(&self, id: &str, by: &str) {
        let approved = self.try_approve(id, by);
        assert!(approved.status.success(), "{}", said(&approved));
    }

    fn shown(&self, id: &str) -> Value {
        let shown = self.gate.run(&["-o", "json", "hold", "show", id]);
        assert!(shown.status.success(), "{}", said(&shown));
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        shown[0].clone()
    }

    fn state(&self, id: &str) -> String {
        self.shown(id)["state"].as_str().unwrap().to_owned()
    }

    fn settled(&self) {
        eventually("all that ended is settled", || {
            self.gate.admin_page("/metrics").1.contains("ordain_counted_state_unsettled 0")
        });
    }

    fn arrived(&self, word: &str) -> usize {
        self.gate.recorder.arrived().iter().filter(|one| one.body_text().contains(word)).count()
    }
}

/// As which hold a request waits.
#[track_caller]
fn held(reply: &Reply) -> String {
    assert_eq!(reply.status, 403, "{}", reply.text());
    let id = reply.header("ordain-hold-id").unwrap_or_else(|| panic!("no hold: {}", reply.text()));
    assert!(reply.text().contains(&format!("as hold `{id}`")), "{}", reply.text());
    id.to_owned()
}

fn postgres() -> Option<PostgresServer> {
    let programs = variable("ORDAIN_TEST_POSTGRES").map(PathBuf::from);
    programs.as_deref().and_then(PostgresServer::start).or_else(|| skipped("PostgreSQL"))
}

fn done_once(server: Option<&PostgresServer>) {
    let mut desk = Desk::new("", server);
    let id = desk.held("alice");
    assert_eq!(desk.held("alice"), id, "the same request joins what it waits under");
    assert_eq!(desk.state(&id), "waiting");
    desk.approve(&id, "olivia");
    assert_eq!(desk.state(&id), "approved");
    // What was approved survives a kill.
    desk.gate.kill();
    desk.gate.check_killed();
    desk.gate.restart();
    // What the upstream refused before it did anything is free to repeat, for the same request.
    let refused = "<Response><Errors><Error><Code>IncorrectInstanceState</Code></Error></Errors></Response>";
    desk.gate.recorder.answer(move |_| Answer::Body(400, refused.to_owned()));
    assert_eq!(desk.terminate("alice").status, 400);
    desk.settled();
    desk.gate.recorder.answer(|_| Answer::well());
    let done = desk.terminate("alice");
    assert_eq!(done.status, 200, "{}", done.text());
    desk.settled();
    assert_eq!(desk.state(&id), "used");
    // Whoever wants it once more asks once more, and is not answered by what was said.
    let again = desk.held("alice");
    assert_ne!(again, id);
    assert_eq!(desk.held("alice"), again);
    assert_eq!(desk.state(&id), "used");
    assert_eq!(desk.state(&again), "waiting");
    desk.gate.kill();
    desk.gate.check_killed();
    desk.gate.restart();
    assert_eq!(desk.held("alice"), again);
    assert_eq!(desk.arrived("TerminateInstances"), 2, "the one that was refused, and the one that was not");
    let entries: Vec<String> = desk
        .gate
        .ledger()
        .refresh()
        .iter()
        .filter(|entry| entry.text("what") == "hold")
        .map(|entry| entry.text("summary").split('`').nth(2).unwrap_or_default().trim().to_owned())
        .collect();
    assert_eq!(entries.len(), 3, "{entries:?}");
    let replayed = desk.gate.run(&["replay"]);
    assert!(replayed.status.success(), "{}", said(&replayed));
    desk.gate.finish();
}

#[test]
fn serial_what_waits_is_approved_and_done_once() {
    done_once(None);
}

#[test]
fn serial_what_waits_is_approved_and_done_once_on_postgres() {
    if let Some(server) = postgres() {
        done_once(Some(&server));
    }
}

#[test]
fn what_was_approved_admits_nothing_that_differs() {
    let desk = Desk::new("", None);
    let id = desk.held("alice");
    desk.approve(&id, "olivia");
    let others = [
        ("alice", format!("TerminateInstances&InstanceId.1={INSTANCE}&InstanceId.2=i-0123456789abcdef1")),
        ("alice", "TerminateInstances&InstanceId.1=i-0123456789abcdef1".to_owned()),
        ("alice", format!("TerminateInstances&InstanceId.1={INSTANCE}&Force=true")),
        ("robot", format!("TerminateInstances&InstanceId.1={INSTANCE}")),
    ];
    for (actor, call) in others {
        let reply = desk.send(actor, &call);
        assert_eq!(reply.status, 403, "{actor} {call}");
        assert_ne!(reply.header("ordain-hold-id"), Some(id.as_str()), "{actor} {call}");
    }
    let elsewhere = crate::harness::Client { region: "eu-west-1", ..desk.gate.client("alice") };
    let reply = elsewhere.send(&Sent::ec2(&format!("TerminateInstances&InstanceId.1={INSTANCE}")));
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert_eq!(desk.arrived("TerminateInstances"), 0);
    assert_eq!(desk.terminate("alice").status, 200);
    desk.gate.finish();
}

#[test]
fn nobody_approves_who_may_not() {
    let desk = Desk::new("", None);
    let id = desk.held("robot");
    let nobody = desk.gate.run(&["hold", "approve", &id, "--as", "mallory", "--yes", "--key", "/nowhere"]);
    assert!(said(&nobody).contains("`mallory` is none of `platform`"), "{}", said(&nobody));
    let operator = desk.try_approve(&id, "omar");
    assert!(said(&operator).contains("`omar` runs who asks for it"), "{}", said(&operator));
    // The operator's token is nobody's, whatever name is said beside it.
    let token = fs::read_to_string(desk.gate.folder.path().join("state/admin.token")).unwrap();
    for body in [
        r#"{"approves": true}"#.to_owned(),
        r#"{"approves": true, "by": "olivia"}"#.to_owned(),
        r#"{"approves": true, "by": "olivia", "at": "2026-01-01T00:00:00Z", "signature": "x"}"#.to_owned(),
    ] {
        let (status, text) = post(&desk, &format!("/v1/holds/{id}/answers"), Some(token.trim()), &body);
        assert_eq!(status, 403, "{text}");
    }
    // A no in somebody's name is nobody's to say, whatever is put for a signature.
    for body in [
        r#"{"approves": false, "by": "olivia", "at": "2026-01-01T00:00:00Z", "signature": "x", "why": "no"}"#,
        r#"{"approves": false, "by": "olivia", "why": "no"}"#,
    ] {
        let (status, text) = post(&desk, &format!("/v1/holds/{id}/answers"), Some(token.trim()), body);
        assert!(matches!(status, 400 | 403), "{status} {text}");
    }
    let (status, _) = post(&desk, &format!("/v1/holds/{id}/answers"), None, r#"{"approves": true}"#);
    assert_eq!(status, 401);
    let (status, _) = desk.gate.admin_page("/v1/holds");
    assert_eq!(status, 401);
    assert_eq!(desk.state(&id), "waiting");
    // Somebody else's key under a name that may.
    let key = desk.keys.path().join("omar");
    let borrowed =
        desk.gate.run(&["hold", "approve", &id, "--as", "olivia", "--yes", "--key", key.to_str().unwrap()]);
    assert!(!borrowed.status.success());
    assert!(said(&borrowed).contains("which is none of `signingKeys` of `olivia`"), "{}", said(&borrowed));
    let twice = {
        desk.approve(&id, "olivia");
        desk.try_approve(&id, "olivia")
    };
    assert!(said(&twice).contains("has answered hold"), "{}", said(&twice));
    assert_eq!(desk.terminate("robot").status, 200);
    desk.gate.finish();
}

/// Who can write where answers are kept can make no signature.
#[test]
fn serial_what_is_written_into_the_state_by_hand_approves_nothing() {
    let mut desk = Desk::with(
        "",
        None,
        "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: other}\nspec: {type: team, children: []}\n",
        "enforce",
    );
    let id = desk.held("alice");
    desk.gate.kill();
    desk.gate.check_killed();
    let state = rusqlite::Connection::open(desk.gate.folder.path().join("state/counted.sqlite")).unwrap();
    let uuid: uuid::Uuid = id.parse().unwrap();
    state
        .execute(
            "INSERT INTO answers (hold, by, approves, at, signed, shown, why) VALUES (?1, 'olivia', 1, 1, 1, 'x', '')",
            [uuid.into_bytes()],
        )
        .unwrap();
    drop(state);
    desk.gate.restart();
    assert_eq!(desk.held("alice"), id);
    assert_eq!(desk.state(&id), "waiting");
    desk.gate.finish();
}

fn post(desk: &Desk, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(desk.gate.admin).unwrap();
    let authorization = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {}\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        desk.gate.admin,
        body.len()
    )
    .unwrap();
    let reply = crate::harness::read_reply(&mut stream, false).unwrap();
    (reply.status, reply.text())
}

#[test]
fn whoever_is_denied_is_told_why() {
    let desk = Desk::new("", None);
    let id = desk.held("alice");
    let unread = desk.gate.run(&["hold", "approve", &id, "--as", "olivia", "--key", "/nowhere"]);
    assert!(said(&unread).contains("nobody is there to read this"), "{}", said(&unread));
    let digest = desk.shown(&id)["digest"].as_str().unwrap().to_owned();
    let other = desk.gate.run(&["hold", "approve", &id, "--as", "olivia", "--digest", &"0".repeat(64)]);
    assert!(said(&other).contains(&format!("its digest is `sha256:{digest}`")), "{}", said(&other));
    let silent = desk.gate.run(&["hold", "deny", &id, "--why", " "]);
    assert_eq!(silent.status.code(), Some(2), "{}", said(&silent));
    let denied = desk.gate.run(&["hold", "deny", &id, "--why", "the audit needs it until Monday"]);
    assert!(denied.status.success(), "{}", said(&denied));
    let told = desk.terminate("alice");
    assert_eq!((told.status, told.reason()), (403, "hold_denied"), "{}", told.text());
    assert!(told.text().contains("the audit needs it until Monday"), "{}", told.text());
    let late = desk.try_approve(&id, "olivia");
    assert!(said(&late).contains("waits no more"), "{}", said(&late));
    assert_eq!(desk.arrived("TerminateInstances"), 0);
    desk.gate.finish();
}

#[test]
fn serial_what_may_have_happened_is_not_done_again() {
    let mut desk = Desk::new("", None);
    let id = desk.held("alice");
    desk.approve(&id, "olivia");
    desk.gate.recorder.answer(|_| Answer::Never);
    let client = desk.gate.client("alice");
    let sent = Sent::ec2(&format!("TerminateInstances&InstanceId.1={INSTANCE}"));
    let waiting = thread::spawn(move || drop(client.try_send(&sent)));
    eventually("the change is with the upstream", || desk.arrived("TerminateInstances") == 1);
    let meanwhile = desk.terminate("alice");
    assert!(meanwhile.text().contains("is being carried out"), "{}", meanwhile.text());
    desk.gate.kill();
    desk.gate.check_killed();
    waiting.join().unwrap();
    desk.gate.restart();
    let after = desk.terminate("alice");
    assert_eq!(after.reason(), "hold_used");
    assert_eq!(desk.state(&id), "unknown");
    assert!(after.text().contains("what became of that is not known"), "{}", after.text());
    assert_eq!(desk.arrived("TerminateInstances"), 1);
    desk.gate.finish();
}

/// All at once, and what was approved is done once.
fn raced(server: Option<&PostgresServer>, attempts: usize) {
    let desk = Desk::new("", server);
    let id = desk.held("alice");
    desk.approve(&id, "olivia");
    let admitted = Arc::new(AtomicUsize::new(0));
    let threads = 50;
    let racing: Vec<_> = (0..threads)
        .map(|_| {
            let (client, admitted) = (desk.gate.client("alice"), Arc::clone(&admitted));
            thread::spawn(move || {
                for _ in 0..attempts / threads {
                    let reply =
                        client.send(&Sent::ec2(&format!("TerminateInstances&InstanceId.1={INSTANCE}")));
                    match reply.status {
                        200 => drop(admitted.fetch_add(1, Ordering::Relaxed)),
                        403 => assert!(reply.text().contains("hold"), "{}", reply.text()),
                        status => panic!("{status}: {}", reply.text()),
                    }
                }
            })
        })
        .collect();
    racing.into_iter().for_each(|one| one.join().unwrap());
    assert_eq!(admitted.load(Ordering::Relaxed), 1);
    assert_eq!(desk.arrived("TerminateInstances"), 1);
    desk.settled();
    assert_eq!(desk.state(&id), "used");
    let again = desk.held("alice");
    assert_ne!(again, id);
    let listed = desk.gate.run(&["-o", "json", "hold", "list", "--all"]);
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.len(), 2, "what waits anew waits once");
    desk.gate.finish();
}

#[test]
fn serial_a_thousand_at_once_do_what_was_approved_once() {
    raced(None, 1000);
}

#[test]
fn serial_a_thousand_at_once_do_what_was_approved_once_on_postgres() {
    if let Some(server) = postgres() {
        raced(Some(&server), 1000);
    }
}

/// Two gates that share what is counted: what is approved at one is done at whichever is asked, once.
#[test]
fn serial_two_gates_on_one_server_do_what_was_approved_once() {
    let Some(server) = postgres() else { return };
    // The same people with the same keys at both: a key is a person's, not a gate's.
    let first = Desk::new("", Some(&server));
    let model = fs::read_to_string(first.gate.folder.path().join("model/people.yaml")).unwrap();
    let second = Desk::started("", "", RULES, |setup| {
        setup.settings.push_str(&format!("\n[counted]\npostgres = {:?}\n", server.url()));
        for (name, text) in &mut setup.model {
            if *name == "people.yaml" {
                text.clone_from(&model);
            }
        }
    });
    let id = first.held("alice");
    assert_eq!(second.held("alice"), id, "the same request waits once, wherever it is sent");
    let key = first.keys.path().join("olivia");
    let approve = ["hold", "approve", &id, "--as", "olivia", "--yes", "--key", key.to_str().unwrap()];
    let approved = second.gate.run(&approve);
    assert!(approved.status.success(), "{}", said(&approved));
    assert_eq!(first.state(&id), "approved");
    let racing: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|desk| (0..10).map(|_| desk.gate.client("alice")))
        .map(|client| {
            thread::spawn(move || {
                let sent = Sent::ec2(&format!("TerminateInstances&InstanceId.1={INSTANCE}"));
                (0..5).filter(|_| client.send(&sent).status == 200).count()
            })
        })
        .collect();
    let admitted: usize = racing.into_iter().map(|one| one.join().unwrap()).sum();
    assert_eq!(admitted, 1);
    assert_eq!(first.arrived("TerminateInstances") + second.arrived("TerminateInstances"), 1);
    first.settled();
    second.settled();
    assert_eq!((first.state(&id).as_str(), second.state(&id).as_str()), ("used", "used"));
    first.gate.finish();
    second.gate.finish();
}

/// Whoever approved and thinks better of it says no, as long as it was not sent.
#[test]
fn a_yes_is_taken_back_by_a_no() {
    let desk = Desk::new("", None);
    let id = desk.held("alice");
    desk.approve(&id, "olivia");
    let denied = desk.gate.run(&["hold", "deny", &id, "--why", "not today"]);
    assert!(denied.status.success(), "{}", said(&denied));
    assert_eq!(desk.terminate("alice").reason(), "hold_denied");
    let other = held(&desk.send("alice", "TerminateInstances&InstanceId.1=i-0123456789abcdef1"));
    desk.approve(&other, "olivia");
    assert_eq!(desk.send("alice", "TerminateInstances&InstanceId.1=i-0123456789abcdef1").status, 200);
    desk.settled();
    let late = desk.gate.run(&["hold", "deny", &other, "--why", "not today"]);
    assert!(said(&late).contains("was sent already"), "{}", said(&late));
    desk.gate.finish();
}

/// Nobody is believed under a name that was revoked: what they approved before counts no more, and nothing that they sign.
#[test]
fn an_approval_of_somebody_who_was_revoked_counts_for_nothing() {
    let desk = Desk::new("", None);
    let id = desk.held("alice");
    desk.approve(&id, "olivia");
    let revoked = desk.gate.run(&["actor", "revoke", "olivia"]);
    assert!(revoked.status.success(), "{}", said(&revoked));
    eventually("it is heard of", || desk.state(&id) == "waiting");
    assert_eq!(desk.held("alice"), id);
    assert_eq!(desk.arrived("TerminateInstances"), 0);
    let other = held(&desk.send("alice", "TerminateInstances&InstanceId.1=i-0123456789abcdef1"));
    let refused = desk.try_approve(&other, "olivia");
    assert!(said(&refused).contains("`olivia` is revoked"), "{}", said(&refused));
    desk.approve(&id, "omar");
    assert_eq!(desk.terminate("alice").status, 200);
    desk.gate.finish();
}

/// What was signed long ago is refused and not kept: whoever signed it may sign anew.
#[test]
fn a_signature_of_long_ago_is_refused_and_may_be_made_again() {
    let desk = Desk::new("", None);
    let id = desk.held("alice");
    let key = desk.keys.path().join("olivia");
    let approve = ["hold", "approve", &id, "--as", "olivia", "--yes", "--key", key.to_str().unwrap()];
    let old = desk.gate.run(&[&approve[..], &["--at", "2020-01-01T00:00:00Z"]].concat());
    assert!(said(&old).contains("approve it again, at a time of now"), "{}", said(&old));
    desk.approve(&id, "olivia");
    assert_eq!(desk.terminate("alice").status, 200);
    desk.gate.finish();
}

/// What nobody carried out in time is asked anew.
#[test]
fn what_was_approved_lasts_for_a_time() {
    let desk = Desk::new("[holds]\ngranted = \"1s\"\n", None);
    let id = desk.held("alice");
    desk.approve(&id, "olivia");
    eventually("the approval is over", || desk.state(&id) == "expired");
    let anew = desk.held("alice");
    assert_ne!(anew, id);
    assert_eq!(desk.arrived("TerminateInstances"), 0);
    desk.gate.finish();
}

#[test]
fn in_shadow_nobody_is_asked() {
    let desk = Desk::with("", None, "", "shadow");
    let passed = desk.terminate("alice");
    assert_eq!(passed.status, 200, "{}", passed.text());
    assert_eq!(passed.header("ordain-hold-id"), None);
    let listed = desk.gate.run(&["-o", "json", "hold", "list", "--all"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).trim(), "[]");
    desk.gate.finish();
}

/// What whoever approves cannot read is not theirs to approve.
#[test]
fn what_is_not_bound_to_its_content_is_nobodys_question() {
    let rule = "---\napiVersion: ordain/v1\nkind: Limits\nmetadata: {name: people}\nspec: {actorKind: person, targets: 0, ruling: hold}\n";
    let desk = Desk::with("", None, rule, "enforce");
    let mut put = Sent::s3("PUT", "/a-bucket/an-object", b"what it is");
    put.headers.push(("x-amz-content-sha256", "UNSIGNED-PAYLOAD".to_owned()));
    let reply = desk.gate.client("alice").send(&put);
    assert_eq!(reply.header("ordain-hold-id"), None, "{}", reply.text());
    desk.gate.finish();
}

#[test]
fn what_one_actor_has_waiting_is_limited() {
    let desk = Desk::new("[holds]\nper_actor = 2\n", None);
    let stop = |number: usize| {
        desk.send("alice", &format!("TerminateInstances&InstanceId.1=i-0123456789abcde{number:02}"))
    };
    held(&stop(1));
    held(&stop(2));
    let third = stop(3);
    assert_eq!(third.header("ordain-hold-id"), None);
    assert!(third.text().contains("waits already"), "{}", third.text());
    held(&stop(1));
    desk.gate.finish();
}
