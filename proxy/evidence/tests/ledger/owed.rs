//! What is owed after a record: an outcome, whatever happens to who should give it.

use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use expect_test::expect;
use ordain_action::Outcome;
use ordain_evidence::{Reservation, Reserved, SendableKind, Sequence};
use ordain_rules::{Mode, ShadowScope};

use crate::disk::Disk;
use crate::support::{
    Numbered, decision, id, judged, open, own_host, record, request, sendable, snapshot, strange, told,
};

/// Says what became of it.
#[derive(Debug)]
struct Counted {
    said: Arc<Mutex<Vec<String>>>,
    settled: bool,
}

impl Reservation for Counted {
    fn settle(mut self: Box<Self>, outcome: &Outcome) {
        self.settled = true;
        self.said.lock().unwrap().push(format!("settled {outcome:?}"));
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.settled {
            self.said.lock().unwrap().push("given back".to_owned());
        }
    }
}

fn counted(said: &Arc<Mutex<Vec<String>>>) -> Option<Box<dyn Reservation>> {
    Some(Box::new(Counted { said: Arc::clone(said), settled: false }))
}

#[tokio::test]
async fn whoever_drops_what_is_owed_says_so() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    // Dropped before it was released.
    drop(sendable(record(&ledger, Mode::Enforce, &own_host(), 1).await.unwrap()));
    // Dropped after it was released, before anything left.
    let (_, closing) =
        sendable(record(&ledger, Mode::Enforce, &own_host(), 2).await.unwrap()).release().unwrap();
    drop(closing);
    // Dropped after it was started.
    let (_, mut closing) =
        sendable(record(&ledger, Mode::Enforce, &own_host(), 3).await.unwrap()).release().unwrap();
    closing.started();
    drop(closing);
    // The request in hand is another one.
    let reserved = Reserved::new(judged(snapshot(Mode::Enforce), &own_host(), 4), None);
    let other = sendable(ledger.record(reserved, decision(&own_host(), 4), Numbered(5)).await.unwrap());
    let mismatch = other.release().unwrap_err();
    assert_eq!((mismatch.judged, mismatch.held), (request(4), request(5)));
    assert_eq!(ledger.status().sealed, None);
    ledger.close().await;
    expect![[r#"
        0 change started: ordain 0.1.0
        1 decision 1 alice admitted
        2 outcome 1 of entry Some(1): not sent: dropped
        3 decision 2 alice admitted
        4 outcome 2 of entry Some(3): not sent: dropped
        5 decision 3 alice admitted
        6 outcome 3 of entry Some(5): unknown: dropped
        7 decision 4 alice admitted
        8 outcome 4 of entry Some(7): not sent: digest_mismatch
        9 change stopped: ordain 0.1.0"#]]
    .assert_eq(&told(disk.storage()));
}

#[tokio::test]
async fn a_wait_that_is_dropped_ends_as_not_sent() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    {
        let action = own_host();
        let reserved = Reserved::new(judged(snapshot(Mode::Enforce), &action, 1), None);
        let mut wait = pin!(ledger.record(reserved, decision(&action, 1), Numbered(1)));
        let mut context = Context::from_waker(Waker::noop());
        // Whether or not the writer was that quick, whoever waited is gone.
        let polled = wait.as_mut().poll(&mut context);
        assert!(matches!(polled, Poll::Pending | Poll::Ready(_)));
    }
    ledger.close().await;
    let told = told(disk.storage());
    assert!(told.contains("decision 1 alice admitted"), "{told}");
    assert!(told.contains(": not sent: dropped"), "{told}");
}

