//! `aws-chunked` on its way through: what goes on says what came in, a changed body never completes, and what is
//! declared is what is sent.

use bytes::Bytes;
use jiff::Timestamp;
use ordain_sigv4::{
    Body, Head, KeyCache, KeyPair, Outgoing, Payload, PayloadStream, Secret, claim, sign, strip,
};

use crate::vendor::{HOST, NOW, SECRET, framed, put, signs_chunks};

/// The first bytes say form, sizes and pieces; the others what is changed on the wire, or are the wire.
pub fn check(data: &[u8]) {
    let Some((control, rest)) = data.split_first_chunk::<6>() else { return };
    let payload =
        [Payload::Chunks, Payload::ChunksTrailer, Payload::UnsignedTrailer][usize::from(control[0]) % 3];
    let short = usize::from(u16::from_be_bytes([control[1], control[2]]));
    let length = if control[3] & 31 == 0 { 60_000 + short } else { short % 2_000 };
    let body: Vec<u8> = (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap_or_default()).collect();
    let (request, seed) = put(payload, length);
    // Each chunk costs a signature: a long body in chunks of one byte would try nothing else for seconds.
    let chunks: Vec<&[u8]> = body.chunks(usize::from(control[4]) * 97 + 1 + length / 20).collect();
    let whole = framed(payload, &seed, &chunks, "AAAAAA==");
    // Bytes of the fuzzer's own are the wire only where nothing signs it: no one guesses a signature.
    let own = payload == Payload::UnsignedTrailer && control[3] & 32 == 32;
    let wire = if own { rest.to_vec() } else { changed(&whole, rest) };
    let through = pass(&request, &wire, usize::from(control[5]) * 31 + 1 + wire.len() / 100);
    match through {
        Ok((sent, declared)) => {
            assert_eq!(sent.len() as u64, declared, "another length was sent than declared");
            let came = plain(&wire).expect("what went on is chunked");
            assert!(
                plain(&sent).expect("what is sent is chunked") == came,
                "other bytes went on than came in"
            );
            assert_eq!(came.0.len(), length, "another length than declared was accepted");
            if signs_chunks(payload) {
                assert!(came.0 == body, "a changed body was accepted");
            }
        }
        Err((sent, declared)) => {
            assert!(wire != whole, "a body as the vendor makes it was refused");
            assert!((sent.len() as u64) < declared, "a refused body was sent whole");
        }
    }
}

/// Four bytes a change: what, where, and to what.
fn changed(whole: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut wire = whole.to_vec();
    for change in changes.chunks_exact(4).take(4) {
        if wire.is_empty() {
            return wire;
        }
        let at = usize::from(u16::from_be_bytes([change[1], change[2]])) % wire.len();
        match change[0] % 6 {
            0 => wire[at] = change[3],
            1 => wire.insert(at, change[3]),
            2 => drop(wire.remove(at)),
            3 => wire.truncate(at),
            4 => {
                let end = (at + usize::from(change[3])).min(wire.len());
                let copy = wire[at..end].to_vec();
                wire.splice(at..at, copy);
            }
            _ => {
                let end = (at + usize::from(change[3])).min(wire.len());
                drop(wire.drain(at..end));
            }
        }
    }
    wire
}

type Sent = (Vec<u8>, u64);

/// Sends a body through in pieces: what went on, whole or broken off.
fn pass(request: &http::Request<()>, wire: &[u8], piece: usize) -> Result<Sent, Sent> {
    let target = request.uri().path_and_query().expect("a target").as_str();
    let now = Timestamp::from_second(i64::try_from(NOW).expect("a time")).expect("a time");
    let head = Head { method: "PUT", target, authority: HOST, headers: request.headers() };
    let claimed = claim(&head, now).expect("the vendor signs well");
    let secret = Secret::new(SECRET.to_owned());
    let proven =
        claimed.prove(&KeyCache::new(), &secret, &head, Body::Streamed).expect("the vendor signs well");
    let mut headers = request.headers().clone();
    let target = strip(target, &mut headers);
    let outgoing = Outgoing {
        method: "PUT",
        target: &target,
        host: "bucket.s3.eu-west-1.amazonaws.com",
        region: "eu-west-1",
        service: "s3",
        now,
        payload: proven.payload(),
        declare: proven.is_declared(),
    };
    let real = KeyPair {
        id: "ASIAREAL".to_owned(),
        secret: Secret::new("the+real/secret".to_owned()),
        session_token: None,
    };
    let signed = sign(&KeyCache::new(), &real, &outgoing, &mut headers).expect("it can be signed");
    let mut stream = PayloadStream::new(&proven, request.headers(), &signed).expect("it is declared");
    let declared = stream.content_length().expect("a chunked body has another length");
    let mut out = Vec::new();
    for piece in wire.chunks(piece) {
        if stream.push(Bytes::copy_from_slice(piece), &mut out).is_err() {
            return Err((out.concat(), declared));
        }
    }
    match stream.finish(&mut out) {
        Ok(()) => Ok((out.concat(), declared)),
        Err(_) => Err((out.concat(), declared)),
    }
}

type Plain = (Vec<u8>, Vec<(String, String)>);

/// The body and the trailers, signatures aside, of chunks read plainly; `None` where they are none.
fn plain(wire: &[u8]) -> Option<Plain> {
    let mut body = Vec::new();
    let mut rest = wire;
    loop {
        let line = line(&mut rest)?;
        let size = usize::from_str_radix(line.split(';').next()?, 16).ok()?;
        if size == 0 {
            break;
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let mut trailers = Vec::new();
    loop {
        let line = line(&mut rest)?;
        if line.is_empty() {
            return rest.is_empty().then_some((body, trailers));
        }
        let (name, value) = line.split_once(':')?;
        if name != "x-amz-trailer-signature" {
            trailers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

fn line(rest: &mut &[u8]) -> Option<String> {
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let line = String::from_utf8(rest[..end].to_vec()).ok()?;
    *rest = &rest[end + 2..];
    Some(line)
}
