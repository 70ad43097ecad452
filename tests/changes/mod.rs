//! Changes through the whole gate: approved with a real key, carried out as often as they say, with either engine, through
//! races, kills and restarts.
//!
//! Leaves out what a call of a change says (`rules`), and plans that are carried out by their own tool (`plans.rs`).

mod plans;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jiff::ToSpan as _;

use crate::harness::{
    Answer, Gate, PostgresServer, Reply, Sent, Setup, eventually, now, said, skipped, variable,
};

const INSTANCE: &str = "i-0123456789abcdef0";

/// A pipeline that owns nothing and makes planned changes only, and an owner with a key.
fn people(key: &str) -> String {
    format!(
        "---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: deploy}}\nspec: {{kind: pipeline, memberOf: [payments], \
         onlyPlanned: true}}\n---\napiVersion: ordain/v1\nkind: Actor\nmetadata: {{name: olivia}}\nspec: {{kind: person, \
         memberOf: [platform], signingKeys: [\"{key}\"]}}\n---\napiVersion: backstage.io/v1alpha1\nkind: Resource\n\
         metadata: {{name: host}}\nspec: {{type: \"ec2:instance\", owner: platform, name: \
         \"arn:aws:ec2:us-east-1:123456789012:instance/{INSTANCE}\", identifiers: [{INSTANCE}]}}\n"
    )
}

/// A change of one item for this actor, from an hour ago to in an hour.
fn change(name: &str, kind: &str, more: &str, calls: &str) -> String {
    let now = now();
    let (from, until) = (now - 1.hour(), now + 1.hour());
    format!(
        "---\napiVersion: ordain/v1\nkind: Change\nmetadata: {{name: {name}}}\nspec:\n  type: {kind}\n  why: for the test\n  \
         author: mallory\n  actors: [deploy]\n  from: {from}\n  until: {until}\n  account: \"123456789012\"\n  region: \
         us-east-1\n{more}  items:\n  - id: host\n    type: ec2:instance\n    name: \
         arn:aws:ec2:us-east-1:123456789012:instance/{INSTANCE}\n    identifiers: [{INSTANCE}]\n    calls:\n{calls}"
    )
}

const TERMINATE: &str = "    - {operation: \"ec2:TerminateInstances\", takes: {InstanceId: [{$of: host}]}}\n";

/// A gate with a change, and the key that its owner approves with.
struct Desk {
    gate: Gate,
    key: PathBuf,
    _keys: tempfile::TempDir,
}

