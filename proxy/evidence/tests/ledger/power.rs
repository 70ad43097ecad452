//! What was said to be durable is there after a power cut, wherever it strikes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ordain_action::Outcome;
use ordain_evidence::{Ledger, OpenError, Reader, Reserved};
use ordain_proof::record::BriefKind;
use ordain_rules::Snapshot;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Mutex;

use crate::disk::Disk;
use crate::support::{Chance, Numbered, anything, decision, id, judged, open, own_host, sendable, settings};

/// Runs a gate's worth of changes, cuts the power somewhere in the middle and starts again. Returns how
/// many decisions that were said to be durable are not there.
async fn lost_after_power_cut(snapshot: &'static Snapshot, chance: &Arc<Chance>, lies: bool) -> usize {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    if lies {
        disk.lie();
    }
    let said: Arc<Mutex<BTreeSet<u64>>> = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            tokio::spawn(changes(ledger.clone(), snapshot, task, Arc::clone(&said), Arc::clone(&stop)))
        })
        .collect();
    // All of them together are 320.
    let strikes_after = usize::try_from(chance.below(300)).unwrap();
    while said.lock().unwrap().len() < strikes_after {
        tokio::task::yield_now().await;
    }
    // What was said up to here must survive; what is said later may.
    let promised: Vec<u64> = said.lock().unwrap().iter().copied().collect();
    let after = disk.after_power_cut(|| chance.below(2) == 0);
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    ledger.close().await;
    match Ledger::open(settings(), after.storage()) {
        Ok(again) => again.close().await,
        // Only a disk that lied can lose what a checkpoint vouches for.
        Err(OpenError::Damaged(_)) if lies => return promised.len().max(1),
        Err(error) => panic!("{error}"),
    }
    missing(&after, &promised)
}

async fn changes(
    ledger: Ledger,
    snapshot: &'static Snapshot,
    task: u64,
    said: Arc<Mutex<BTreeSet<u64>>>,
    stop: Arc<AtomicBool>,
) {
    for turn in 0..40 {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let number = task * 1000 + turn;
        let action = own_host();
        let reserved = Reserved::new(judged(snapshot, &action, number), None);
        let recorded = ledger.record(reserved, decision(&action, number), Numbered(number)).await.unwrap();
        said.lock().unwrap().insert(number);
        let (_, closing) = sendable(recorded).release().unwrap();
        // Every other outcome is one that nobody waits for: it may be lost, and its decision is closed all the same.
        let outcome = Outcome::Unknown { why: "test" };
        if turn % 2 == 0 {
            closing.close(&outcome, drop).await.unwrap();
        } else {
            closing.end(&outcome).unwrap();
        }
    }
}

fn missing(disk: &Disk, promised: &[u64]) -> usize {
    let (mut decided, mut ended) = (BTreeSet::new(), BTreeSet::new());
    Reader::new(disk.storage())
        .entries(|entry| {
            match entry.brief.kind {
                BriefKind::Decision { .. } => assert!(decided.insert(entry.brief.name.to_string())),
                BriefKind::Outcome => assert!(ended.insert(entry.brief.name.to_string())),
                BriefKind::Attempts | BriefKind::Change { .. } => {}
                BriefKind::Tunnel | BriefKind::TunnelEnd => panic!("no tunnel was opened"),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(decided, ended, "every decision has one outcome");
    promised.iter().filter(|number| !decided.contains(&id(**number).to_string())).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_to_be_durable_survives_a_power_cut() {
    let (snapshot, chance) = (anything(), Arc::new(Chance::new(1)));
    for round in 0..25 {
        assert_eq!(lost_after_power_cut(snapshot, &chance, false).await, 0, "round {round}");
    }
}

/// The check above can fail: it does when the sync is taken away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_sync_the_check_fails() {
    let (snapshot, chance) = (anything(), Arc::new(Chance::new(2)));
    let mut lost = 0;
    for _ in 0..5 {
        lost += lost_after_power_cut(snapshot, &chance, true).await;
    }
    assert!(lost > 0, "a disk that forgets everything lost nothing");
}
