//! Chunked bodies: chunks signed by the vendor, verified here, and our own chunks as the vendor would sign them.

use aws_sigv4::http_request::SignableBody;
use aws_sigv4::sign::v4::{SigningParams, sign_chunk, sign_trailer};
use aws_smithy_runtime_api::http::Headers;
use bytes::Bytes;
use http::{HeaderMap, Request};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{Asked, HOST, Manner, identity, issued, now, real, target, vendor_now};
use crate::{
    Body, CHUNK, ChunkRefusal, Head, KeyCache, KeyPair, Outgoing, Payload, PayloadStream, Proven, Signed,
    claim, sign, strip,
};

const CHECKSUM: &str = "x-amz-checksum-crc32c";

/// The chunks of a body, as the vendor's own functions sign them.
fn framed(pair: &KeyPair, payload: Payload, seed: &str, chunks: &[&[u8]], checksum: &str) -> Vec<u8> {
    let identity = identity(pair);
    let params = SigningParams::<()>::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("s3")
        .time(vendor_now())
        .settings(())
        .build()
        .unwrap();
    let mut previous = seed.to_owned();
    let mut out = Vec::new();
    for chunk in chunks.iter().copied().chain([&[][..]]) {
        out.extend_from_slice(format!("{:x}", chunk.len()).as_bytes());
        if payload.signs_chunks() {
            let signed = sign_chunk(&Bytes::copy_from_slice(chunk), &previous, &params).unwrap();
            previous = signed.signature().to_owned();
            out.extend_from_slice(format!(";chunk-signature={previous}").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(chunk);
        if !chunk.is_empty() {
            out.extend_from_slice(b"\r\n");
        }
    }
    if payload.has_trailers() {
        out.extend_from_slice(format!("{CHECKSUM}:{checksum}\r\n").as_bytes());
        if payload.signs_chunks() {
            let mut headers = Headers::new();
            headers.insert(CHECKSUM, checksum.to_owned());
            let signed = sign_trailer(&headers, &previous, &params).unwrap();
            out.extend_from_slice(format!("x-amz-trailer-signature:{}\r\n", signed.signature()).as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn put(payload: Payload, length: usize) -> (Request<()>, String) {
    let mut headers = vec![("content-encoding".to_owned(), "aws-chunked".to_owned())];
    headers.push(("x-amz-decoded-content-length".to_owned(), length.to_string()));
    if payload.has_trailers() {
        headers.push(("x-amz-trailer".to_owned(), CHECKSUM.to_owned()));
    }
    let asked = Asked { method: "PUT", target: "/bucket/a%20key".to_owned(), service: "s3", headers };
    let manner = Manner { in_query: false, declare: true };
    asked.signed_by_vendor(&issued(), manner, SignableBody::Precomputed(payload.text().unwrap()))
}

fn proven(request: &Request<()>) -> Proven {
    let target = target(request);
    let head = Head { method: "PUT", target: &target, authority: HOST, headers: request.headers() };
    let claimed = claim(&head, now()).unwrap();
    claimed.prove(&KeyCache::new(), &issued().secret, &head, Body::Streamed).unwrap()
}

/// Signs again, and says which signature the chunks go on from.
fn signed(request: &Request<()>, proven: &Proven) -> (Signed, String) {
    let mut headers = request.headers().clone();
    let target = strip(&target(request), &mut headers);
    let outgoing = Outgoing {
        method: "PUT",
        target: &target,
        host: "bucket.s3.eu-west-1.amazonaws.com",
        region: "eu-west-1",
        service: "s3",
        now: now(),
        payload: proven.payload(),
        declare: proven.is_declared(),
    };
    let signed = sign(&KeyCache::new(), &real(), &outgoing, &mut headers).unwrap();
    let authorization = headers["authorization"].to_str().unwrap();
    (signed, authorization.rsplit_once('=').unwrap().1.to_owned())
}

/// Sends a body through in pieces; what came out, and whether it came to its end.
fn through(
    proven: &Proven,
    headers: &HeaderMap,
    signed: &Signed,
    body: &[u8],
    piece: usize,
) -> (Vec<u8>, Option<u64>, Result<(), ChunkRefusal>) {
    let mut stream = PayloadStream::new(proven, headers, signed).unwrap();
    let length = stream.content_length();
    let mut out = Vec::new();
    let mut pushed = Ok(());
    for piece in body.chunks(piece) {
        pushed = stream.push(Bytes::copy_from_slice(piece), &mut out);
        if pushed.is_err() {
            break;
        }
    }
    let ended = pushed.and_then(|()| stream.finish(&mut out));
    (out.concat(), length, ended)
}

fn chunked() -> impl Strategy<Value = Payload> {
    prop::sample::select(vec![Payload::Chunks, Payload::ChunksTrailer, Payload::UnsignedTrailer])
}

/// Bytes of a given length that do not repeat in a chunk's rhythm.
fn data(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|index| u8::try_from((index * 7 + index / 251) % 256).unwrap() ^ seed).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn chunks_go_out_as_the_vendor_would_sign_them(
        payload in chunked(), sizes in prop::collection::vec(1_usize..70_000, 0..5), piece in 1_usize..90_000,
        seed in any::<u8>(), exact in any::<bool>(),
    ) {
        let length = if exact { CHUNK * sizes.len() } else { sizes.iter().sum() };
        let body = data(length, seed);
        let mut incoming = Vec::new();
        let mut rest = body.as_slice();
        for size in sizes {
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            if !chunk.is_empty() {
                incoming.push(chunk);
            }
            rest = after;
        }
        if !rest.is_empty() {
            incoming.push(rest);
        }
        let (request, vendor_seed) = put(payload, length);
        let proven = proven(&request);
        let (signed, seed) = signed(&request, &proven);
        let wire = framed(&issued(), payload, &vendor_seed, &incoming, "AAAAAA==");
        let (out, declared, ended) = through(&proven, request.headers(), &signed, &wire, piece);
        prop_assert_eq!(ended, Ok(()));
        let ours: Vec<&[u8]> = body.chunks(CHUNK).collect();
        let expected = framed(&real(), payload, &seed, &ours, "AAAAAA==");
        prop_assert_eq!(declared, Some(expected.len() as u64));
        prop_assert!(out == expected, "other bytes");
    }

    #[test]
    fn a_changed_byte_in_signed_chunks_never_completes(
        payload in prop::sample::select(vec![Payload::Chunks, Payload::ChunksTrailer]),
        length in 1_usize..100_000, position in any::<prop::sample::Index>(), cut in any::<bool>(),
    ) {
        let body = data(length, 0);
        let (request, vendor_seed) = put(payload, length);
        let proven = proven(&request);
        let (signed, _) = signed(&request, &proven);
        let chunks: Vec<&[u8]> = body.chunks(16 * 1024).collect();
        let mut wire = framed(&issued(), payload, &vendor_seed, &chunks, "AAAAAA==");
        let index = position.index(wire.len());
        if cut {
            wire.truncate(index);
        } else {
            wire[index] = if wire[index] == b'7' { b'q' } else { b'7' };
        }
        let (out, declared, ended) = through(&proven, request.headers(), &signed, &wire, 4_096);
        // A zero may stand before a size, and a header's name may be written in either case.
        if ended.is_err() {
            prop_assert!((out.len() as u64) < declared.unwrap());
        } else {
            let again: Vec<&[u8]> = body.chunks(CHUNK).collect();
            let (_, seed) = self::signed(&request, &proven);
            prop_assert!(out == framed(&real(), payload, &seed, &again, "AAAAAA=="));
        }
    }

    #[test]
    fn a_body_with_one_hash_keeps_its_last_piece_until_the_hash_is_right(
        length in 1_usize..100_000, piece in 1_usize..40_000, changed in any::<bool>(),
    ) {
        let mut body = data(length, 3);
        let asked = Asked { method: "PUT", target: "/bucket/key".to_owned(), service: "s3", headers: Vec::new() };
        let hash = SignableBody::Precomputed(hex::encode(Sha256::digest(&body)));
        let (request, _) = asked.signed_by_vendor(&issued(), Manner { in_query: false, declare: true }, hash);
        let proven = proven(&request);
        let (signed, _) = signed(&request, &proven);
        if changed {
            body[length / 2] ^= 1;
        }
        let (out, _, ended) = through(&proven, request.headers(), &signed, &body, piece);
        if changed {
            prop_assert_eq!(ended, Err(ChunkRefusal::Hash));
            prop_assert!(out.len() < body.len());
        } else {
            prop_assert_eq!(ended, Ok(()));
            prop_assert_eq!(out, body);
        }
    }

    #[test]
    fn no_bytes_make_a_stream_panic(
        payload in chunked(), wire in "[0-9a-f]{0,3}(;chunk-signature=)?[0-9a-f\r\n:]{0,200}", piece in 1_usize..20,
    ) {
        let (request, _) = put(payload, 5);
        let proven = proven(&request);
        let (signed, _) = signed(&request, &proven);
        let (out, declared, ended) = through(&proven, request.headers(), &signed, wire.as_bytes(), piece);
        prop_assert_eq!(ended.is_ok(), out.len() as u64 == declared.unwrap());
    }
}

fn refused(payload: Payload, length: usize, change: impl Fn(&mut HeaderMap, &mut Vec<u8>)) -> String {
    let body = data(8, 0);
    let (request, seed) = put(payload, length);
    let proven = proven(&request);
    let (signed, _) = signed(&request, &proven);
    let mut wire = framed(&issued(), payload, &seed, &[&body], "AAAAAA==");
    let mut headers = request.headers().clone();
    change(&mut headers, &mut wire);
    match PayloadStream::new(&proven, &headers, &signed) {
        Err(refusal) => refusal.to_string(),
        Ok(mut stream) => {
            let mut out = Vec::new();
            let pushed = stream.push(Bytes::from(wire), &mut out);
            pushed.and_then(|()| stream.finish(&mut out)).unwrap_err().to_string()
        }
    }
}

#[test]
fn a_stream_that_is_not_what_it_declares_is_told_so() {
    let all = Payload::ChunksTrailer;
    assert_eq!(
        refused(all, 9, |_, _| ()),
        "the body has another length than `9`; declare the length that is sent"
    );
    assert_eq!(
        refused(all, 7, |_, _| ()),
        "the body has another length than `7`; declare the length that is sent"
    );
    assert_eq!(
        refused(all, 8, |_, wire| wire.push(b'0')),
        "the chunked body is malformed: bytes follow its end; send it as the service documents"
    );
    assert_eq!(
        refused(all, 8, |_, wire| wire.truncate(wire.len() - 2)),
        "the chunked body is malformed: it is cut short; send it as the service documents"
    );
    assert_eq!(
        refused(Payload::UnsignedTrailer, 8, |_, wire| assert_eq!(wire.remove(wire.len() - 5), b'=')),
        "the trailers are not those declared in `x-amz-trailer`; declare each that is sent"
    );
    assert_eq!(
        refused(all, 8, |headers, _| drop(headers.remove("x-amz-trailer"))),
        "the trailers are not those declared in `x-amz-trailer`; declare each that is sent"
    );
    assert_eq!(
        refused(all, 8, |headers, _| drop(headers.insert("x-amz-trailer", "x-amz-acl".parse().unwrap()))),
        "the trailers are not those declared in `x-amz-trailer`; declare each that is sent"
    );
    assert_eq!(
        refused(all, 8, |headers, _| drop(headers.remove("x-amz-decoded-content-length"))),
        "the chunked body is malformed: `x-amz-decoded-content-length` is missing or no number; send it as the \
         service documents"
    );
}
