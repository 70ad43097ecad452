//! Other programs are told what happens to holds: in order, signed, tried again, and never waited for.
//!
//! Leaves out whose answers count (`rules`) and what a message for people says (`holds::notices::slack`).

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::harness::{Answer, Arrived, Gate, Recorder, Reply, Sent, Setup, eventually, said};

/// What holds are signed with, as it stands in the file.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Nobody ends a host before another of its owner has said yes.
const RULES: &str = r#"
@id("owners-agree")
@class("hold")
@reason("`{actor}` would end `{resource}`, which another of `{owner}` has to want")
@remedy("ask another of `{owner}`")
forbid (principal, action == Action::"delete", resource);
"#;

/// How many hosts there are.
const HOSTS: usize = 24;

fn host(number: usize) -> String {
    format!(
        "---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {{name: host-{number}}}\nspec: {{type: \
         \"ec2:instance\", owner: platform, name: \"arn:aws:ec2:us-east-1:123456789012:instance/i-{number:017x}\", \
         identifiers: [i-{number:017x}]}}\n"
    )
}

/// What ends one of them, and waits for its owner.
pub(crate) fn ending(number: usize) -> Sent {
    Sent::ec2(&format!("TerminateInstances&InstanceId.1=i-{number:017x}"))
}

/// A gate whose changes wait, and the key of the owner who answers.
pub(crate) struct Desk {
    pub(crate) gate: Gate,
    key: PathBuf,
    _keys: tempfile::TempDir,
}

impl Desk {
    fn new(settings: String) -> Self {
        Self::with(Setup { settings, ..Setup::default() })
    }

    pub(crate) fn with(mut setup: Setup) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let key = keys.path().join("olivia");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "olivia", "-f"])
            .arg(&key)
            .status();
        assert!(made.expect("OpenSSH is installed").success());
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let olivia = format!(
            "apiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: olivia}}\nspec: {{kind: person, memberOf: [platform], \
             signingKeys: [\"{}\"]}}\n---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: deploy}}\nspec: {{kind: \
             pipeline, memberOf: [platform]}}\n",
            public.trim()
        );
        setup.secrets.extend([SECRET, "hook-secret"]);
        setup.actors.push(("deploy", "pipeline"));
        let hosts: String = (0..HOSTS).map(host).collect();
        setup.model.push(("olivia.yaml", olivia + &hosts));
        setup.model.push(("owners.cedar", RULES.to_owned()));
        setup.files.push(("hook.key", format!("{SECRET}\n")));
        Self { gate: Gate::start(setup), key, _keys: keys }
    }

    /// Opens a hold; its name.
    pub(crate) fn open(&self, actor: &str, number: usize) -> String {
        held(&self.gate.client(actor).send(&ending(number)))
    }

    pub(crate) fn approve(&self, hold: &str) {
        let key = self.key.to_str().unwrap();
        let done = self.gate.run(&["hold", "approve", hold, "--as", "olivia", "--yes", "--key", key]);
        assert!(done.status.success(), "{}", said(&done));
    }

    pub(crate) fn deny(&self, hold: &str) {
        let done = self.gate.run(&["hold", "deny", hold, "--why", "not <now>"]);
        assert!(done.status.success(), "{}", said(&done));
    }

    fn counted(&self, labels: &str) -> u64 {
        let page = self.gate.admin_page("/metrics").1;
        let name = format!("ordain_hold_notices_total{{{labels}}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&name)).map(str::to_owned);
        line.map_or(0, |count| count.parse().unwrap())
    }
}

/// The hold that a refusal names.
pub(crate) fn held(reply: &Reply) -> String {
    assert_eq!(reply.status, 403, "{}", reply.text());
    let hold = reply.header("ordain-hold-id").unwrap_or_else(|| panic!("no hold: {}", reply.text()));
    assert!(reply.text().contains(&format!("`ordain hold wait {hold}`")), "{}", reply.text());
    hold.to_owned()
}

fn hook(server: &Recorder, more: &str) -> String {
    format!(
        "[[holds.webhook]]\nurl = \"http://{}/hook-secret\"\nsecret_file = \"{{folder}}/hook.key\"\n{more}\n",
        server.address
    )
}

