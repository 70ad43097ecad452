//! What is counted once, through the whole gate: budgets hold through restarts and kills, with either engine, and what
//! cannot be counted is refused.
//!
//! Leaves out the engines alone, whose suite stands beside them (`proxy/src/state/tests/`).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Answer, Gate, PostgresServer, Reply, Sent, Setup, eventually, said, skipped, variable};

/// Instances that the team of the harness owns, and that its agent may delete.
fn instances() -> String {
    let one = |number: usize| {
        format!(
            "---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata: {{name: i-{number}}}\nspec:\n  \
             type: ec2:instance\n  owner: platform\n  name: arn:aws:ec2:us-east-1:123456789012:instance/{}\n",
            id(number)
        )
    };
    (0..60).map(one).collect()
}

fn id(number: usize) -> String {
    format!("i-{number:017x}")
}

fn budget(limit: u64) -> String {
    format!(
        "---\napiVersion: ordain/v1\nkind: Budget\nmetadata: {{name: agent-deletes}}\nspec: {{actorKinds: [agent], \
         access: [delete], within: 1h, limit: {limit}}}\n"
    )
}

fn setup(limit: u64, server: Option<&PostgresServer>) -> Setup {
    let mut setup = Setup::default();
    setup.model.push(("budgets.yaml", format!("{}{}", instances(), budget(limit))));
    if let Some(server) = server {
        setup.settings = format!("[counted]\npostgres = {:?}\n", server.url());
    }
    setup
}

fn postgres() -> Option<PostgresServer> {
    let programs = variable("ORDAIN_TEST_POSTGRES").map(PathBuf::from);
    programs.as_deref().and_then(PostgresServer::start).or_else(|| skipped("PostgreSQL"))
}

fn delete(number: usize) -> Sent {
    Sent::ec2(&format!("TerminateInstances&InstanceId.1={}", id(number)))
}

fn robot_deletes(gate: &Gate, number: usize) -> Reply {
    gate.client("robot").send(&delete(number))
}

/// How much of the budget is used, as the command line tells it beside the running gate.
fn used(gate: &Gate) -> u64 {
    let listed = gate.run(&["-o", "json", "budget", "list"]);
    assert!(listed.status.success(), "{}", said(&listed));
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    listed[0]["used"].as_u64().unwrap()
}

fn settled(gate: &Gate) {
    eventually("all that ended is settled", || {
        gate.admin_page("/metrics").1.contains("ordain_counted_state_unsettled 0")
    });
}

fn held_through_restarts_and_kills(server: Option<&PostgresServer>) {
    let mut gate = Gate::start(setup(3, server));
    assert_eq!(robot_deletes(&gate, 1).status, 200);
    assert_eq!(robot_deletes(&gate, 2).status, 200);
    settled(&gate);
    gate.kill();
    gate.check_killed();
    gate.restart();
    assert_eq!(robot_deletes(&gate, 3).status, 200);
    for _ in 0..2 {
        let fourth = robot_deletes(&gate, 4);
        assert_eq!((fourth.status, fourth.reason()), (403, "budget_exceeded"), "{}", fourth.text());
        let text = fourth.text();
        assert!(text.contains("<Code>UnauthorizedOperation</Code>"), "native: {text}");
        assert!(
            text.contains(
                "has used 3 of 3 changes within 1h (budget `agent-deletes`), and this takes 1 more"
            ),
            "{text}"
        );
        assert!(gate.stop());
        gate.restart();
    }
    assert_eq!(used(&gate), 3);
    // It is the agent's budget, and it is about deletes.
    assert_eq!(gate.client("alice").send(&delete(5)).status, 200);
    let start = Sent::ec2(&format!("StartInstances&InstanceId.1={}", id(6)));
    assert_ne!(gate.client("robot").send(&start).reason(), "budget_exceeded");
    let changes = gate.recorder.arrived().into_iter().filter(|one| one.body_text().contains("Terminate"));
    assert_eq!(changes.count(), 4);
    gate.finish();
}

