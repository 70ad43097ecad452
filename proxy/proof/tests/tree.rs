//! The tree, its proofs and signed notes, held against an independent implementation (`ct-merkle`) and
//! against the texts of the formats.

#[cfg(test)]
mod against_others {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use expect_test::{Expect, expect};
    use ordain_proof::inclusion::InclusionProof as Handed;
    use ordain_proof::note::{Checkpoint, Signer, Verifier};
    use ordain_proof::tree::{Frontier, Hash, Tree, verify_consistency, verify_inclusion};
    use sha2::Sha256;

    const SIZES: usize = 130;

    fn entry(index: usize) -> Vec<u8> {
        format!("entry {index}").into_bytes()
    }

    fn both(size: usize) -> (Tree, MemoryBackedTree<Sha256, Vec<u8>>) {
        let (mut ours, mut theirs) = (Tree::new(), MemoryBackedTree::new());
        for index in 0..size {
            ours.push(Hash::leaf(&entry(index)));
            theirs.push(entry(index));
        }
        (ours, theirs)
    }

    fn theirs_of(root: Hash, size: u64) -> RootHash<Sha256> {
        RootHash::new(root.0.into(), size)
    }

    #[test]
    fn roots_are_those_of_another_implementation_at_every_size() {
        let mut frontier = Frontier::new();
        for size in 1..=SIZES {
            let (ours, theirs) = both(size);
            frontier.push(Hash::leaf(&entry(size - 1)));
            let root = ours.root(size as u64).unwrap();
            assert_eq!(root.0.as_slice(), theirs.root().as_bytes().as_slice(), "at {size}");
            assert_eq!(frontier.root(), root, "at {size}");
        }
    }

    #[test]
    fn another_implementation_accepts_our_inclusion_proofs_and_we_accept_theirs() {
        for size in 1..=SIZES {
            let (ours, theirs) = both(size);
            let root = ours.root(size as u64).unwrap();
            for index in 0..size {
                let path = ours.inclusion(index as u64, size as u64).unwrap();
                let bytes = path.iter().flat_map(|hash| hash.0).collect();
                let proof = InclusionProof::<Sha256>::try_from_bytes(bytes).unwrap();
                let accepted =
                    theirs_of(root, size as u64).verify_inclusion(&entry(index), index as u64, &proof);
                assert!(accepted.is_ok(), "{index} of {size}");
                assert!(verify_inclusion(Hash::leaf(&entry(index)), index as u64, size as u64, root, &path));
                let back: Vec<u8> = theirs.prove_inclusion(index).as_bytes().to_vec();
                assert_eq!(
                    back,
                    path.iter().flat_map(|hash| hash.0).collect::<Vec<_>>(),
                    "{index} of {size}"
                );
            }
        }
    }

    #[test]
    fn another_implementation_accepts_our_consistency_proofs_and_we_accept_theirs() {
        for new in 2..=SIZES {
            let (ours, theirs) = both(new);
            let new_root = ours.root(new as u64).unwrap();
            for old in 1..new {
                let old_root = ours.root(old as u64).unwrap();
                let path = ours.consistency(old as u64, new as u64).unwrap();
                let bytes: Vec<u8> = path.iter().flat_map(|hash| hash.0).collect();
                let proof = ConsistencyProof::<Sha256>::try_from_bytes(bytes.clone()).unwrap();
                let accepted = theirs_of(new_root, new as u64)
                    .verify_consistency(&theirs_of(old_root, old as u64), &proof);
                assert!(accepted.is_ok(), "{old} to {new}");
                assert_eq!(theirs.prove_consistency(new - old).as_bytes(), bytes, "{old} to {new}");
                assert!(verify_consistency((old as u64, old_root), (new as u64, new_root), &path));
            }
        }
    }

    #[test]
    fn no_proof_shows_another_entry_place_size_or_root() {
        let size = 37_u64;
        let (ours, _) = both(37);
        let root = ours.root(size).unwrap();
        for index in 0..size {
            let leaf = Hash::leaf(&entry(usize::try_from(index).unwrap()));
            let path = ours.inclusion(index, size).unwrap();
            assert!(verify_inclusion(leaf, index, size, root, &path));
            assert!(!verify_inclusion(Hash::leaf(b"another"), index, size, root, &path));
            assert!(!verify_inclusion(leaf, index, size, Hash::leaf(b"another"), &path));
            for other in (0..size).filter(|other| *other != index) {
                assert!(!verify_inclusion(leaf, other, size, root, &path), "{index} shown at {other}");
            }
            for cut in 0..path.len() {
                assert!(!verify_inclusion(leaf, index, size, root, &path[..cut]));
                let mut bent = path.clone();
                bent[cut].0[cut % 32] ^= 1;
                assert!(!verify_inclusion(leaf, index, size, root, &bent));
            }
        }
    }