impl Desk {
    fn new(change: &str, server: Option<&PostgresServer>) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let key = keys.path().join("olivia");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "olivia", "-f"])
            .arg(&key)
            .status();
        assert!(made.expect("OpenSSH is installed").success());
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let mut setup = Setup::default();
        setup.actors.push(("deploy", "pipeline"));
        setup.model.push(("changes.yaml", format!("{}{change}", people(public.trim()))));
        if let Some(server) = server {
            setup.settings = format!("[counted]\npostgres = {:?}\n", server.url());
        }
        Self { gate: Gate::start(setup), key, _keys: keys }
    }

    fn approve(&self, name: &str) {
        changes_model(
            &self.gate,
            &["change", "approve", name, "--as", "olivia", "--key", self.key.to_str().unwrap()],
        );
    }

    fn send(&self, call: &str) -> Reply {
        self.gate.client("deploy").send(&Sent::ec2(call))
    }

    fn terminate(&self) -> Reply {
        self.send(&format!("TerminateInstances&InstanceId.1={INSTANCE}"))
    }

    /// How often each call was carried out, as the command line tells it.
    fn used(&self, name: &str) -> Vec<u64> {
        let shown = self.gate.run(&["-o", "json", "change", "show", name]);
        assert!(shown.status.success(), "{}", said(&shown));
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
        let calls =
            shown["items"].as_array().unwrap().iter().flat_map(|item| item["calls"].as_array().unwrap());
        calls.filter_map(|call| call["used"].as_u64()).collect()
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

/// Runs a verb that changes the model, and waits until the running gate has taken that up.
fn changes_model(gate: &Gate, arguments: &[&str]) {
    let model = || {
        let page = gate.admin_page("/metrics").1;
        page.lines().find(|line| line.starts_with("ordain_model_info")).map(str::to_owned)
    };
    let before = model();
    assert!(before.is_some(), "the gate says which model it has");
    let done = gate.run(arguments);
    assert!(done.status.success(), "{}", said(&done));
    eventually("the model is taken up", || model() != before);
}

fn postgres() -> Option<PostgresServer> {
    let programs = variable("ORDAIN_TEST_POSTGRES").map(PathBuf::from);
    programs.as_deref().and_then(PostgresServer::start).or_else(|| skipped("PostgreSQL"))
}

fn carried_out_once(server: Option<&PostgresServer>) {
    let mut desk = Desk::new(&change("host-goes", "normal", "", TERMINATE), server);
    let waiting = desk.terminate();
    assert_eq!(waiting.status, 403, "{}", waiting.text());
    assert!(waiting.text().contains("is not approved by all whose it is"), "{}", waiting.text());
    let reads = desk.gate.client("deploy").send(&Sent::ec2("DescribeInstances"));
    assert_ne!(reads.reason(), "unplanned", "what reads needs no plan");
    desk.approve("host-goes");
    let refused = "<Response><Errors><Error><Code>IncorrectInstanceState</Code></Error></Errors></Response>";
    desk.gate.recorder.answer(move |_| Answer::Body(400, refused.to_owned()));
    assert_eq!(desk.terminate().status, 400);
    desk.settled();
    assert_eq!(desk.used("host-goes"), [1], "it stands for the same request, or another that was planned");
    desk.gate.recorder.answer(|_| Answer::well());
    assert_eq!(
        desk.terminate().status,
        200,
        "what the upstream refused before it did anything is free to repeat"
    );
    desk.settled();
    for _ in 0..2 {
        let again = desk.terminate();
        assert_eq!(again.status, 403, "{}", again.text());
        assert!(
            again.text().contains("was carried out already, as often as it may be (1)"),
            "{}",
            again.text()
        );
        desk.gate.kill();
        desk.gate.check_killed();
        desk.gate.restart();
    }
    assert_eq!(desk.used("host-goes"), [1]);
    let other =
        desk.send(&format!("TerminateInstances&InstanceId.1={INSTANCE}&InstanceId.2=i-0123456789abcdef9"));
    assert!(other.text().contains("`InstanceId=i-0123456789abcdef9` was not planned"), "{}", other.text());
    desk.gate.finish();
}

#[test]
fn serial_an_approved_change_is_carried_out_once() {
    carried_out_once(None);
}

#[test]
fn serial_an_approved_change_is_carried_out_once_on_postgres() {
    if let Some(server) = postgres() {
        carried_out_once(Some(&server));
    }
}

/// All at once, and the one use there is is used once.
fn raced(server: Option<&PostgresServer>, attempts: usize) {
    let desk = Desk::new(&change("host-goes", "normal", "", TERMINATE), server);
    desk.approve("host-goes");
    let admitted = Arc::new(AtomicUsize::new(0));
    let threads = 50;
    let racing: Vec<_> = (0..threads)
        .map(|_| {
            let (client, admitted) = (desk.gate.client("deploy"), Arc::clone(&admitted));
            thread::spawn(move || {
                for _ in 0..attempts / threads {
                    let reply =
                        client.send(&Sent::ec2(&format!("TerminateInstances&InstanceId.1={INSTANCE}")));
                    match reply.status {
                        200 => drop(admitted.fetch_add(1, Ordering::Relaxed)),
                        403 => assert!(reply.text().contains("host-goes"), "{}", reply.text()),
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
    assert_eq!(desk.used("host-goes"), [1]);
    desk.gate.finish();
}

#[test]
fn serial_a_thousand_at_once_carry_out_what_may_be_done_once_once() {
    raced(None, 1000);
}

#[test]
fn serial_a_thousand_at_once_carry_out_what_may_be_done_once_once_on_postgres() {
    if let Some(server) = postgres() {
        raced(Some(&server), 1000);
    }
}

#[test]
fn serial_what_may_have_happened_is_not_done_again() {
    let mut desk = Desk::new(&change("host-goes", "normal", "", TERMINATE), None);
    desk.approve("host-goes");
    desk.gate.recorder.answer(|_| Answer::Never);
    let client = desk.gate.client("deploy");
    let sent = Sent::ec2(&format!("TerminateInstances&InstanceId.1={INSTANCE}"));
    let waiting = thread::spawn(move || drop(client.try_send(&sent)));
    eventually("the change is with the upstream", || desk.arrived("TerminateInstances") == 1);
    let meanwhile = desk.terminate();
    assert!(meanwhile.text().contains("is being carried out by the same request"), "{}", meanwhile.text());
    desk.gate.kill();
    desk.gate.check_killed();
    waiting.join().unwrap();
    desk.gate.restart();
    let after = desk.terminate();
    assert!(after.text().contains("what became of that is not known"), "{}", after.text());
    assert_eq!(desk.arrived("TerminateInstances"), 1);
    desk.gate.finish();
}

#[test]
fn a_standard_change_is_carried_out_as_often_as_it_says() {
    let desk = Desk::new(
        &change(
            "restart",
            "standard",
            "  uses: 3\n",
            "    - {operation: \"ec2:RebootInstances\", takes: {InstanceId: [{$of: host}]}}\n",
        ),
        None,
    );
    desk.approve("restart");
    let restart = format!("RebootInstances&InstanceId.1={INSTANCE}");
    for _ in 0..3 {
        assert_eq!(desk.send(&restart).status, 200);
    }
    let fourth = desk.send(&restart);
    assert!(fourth.text().contains("as often as it may be (3)"), "{}", fourth.text());
    desk.settled();
    assert_eq!(desk.used("restart"), [3]);
    desk.gate.finish();
}

/// What an answer says was created is the item, and what anybody says it is not.
#[test]
fn serial_an_item_is_what_the_upstream_says_was_created_for_it() {
    let calls = "    - {operation: \"ec2:CreateVolume\", creates: true, takes: {AvailabilityZone: us-east-1a, Size: 8}}\n    \
                 - {operation: \"ec2:DeleteVolume\", takes: {VolumeId: {$of: disk}}}\n";
    let text = change("disk", "normal", "", calls)
        .replace("id: host", "id: disk")
        .replace(&format!("    name: arn:aws:ec2:us-east-1:123456789012:instance/{INSTANCE}\n"), "")
        .replace(&format!("    identifiers: [{INSTANCE}]\n"), "");
    let mut desk = Desk::new(&text, None);
    desk.approve("disk");
    let delete = |id: &str| format!("DeleteVolume&VolumeId={id}");
    let mine = "vol-00000000000000001";
    let early = desk.send(&delete(mine));
    assert!(early.text().contains(&format!("`VolumeId={mine}` was not planned")), "{}", early.text());
    let made = format!("<CreateVolumeResponse><volumeId>{mine}</volumeId></CreateVolumeResponse>");
    desk.gate.recorder.answer(move |_| Answer::Body(200, made.clone()));
    let create = desk.send("CreateVolume&AvailabilityZone=us-east-1a&Size=8");
    assert_eq!(create.status, 200, "{}", create.text());
    // A start reads it from the ledger.
    desk.gate.kill();
    desk.gate.check_killed();
    desk.gate.restart();
    let foreign = desk.send(&delete("vol-00000000000000002"));
    assert!(foreign.text().contains("was not planned"), "{}", foreign.text());
    assert_eq!(desk.send(&delete(mine)).status, 200);
    desk.gate.finish();
}

#[test]
fn a_change_is_listed_shown_and_withdrawn() {
    let desk = Desk::new(&change("host-goes", "normal", "  ticket: CHG0042\n", TERMINATE), None);
    let gate = &desk.gate;
    let shown = said(&gate.run(&["change", "show", "host-goes"]));
    for part in [
        "normal change `host-goes`: for the test",
        "CHG0042",
        "ec2:TerminateInstances",
        "InstanceId.1 = what `host` is known by",
        "approved by nobody; 0 of 1 calls are carried out",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let own = gate.run(&["change", "approve", "host-goes", "--as", "mallory", "--key", "nowhere"]);
    assert_eq!(own.status.code(), Some(2), "{}", said(&own));
    desk.approve("host-goes");
    let listed = said(&gate.run(&["change", "list"]));
    assert!(
        listed.contains("olivia") && listed.contains("0 of 1") && listed.contains("open until"),
        "{listed}"
    );
    let unknown = gate.run(&["change", "show", "other"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        said(&unknown).contains("there is no change `other`; there are `host-goes`"),
        "{}",
        said(&unknown)
    );
    let withdrawn = gate.run(&["change", "withdraw", "host-goes"]);
    assert!(withdrawn.status.success(), "{}", said(&withdrawn));
    assert!(!desk.gate.folder.path().join("model/approvals/host-goes-olivia.yaml").exists());
    let listed = gate.run(&["-o", "json", "change", "list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).trim(), "[]");
    desk.gate.finish();
}

/// What is planned several times is done as often, and not once more: whichever of them is left.
#[test]
fn serial_the_same_planned_several_times_is_done_as_often() {
    let desk = Desk::new(&change("host-goes", "normal", "", &TERMINATE.repeat(7)), None);
    desk.approve("host-goes");
    let ended: Vec<u16> = (0..9).map(|_| desk.terminate().status).collect();
    assert_eq!(ended, [200, 200, 200, 200, 200, 200, 200, 403, 403]);
    desk.settled();
    assert_eq!(desk.used("host-goes"), [1; 7]);
    desk.gate.finish();
}

/// What was refused is in the ledger, and what is in the ledger can be planned.
#[test]
fn serial_a_request_of_the_ledger_is_planned_and_approved_as_it_was() {
    let desk = Desk::new("", None);
    let stop = |more: &str| desk.send(&format!("StopInstances&InstanceId.1={INSTANCE}{more}"));
    assert_eq!(stop("").status, 403);
    let listed = desk.gate.run(&["-o", "json", "ledger", "query", "--operation", "ec2:StopInstances"]);
    let record = desk.gate.folder.path().join("record.json");
    fs::write(&record, listed.stdout).unwrap();
    let told = ["--name", "stop-it", "--why", "it is too warm", "--author", "mallory", "--actor", "deploy"];
    let import = ["change", "import", "request", record.to_str().unwrap()].into_iter().chain(told);
    changes_model(&desk.gate, &import.collect::<Vec<_>>());
    desk.approve("stop-it");
    let other = stop("&Force=true");
    assert!(other.text().contains("`Force=true` was not planned"), "{}", other.text());
    assert_eq!(stop("").status, 200);
    assert!(stop("").text().contains("was carried out already"));
    desk.gate.finish();
}

/// A change set is carried out by its identifier, once: another of its name is another.
#[test]
fn serial_a_change_set_is_carried_out_as_it_was_described() {
    let desk = Desk::new("", None);
    let stack =
        "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/0a1b2c3d-0000-1111-2222-333344445555";
    let set = |id: &str| format!("arn:aws:cloudformation:us-east-1:123456789012:changeSet/wider/{id}");
    let described = serde_json::json!({
        "ChangeSetName": "wider", "ChangeSetId": set("0a"), "StackId": stack, "StackName": "shop",
        "Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE",
        "Changes": [{"Type": "Resource", "ResourceChange": {"Action": "Add", "LogicalResourceId": "Queue", "ResourceType": "AWS::SQS::Queue"}}],
    });
    let file = desk.gate.folder.path().join("set.json");
    fs::write(&file, described.to_string()).unwrap();
    let told = ["--name", "shop-wider", "--why", "a queue more", "--author", "mallory", "--actor", "deploy"];
    let import = ["change", "import", "cloudformation", file.to_str().unwrap()].into_iter().chain(told);
    changes_model(&desk.gate, &import.collect::<Vec<_>>());
    desk.approve("shop-wider");
    let execute = |id: &str| {
        let form =
            format!("Action=ExecuteChangeSet&Version=2010-05-15&StackName={stack}&ChangeSetName={}", set(id));
        desk.gate
            .client("deploy")
            .send(&Sent::form("cloudformation", &form.replace(':', "%3A").replace('/', "%2F")))
    };
    let other = execute("0b");
    assert!(other.text().contains("was not planned"), "{}", other.text());
    let done = execute("0a");
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(execute("0a").text().contains("was carried out already"));
    desk.gate.finish();
}