#[test]
fn serial_a_budget_is_held_through_restarts_and_kills() {
    held_through_restarts_and_kills(None);
}

#[test]
fn serial_a_budget_is_held_through_restarts_and_kills_on_postgres() {
    if let Some(server) = postgres() {
        held_through_restarts_and_kills(Some(&server));
    }
}

/// What the upstream refused is given back, and what may have happened is not; nor by a start after a kill, which asks
/// the ledger.
fn settled_by_its_outcome(server: Option<&PostgresServer>) {
    let mut gate = Gate::start(setup(4, server));
    let error =
        |code: &str| format!("<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>");
    let refused = error("IncorrectInstanceState");
    gate.recorder.answer(move |_| Answer::Body(400, refused.clone()));
    assert_eq!(robot_deletes(&gate, 1).status, 400);
    settled(&gate);
    assert_eq!(used(&gate), 0, "the upstream refused it before it did anything");
    let refused = error("OperationNotPermitted");
    gate.recorder.answer(move |_| Answer::Body(400, refused.clone()));
    let two = format!("TerminateInstances&InstanceId.1={}&InstanceId.2={}", id(1), id(2));
    assert_eq!(gate.client("robot").send(&Sent::ec2(&two)).status, 400);
    settled(&gate);
    assert_eq!(used(&gate), 1, "one of two may be gone before the other was refused");
    let broken = error("InternalError");
    gate.recorder.answer(move |_| Answer::Body(500, broken.clone()));
    assert_eq!(robot_deletes(&gate, 1).status, 500);
    settled(&gate);
    assert_eq!(used(&gate), 2, "it may have happened");
    gate.recorder.answer(|_| Answer::Never);
    let client = gate.client("robot");
    let waiting = thread::spawn(move || drop(client.try_send(&delete(5))));
    let arrived = || gate.recorder.arrived().iter().any(|one| one.body_text().contains(&id(5)));
    eventually("the change is with the upstream", arrived);
    gate.kill();
    gate.check_killed();
    waiting.join().unwrap();
    gate.restart();
    assert!(gate.log().contains("settling from the ledger"), "{}", gate.log());
    assert_eq!(used(&gate), 3, "nobody knows what became of it");
    gate.recorder.answer(|_| Answer::well());
    assert_eq!(robot_deletes(&gate, 3).status, 200);
    assert_eq!(robot_deletes(&gate, 4).reason(), "budget_exceeded");
    gate.finish();
}

#[test]
fn serial_a_reservation_is_settled_by_its_outcome() {
    settled_by_its_outcome(None);
}

#[test]
fn serial_a_reservation_is_settled_by_its_outcome_on_postgres() {
    if let Some(server) = postgres() {
        settled_by_its_outcome(Some(&server));
    }
}

/// All at once, at one gate or at several that share what they count: the limit and no more.
fn race(gates: &[&Gate], attempts: usize) -> usize {
    let admitted = Arc::new(AtomicUsize::new(0));
    let racing: Vec<_> = (0..attempts)
        .map(|number| {
            let (client, admitted) = (gates[number % gates.len()].client("robot"), Arc::clone(&admitted));
            thread::spawn(move || {
                let reply = client.send(&delete(number % 60));
                match (reply.status, reply.reason()) {
                    (200, _) => drop(admitted.fetch_add(1, Ordering::Relaxed)),
                    (403, "budget_exceeded") => {}
                    (status, reason) => panic!("{status} {reason}: {}", reply.text()),
                }
            })
        })
        .collect();
    racing.into_iter().for_each(|one| one.join().unwrap());
    admitted.load(Ordering::Relaxed)
}

#[test]
fn a_race_takes_a_budget_to_its_limit_and_no_further() {
    let gate = Gate::start(setup(10, None));
    assert_eq!(race(&[&gate], 60), 10);
    assert_eq!(used(&gate), 10);
    gate.finish();
}

