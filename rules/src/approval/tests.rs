//! That an approval is for what was signed and for nothing else: by signatures of `ssh-keygen`, and by any that are made up.
//!
//! Leaves out what approvals do to a decision.

use std::sync::LazyLock;

use expect_test::{Expect, expect};
use jiff::Timestamp;
use ordain_action::Digest;
use proptest::prelude::*;
use ssh_key::private::{Ed25519Keypair, PrivateKey};
use ssh_key::public::{Ed25519PublicKey, KeyData, SkEd25519};
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, SshSig};

use super::statement;
use crate::{Mode, Modes, Snapshot, Source};

const BOB: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDohAM4CyXuQtHwZqSIxSa0Wh4ChfiVsQf7r0xV1BWkE bob";
const CAROL: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBH0LrP/e9Md/oMJG+j79IZrLYZ0+IKPd645yqT/DNF4sg1LrbgxyARGCBQtcjZwgZSdaNtAfIeLnS39WjbgqRJE= carol";
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDAcJy2+KnGs9BV/lf6CbgWjlRFkIObfepacezPeuW1A6AFz2/KilmZUNd56vKvv/SzH/t8YDwSDv+CJJSS1wKjO8xYOs0xaD1ilTsHuBZf/EXdXhwC+tnWvW7QZto+rYJk78Ah+29QGumwir/LbrUSzsMSTYFJMmq1wNEmzvn7i8x+HKDKtHmeIMJBD9kpQNDE6hlaNlz/uYeEWkZSUKidEJQ5A8fJLDfjnVxQn3Yyvc1RHu+z54Rd9DA5I9MVJxE4TanV1DEWHJoxky4cjPo+VVE98fsiEaGQKwxDp4sO/69Bpwel6dQ4jhQPamkgBLU4vZhEbE9Jwn5a27qF6wmqqb2EKItAi1QejLIjCTqGA7iSgbkrLPsz/0EOpCfPbO2MWEjC+lydd5Iw9iAna8ufV2g7xnkh9ulmhqd/6OePajetvmMYPg6o3Ddq2e3nKMCo2nIHt2Gh8lft3GOPrtvg6fLiGRLSuqAlCrd+w8Zr8/iZQV7AlEyyeQ1GIiy2u+k= r";
const P384: &str = "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBCHpSx+QqVNZeMaP2uoC2ppkluDyR4Na6QJxcnzjxHVMGW/UFrkak0uJQqEB6MYu67awqT3m1Nmlw6GFHZJGle7TaWqeiokKIYBSUTxwldzPHGxOlYcMWZmUtL4Zd7K7wA== x";
/// Of the text `web`.
const DIGEST: &str = "sha256:4b5e57f6eb2f42b9039b3d1e13929295f231749c510cbe341cd68036d9af97e2";
const AT: &str = "2026-11-28T09:00:00Z";

/// All by `ssh-keygen` of OpenSSH 9.2, of the change `web-42`: with a key of Bob's, with the other hash, for git, and
/// with a key of Carol's.
const BY_BOB: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgOiEAzgLJe5C0fBmpIjFJrRaHgK
F+JWxB/uvTFXUFaQQAAAAPb3JkYWluLWFwcHJvdmFsAAAAAAAAAAZzaGE1MTIAAABTAAAA
C3NzaC1lZDI1NTE5AAAAQFmgI1Kv8lcj+uCnUe+oahjJ8uFbrxi+g1z9MjnNfGRy1zhpf/
ZGf89GSy0mK4k014mF0A/jxxUIr+8UHZ0R0wk=
-----END SSH SIGNATURE-----
";
const BY_BOB_SHA256: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgOiEAzgLJe5C0fBmpIjFJrRaHgK
F+JWxB/uvTFXUFaQQAAAAPb3JkYWluLWFwcHJvdmFsAAAAAAAAAAZzaGEyNTYAAABTAAAA
C3NzaC1lZDI1NTE5AAAAQDOVV86OPV7HJtm8sSVmzYcqfPRirQsiyiyZukLCLFPVOnp49Z
DgoUnv/dCsyK9iNVWOzECqbpSLY93dg0SzAwc=
-----END SSH SIGNATURE-----
";
const BY_BOB_FOR_GIT: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgOiEAzgLJe5C0fBmpIjFJrRaHgK
F+JWxB/uvTFXUFaQQAAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5
AAAAQJcZCFfnTn38mvj2J+0j72o2VSvFBn8WPCuVhLuSTNgCqgHW+Gb2Fqvy92BtSc78mX
nWQX36fbMkEICx9bArSA4=
-----END SSH SIGNATURE-----
";
const BY_CAROL: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEfQus/970x3+gwkb6Pv0hmsthnT4go93rjnKpP8M0XiyDUutuDHIBEYIFC1yNnCBlJ1o2
0B8h4udLf1aNuCpEkQAAAA9vcmRhaW4tYXBwcm92YWwAAAAAAAAABnNoYTUxMgAAAGQAAA
ATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEkAAAAhAKzwdOeyc9aENPuCVeELzcT3+0wFh+3F
gY4YvowI/vSNAAAAIHqN+CrCWzKGQ7ez3oaGDr8iSMdlSyVGCqmWP/hOLilm
-----END SSH SIGNATURE-----
";

