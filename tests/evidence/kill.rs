//! The program killed under load, again and again: nothing arrived that has no record, and the ledger verifies
//! each time.
//!
//! A kill leaves the page cache, so that this cannot show a missing sync: `order.rs` does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Client, Gate, Sent, Setup, a_change, full};

/// A round's kill comes only after so many changes were answered in it.
const LOAD: usize = 40;

/// Sends changes until told to stop or the gate is gone, and counts those that were answered well.
fn load(client: &Client, stopped: &AtomicBool, next: &AtomicUsize, answered: &AtomicUsize) {
    while !stopped.load(Ordering::Relaxed) {
        let Ok(mut stream) = client.connect() else { return };
        for _ in 0..50 {
            let number = next.fetch_add(1, Ordering::Relaxed);
            match client.send_on(&mut stream, &a_change(number)) {
                Ok(reply) if reply.status == 200 => drop(answered.fetch_add(1, Ordering::Relaxed)),
                Ok(_) | Err(_) => break,
            }
        }
    }
}

#[test]
fn serial_kill_under_load() {
    let rounds: u64 = if full() { 50 } else { 4 };
    let mut gate = Gate::start(Setup::default());
    let next = Arc::new(AtomicUsize::new(0));
    let mut answered = 0;
    for round in 0..rounds {
        let stopped = Arc::new(AtomicBool::new(false));
        let well = Arc::new(AtomicUsize::new(0));
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let (client, stopped) = (gate.client("alice"), Arc::clone(&stopped));
                let (next, well) = (Arc::clone(&next), Arc::clone(&well));
                thread::spawn(move || load(&client, &stopped, &next, &well))
            })
            .collect();
        let until = Instant::now() + Duration::from_secs(60);
        while well.load(Ordering::Relaxed) < LOAD {
            assert!(Instant::now() < until, "the gate does not answer");
            thread::sleep(Duration::from_millis(2));
        }
        // Not always at the same place of a batch.
        thread::sleep(Duration::from_millis(round * 37 % 100));
        gate.kill();
        stopped.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        answered += well.load(Ordering::Relaxed);
        gate.check_killed();
        gate.restart();
        let reply = gate.client("alice").send(&Sent::ec2("DescribeInstances"));
        assert_eq!(reply.status, 200, "reads go on after a restart: {}", reply.text());
    }
    let arrived = gate.recorder.arrived().len();
    eprintln!("{rounds} kills: {answered} changes answered, {arrived} arrived");
    assert!(answered >= LOAD * usize::try_from(rounds).unwrap());
    gate.stop();
    gate.check_killed();
}