/// What was told, once so much was.
fn told(server: &Recorder, many: usize) -> Vec<Arrived> {
    eventually(&format!("{many} are told"), || server.arrived().len() >= many);
    server.arrived()
}

/// The event in a notice whose signature is right.
fn event(notice: &Arrived) -> serde_json::Value {
    assert_eq!(notice.method, "POST");
    assert_eq!(notice.target, "/hook-secret");
    assert_eq!(notice.header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
    verify(notice);
    let event: serde_json::Value = serde_json::from_slice(&notice.body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["source"], "ordain/test");
    assert_eq!(event["id"].as_str(), notice.header("webhook-id"));
    assert_eq!(event["subject"], event["data"]["hold"]);
    assert!(event["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{event}");
    event
}

fn verify(notice: &Arrived) {
    let (id, time) = (notice.header("webhook-id").unwrap(), notice.header("webhook-timestamp").unwrap());
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{time}.{}", notice.body_text()).as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(notice.header("webhook-signature"), Some(signature.as_str()));
    let age = crate::harness::now().as_second() - time.parse::<i64>().unwrap();
    assert!((0..120).contains(&age), "{age} s old");
}

#[test]
fn what_happens_to_holds_is_told_in_order_and_signed() {
    let server = Recorder::start();
    let desk = Desk::new(hook(&server, ""));
    let first = desk.open("deploy", 1);
    desk.approve(&first);
    let second = desk.open("deploy", 2);
    // Whoever sends the same again joins what waits, which is no news.
    assert_eq!(desk.open("deploy", 2), second);
    desk.deny(&second);
    let events: Vec<serde_json::Value> = told(&server, 4).iter().map(event).collect();
    let kinds: Vec<(&str, &str)> = events
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["subject"].as_str().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("ordain.hold.opened", first.as_str()),
            ("ordain.hold.approved", &first),
            ("ordain.hold.opened", &second),
            ("ordain.hold.denied", &second),
        ]
    );
    let data = &events[0]["data"];
    assert_eq!((&data["state"], &data["actor"]), (&"waiting".into(), &"deploy".into()), "{data}");
    assert_eq!(data["owners"], serde_json::json!([{"owner": "platform", "at_least": 1, "by": []}]));
    assert!(data["summary"].as_str().unwrap().contains("ec2:TerminateInstances"), "{data}");
    assert!(
        data["reasons"][0].as_str().unwrap().contains("which another of `platform` has to want"),
        "{data}"
    );
    assert_eq!(
        (&events[1]["data"]["by"], &events[1]["data"]["state"]),
        (&"olivia".into(), &"approved".into())
    );
    assert_eq!(
        (&events[3]["data"]["by"], &events[3]["data"]["why"]),
        (&"the operator's token".into(), &"not <now>".into())
    );
    let ids: std::collections::BTreeSet<&str> =
        events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 4, "each has a name of its own");
    assert_eq!(desk.counted("form=\"cloudevents\",result=\"delivered\""), 4);
    // What is no news to the address is told once: nothing is found untold later.
    assert!(!desk.gate.log().contains("hook-secret"), "the address is a secret");
    desk.gate.finish();
    assert_eq!(server.arrived().len(), 4);
}

