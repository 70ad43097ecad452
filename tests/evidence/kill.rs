//! The program killed under load, again and again: nothing arrived that has no record, and the ledger verifies
//! each time.
//!
//! A kill leaves the page cache, so that this cannot show a missing sync: `order.rs` does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{Client, Gate, Sent, Setup, a_change, full};

/// Sends changes until told to stop or the gate is gone; returns how many were answered well.
fn load(client: &Client, stopped: &AtomicBool, next: &AtomicUsize) -> usize {
    let mut answered = 0;
    while !stopped.load(Ordering::Relaxed) {
        let Ok(mut stream) = client.connect() else { return answered };
        for _ in 0..50 {
            let number = next.fetch_add(1, Ordering::Relaxed);
            match client.send_on(&mut stream, &a_change(number)) {
                Ok(reply) if reply.status == 200 => answered += 1,
                Ok(_) | Err(_) => break,
            }
        }
    }
    answered
}

#[test]
fn serial_kill_under_load() {
    let rounds: u64 = if full() { 50 } else { 4 };
    let mut gate = Gate::start(Setup::default());
    let next = Arc::new(AtomicUsize::new(0));
    let mut answered = 0;
    for round in 0..rounds {
        let stopped = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (client, stopped, next) = (gate.client("alice"), Arc::clone(&stopped), Arc::clone(&next));
                thread::spawn(move || load(&client, &stopped, &next))
            })
            .collect();
        thread::sleep(Duration::from_millis(150 + round * 37 % 200));
        gate.kill();
        stopped.store(true, Ordering::Relaxed);
        answered += workers.into_iter().map(|worker| worker.join().unwrap()).sum::<usize>();
        gate.check_killed();
        gate.restart();
        let reply = gate.client("alice").send(&Sent::ec2("DescribeInstances"));
        assert_eq!(reply.status, 200, "reads go on after a restart: {}", reply.text());
    }
    assert!(
        answered > usize::try_from(rounds).unwrap(),
        "only {answered} changes were answered between the kills"
    );
    gate.stop();
    gate.check_killed();
}
