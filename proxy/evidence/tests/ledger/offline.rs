//! What others verify without us: directories, exports and proofs that were handed out.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use expect_test::expect;
use ordain_evidence::FileStorage;
use ordain_proof::inclusion::InclusionProof;
use ordain_proof::note::Verifier;
use ordain_proof::tiles;
use ordain_proof::tree::verify_consistency;
use ordain_proof::verify::{Demand, Wanted, directory, export, prove, prove_consistency};
use ordain_rules::Mode;

use crate::support::{id, note, open, own_host, record, sendable};

/// A closed ledger of some 600 entries, one of them with a blob; returns an early checkpoint too.
async fn closed(path: &Path) -> (Verifier, String) {
    let ledger = open(Arc::new(FileStorage::new(path).unwrap()));
    let verifier = Verifier::parse(&ledger.verifier()).unwrap();
    let mut long = own_host();
    let ordain_action::Reading::Call(call) = &mut long.reading else { panic!("a call") };
    let one = call.effects[0].clone();
    call.effects = (0..300).map(|_| one.clone()).collect();
    drop(sendable(record(&ledger, Mode::Shadow, &own_host(), 1).await.unwrap()));
    drop(sendable(record(&ledger, Mode::Shadow, &long, 2).await.unwrap()));
    let early = ledger.checkpoint().unwrap();
    for number in 0..600 {
        note(&ledger, &format!("model {number}")).await.unwrap();
    }
    ledger.close().await;
    (verifier, early)
}

#[tokio::test]
async fn a_directory_verifies_against_its_own_and_earlier_checkpoints() {
    let place = tempfile::tempdir().unwrap();
    let (verifier, early) = closed(place.path()).await;
    let demand = Demand { earlier: vec![&early], closed: true };
    let verified = directory(place.path(), &verifier, &demand).unwrap();
    assert_eq!((verified.entries, verified.covered, verified.torn), (606, 606, false));
    assert_eq!((verified.decisions, verified.open), (2, 0));

    let old = verifier.open(&early).unwrap();
    let (proof, new) = prove_consistency(place.path(), &verifier, old.size).unwrap();
    assert!(verify_consistency((old.size, old.root), (new.size, new.root), &proof));

    let elsewhere = tempfile::tempdir().unwrap();
    let (_, foreign) = closed(elsewhere.path()).await;
    let demand = Demand { earlier: vec![&foreign], closed: true };
    expect!["the checkpoint is not signed by `gate.example/test`; do not trust it"]
        .assert_eq(&directory(place.path(), &verifier, &demand).unwrap_err().to_string());
}

/// Cut back to an earlier state that was valid once, checkpoint and all: only a checkpoint kept elsewhere
/// tells.
#[tokio::test]
async fn a_ledger_set_back_is_told_by_a_later_checkpoint() {
    let place = tempfile::tempdir().unwrap();
    let ledger = open(Arc::new(FileStorage::new(place.path()).unwrap()));
    let verifier = Verifier::parse(&ledger.verifier()).unwrap();
    note(&ledger, "one").await.unwrap();
    let old = tempfile::tempdir().unwrap();
    ledger.checkpoint().unwrap();
    for name in ["checkpoint", "00000000000000000000.segment"] {
        fs::copy(place.path().join(name), old.path().join(name)).unwrap();
    }
    note(&ledger, "two").await.unwrap();
    ledger.close().await;
    let later = fs::read_to_string(place.path().join("checkpoint")).unwrap();
    assert!(directory(old.path(), &verifier, &Demand::default()).is_ok());
    let demand = Demand { earlier: vec![&later], closed: false };
    expect!["the ledger has 2 entries and a checkpoint of 4; entries were cut off: restore them from a copy"]
        .assert_eq(&directory(old.path(), &verifier, &demand).unwrap_err().to_string());
}

#[tokio::test]
async fn a_decision_is_proven_to_who_has_the_key_alone() {
    let place = tempfile::tempdir().unwrap();
    let (verifier, _) = closed(place.path()).await;
    let wanted = Wanted::Decision(id(2).to_string());
    let proven = prove(place.path(), &verifier, &wanted).unwrap();
    assert!(proven.blob.is_some());
    let handed_out = InclusionProof::parse(&proven.proof.to_text()).unwrap();
    let checkpoint = handed_out.verify(&proven.entry, &verifier).unwrap();
    assert_eq!((handed_out.index, checkpoint.size), (3, 606));
    let mut bent = proven.entry.clone();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    assert!(handed_out.verify(&bent, &verifier).is_err());
    let nothing = prove(place.path(), &verifier, &Wanted::Decision(id(99).to_string())).unwrap_err();
    assert!(nothing.to_string().starts_with("there is no entry"), "{nothing}");
}

#[tokio::test]
async fn an_export_verifies_and_a_changed_one_does_not() {
    let place = tempfile::tempdir().unwrap();
    let (verifier, _) = closed(place.path()).await;
    let out = tempfile::tempdir().unwrap();
    assert_eq!(export(place.path(), &verifier, out.path()).unwrap().size, 606);
    assert_eq!(tiles::verify(out.path(), &verifier).unwrap().size, 606);
    let mut files = Vec::new();
    list(out.path(), &mut files);
    let names: Vec<String> = files
        .iter()
        .map(|path| path.strip_prefix(out.path()).unwrap().display().to_string())
        .filter(|name| !name.starts_with("blob/"))
        .collect();
    expect![[r#"
        checkpoint
        tile/0/000
        tile/0/001
        tile/0/002.p/94
        tile/1/000.p/2
        tile/entries/000
        tile/entries/001
        tile/entries/002.p/94"#]]
    .assert_eq(&names.join("\n"));
    for file in &files {
        let whole = fs::read(file).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            fs::write(file, &bent).unwrap();
            assert!(tiles::verify(out.path(), &verifier).is_err(), "{}", file.display());
        }
        fs::write(file, &whole).unwrap();
    }
    assert!(tiles::verify(out.path(), &verifier).is_ok());
}

fn list(directory: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
    files.sort();
}
