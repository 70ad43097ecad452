//! `ordain-verify` as a program: what it says and how it exits, on a ledger written by hand.

#[cfg(test)]
mod program {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use expect_test::{Expect, expect};
    use ordain_proof::frame::{self, Kind};
    use ordain_proof::note::Signer;
    use ordain_proof::record::{ChangeRecord, Record};
    use ordain_proof::tree::Frontier;

    /// A ledger of a few entries, with its key and its checkpoint.
    fn ledger() -> (tempfile::TempDir, String) {
        let place = tempfile::tempdir().unwrap();
        let (signer, _) = Signer::generate("gate.example/a").unwrap();
        let (mut frames, mut tree) = (Vec::new(), Frontier::new());
        for number in 0..5 {
            let change = ChangeRecord {
                what: "model".into(),
                time: "2026-11-24T10:00:00Z".into(),
                author: "admin".into(),
                summary: format!("model {number}").into(),
                before: None,
                digest: "00".repeat(32).into(),
            };
            let statement = Record::Change(change).to_bytes().unwrap();
            tree.push(frame::push(&mut frames, Kind::Entry, &statement).unwrap());
        }
        frame::seal(&mut frames, 1);
        fs::write(place.path().join(format!("{:020}.segment", 0)), &frames).unwrap();
        fs::write(place.path().join("checkpoint"), signer.sign(5, tree.root())).unwrap();
        fs::write(place.path().join("verifier"), signer.verifier().to_string()).unwrap();
        (place, signer.verifier().to_string())
    }

    /// Runs the program; the root and the place, which differ each time, are named instead.
    fn check(place: &Path, arguments: &[&str], expected: Expect) {
        let run = Command::new(env!("CARGO_BIN_EXE_ordain-verify"))
            .args(arguments)
            .current_dir(place)
            .output()
            .unwrap();
        let said = String::from_utf8(run.stdout).unwrap();
        expected.assert_eq(&format!("{said}exit {}", run.status.code().unwrap()));
    }

    fn segment(place: &Path) -> PathBuf {
        place.join(format!("{:020}.segment", 0))
    }

    #[test]
    fn a_whole_ledger_verifies() {
        let (place, key) = ledger();
        check(
            place.path(),
            &["ledger", ".", "--closed", "--key", &key],
            expect![[r#"
            verifies: 5 entries, 5 under the checkpoint, root d040dbcc748e6b1531912e842dbba5e2d484e7c5a449e8153192b49533e48e98
            0 decisions, 0 without an outcome yet
            exit 0"#]],
        );
        check(
            place.path(),
            &["ledger", "."],
            expect![[r#"
            verifies: 5 entries, 5 under the checkpoint, root d040dbcc748e6b1531912e842dbba5e2d484e7c5a449e8153192b49533e48e98
            0 decisions, 0 without an outcome yet
            the key is the one beside the ledger; give one kept elsewhere with `--key`
            exit 0"#]],
        );
        check(
            place.path(),
            &["consistency", ".", "checkpoint", "--key", "verifier"],
            expect![[r#"
            verifies: 5 entries go on from 5
            exit 0"#]],
        );
    }

    #[test]
    fn an_edited_line_does_not_verify() {
        let (place, key) = ledger();
        let bytes = fs::read(segment(place.path())).unwrap();
        let text = b"model 3";
        let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
        let mut edited = bytes;
        edited[at + 6] = b'4';
        fs::write(segment(place.path()), edited).unwrap();
        check(
            place.path(),
            &["ledger", ".", "--key", &key],
            expect![[r#"
                does not verify: after 3 whole entries (segment 0, offset 1347) the bytes are not what was written; restore the segment from a copy
                exit 4"#]],
        );
    }

    #[test]
    fn an_entry_is_proven_and_another_is_not() {
        let (place, key) = ledger();
        check(
            place.path(),
            &["prove", ".", "2", "--out", "two", "--key", &key],
            expect![[r#"
            wrote `two.json` and `two.tlog-proof`
            exit 0"#]],
        );
        check(
            place.path(),
            &["proof", "two.tlog-proof", "two.json", "--key", &key],
            expect![[r#"
            verifies: entry 2 of 5 in `gate.example/a`
            exit 0"#]],
        );
        check(
            place.path(),
            &["prove", ".", "3", "--out", "three", "--key", &key],
            expect![[r#"
            wrote `three.json` and `three.tlog-proof`
            exit 0"#]],
        );
        check(
            place.path(),
            &["proof", "two.tlog-proof", "three.json", "--key", &key],
            expect![[r#"
            does not verify: the entry is not entry 2 of the ledger; do not trust it
            exit 4"#]],
        );
        check(place.path(), &["prove", ".", "7", "--out", "seven", "--key", &key], expect!["exit 2"]);
    }

    #[test]
    fn an_export_verifies_until_a_tile_is_changed() {
        let (place, key) = ledger();
        check(
            place.path(),
            &["export", ".", "out", "--key", &key],
            expect![[r#"
            wrote 5 entries to `out`
            exit 0"#]],
        );
        let tile = place.path().join("out/tile/0/000.p/5");
        let mut bytes = fs::read(&tile).unwrap();
        bytes[40] ^= 1;
        fs::write(&tile, bytes).unwrap();
        check(
            place.path(),
            &["tiles", "out", "--key", &key],
            expect![[r#"
            does not verify: `tile/0/000.p/5` is not what the entries say it should be; export the ledger again
            exit 4"#]],
        );
    }

    #[test]
    fn another_key_does_not_verify() {
        let (place, _) = ledger();
        let (_other, key) = ledger();
        check(
            place.path(),
            &["ledger", ".", "--key", &key],
            expect![[r#"
            does not verify: the checkpoint is not signed by `gate.example/a`; do not trust it
            exit 4"#]],
        );
        check(place.path(), &["ledger"], expect!["exit 2"]);
    }

    #[test]
    fn what_is_not_there_says_nothing_of_the_evidence() {
        let (place, key) = ledger();
        for arguments in [
            ["ledger", "nowhere", "--key", "verifier-of-nobody"].as_slice(),
            &["ledger", "nowhere"],
            &["ledger", ".", "--key", &key, "--checkpoint", "nowhere"],
            &["proof", "nowhere", "verifier", "--key", &key],
        ] {
            check(place.path(), arguments, expect!["exit 2"]);
        }
    }
}