#[tokio::test]
async fn an_outcome_that_nobody_waits_for_is_synced_a_moment_later() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let (_, closing) =
        sendable(record(&ledger, Mode::Enforce, &own_host(), 1).await.unwrap()).release().unwrap();
    let before = ledger.status();
    closing.end(&Outcome::Unknown { why: "test" }).unwrap();
    // Entries count once they are durable.
    for _ in 0..1000 {
        if ledger.status().entries > before.entries {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = ledger.status();
    assert_eq!((after.entries, after.syncs), (before.entries + 1, before.syncs + 1));
    assert_eq!(after.open, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_folded_from_outcomes_is_folded_in_their_order() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let folded: Arc<Mutex<Vec<u64>>> = Arc::default();
    let mut closed = Vec::new();
    for number in 0..64 {
        let recorded = record(&ledger, Mode::Enforce, &own_host(), number).await.unwrap();
        let (_, closing) = sendable(recorded).release().unwrap();
        let folded = Arc::clone(&folded);
        closed.push(tokio::spawn(async move {
            let seen = Arc::clone(&folded);
            let fold = move |sequence: Sequence| seen.lock().unwrap().push(sequence.0);
            let sequence = closing.close(&Outcome::Unknown { why: "test" }, fold).await.unwrap().unwrap();
            // Who is told that it is durable finds it folded.
            assert!(folded.lock().unwrap().contains(&sequence.0));
        }));
    }
    for task in closed {
        task.await.unwrap();
    }
    let folded = folded.lock().unwrap();
    assert_eq!(folded.len(), 64);
    assert!(folded.is_sorted(), "{folded:?}");
}

#[tokio::test]
async fn a_reservation_is_given_back_or_settled_once() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let said = Arc::new(Mutex::new(Vec::new()));
    let reserve = |mode: Mode, action: &ordain_action::Action, number| {
        Reserved::new(judged(snapshot(mode), action, number), counted(&said))
    };
    // Never recorded.
    drop(reserve(Mode::Enforce, &own_host(), 1));
    // Refused.
    let refused = reserve(Mode::Enforce, &strange(), 2);
    drop(ledger.record(refused, decision(&strange(), 2), Numbered(2)).await.unwrap());
    // Recorded and dropped.
    let dropped = reserve(Mode::Enforce, &own_host(), 3);
    drop(ledger.record(dropped, decision(&own_host(), 3), Numbered(3)).await.unwrap());
    // Recorded and ended.
    let ended = reserve(Mode::Enforce, &own_host(), 4);
    let recorded = ledger.record(ended, decision(&own_host(), 4), Numbered(4)).await.unwrap();
    let (_, closing) = sendable(recorded).release().unwrap();
    closing.close(&Outcome::Unknown { why: "reset" }, drop).await.unwrap();
    expect![[r#"
        given back
        given back
        settled NotSent { why: "dropped" }
        settled Unknown { why: "reset" }"#]]
    .assert_eq(&said.lock().unwrap().join("\n"));
}

#[tokio::test]
async fn a_failed_ledger_denies_in_enforce_and_lets_pass_in_shadow() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    disk.fail_after(0, std::io::ErrorKind::StorageFull);
    let unrecorded = record(&ledger, Mode::Enforce, &own_host(), 1).await.unwrap_err();
    expect!["the ledger cannot be written: no storage space"].assert_eq(unrecorded.why());
    // A scope of another place does not count for a decision in enforce.
    let elsewhere = ShadowScope::of(Mode::Shadow).unwrap();
    let still = unrecorded.shadow(elsewhere).unwrap_err();
    assert_eq!(still.decision(), id(1));

    let unrecorded = record(&ledger, Mode::Shadow, &own_host(), 2).await.unwrap_err();
    let scope = ShadowScope::of(unrecorded.mode()).unwrap();
    let sendable = unrecorded.shadow(scope).unwrap();
    assert_eq!((sendable.kind(), sendable.entry()), (SendableKind::ShadowedUnrecorded, None));
    let (held, closing) = sendable.release().unwrap();
    assert_eq!(held.send(), Numbered(2));
    assert_eq!(closing.close(&Outcome::NotSent { why: "test" }, drop).await.unwrap(), None);

    // A refusal stands without a record; the disk being well again changes nothing.
    disk.fail_after(u64::MAX / 2, std::io::ErrorKind::Other);
    let refused = record(&ledger, Mode::Enforce, &strange(), 3).await.unwrap();
    assert!(matches!(refused, ordain_evidence::Recorded::Refused(refused) if refused.entry().is_none()));
    assert!(record(&ledger, Mode::Enforce, &own_host(), 4).await.is_err());
    assert_eq!(ledger.sealed().as_deref(), Some("the ledger cannot be written: no storage space"));
    assert_eq!(ledger.status().unrecorded, 3);
    assert!(ledger.checkpoint().is_err());
    drop(ledger);
}

#[tokio::test]
async fn a_permit_for_another_request_is_no_permit() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let reserved = Reserved::new(judged(snapshot(Mode::Shadow), &own_host(), 1), None);
    let unrecorded = ledger.record(reserved, decision(&own_host(), 2), Numbered(2)).await.unwrap_err();
    assert_eq!(unrecorded.why(), "the permit is for another request");
    assert!(unrecorded.shadow(ShadowScope::of(Mode::Shadow).unwrap()).is_err());
}
