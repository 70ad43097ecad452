//! Uploads in chunks that are not quite what was signed: swapped, dropped, tampered with, of another length.
//!
//! Whatever the mode, none of them becomes an object: the upstream never gets the whole of one.

use std::io::Write as _;

use crate::harness::{Client, Craft, Gate, Setup, read_reply};

const TRAILER: (&str, &str) = ("x-amz-checksum-crc32c", "AAAAAA==");
const PART: &[u8] = &[b'p'; 9_000];
const OTHER: &[u8] = &[b'q'; 9_000];

fn upload(client: &Client, trailer: bool) -> Craft {
    let form = if trailer {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    } else {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    };
    let craft = Craft::new(client, "s3", "PUT", "/some-bucket/key", b"")
        .with("content-encoding", "aws-chunked")
        .with("x-amz-decoded-content-length", "18000")
        .but(|craft| craft.payload = Some(form.to_owned()));
    if trailer { craft.with("x-amz-trailer", TRAILER.0) } else { craft }
}

/// An upload as it should be: its head, and its body in pieces.
fn pieces(craft: &Craft, trailer: bool) -> Vec<Vec<u8>> {
    let (_, seed) = craft.head();
    craft.chunks(&seed, &[PART, OTHER], trailer.then_some(TRAILER))
}

fn whole(craft: &Craft, pieces: &[Vec<u8>]) -> Vec<u8> {
    craft.clone().but(|craft| craft.sent = Some(pieces.concat())).bytes()
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    assert!(text.contains(from), "there is nothing to replace");
    text.replacen(from, to, 1).chars().map(|letter| letter as u8).collect()
}

fn attempts(client: &Client) -> Vec<(&'static str, Vec<u8>)> {
    let (plain, trailed) = (upload(client, false), upload(client, true));
    let (good, with) = (pieces(&plain, false), pieces(&trailed, true));
    let of_another =
        pieces(&plain.clone().but(|craft| craft.target = "/some-bucket/another".to_owned()), false);
    let pick = |from: &[Vec<u8>], which: &[usize]| -> Vec<Vec<u8>> {
        which.iter().map(|at| from[*at].clone()).collect()
    };
    let mut all = vec![
        ("chunks in another order", whole(&plain, &pick(&good, &[1, 0, 2, 3]))),
        ("a chunk dropped", whole(&plain, &pick(&good, &[0, 2, 3]))),
        ("a chunk twice", whole(&plain, &pick(&good, &[0, 0, 1, 2, 3]))),
        ("the last chunk dropped", whole(&plain, &pick(&good, &[0, 1]))),
        ("the end only", whole(&plain, &pick(&good, &[2, 3]))),
        ("something after the end", whole(&plain, &[good.concat(), b"5\r\nabcde\r\n".to_vec()])),
        ("the trailers dropped", whole(&trailed, &[with[..3].concat(), b"\r\n".to_vec()])),
    ];
    let mut swapped = good.clone();
    swapped[0] = of_another[0].clone();
    all.push(("a chunk of another upload", whole(&plain, &swapped)));
    all.push(("all chunks of another upload", whole(&plain, &of_another)));
    let mut bent = |name, craft: &Craft, pieces: &[Vec<u8>], at: usize, from: &str, to: &str| {
        let mut bent = pieces.to_vec();
        bent[at] = replaced(&bent[at], from, to);
        all.push((name, whole(craft, &bent)));
    };
    bent("a byte of a chunk", &plain, &good, 0, "pp", "pq");
    bent("a byte of the last chunk", &plain, &good, 1, "qq", "qp");
    bent("a size", &plain, &good, 0, "2328;", "2327;");
    bent("a size with an extension", &plain, &good, 0, ";chunk", ";a=b;chunk");
    bent("no signature", &plain, &good, 0, "chunk-signature", "chunk-nothing");
    bent("a trailer's value", &trailed, &with, 3, "AAAAAA==", "BAAAAA==");
    bent("a trailer's name", &trailed, &with, 3, "crc32c", "crc32");
    bent("a trailer's signature", &trailed, &with, 3, "signature:", "signature:0");
    bent("a trailer more", &trailed, &with, 3, "x-amz-checksum", "x-amz-acl:public-read\r\nx-amz-checksum");
    let put = || Craft::new(client, "s3", "PUT", "/some-bucket/key", PART);
    all.push((
        "a body that is not the declared one",
        put().but(|craft| craft.sent = Some(OTHER.to_vec())).bytes(),
    ));
    all.push(("a hash of nought", put().but(|craft| craft.payload = Some("0".repeat(64))).bytes()));
    let length = |craft: Craft, length: &str| {
        let length = length.to_owned();
        let craft = craft.but(|craft| {
            craft
                .headers
                .iter_mut()
                .filter(|(name, _)| name.ends_with("decoded-content-length"))
                .for_each(|(_, value)| value.clone_from(&length));
        });
        whole(&craft, &pieces(&craft, false))
    };
    all.push(("a shorter length declared", length(plain.clone(), "9000")));
    all.push(("a longer length declared", length(plain.clone(), "18001")));
    all.push(("a length that is none", length(plain.clone(), "-1")));
    all.push((
        "unsigned chunks where signed ones are declared",
        whole(&plain, &[b"4650\r\n".to_vec(), PART.to_vec(), OTHER.to_vec(), b"\r\n0\r\n\r\n".to_vec()]),
    ));
    all
}

#[track_caller]
fn check(mode: &'static str) {
    let gate = Gate::start(Setup { mode, ..Setup::default() });
    let alice = gate.client("alice");
    for trailer in [false, true] {
        let craft = upload(&alice, trailer);
        assert_eq!(
            sent(&alice, &whole(&craft, &pieces(&craft, trailer))),
            Some(200),
            "the upload as it was signed"
        );
    }
    let good = gate.recorder.arrived();
    assert_eq!(good.iter().filter(|one| one.complete).count(), 2);
    let mut offences = Vec::new();
    for (name, bytes) in attempts(&alice) {
        let before = gate.recorder.arrived().len();
        let status = sent(&alice, &bytes);
        let complete = gate.recorder.arrived()[before..].iter().filter(|one| one.complete).count();
        if complete > 0 || status.is_some_and(|status| status < 400) {
            offences.push(format!("{name}: {complete} whole, answered {status:?}"));
        }
    }
    assert!(offences.is_empty(), "{mode}:\n{}", offences.join("\n"));
    gate.finish();
}

fn sent(client: &Client, bytes: &[u8]) -> Option<u16> {
    let mut stream = client.connect().unwrap();
    drop(stream.write_all(bytes));
    // A body that stops short is only found when nothing more comes.
    drop(stream.shutdown(std::net::Shutdown::Write));
    read_reply(&mut stream, false).ok().map(|reply| reply.status)
}

#[test]
fn no_bent_upload_becomes_an_object_in_enforce() {
    check("enforce");
}

#[test]
fn no_bent_upload_becomes_an_object_in_shadow() {
    check("shadow");
}