#[test]
fn what_is_not_taken_is_tried_again_and_what_is_not_wanted_is_not() {
    let (server, refuses) = (Recorder::start(), Recorder::start());
    let failed = std::sync::atomic::AtomicUsize::new(0);
    server.answer(move |_| match failed.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Answer::Body(500, "not now".to_owned()),
        1 => Answer::Reset,
        _ => Answer::Large(200, 64 << 20),
    });
    refuses.answer(|_| Answer::Body(404, "who?".to_owned()));
    let slack = "form = \"slack\"\non = [\"opened\"]\nowners = [\"platform\"]";
    let desk = Desk::new([hook(&server, ""), hook(&refuses, slack)].concat());
    let hold = desk.open("deploy", 1);
    let notices = told(&server, 3);
    let ids: Vec<&str> = notices.iter().map(|notice| notice.header("webhook-id").unwrap()).collect();
    assert!(ids.iter().all(|id| *id == format!("{hold}-opened")), "{ids:?}");
    notices.iter().for_each(verify);
    eventually("it is counted", || desk.counted("form=\"cloudevents\",result=\"delivered\"") == 1);
    assert_eq!(desk.counted("form=\"cloudevents\",result=\"retried\""), 2);
    desk.approve(&hold);
    told(&server, 4);
    eventually("it is counted", || desk.counted("form=\"slack\",result=\"refused\"") == 1);
    let refused = refuses.arrived();
    assert_eq!(refused.len(), 1, "it was asked for what is opened, and once");
    verify(&refused[0]);
    assert_eq!(refused[0].header("content-type"), Some("application/json"));
    let message: serde_json::Value = serde_json::from_slice(&refused[0].body).unwrap();
    let text = message["text"].as_str().unwrap();
    assert!(text.contains(&format!("`ordain hold approve {hold} --as YOU`")), "{text}");
    desk.gate.finish();
}

#[test]
fn an_address_that_says_nothing_keeps_no_request_and_nobody_else_waiting() {
    let (hangs, server) = (Recorder::start(), Recorder::start());
    hangs.answer(|_| Answer::Never);
    let other = "owners = [\"payments\"]";
    let unasked = Recorder::start();
    let desk = Desk::new([hook(&hangs, ""), hook(&server, ""), hook(&unasked, other)].concat());
    let began = Instant::now();
    for number in 0..20 {
        desk.open("deploy", number);
    }
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    told(&server, 20);
    eventually("it is asked", || !hangs.arrived().is_empty());
    assert_eq!((hangs.arrived().len(), unasked.arrived().len()), (1, 0));
    let stopped = Instant::now();
    desk.gate.finish();
    assert!(stopped.elapsed() < Duration::from_secs(15), "{:?}", stopped.elapsed());
}

#[test]
fn what_was_not_told_when_the_gate_ended_is_told_by_the_next_and_what_was_told_is_not() {
    let server = Recorder::start();
    let mut desk = Desk::new(hook(&server, ""));
    let before = desk.open("deploy", 1);
    told(&server, 1);
    eventually("it is counted", || desk.counted("form=\"cloudevents\",result=\"delivered\"") == 1);
    server.answer(|_| Answer::Body(503, "away".to_owned()));
    let hold = desk.open("deploy", 2);
    told(&server, 2);
    desk.gate.kill();
    server.answer(|_| Answer::well());
    let so_far = server.arrived().len();
    desk.gate.restart();
    let until = Instant::now() + Duration::from_secs(60);
    while server.arrived().len() == so_far && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    eventually("it is counted", || desk.counted("form=\"cloudevents\",result=\"delivered\"") == 1);
    let after: Vec<String> = server
        .arrived()
        .split_off(so_far)
        .iter()
        .map(|one| event(one)["subject"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(after, [hold], "and not `{before}`");
    desk.gate.finish();
}

#[test]
fn a_key_that_cannot_be_read_keeps_the_gate_from_starting_and_a_changed_address_takes_a_restart() {
    let server = Recorder::start();
    let desk = Desk::new(hook(&server, ""));
    desk.gate.edit(|text| text.replace("/hook-secret\"", "/hook-secret-2\""));
    desk.gate.hang_up();
    eventually("it is said", || desk.gate.log().contains("which takes a restart"));
    let log = desk.gate.log();
    assert!(log.contains("holds.webhook") && !log.contains("hook-secret"), "{log}");
    desk.gate.edit(|text| text.replace("hook.key", "none.key"));
    let other = tempfile::tempdir().unwrap();
    let state = [("ORDAIN_STATE", other.path().to_str().unwrap())];
    let ledger = other.path().join("ledger");
    let ran =
        desk.gate.run_in(&[state[0], ("ORDAIN_LEDGER_DIRECTORY", ledger.to_str().unwrap())], &["serve"]);
    assert_eq!(ran.status.code(), Some(2), "{}", said(&ran));
    assert!(said(&ran).contains("none.key` cannot be read"), "{}", said(&ran));
    desk.gate.finish();
}