fn user(name: &str, keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
    format!(
        "apiVersion: ordain/v1\nkind: User\nmetadata: {{name: {name}}}\nspec:\n  signingKeys: [{}]\n",
        keys.join(", "),
    )
}

fn approval(name: &str, (change, digest): (&str, &str), (by, at): (&str, &str), signature: &str) -> String {
    let signature = signature.trim_end().replace('\n', "\n    ");
    format!(
        "apiVersion: ordain/v1\nkind: Approval\nmetadata: {{name: {name}}}\nspec:\n  change: {change}\n  \
         digest: {digest}\n  by: {by}\n  at: {at}\n  signature: |\n    {signature}\n"
    )
}

fn load(documents: &[String]) -> Result<Snapshot, String> {
    let people = "apiVersion: ordain/v1\nkind: Actor\nmetadata: {name: deploy}\nspec: {kind: pipeline}\n---\n\
                  apiVersion: ordain/v1\nkind: User\nmetadata: {name: dora}\nspec: {}\n";
    let sources = [
        Source { path: "actors.yaml".to_owned(), text: people.to_owned() },
        Source {
            path: "people.yaml".to_owned(),
            text: [user("bob", &[BOB]), user("carol", &[CAROL])].join("---\n"),
        },
        Source { path: "rest.yaml".to_owned(), text: documents.join("---\n") },
    ];
    Snapshot::load(&sources, Modes::new(Mode::Enforce)).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{problem}\n")).collect();
        lines.concat()
    })
}

/// Who approved the change, or what is wrong; then what was found.
fn check(documents: &[String], expected: &Expect) {
    let told = load(documents).map_or_else(
        |problems| problems,
        |snapshot| {
            let all = snapshot.approvals("web-42", DIGEST);
            let all =
                all.map(|one| format!("{} at {} with {} as {}\n", one.by, one.at, one.verified, one.name));
            let found = snapshot.findings().iter().map(|one| format!("{}: {}\n", one.source, one.text));
            all.chain(found).collect()
        },
    );
    expected.assert_eq(&told);
}

