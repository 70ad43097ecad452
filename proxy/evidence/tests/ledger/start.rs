//! A ledger is taken up alone, whole and closed, or not at all.

use std::collections::BTreeMap;
use std::io;

use expect_test::{Expect, expect};
use ordain_evidence::{Ledger, LedgerSettings};
use ordain_rules::Mode;

use crate::disk::Disk;
use crate::support::{note, open, own_host, record, sendable, settings, told};

/// A closed ledger of a few entries.
async fn closed() -> Disk {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    for number in 1..=4 {
        drop(sendable(record(&ledger, Mode::Enforce, &own_host(), number).await.unwrap()));
    }
    ledger.close().await;
    disk
}

fn check(files: BTreeMap<String, Vec<u8>>, expected: Expect) {
    check_with(settings(), files, expected);
}

fn check_with(settings: LedgerSettings, files: BTreeMap<String, Vec<u8>>, expected: Expect) {
    let opened = Ledger::open(settings, Disk::of(files).storage());
    expected.assert_eq(&opened.map_or_else(|error| error.to_string(), |_| "opened".to_owned()));
}

const FIRST: &str = "00000000000000000000.segment";

#[tokio::test]
async fn what_is_not_whole_is_not_taken_up() {
    let whole = closed().await.contents();
    check(whole.clone(), expect!["opened"]);

    let mut cut = whole.clone();
    let segment = cut.get_mut(FIRST).unwrap();
    segment.truncate(segment.len() - 300);
    check(
        cut,
        expect![
            "the ledger does not verify: after 9 whole entries (segment 0, offset 11307) the bytes are not what was written; restore the segment from a copy"
        ],
    );

    // Whether it is told as damage or as a cut depends on what was synced together; it is told either way.
    let mut edited = whole.clone();
    let segment = edited.get_mut(FIRST).unwrap();
    let middle = segment.len() / 2;
    segment[middle] ^= 1;
    let told = Ledger::open(settings(), Disk::of(edited).storage()).unwrap_err().to_string();
    assert!(told.starts_with("the ledger does not verify: "), "{told}");

    let mut without = whole.clone();
    without.remove(FIRST);
    check(
        without,
        expect![
            "the ledger does not verify: the ledger has 0 entries and a checkpoint of 10; entries were cut off: restore them from a copy"
        ],
    );

    let mut no_checkpoint = whole.clone();
    no_checkpoint.remove("checkpoint");
    check(
        no_checkpoint,
        expect![
            "the ledger has entries and its checkpoint is gone; restore `checkpoint`, or start a new ledger"
        ],
    );

    let mut no_key = whole.clone();
    no_key.remove("signing.key");
    check(no_key, expect!["the ledger has entries and its signing key is gone; restore `signing.key`"]);

    let mut other_key = closed().await.contents();
    other_key.insert("checkpoint".to_owned(), whole["checkpoint"].clone());
    check(
        other_key,
        expect![
            "the ledger's checkpoint or key is not right: the checkpoint is not signed by `gate.example/test`; do not trust it"
        ],
    );

    let mut renamed = settings();
    "gate.example/other".clone_into(&mut renamed.origin);
    check_with(
        renamed,
        whole,
        expect![
            "the ledger's checkpoint or key is not right: the checkpoint is of `gate.example/test`, not of `gate.example/other`; give the checkpoint of this ledger"
        ],
    );
}

/// Two ledgers with the same key that went on differently from the same start.
#[tokio::test]
async fn a_fork_is_not_taken_up() {
    let start = closed().await;
    let other = Disk::of(start.contents());
    for (disk, word) in [(&start, "one"), (&other, "two")] {
        let ledger = open(disk.storage());
        note(&ledger, word).await.unwrap();
        ledger.close().await;
    }
    let mut mixed = start.contents();
    mixed.insert("checkpoint".to_owned(), other.contents()["checkpoint"].clone());
    check(
        mixed,
        expect![
            "the ledger does not verify: the first 13 entries are not those of the checkpoint; the ledger was rewritten: restore it from a copy"
        ],
    );
}

#[tokio::test]
async fn two_cannot_write_one_ledger() {
    let disk = Disk::new();
    let first = open(disk.storage());
    let second = Ledger::open(settings(), disk.storage());
    expect!["the ledger is in use by another program; stop that one, or give this one a ledger of its own"]
        .assert_eq(&second.unwrap_err().to_string());
    first.close().await;

    let directory = tempfile::tempdir().unwrap();
    let storage = || std::sync::Arc::new(ordain_evidence::FileStorage::new(directory.path()).unwrap());
    let first = open(storage());
    assert!(Ledger::open(settings(), storage()).is_err());
    first.close().await;
    open(storage()).close().await;
    let left = ordain_evidence::Storage::names(storage().as_ref()).unwrap();
    assert!(left.iter().all(|name| name != "next"), "{left:?}");
}

#[tokio::test]
async fn a_killed_gate_closes_its_decisions_when_it_starts_again() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    let held = sendable(record(&ledger, Mode::Enforce, &own_host(), 1).await.unwrap());
    let killed = disk.after_power_cut(|| false);
    drop(held);
    ledger.close().await;

    open(killed.storage()).close().await;
    expect![[r#"
        0 change started: ordain 0.1.0
        1 decision 1 alice admitted
        2 outcome 1 of entry Some(1): unknown: gate_stopped
        3 change started: ordain 0.1.0
        4 change stopped: ordain 0.1.0"#]]
    .assert_eq(&told(killed.storage()));
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_the_ledger_goes_on() {
    let disk = Disk::new();
    let ledger = open(disk.storage());
    note(&ledger, "one").await.unwrap();
    let before = disk.contents();
    note(&ledger, "two").await.unwrap();
    note(&ledger, "three").await.unwrap();
    let mut torn = before.clone();
    let after = disk.contents();
    let (old, new) = (torn.get_mut(FIRST).unwrap(), &after[FIRST]);
    // Half of what was being written reached the disk.
    let from = old.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    old[from..from + 100].copy_from_slice(&new[from..from + 100]);
    let torn = Disk::of(torn);
    let again = open(torn.storage());
    note(&again, "four").await.unwrap();
    again.close().await;
    expect![[r#"
        0 change started: ordain 0.1.0
        1 change model: one
        2 change started: ordain 0.1.0
        3 change model: four
        4 change stopped: ordain 0.1.0"#]]
    .assert_eq(&told(torn.storage()));
    ledger.close().await;
}

/// Wherever the disk fails, nothing that was answered is lost and the ledger can be taken up again.
#[tokio::test]
async fn a_disk_that_fails_at_any_call_seals_and_loses_nothing() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
        for calls in 0..60 {
            let disk = Disk::new();
            let ledger = open(disk.storage());
            disk.fail_after(calls, kind);
            let mut said = Vec::new();
            for number in 1..=60 {
                let text = format!("{number} {}", "x".repeat(3000));
                match note(&ledger, &text).await {
                    Ok(sequence) => said.push((sequence.0, text)),
                    Err(_) => break,
                }
            }
            assert!(ledger.sealed().is_some(), "{calls}");
            ledger.close().await;
            let well = disk.after_power_cut(|| false);
            open(well.storage()).close().await;
            let told = told(well.storage());
            for (sequence, text) in said {
                assert!(told.contains(&format!("{sequence} change model: {text}")), "{calls}: {sequence}");
            }
        }
    }
}
