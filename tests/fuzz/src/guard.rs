//! The HTTP/1 guard: what it hands on, an independent parser reads as the same messages, and how the bytes arrive
//! makes no difference.

use httparse::Status;
use ordain_decode::form::http1::{FIELDS_MAX, Framer, Refused, read_head};

/// What a connection came to: how many bytes were handed on, where messages ended, why it was refused.
#[derive(Debug, PartialEq)]
struct Passed {
    cleared: usize,
    ends: Vec<usize>,
    refused: Option<Refused>,
}

/// The first byte says in which pieces the others arrive.
pub fn check(data: &[u8]) {
    let Some((step, bytes)) = data.split_first() else { return };
    let whole = pass(bytes, bytes.len().max(1));
    let pieces = pass(bytes, usize::from(*step) % 64 + 1);
    assert_eq!(whole, pieces, "the way of arriving decides");
    assert_eq!(ends(&bytes[..whole.cleared]), whole.ends, "messages end elsewhere");
}

fn pass(bytes: &[u8], step: usize) -> Passed {
    let mut framer = Framer::default();
    let mut passed = Passed { cleared: 0, ends: Vec::new(), refused: None };
    let mut arrived = 0;
    while arrived < bytes.len() {
        arrived = (arrived + step).min(bytes.len());
        // A message's end stops what is cleared at once: what came with it is shown again.
        loop {
            let shown = &bytes[passed.cleared..arrived];
            if shown.is_empty() {
                break;
            }
            let examined = framer.examine(shown);
            passed.cleared += examined.cleared;
            if examined.cleared > 0 && framer.between_messages() {
                passed.ends.push(passed.cleared);
            }
            if examined.refused.is_some() {
                passed.refused = examined.refused;
                return passed;
            }
            if examined.cleared == 0 {
                break;
            }
        }
    }
    passed
}

/// Where messages end, by httparse and a plain walk.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        let length = match request.parse(&bytes[at..]) {
            Ok(Status::Complete(length)) => length,
            other => panic!("a head was handed on that is none: {other:?}"),
        };
        same_head(&request, &bytes[at..at + length]);
        let body = &bytes[at + length..];
        let Some(taken) = body_end(&request, body) else { return ends };
        at += length + taken;
        ends.push(at);
    }
    ends
}

fn same_head(theirs: &httparse::Request<'_, '_>, bytes: &[u8]) {
    let ours = read_head(bytes).expect("what was handed on is read again");
    assert_eq!(Some(ours.method), theirs.method.map(str::as_bytes));
    assert_eq!(Some(ours.target), theirs.path.map(str::as_bytes));
    assert!(!ours.target.contains(&b'#'), "a fragment passed");
    assert_eq!(value(theirs, "host"), Some(ours.host), "another host");
}

/// The only value of a header.
pub(crate) fn value<'b>(request: &httparse::Request<'_, 'b>, name: &str) -> Option<&'b [u8]> {
    let mut values = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let only = values.next()?;
    assert!(values.next().is_none(), "`{name}` passed twice");
    Some(only.value)
}

/// How long the body is; `None` while it has not ended.
fn body_end(request: &httparse::Request<'_, '_>, body: &[u8]) -> Option<usize> {
    match (value(request, "content-length"), value(request, "transfer-encoding")) {
        (None, None) => Some(0),
        (Some(length), None) => {
            let text = std::str::from_utf8(length).expect("a length in digits");
            let length: usize = text.parse().unwrap_or(usize::MAX);
            (body.len() >= length).then_some(length)
        }
        (None, Some(coding)) => {
            assert!(coding.eq_ignore_ascii_case(b"chunked"), "an encoding passed: {coding:?}");
            chunked_end(body)
        }
        (Some(_), Some(_)) => panic!("a length and an encoding passed"),
    }
}

fn chunked_end(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (head, size) = match httparse::parse_chunk_size(&body[at..]) {
            Ok(Status::Complete(found)) => found,
            Ok(Status::Partial) => return None,
            Err(error) => panic!("a chunk passed that is none: {error}"),
        };
        at += head;
        if size == 0 {
            break;
        }
        at = at.checked_add(usize::try_from(size).ok()?)?;
        let end = body.get(at..)?;
        if end.len() < 2 {
            return None;
        }
        assert!(end.starts_with(b"\r\n"), "a chunk passed that is longer than it says");
        at += 2;
    }
    loop {
        let line = body.get(at..)?.windows(2).position(|two| two == b"\r\n")?;
        at += line + 2;
        if line == 0 {
            return Some(at);
        }
    }
}
