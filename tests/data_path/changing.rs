//! A gate that is told to stop, and one whose model changes, both while requests are under way.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Answer, Client, Gate, Setup, a_change};

/// Sends changes until told to stop or nobody answers any more; how many were answered well, and with what else.
fn load(client: &Client, stopped: &AtomicBool, next: &AtomicUsize) -> (usize, Vec<u16>) {
    let (mut well, mut otherwise) = (0, Vec::new());
    while !stopped.load(Ordering::Relaxed) {
        let Ok(mut stream) = client.connect() else { break };
        while !stopped.load(Ordering::Relaxed) {
            match client.send_on(&mut stream, &a_change(next.fetch_add(1, Ordering::Relaxed))) {
                Ok(reply) if reply.status == 200 => well += 1,
                Ok(reply) => otherwise.push(reply.status),
                Err(_) => break,
            }
        }
    }
    (well, otherwise)
}

fn under_load(gate: &Gate, work: impl FnOnce()) -> (usize, Vec<u16>) {
    let (stopped, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..6)
            .map(|_| {
                let client = gate.client("alice");
                let (stopped, next) = (&stopped, &next);
                scope.spawn(move || load(&client, stopped, next))
            })
            .collect();
        work();
        stopped.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).fold(
            (0, Vec::new()),
            |mut all, (well, otherwise)| {
                all.0 += well;
                all.1.extend(otherwise);
                all
            },
        )
    })
}

/// On one core one thread does everything, so that whatever holds it up holds up all.
fn on_one_core() -> Setup {
    let under = ["taskset", "--cpu-list", "0"].map(str::to_owned).to_vec();
    Setup { under, ..Setup::default() }
}

#[test]
fn serial_told_to_stop_under_load_nothing_is_lost() {
    told_to_stop_under_load(Setup::default());
}

#[test]
fn serial_told_to_stop_under_load_on_one_core() {
    told_to_stop_under_load(on_one_core());
}

/// Whatever was taken before the gate stopped is answered; whatever left is recorded to its end.
fn told_to_stop_under_load(setup: Setup) {
    let mut gate = Gate::start(setup);
    gate.recorder.answer(|_| Answer::Late(Duration::from_millis(40)));
    let pid = gate.pid().to_string();
    let (well, otherwise) = under_load(&gate, || {
        while gate.recorder.arrived().len() < 60 {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        // The load goes on until nobody takes a connection any more.
        let until = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(gate.address).is_ok() {
            assert!(Instant::now() < until, "the gate goes on taking connections");
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_millis(300));
    });
    let arrived = gate.recorder.arrived().len();
    eprintln!("{arrived} changes arrived, {well} were answered well, {} otherwise", otherwise.len());
    assert!(well >= 60);
    assert_eq!(arrived, well, "a change arrived whose answer was lost");
    assert!(otherwise.iter().all(|status| *status == 503), "{otherwise:?}");
    assert!(gate.stop(), "the program ends well");
    gate.finish();
}

#[test]
fn serial_a_model_that_changes_under_load() {
    model_changes_under_load(Setup::default());
}

#[test]
fn serial_a_model_that_changes_under_load_on_one_core() {
    model_changes_under_load(on_one_core());
}

/// A model with a problem changes nothing; a good one is taken up. No request notices either.
fn model_changes_under_load(setup: Setup) {
    let gate = Gate::start(setup);
    let model = gate.folder.path().join("model");
    let until = |said: &str, count: usize| {
        let until = Instant::now() + Duration::from_secs(20);
        while gate.log().matches(said).count() < count {
            assert!(Instant::now() < until, "the gate never said `{said}`: {}", gate.log());
            thread::sleep(Duration::from_millis(50));
        }
        // What is decided from here on is decided by what was said.
        thread::sleep(Duration::from_millis(200));
    };
    let (well, otherwise) = under_load(&gate, || {
        thread::sleep(Duration::from_millis(300));
        std::fs::write(model.join("bad.yaml"), "apiVersion: ordain/v1\nkind: Nonsense\n").unwrap();
        until("the old one stays in force", 1);
        std::fs::write(model.join("bad.yaml"), "permit (principal, action, resource);").unwrap();
        until("the old one stays in force", 2);
        std::fs::remove_file(model.join("bad.yaml")).unwrap();
        let more = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: more}\nspec: {type: team, children: []}\n";
        std::fs::write(model.join("more.yaml"), more).unwrap();
        until("reloaded", 1);
    });
    assert!(otherwise.is_empty(), "{otherwise:?}");
    assert!(well > 50, "only {well} changes were answered");
    let mut ledger = gate.ledger();
    let models: BTreeSet<String> = ledger
        .refresh()
        .iter()
        .filter(|entry| entry.is_decision())
        .map(|entry| entry.says["digests"]["model"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(models.len(), 2, "decided by the first model and by the last: {models:?}");
    gate.finish();
}