#[test]
fn gates_that_share_a_server_share_their_budgets() {
    let Some(server) = postgres() else { return };
    let gates = [Gate::start(setup(10, Some(&server))), Gate::start(setup(10, Some(&server)))];
    assert_eq!(race(&[&gates[0], &gates[1]], 60), 10);
    assert_eq!((used(&gates[0]), used(&gates[1])), (10, 10));
    gates.into_iter().for_each(Gate::finish);
}

#[test]
fn what_cannot_be_counted_is_refused_and_all_else_goes_on() {
    let Some(server) = postgres() else { return };
    let mut gate = Gate::start(setup(3, Some(&server)));
    assert_eq!(robot_deletes(&gate, 1).status, 200);
    settled(&gate);
    server.stop();
    let lost = robot_deletes(&gate, 2);
    assert_eq!((lost.status, lost.reason()), (403, "counted_state_unavailable"), "{}", lost.text());
    assert!(lost.text().contains("cannot be read now; try again in a moment"), "{}", lost.text());
    assert_eq!(gate.client("alice").send(&delete(5)).status, 200, "what is not counted goes on");
    assert_eq!(gate.client("robot").send(&Sent::ec2("DescribeInstances")).status, 200);
    let (status, text) = gate.admin_page("/readyz/changes");
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("changes that are counted are denied"), "{text}");
    assert_eq!(gate.admin_page("/readyz").0, 200);
    // One that starts without it serves what needs none of it.
    assert!(gate.stop());
    gate.restart();
    assert_eq!(robot_deletes(&gate, 2).reason(), "counted_state_unavailable");
    assert_eq!(gate.client("alice").send(&delete(6)).status, 200);
    server.begin();
    eventually("it is counted again", || robot_deletes(&gate, 2).status == 200);
    assert_eq!(gate.admin_page("/readyz/changes").0, 200);
    assert_eq!(used(&gate), 2);
    gate.finish();
    assert_eq!(server.ask("SELECT count(*) FROM ordain_claims WHERE state = 0"), "0");
}

#[test]
fn in_shadow_what_cannot_be_counted_or_is_over_goes_on_and_is_said() {
    let Some(server) = postgres() else { return };
    let gate = Gate::start(Setup { mode: "shadow", ..setup(1, Some(&server)) });
    for number in 0..3 {
        assert_eq!(robot_deletes(&gate, number).status, 200);
    }
    settled(&gate);
    assert_eq!(used(&gate), 1, "what enforce would have refused is charged nothing");
    server.stop();
    assert_eq!(robot_deletes(&gate, 4).status, 200);
    server.begin();
    let page = gate.admin_page("/metrics").1;
    assert!(page.contains("reason_code=\"budget_exceeded\""), "{page}");
    assert!(page.contains("reason_code=\"counted_state_unavailable\""), "{page}");
    gate.finish();
}

#[test]
fn a_model_without_budgets_opens_nothing() {
    let gate = Gate::start(Setup::default());
    assert_eq!(gate.client("alice").send(&delete(1)).status, 200);
    assert!(!gate.folder.path().join("state/counted.sqlite").exists());
    let listed = gate.run(&["-o", "json", "budget", "list"]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout).trim(), "[]");
    gate.finish();
}

/// A server that takes connections and says nothing holds up what is counted, and that for seconds only.
#[test]
fn a_server_that_says_nothing_is_given_up_on() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ordain@{}/ordain", silent.local_addr().unwrap());
    let mut setup = setup(3, None);
    setup.settings = format!("[counted]\npostgres = {url:?}\n");
    let gate = Gate::start(setup);
    let began = std::time::Instant::now();
    assert_eq!(robot_deletes(&gate, 1).reason(), "counted_state_unavailable");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    gate.finish();
}
