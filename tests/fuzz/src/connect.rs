//! `CONNECT`: what is taken for a tunnel's host, an independent parser reads as the same, and nothing in the head names
//! another or goes on as a body.

use httparse::Status;
use ordain_decode::form::http1::{Connect, FIELDS_MAX, HeadEnd, read_connect};

use crate::guard::value;

/// Takes what a fuzzer makes up for the head of a `CONNECT`.
pub fn check(data: &[u8]) {
    // As the gateway does it: up to the first empty line, what comes behind is the tunnel's.
    let Ok(Some(length)) = HeadEnd::of_proxy().find(data) else { return };
    let data = &data[..length];
    let Ok(Connect { host, port, authorization }) = read_connect(data) else { return };
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(data) {
        Ok(Status::Complete(length)) => assert_eq!(length, data.len(), "something stands behind the head"),
        other => panic!("a head was taken that is none: {other:?}"),
    }
    assert_eq!(request.method, Some("CONNECT"));
    let target = request.path.expect("a target");
    named(target, host, Some(port));
    match value(&request, "host") {
        Some(said) => named(std::str::from_utf8(said).expect("a host in ASCII"), host, None),
        None => assert_eq!(request.version, Some(0), "HTTP/1.1 without a host"),
    }
    assert!(value(&request, "transfer-encoding").is_none(), "a body follows");
    let length = value(&request, "content-length").map(|length| std::str::from_utf8(length).unwrap_or("?"));
    assert!(length.is_none_or(|length| length.bytes().all(|byte| byte == b'0')), "a body follows");
    let said = value(&request, "proxy-authorization").map(<[u8]>::trim_ascii);
    assert_eq!(authorization.map(<[u8]>::trim_ascii), said, "another asks");
}

/// Holds a host, with or without a port, against what was taken.
fn named(text: &str, host: &str, port: Option<u16>) {
    let authority: http::uri::Authority = text.parse().unwrap_or_else(|error| panic!("`{text}`: {error}"));
    assert!(!text.contains('@'), "somebody's name stands before the host");
    let bare = authority.host().trim_start_matches('[').trim_end_matches(']');
    assert!(bare.eq_ignore_ascii_case(host), "`{text}` is not `{host}`");
    if let Some(port) = port {
        assert_eq!(authority.port_u16(), Some(port), "{text}");
    }
}