    #[test]
    fn no_consistency_proof_shows_a_rewritten_start() {
        let (ours, _) = both(60);
        let mut rewritten = Tree::new();
        for index in 0..60 {
            rewritten.push(Hash::leaf(&entry(if index == 7 { 1000 } else { index })));
        }
        for old in 8..60 {
            let honest = (old, ours.root(old).unwrap());
            let forged = (60, rewritten.root(60).unwrap());
            let path = rewritten.consistency(old, 60).unwrap();
            assert!(!verify_consistency(honest, forged, &path), "from {old}");
        }
        assert!(ours.consistency(0, 60).is_err());
        assert!(ours.consistency(61, 60).is_err());
        assert!(ours.inclusion(60, 60).is_err());
    }

    /// The example key of the Go implementation of signed notes.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn a_key_of_another_implementation_is_read_and_a_bent_one_is_not() {
        let verifier = Verifier::parse(KEY).unwrap();
        assert_eq!(verifier.to_string(), KEY);
        assert_eq!(
            Verifier::parse(&KEY.replace("c74f20a3", "c74f20a4")).unwrap_err().to_string(),
            "not a verifier key; give it as `name+hash+base64`, as `ordain ledger key` prints it"
        );
    }

    #[test]
    fn a_checkpoint_is_accepted_from_its_own_key_only() {
        let (signer, kept) = Signer::generate("gate.example/a").unwrap();
        let note = signer.sign(3, Hash::leaf(b"x"));
        let again = Signer::from_pkcs8("gate.example/a", &kept).unwrap();
        assert_eq!(again.verifier(), signer.verifier());
        let opened = Verifier::parse(&signer.verifier().to_string()).unwrap().open(&note).unwrap();
        assert_eq!(
            opened,
            Checkpoint { origin: "gate.example/a".to_owned(), size: 3, root: Hash::leaf(b"x") }
        );

        let (other, _) = Signer::generate("gate.example/a").unwrap();
        let refused = |note: &str, expected: Expect| {
            expected.assert_eq(&signer.verifier().open(note).unwrap_err().to_string());
        };
        refused(
            &other.sign(3, Hash::leaf(b"x")),
            expect!["the checkpoint is not signed by `gate.example/a`; do not trust it"],
        );
        refused(
            &note.replacen("\n3\n", "\n4\n", 1),
            expect!["the checkpoint is not signed by `gate.example/a`; do not trust it"],
        );
        refused(
            &note.replacen("\n3\n", "\n03\n", 1),
            expect![
                "not a checkpoint: its size is not in plain decimal; give the file as the ledger wrote it"
            ],
        );
        refused(
            note.trim_end(),
            expect!["not a checkpoint: its last line is cut short; give the file as the ledger wrote it"],
        );
        let (elsewhere, _) = Signer::generate("gate.example/b").unwrap();
        refused(
            &elsewhere.sign(3, Hash::leaf(b"x")),
            expect![
                "the checkpoint is of `gate.example/b`, not of `gate.example/a`; give the checkpoint of this ledger"
            ],
        );
        assert!(Signer::generate("no names with blanks").is_err());
    }

    #[test]
    fn a_witness_may_sign_beside_us() {
        let (signer, _) = Signer::generate("gate.example/a").unwrap();
        let (witness, _) = Signer::generate("witness.example").unwrap();
        let note = signer.sign(1, Hash::leaf(b"x"));
        let (_, line) = witness
            .sign(1, Hash::leaf(b"x"))
            .split_once("\n\n")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        assert!(signer.verifier().open(&format!("{note}{line}")).is_ok());
    }

    #[test]
    fn a_proof_is_handed_out_as_text_and_verifies_offline() {
        let (ours, _) = both(5);
        let (signer, _) = Signer::generate("gate.example/a").unwrap();
        let proof = Handed {
            index: 2,
            hashes: ours.inclusion(2, 5).unwrap(),
            checkpoint: signer.sign(5, ours.root(5).unwrap()),
        };
        let text = proof.to_text();
        let shown: Vec<&str> = text.lines().take(6).collect();
        expect![[r#"
            c2sp.org/tlog-proof@v1
            index 2
            YcoROfaBWEHVuvLQ0tm9nf7pfImN1ve6DAqpQe5sAes=
            WkdmL9ijF9lgSaP59HxV3GfKZgUbqjaD27GbL+CaB7A=
            SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=
        "#]]
        .assert_eq(&shown.join("\n"));
        let read = Handed::parse(&text).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.verify(&entry(2), signer.verifier()).unwrap().size, 5);
        assert_eq!(
            read.verify(&entry(3), signer.verifier()).unwrap_err().to_string(),
            "the entry is not entry 2 of the ledger; do not trust it"
        );
        let with_extra = text.replacen("\nindex", "\nextra AAAA\nindex", 1);
        assert_eq!(Handed::parse(&with_extra).unwrap(), proof);
    }
}
