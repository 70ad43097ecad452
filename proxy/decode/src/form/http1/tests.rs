//! Raw heads and chunked bodies in, readings or refusals out.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

/// Reads a head that arrives whole, and again byte by byte: both must say the same.
fn reading(raw: &[u8]) -> String {
    let whole = scan(raw, raw.len().max(1));
    let drip = scan(raw, 1);
    assert_eq!(whole, drip, "the reading depends on how the bytes arrive");
    whole
}

fn scan(raw: &[u8], step: usize) -> String {
    let mut end = HeadEnd::default();
    let mut arrived = 0;
    loop {
        arrived = (arrived + step).min(raw.len());
        match end.find(&raw[..arrived]) {
            Err(refusal) => return refusal.reason_code().to_owned(),
            Ok(Some(length)) => return describe(&raw[..length]),
            Ok(None) if arrived == raw.len() => return "incomplete".to_owned(),
            Ok(None) => {}
        }
    }
}

fn describe(head: &[u8]) -> String {
    match read_head(head) {
        Err(refusal) => refusal.reason_code().to_owned(),
        Ok(read) => format!(
            "{} {} host={} {:?}{}",
            String::from_utf8_lossy(read.method),
            String::from_utf8_lossy(read.target),
            String::from_utf8_lossy(read.host),
            read.framing,
            if read.expects_continue {
                " continue"
            } else if read.upgrades {
                " upgrades"
            } else {
                ""
            }
        ),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check(raw: &str, expected: Expect) {
    expected.assert_eq(&reading(raw.as_bytes()));
}

/// A head with these header lines added to a plain one.
fn with(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nhost: gate\r\n{lines}\r\n")
}

#[test]
fn a_plain_request_is_read() {
    check(
        "GET /b?list-type=2 HTTP/1.1\r\nHost: gate:7070\r\n\r\n",
        expect!["GET /b?list-type=2 host=gate:7070 None"],
    );
    check(&with("Content-Length: 12\r\n"), expect!["POST / host=gate Length(12)"]);
    check(&with("transfer-encoding: chunked\r\n"), expect!["POST / host=gate Chunked"]);
    check(
        &with("expect: 100-continue\r\ncontent-length: 1\r\n"),
        expect!["POST / host=gate Length(1) continue"],
    );
    check("GET http://gate/x HTTP/1.1\r\nhost: GATE\r\n\r\n", expect!["GET http://gate/x host=GATE None"]);
    check(
        "GET /b/%2e%2E/../k HTTP/1.0\r\nhost: [::1]:7070\r\n\r\n",
        expect!["GET /b/%2e%2E/../k host=[::1]:7070 None"],
    );
    check(
        "GET / HTTP/1.1\r\nhost: gate\r\nconnection: Keep-Alive, TE\r\nte: trailers\r\n",
        expect!["incomplete"],
    );
}

#[test]
fn a_length_is_said_once_in_one_way() {
    check(
        &with("content-length: 1\r\ntransfer-encoding: chunked\r\n"),
        expect!["framing_length_and_encoding"],
    );
    check(
        &with("transfer-encoding: chunked\r\ncontent-length: 1\r\n"),
        expect!["framing_length_and_encoding"],
    );
    check(&with("content-length: 1\r\ncontent-length: 1\r\n"), expect!["framing_length_twice"]);
    for value in ["+1", "-1", "0x1", "1, 1", "01", "1 ", "", "1.0", "99999999999999999999", "９"] {
        let answer = reading(with(&format!("content-length:{value}\r\n")).as_bytes());
        // Space around a value is no part of it.
        let expected = if value == "1 " { "POST / host=gate Length(1)" } else { "framing_length_invalid" };
        assert_eq!(answer, expected, "`{value}`");
    }
}

#[test]
fn an_encoding_is_exactly_chunked() {
    for value in [
        "Chunked",
        "gzip, chunked",
        "chunked, chunked",
        "chunked;q=1",
        "identity",
        "",
        "xchunked",
        "\"chunked\"",
    ] {
        let answer = reading(with(&format!("transfer-encoding: {value}\r\n")).as_bytes());
        assert_eq!(answer, "framing_encoding", "`{value}`");
    }
    check(&with("transfer-encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), expect!["framing_encoding"]);
    check(
        "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
        expect!["framing_encoding_in_version"],
    );
    check(&with("transfer-encoding : chunked\r\n"), expect!["framing_space_before_colon"]);
    check(&with("transfer-encoding\t: chunked\r\n"), expect!["framing_space_before_colon"]);
    check(&with("transfer-encoding: \x0bchunked\r\n"), expect!["framing_control_character"]);
    check(&with("transfer_encoding: chunked\r\n"), expect!["framing_underscore_twin"]);
    check(&with("Content_Length: 1\r\n"), expect!["framing_underscore_twin"]);
    check(&with("x_amz_target: a\r\n"), expect!["framing_underscore_twin"]);
    check(&with("x-amz_target: a\r\n"), expect!["framing_underscore_twin"]);
    check(&with("x_request_id: a\r\n"), expect!["POST / host=gate None"]);
}

#[test]
fn lines_end_in_one_way() {
    check("GET / HTTP/1.1\nhost: a\r\n\r\n", expect!["framing_bare_line_feed"]);
    check("GET / HTTP/1.1\r\nhost: a\n\r\n", expect!["framing_bare_line_feed"]);
    check("GET / HTTP/1.1\r\nhost: a\r\n\n", expect!["framing_bare_line_feed"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n", expect!["framing_bare_carriage_return"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nx: a\r\r\n\r\n", expect!["framing_bare_carriage_return"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n", expect!["framing_control_character"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nx\0y: b\r\n\r\n", expect!["framing_control_character"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", expect!["framing_folded_header"]);
    check("GET / HTTP/1.1\r\n host: a\r\n\r\n", expect!["framing_folded_header"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nnothing\r\n\r\n", expect!["framing_header_name"]);
    check("GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n", expect!["framing_header_name"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nx(y): b\r\n\r\n", expect!["framing_header_name"]);
    check("\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n", expect!["framing_not_a_request"]);
    check("\x16\x03\x01\x02", expect!["framing_not_a_request"]);
}

#[test]
fn the_request_line_has_three_words() {
    check("GET /\r\n", expect!["framing_no_version"]);
    check("GET\r\n", expect!["framing_request_line"]);
    check("GET / HTTP/2.0\r\n", expect!["framing_version"]);
    check("GET / HTTP/1.2\r\n", expect!["framing_version"]);
    check("GET / HTTP/1.10\r\n", expect!["framing_version"]);
    check("GET / http/1.1\r\n", expect!["framing_request_line"]);
    check("GET  / HTTP/1.1\r\n", expect!["framing_request_line"]);
    check("GET / x HTTP/1.1\r\n", expect!["framing_request_line"]);
    check("GET / HTTP/1.1 \r\n", expect!["framing_request_line"]);
    check("GET\t/\tHTTP/1.1\r\n", expect!["framing_control_character"]);
    check("PRI * HTTP/2.0\r\n", expect!["framing_version"]);
    for method in ["get", "Get", "TRACE", "CONNECT", "PROPFIND", "G\u{45}T2", "DELETE2", "PATC"] {
        assert_eq!(reading(format!("{method} / HTTP/1.1\r\n").as_bytes()), "framing_method", "`{method}`");
    }
}

#[test]
fn a_target_is_a_path_or_a_url_of_the_host() {
    let target = |target: &str| reading(format!("DELETE {target} HTTP/1.1\r\nhost: a:80\r\n\r\n").as_bytes());
    assert_eq!(target("/bucket#x"), "framing_fragment");
    assert_eq!(target("#"), "framing_fragment");
    for odd in [
        "bucket",
        "*",
        "a:80",
        "?x",
        "http:/a:80/",
        "HTTP://a:80/",
        "http://a:80",
        "ftp://a:80/",
        "/a\\b",
        "/<",
        "/\"",
        "/^",
        "/`",
        "/ü",
    ] {
        assert_eq!(target(odd), "framing_target", "`{odd}`");
    }
    for odd in ["/%", "/%2", "/%zz", "/?a=%1", "/%%20"] {
        assert_eq!(target(odd), "framing_percent_encoding", "`{odd}`");
    }
    assert_eq!(target("http://b:80/"), "host_disagrees");
    assert_eq!(target("http://a/"), "host_disagrees");
    assert_eq!(target("http://u@a:80/"), "framing_target");
    assert_eq!(target("https://A:80/x"), "DELETE https://A:80/x host=a:80 None");
    assert_eq!(target("//b/x"), "DELETE //b/x host=a:80 None");
}

#[test]
fn there_is_one_host_and_it_is_one() {
    check("GET / HTTP/1.1\r\n\r\n", expect!["host_missing"]);
    check("GET / HTTP/1.0\r\n\r\n", expect!["host_missing"]);
    check("GET / HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n", expect!["host_twice"]);
    for host in [
        "",
        "a b",
        "a,b",
        "a/b",
        "a:",
        "a:0",
        "a:65536",
        "a:+1",
        "u@a",
        "a..b",
        ".a",
        "a.",
        "[::1",
        "[::1]x",
        "[::g]",
        "::1",
        "a:1:2",
        "[fe80::1%25eth0]",
        "a?",
        "a#",
        "é",
    ] {
        let answer = reading(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes());
        assert_eq!(answer, "host_invalid", "`{host}`");
    }
    for host in ["a", "a:1", "a.b-c_d.e:65535", "127.0.0.1:7070", "[::1]", "[2001:db8::1]:443"] {
        let answer = reading(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes());
        assert_eq!(answer, format!("GET / host={host} None"));
    }
}

#[test]
fn connection_names_only_what_is_hop_by_hop() {
    check(&with("connection: close, content-length\r\n"), expect!["framing_connection"]);
    check(&with("connection: authorization\r\n"), expect!["framing_connection"]);
    check(&with("connection: x-amz-date\r\n"), expect!["framing_connection"]);
    check(&with("connection: \r\n"), expect!["framing_connection"]);
    check(&with("connection: transfer-encoding\r\n"), expect!["framing_connection"]);
    check(&with("connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"), expect!["framing_upgrade"]);
    check(&with("http2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"), expect!["framing_upgrade"]);
    check(&with("te: gzip\r\n"), expect!["framing_te"]);
    check(&with("te: trailers, deflate\r\n"), expect!["framing_te"]);
    check(&with("trailer: x-amz-checksum-crc32\r\n"), expect!["POST / host=gate None"]);
    check(&with("trailer: authorization\r\n"), expect!["framing_trailer"]);
    check(&with("trailer: x-amz-checksum-\r\n"), expect!["framing_trailer"]);
}

#[test]
fn another_protocol_is_asked_for_in_one_way() {
    let asks = |fields: &str| format!("GET / HTTP/1.1\r\nhost: gate\r\n{fields}\r\n");
    let get = expect!["GET / host=gate None upgrades"];
    check(&asks("connection: Upgrade\r\nupgrade: websocket\r\n"), get);
    check(
        &with("connection: keep-alive, upgrade\r\nupgrade: SPDY/3.1\r\ncontent-length: 0\r\n"),
        expect!["POST / host=gate Length(0) upgrades"],
    );
    for fields in [
        "upgrade: websocket\r\n",
        "connection: upgrade\r\n",
        "connection: upgrade\r\nupgrade: h2c\r\n",
        "connection: upgrade\r\nupgrade: websocket, h2c\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\nupgrade: websocket\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\nexpect: 100-continue\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 1\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\ntransfer-encoding: chunked\r\n",
    ] {
        check(&asks(fields), expect!["framing_upgrade"]);
    }
    let old = "GET / HTTP/1.0\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    check(old, expect!["framing_upgrade"]);
    let delete = "DELETE / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    check(delete, expect!["framing_upgrade"]);
}

#[test]
fn what_follows_a_request_for_another_protocol_waits_for_the_decision() {
    let asks = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let smuggled = [&asks[..], b"DELETE / HTTP/1.1\r\n\x00"].concat();
    for changes in [true, false] {
        let mut framer = Framer::default();
        let examined = framer.examine(&smuggled);
        assert_eq!((examined.cleared, examined.refused), (asks.len(), None));
        let rest = &smuggled[asks.len()..];
        assert!(framer.is_undecided());
        assert_eq!(framer.examine(rest).cleared, 0);
        framer.decide(changes);
        let examined = framer.examine(rest);
        if changes {
            assert_eq!((examined.cleared, examined.refused), (rest.len(), None));
        } else {
            assert_eq!(examined.cleared, 0);
        }
    }
}

#[test]
fn an_expectation_is_exactly_one() {
    check(&with("expect: 100-Continue\r\n"), expect!["framing_expect"]);
    check(&with("expect: 100-continue, x\r\n"), expect!["framing_expect"]);
    check(&with("expect: 100-continue\r\nexpect: 100-continue\r\n"), expect!["framing_expect"]);
    check(&with("expect:\r\n"), expect!["framing_expect"]);
    check("POST / HTTP/1.0\r\nhost: a\r\nexpect: 100-continue\r\n\r\n", expect!["framing_expect"]);
    check(
        &with("expect: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n"),
        expect!["framing_expect"],
    );
}

#[test]
fn what_says_one_thing_is_said_once() {
    check(&with("authorization: a\r\nAuthorization: b\r\n"), expect!["framing_given_twice"]);
    check(&with("x-amz-target: a\r\nX-Amz-Target: a\r\n"), expect!["framing_given_twice"]);
    check(&with("content-type: a\r\ncontent-type: a\r\n"), expect!["framing_given_twice"]);
    check(&with("x-amzn-query-mode: true\r\nx-amzn-query-mode: true\r\n"), expect!["framing_given_twice"]);
    check(&with("x-custom: a\r\nx-custom: b\r\n"), expect!["POST / host=gate None"]);
    // Google Cloud reads it, and every other room refuses it.
    check(&with("x-http-method-override: GET\r\n"), expect!["POST / host=gate None"]);
    check(
        &with("x-http-method-override: GET\r\nx-http-method-override: DELETE\r\n"),
        expect!["framing_given_twice"],
    );
    check(&with("x_http_method_override: DELETE\r\n"), expect!["framing_underscore_twin"]);
    check(&with("x-http-method: DELETE\r\n"), expect!["framing_override"]);
    check(&with("x-original-url: /admin\r\n"), expect!["framing_override"]);
    check(&with("x_http_method: DELETE\r\n"), expect!["framing_underscore_twin"]);
}

#[test]
fn a_head_has_limits() {
    let many: String = (0..FIELDS_MAX).map(|index| format!("x-{index}: a\r\n")).collect();
    check(&with(&many), expect!["framing_too_many_headers"]);
    let long = format!("x: {}\r\n", "a".repeat(HEAD_MAX));
    assert_eq!(scan(with(&long).as_bytes(), 4096), "framing_head_too_long");
    let endless = "a".repeat(HEAD_MAX + 1);
    assert_eq!(scan(endless.as_bytes(), 4096), "framing_head_too_long");
}

/// Reads a chunked body whole, byte by byte, and cut at every place.
fn chunked(raw: &[u8]) -> String {
    let mut answers: Vec<String> = Vec::new();
    for step in [raw.len().max(1), 1, 2, 3] {
        let mut chunks = Chunks::new();
        let mut taken = 0;
        let mut answer = "incomplete".to_owned();
        for piece in raw.chunks(step) {
            let advance = chunks.advance(piece);
            taken += advance.taken;
            if let Some(refusal) = advance.refused {
                answer = format!("{} after {taken}", refusal.reason_code());
                break;
            }
            if advance.done {
                answer = format!("done after {taken}");
                break;
            }
        }
        answers.push(answer);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "the reading depends on how the bytes arrive: {answers:?}");
    answers.swap_remove(0)
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is passed")]
fn check_chunks(raw: &str, expected: Expect) {
    expected.assert_eq(&chunked(raw.as_bytes()));
}

#[test]
fn chunks_are_as_long_as_they_say() {
    check_chunks("5\r\nhello\r\n0\r\n\r\nGET", expect!["done after 15"]);
    check_chunks("A\r\n0123456789\r\n0\r\n\r\n", expect!["done after 20"]);
    check_chunks("0\r\n\r\n", expect!["done after 5"]);
    check_chunks("5\r\nhello!\r\n0\r\n\r\n", expect!["framing_chunk_end after 8"]);
    check_chunks("5\r\nhell\r\n0\r\n\r\n", expect!["framing_chunk_end after 8"]);
    check_chunks("5\r\nhello\n0\r\n\r\n", expect!["framing_chunk_end after 8"]);
    check_chunks("5\r\nhello\rX0\r\n\r\n", expect!["framing_chunk_end after 9"]);
    check_chunks("5\r\nhel", expect!["incomplete"]);
}

#[test]
fn a_chunk_size_has_one_spelling() {
    check_chunks("5;a=b\r\nhello\r\n", expect!["framing_chunk_extension after 1"]);
    check_chunks("5 \r\nhello\r\n", expect!["framing_chunk_size after 1"]);
    check_chunks("5\t;a\r\nhello\r\n", expect!["framing_chunk_size after 1"]);
    check_chunks(" 5\r\nhello\r\n", expect!["framing_chunk_size after 0"]);
    check_chunks("0x5\r\nhello\r\n", expect!["framing_chunk_size after 1"]);
    check_chunks("+5\r\nhello\r\n", expect!["framing_chunk_size after 0"]);
    check_chunks("-1\r\nhello\r\n", expect!["framing_chunk_size after 0"]);
    check_chunks("5_0\r\nhello\r\n", expect!["framing_chunk_size after 1"]);
    check_chunks("\r\nhello\r\n", expect!["framing_chunk_size after 0"]);
    check_chunks("5\nhello\r\n", expect!["framing_bare_line_feed after 1"]);
    check_chunks("5\r\rhello\r\n", expect!["framing_bare_carriage_return after 2"]);
    check_chunks("00000000000000005\r\nhello\r\n", expect!["framing_chunk_size after 16"]);
    check_chunks("FFFFFFFFFFFFFFFF\r\n", expect!["framing_chunk_size after 15"]);
    check_chunks("g\r\n", expect!["framing_chunk_size after 0"]);
}

#[test]
fn trailers_are_known_and_short() {
    check_chunks("0\r\nx-amz-checksum-crc32: AAAA\r\n\r\n", expect!["done after 33"]);
    check_chunks("0\r\nauthorization: x\r\n\r\n", expect!["framing_trailer after 20"]);
    check_chunks("0\r\nhost: x\r\n\r\n", expect!["framing_trailer after 11"]);
    check_chunks("0\r\ncontent-length: 4\r\n\r\n", expect!["framing_trailer after 21"]);
    check_chunks("0\r\ngrpc-status: 0\n\r\n", expect!["framing_bare_line_feed after 17"]);
    check_chunks("0\r\ngrpc-status : 0\r\n\r\n", expect!["framing_trailers after 19"]);
    check_chunks("0\r\n folded: 0\r\n\r\n", expect!["framing_trailers after 14"]);
    check_chunks("0\r\ngrpc-status: a\rb\r\n\r\n", expect!["framing_bare_carriage_return after 18"]);
    let long = format!("0\r\ngrpc-status: {}\r\n\r\n", "a".repeat(9_000));
    check_chunks(&long, expect!["framing_trailers after 8195"]);
}

/// Pieces that heads are made of, well formed and not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(
            &[
                "GET ",
                "POST / HTTP/1.1\r\n",
                "DELETE /a HTTP/1.0\r\n",
                "host: a\r\n",
                "Host: b\r\n",
                "\r\n",
                "\n",
                "content-length: 3\r\n",
                "content-length: 03\r\n",
                "transfer-encoding: chunked\r\n",
                " ",
                "\t",
                ":",
                "transfer-encoding: x\r\n",
                "connection: close\r\n",
                "expect: 100-continue\r\n",
                "#",
                "%2f",
                "\0",
                "te: trailers\r\n",
                "x: y\r\n",
                "X_y: z\r\n",
                "\r",
                "HTTP/1.1\r\n",
                "http://a/",
                "/",
                "?",
                "é",
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_input_panics_and_arrival_does_not_matter(raw in pieces()) {
        let _ = reading(&raw);
        let _ = chunked(&raw);
    }

    /// What is taken of a chunked body, the rest of it taken later, is the body whole.
    #[test]
    fn chunks_written_plainly_are_read(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8)) {
        let mut raw = Vec::new();
        for body in &bodies {
            raw.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
            raw.extend_from_slice(body);
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(b"0\r\n\r\n");
        prop_assert_eq!(chunked(&raw), format!("done after {}", raw.len()));
    }
}