#[test]
fn what_ssh_keygen_signed_is_an_approval() {
    let web = ("web-42", DIGEST);
    check(
        &[
            approval("a", web, ("bob", AT), BY_BOB),
            approval("b", web, ("bob", AT), BY_BOB_SHA256),
            approval("c", web, ("carol", AT), BY_CAROL),
        ],
        &expect![[r#"
            bob at 2026-11-28T09:00:00Z with SHA256:JmIk+NZ0ePpLcVkxFvz4JCLHcVZsUpBD8mS/8ssAfeY as a
            carol at 2026-11-28T09:00:00Z with SHA256:k+3e1iHeo8tsZ0OdVwhUNJJM9Rq5gzEGAlAWYDJCgDs as c
            rest.yaml: approval `a` is for the change `web-42`, which is not there, and counts for nothing; remove the approval
            rest.yaml: approval `c` is for the change `web-42`, which is not there, and counts for nothing; remove the approval
        "#]],
    );
}

#[test]
fn a_signature_for_anything_else_is_a_problem() {
    let web = ("web-42", DIGEST);
    let other = DIGEST.replace("4b", "4c");
    check(
        &[
            approval("of-another-change", ("web-43", DIGEST), ("bob", AT), BY_BOB),
            approval("of-another-text", ("web-42", &other), ("bob", AT), BY_BOB),
            approval("by-another", web, ("carol", AT), BY_BOB),
            approval("at-another-time", web, ("bob", "2026-11-28T09:00:01Z"), BY_BOB),
            approval("for-git", web, ("bob", AT), BY_BOB_FOR_GIT),
            approval("nothing", web, ("bob", AT), "yes"),
            approval("cut", web, ("bob", AT), &BY_BOB.replacen("WlNc", "", 1).replacen("U1NI", "", 1)),
            approval("by-nobody", web, ("bobby", AT), BY_BOB),
            approval("by-a-pipeline", web, ("deploy", AT), BY_BOB),
            approval("without-a-key", web, ("dora", AT), BY_BOB),
            approval("no-digest", ("web-42", &DIGEST.to_uppercase()), ("bob", AT), BY_BOB),
            approval("two-lines", ("\"web-42\\ndigest x\"", DIGEST), ("bob", AT), BY_BOB),
        ],
        &expect![[r#"
            rest.yaml:9: approval `of-another-change`: the signature is not over these `change`, `digest`, `by` and `at`; restore what was signed, or have `bob` approve it again
            rest.yaml:25: approval `of-another-text`: the signature is not over these `change`, `digest`, `by` and `at`; restore what was signed, or have `bob` approve it again
            rest.yaml:41: approval `by-another`: it was signed with the key SHA256:JmIk+NZ0ePpLcVkxFvz4JCLHcVZsUpBD8mS/8ssAfeY, which is none of `signingKeys` of `carol`; sign it with one that is, or have the key added there
            rest.yaml:57: approval `at-another-time`: the signature is not over these `change`, `digest`, `by` and `at`; restore what was signed, or have `bob` approve it again
            rest.yaml:73: approval `for-git`: it was signed for `git`; sign it again with `ssh-keygen -Y sign -n ordain-approval`
            rest.yaml:89: approval `nothing`: this is no signature of `ssh-keygen -Y sign`; sign it with `ordain change approve web-42 --as bob`
            rest.yaml:100: approval `cut`: this is no signature of `ssh-keygen -Y sign`; sign it with `ordain change approve web-42 --as bob`
            rest.yaml:114: approval `by-nobody`: `bobby` is not declared; did you mean `bob`
            rest.yaml:130: approval `by-a-pipeline`: `deploy` is no person; have a person approve it
            rest.yaml:146: approval `without-a-key`: `dora` has no keys to sign with; add `signingKeys` to the document of `dora`
            rest.yaml:161: approval `no-digest`: `SHA256:4B5E57F6EB2F42B9039B3D1E13929295F231749C510CBE341CD68036D9AF97E2` is not a digest; give it as `sha256:` and 64 hexadecimal digits, as `ordain change show web-42` prints it
            rest.yaml:176: approval `two-lines`: `change` is not a name in one word; give the name of the change
        "#]],
    );
}

#[test]
fn an_approval_is_read_strictly() {
    let whole = approval("a", ("web-42", DIGEST), ("bob", AT), BY_BOB);
    check(
        &[
            whole.replace("  by: bob\n", ""),
            whole.replace("  by: bob", "  by: bob\n  reason: none"),
            whole.replace(AT, "yesterday"),
        ],
        &expect![[r#"
            rest.yaml:5: in `spec`: `by` is missing; add it
            rest.yaml:23: in `spec`: unknown key `reason`; known here are `change`, `digest`, `by`, `at`, `signature`
            rest.yaml:40: in `spec.at`: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y; correct the document
        "#]],
    );
}

#[test]
fn one_person_counts_once_and_what_is_for_nothing_is_told() {
    let web = ("web-42", DIGEST);
    let snapshot = load(&[
        approval("late", web, ("bob", AT), BY_BOB_SHA256),
        approval("again", web, ("bob", AT), BY_BOB),
        approval("c", web, ("carol", AT), BY_CAROL),
    ])
    .unwrap();
    let approvals = &snapshot.model().unwrap().approvals;
    let by: Vec<&str> = approvals.of("web-42", DIGEST).map(|one| one.by.as_ref()).collect();
    assert_eq!(by, ["bob", "carol"]);
    assert_eq!(approvals.of("web-43", DIGEST).count() + approvals.of("web-42", "sha256:").count(), 0);
    let void = |digest: Option<&str>| -> String {
        let found = approvals.void(|change| digest.filter(|_| change == "web-42").map(str::to_owned));
        found.iter().map(|one| format!("{}: {}\n", one.source, one.text)).collect()
    };
    assert_eq!(void(Some(DIGEST)), "");
    expect![[r#"
        rest.yaml: approval `late` is for `web-42` as it was before and counts for nothing; have `bob` look at it again, or remove the approval
        rest.yaml: approval `c` is for `web-42` as it was before and counts for nothing; have `carol` look at it again, or remove the approval
    "#]].assert_eq(&void(Some("sha256:00")));
    expect![[r#"
        rest.yaml: approval `late` is for the change `web-42`, which is not there, and counts for nothing; remove the approval
        rest.yaml: approval `c` is for the change `web-42`, which is not there, and counts for nothing; remove the approval
    "#]].assert_eq(&void(None));
}

#[test]
fn a_key_is_one_persons_and_of_a_kind_that_is_taken() {
    let (device, _) = signed_by_device(&secret(1), 1, "");
    let agent = "apiVersion: ordain/v1\nkind: Actor\nmetadata: {name: helper}\nspec:\n  kind: agent\n";
    check(
        &[
            user("dan", &[BOB]),
            user("eve", &[P384, P384]),
            user("fay", &[RSA, "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIDohAM4CyXuQ"]),
            user("gil", &[&device, &device]),
            format!("{agent}  signingKeys: [\"{RSA}\"]\n"),
        ],
        &expect![[r#"
            rest.yaml:5: `dan` and `bob` have the same key SHA256:JmIk+NZ0ePpLcVkxFvz4JCLHcVZsUpBD8mS/8ssAfeY; give each a key of their own
            rest.yaml:11: approvals are not signed with a key of type `ecdsa-sha2-nistp384`; give one of type `ssh-ed25519`, `ecdsa-sha2-nistp256`, `sk-ssh-ed25519@openssh.com` or `sk-ecdsa-sha2-nistp256@openssh.com`
            rest.yaml:17: `AAAAC3NzaC1lZDI1NTE5AAAAIDohAM4CyXuQ` is not a public key; give the whole line of a `.pub` file, for example `ssh-ed25519 AAAA… name`
            rest.yaml:17: `ssh-ed25519` is not a public key; give the whole line of a `.pub` file, for example `ssh-ed25519 AAAA… name`
            rest.yaml:17: approvals are not signed with a key of type `ssh-rsa`; give one of type `ssh-ed25519`, `ecdsa-sha2-nistp256`, `sk-ssh-ed25519@openssh.com` or `sk-ecdsa-sha2-nistp256@openssh.com`
            rest.yaml:23: `gil` has the key SHA256:YG3t2mfQVCQetnbah3nMQxIVlZS5igmgsbqk9DU7sts twice; remove one
            rest.yaml:30: `helper` is no person, and only people approve; remove `signingKeys` from `helper`
        "#]],
    );
}

fn secret(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn line(key: &PrivateKey) -> String {
    key.public_key().to_openssh().unwrap()
}

fn signed(key: &PrivateKey, text: &str) -> String {
    let signature = key.sign(super::NAMESPACE, HashAlg::Sha512, text.as_bytes()).unwrap();
    signature.to_pem(LineEnding::LF).unwrap()
}

/// A signature as a security key makes it: over the application, its flags, its counter and the message, by their hashes.
fn signed_by_device(key: &PrivateKey, flags: u8, text: &str) -> (String, String) {
    let public =
        Ed25519PublicKey::try_from(key.public_key().key_data().ed25519().unwrap().0.as_slice()).unwrap();
    let device = KeyData::SkEd25519(SkEd25519::new(public, "ssh:"));
    let message = SshSig::signed_data(super::NAMESPACE, HashAlg::Sha512, text.as_bytes()).unwrap();
    let trailer = [flags, 0, 0, 0, 7];
    let mut over = Digest::of(b"ssh:").0.to_vec();
    over.extend(trailer);
    over.extend(Digest::of(&message).0);
    let key: &dyn ssh_key::SigningKey = key;
    let bare = key.try_sign(&over).unwrap();
    let mut bytes = bare.as_bytes().to_vec();
    bytes.extend(trailer);
    let signature = ssh_key::Signature::new(Algorithm::SkEd25519, bytes).unwrap();
    let signature = SshSig::new(device.clone(), super::NAMESPACE, HashAlg::Sha512, signature).unwrap();
    (PublicKey::from(device).to_openssh().unwrap(), signature.to_pem(LineEnding::LF).unwrap())
}

#[test]
fn a_security_key_counts_where_somebody_touched_it() {
    let at: Timestamp = AT.parse().unwrap();
    let text = statement("web-42", DIGEST, "dan", at);
    let (device, touched) = signed_by_device(&secret(1), 1, &text);
    let (_, untouched) = signed_by_device(&secret(1), 0, &text);
    let snapshot = load(&[user("dan", &[&device])]).unwrap();
    let verify = |signature: &str| snapshot.verify_approval(("web-42", DIGEST), ("dan", at), signature);
    verify(&touched).unwrap();
    expect!["it was signed with a security key that nobody touched; have `dan` sign it with a key that asks for a touch"].assert_eq(&verify(&untouched).unwrap_err());
}

/// People with keys that are made here.
static PEOPLE: LazyLock<Snapshot> = LazyLock::new(|| {
    load(&[user("dan", &[&line(&secret(1)), &line(&secret(2))]), user("eve", &[&line(&secret(3))])]).unwrap()
});

fn digest(of: u8) -> String {
    format!("sha256:{}", Digest::of(&[of]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_approval_verifies_for_what_was_signed_and_for_nothing_else(
        change in "[a-z][a-z0-9.-]{0,12}",
        of in any::<u8>(),
        seconds in 0_i64..4_000_000_000,
        which in 1_u8..=2,
        field in 0_usize..5,
        place in any::<prop::sample::Index>(),
        letter in any::<char>(),
    ) {
        let at = Timestamp::from_second(seconds).unwrap();
        let digest = digest(of);
        let signature = signed(&secret(which), &statement(&change, &digest, "dan", at));
        let verify = |change: &str, digest: &str, by: &str, at, signature: &str| {
            PEOPLE.verify_approval((change, digest), (by, at), signature)
        };
        prop_assert!(verify(&change, &digest, "dan", at, &signature).is_ok());
        // One letter of one field is another.
        let other = |text: &str| {
            let mut letters: Vec<char> = text.chars().collect();
            let at = place.index(letters.len());
            prop_assume!(letters.get(at) != Some(&letter));
            if let Some(old) = letters.get_mut(at) {
                *old = letter;
            }
            Ok(letters.into_iter().collect::<String>())
        };
        let told = match field {
            0 => verify(&other(&change)?, &digest, "dan", at, &signature),
            1 => verify(&change, &other(&digest)?, "dan", at, &signature),
            2 => verify(&change, &digest, &other("dan")?, at, &signature),
            3 => {
                let other = Timestamp::from_second(seconds ^ (1 << place.index(30))).unwrap();
                verify(&change, &digest, "dan", other, &signature)
            }
            _ => {
                // Another letter of base64 where there was one, so that it is not refused for its form only.
                let offset = "-----BEGIN SSH SIGNATURE-----\n".len();
                let body = signature.len() - offset - "-----END SSH SIGNATURE-----\n".len() - 4;
                let mut bytes = signature.clone().into_bytes();
                let byte = &mut bytes[offset + place.index(body)];
                prop_assume!(byte.is_ascii_alphanumeric());
                *byte = if *byte == b'A' { b'B' } else { b'A' };
                verify(&change, &digest, "dan", at, &String::from_utf8(bytes).unwrap())
            }
        };
        prop_assert!(told.is_err(), "{told:?}");
    }

    #[test]
    fn an_approval_of_one_is_none_of_another(
        changes in prop::array::uniform2("[a-c]{1,2}"),
        of in prop::array::uniform2(0_u8..3),
        times in prop::array::uniform2(0_i64..3),
        people in prop::array::uniform2(prop::sample::select(vec![("dan", 1), ("dan", 2), ("eve", 3)])),
    ) {
        let [signed_for, held_for] = [0, 1].map(|which| {
            let at = Timestamp::from_second(times[which]).unwrap();
            (changes[which].clone(), digest(of[which]), people[which].0, at)
        });
        let (change, digest, by, at) = &signed_for;
        let signature = signed(&secret(people[0].1), &statement(change, digest, by, *at));
        let (change, digest, by, at) = &held_for;
        let told = PEOPLE.verify_approval((change, digest), (by, *at), &signature);
        prop_assert_eq!(told.is_ok(), signed_for == held_for, "{:?}", told);
    }
}
