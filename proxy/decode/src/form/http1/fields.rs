//! The rules that header fields keep, one at a time and all together, in HTTP/1 and HTTP/2 alike.
//!
//! Leaves out how lines are split (`mod.rs`) and what a plane makes of its own headers (the rooms).

use super::target::is_host;
use super::{Framing, Refusal};

/// The version a head is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

/// The most header fields a request may have. hyper refuses more than 100 by itself, out of our words.
pub const FIELDS_MAX: usize = 100;

/// No header with a meaning to us is longer.
const KNOWN_NAME_MAX: usize = 48;

/// What a header is to the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It says one thing, and has this place among those that do. Given twice, two readers could take two
    /// different ones.
    Single(u32),
    /// Some servers let it overrule the method or the path.
    Override,
    /// Neither.
    Free,
}

/// A `match`, because every header of every request is looked up here.
const fn kind(lower: &[u8]) -> Kind {
    match lower {
        b"authorization" => Kind::Single(0),
        b"content-type" => Kind::Single(1),
        b"content-encoding" => Kind::Single(2),
        b"content-md5" => Kind::Single(3),
        b"content-range" => Kind::Single(4),
        b"date" => Kind::Single(5),
        b"from" => Kind::Single(6),
        b"if-modified-since" => Kind::Single(7),
        b"if-unmodified-since" => Kind::Single(8),
        b"max-forwards" => Kind::Single(9),
        b"proxy-authorization" => Kind::Single(10),
        b"range" => Kind::Single(11),
        b"referer" => Kind::Single(12),
        b"smithy-protocol" => Kind::Single(13),
        b"user-agent" => Kind::Single(14),
        b"x-amz-account-id" => Kind::Single(15),
        b"x-amz-acl" => Kind::Single(16),
        b"x-amz-bypass-governance-retention" => Kind::Single(17),
        b"x-amz-content-sha256" => Kind::Single(18),
        b"x-amz-copy-source" => Kind::Single(19),
        b"x-amz-copy-source-range" => Kind::Single(20),
        b"x-amz-create-session-mode" => Kind::Single(21),
        b"x-amz-date" => Kind::Single(22),
        b"x-amz-decoded-content-length" => Kind::Single(23),
        b"x-amz-expected-bucket-owner" => Kind::Single(24),
        b"x-amz-grant-full-control" => Kind::Single(25),
        b"x-amz-grant-read" => Kind::Single(26),
        b"x-amz-grant-read-acp" => Kind::Single(27),
        b"x-amz-grant-write" => Kind::Single(28),
        b"x-amz-grant-write-acp" => Kind::Single(29),
        b"x-amz-invocation-type" => Kind::Single(30),
        b"x-amz-mfa" => Kind::Single(31),
        b"x-amz-object-lock-legal-hold" => Kind::Single(32),
        b"x-amz-object-lock-mode" => Kind::Single(33),
        b"x-amz-object-lock-retain-until-date" => Kind::Single(34),
        b"x-amz-rename-source" => Kind::Single(35),
        b"x-amz-request-payer" => Kind::Single(36),
        b"x-amz-s3session-token" => Kind::Single(37),
        b"x-amz-sdk-checksum-algorithm" => Kind::Single(38),
        b"x-amz-security-token" => Kind::Single(39),
        b"x-amz-source-expected-bucket-owner" => Kind::Single(40),
        b"x-amz-tagging" => Kind::Single(41),
        b"x-amz-tagging-directive" => Kind::Single(42),
        b"x-amz-target" => Kind::Single(43),
        b"x-amz-trailer" => Kind::Single(44),
        b"x-amzn-query-mode" => Kind::Single(45),
        // Google Cloud documents it; every other room refuses it (`form::REWRITING`).
        b"x-http-method-override" => Kind::Single(46),
        b"x-http-method"
        | b"x-method-override"
        | b"x-original-url"
        | b"x-original-uri"
        | b"x-original-method"
        | b"x-rewrite-url"
        | b"x-forwarded-uri"
        | b"x-forwarded-prefix"
        | b"x-override-url" => Kind::Override,
        _ => Kind::Free,
    }
}

/// Headers about framing and routing, which no other spelling may stand for.
const FRAMING: [&[u8]; 12] = [
    b"host",
    b"content-length",
    b"transfer-encoding",
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"expect",
    b"te",
    b"trailer",
    b"upgrade",
    b"http2-settings",
    b"content-encoding",
];

/// The protocols that a connection may be changed to: those that streams of a plane are made of.
pub const PROTOCOLS: [&str; 2] = ["websocket", "SPDY/3.1"];

/// What `connection` may name.
const HOP_BY_HOP: [&[u8]; 5] = [b"close", b"keep-alive", b"proxy-connection", b"te", b"trailer"];

/// What the fields seen so far say about the request as a whole.
#[derive(Debug)]
pub struct Fields<'a> {
    wire: Wire,
    seen: usize,
    singles: u64,
    host: Option<&'a [u8]>,
    length: Option<u64>,
    chunked: bool,
    expects_continue: bool,
    refuses_expect: bool,
    upgrade: bool,
    connection_upgrades: bool,
}

/// What all fields together say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning<'a> {
    /// The one `host`, absent only in HTTP/2, where `:authority` stands for it.
    pub host: Option<&'a [u8]>,
    /// How the end of the body is known.
    pub framing: Framing,
    /// The caller waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The caller asks for another protocol on this connection: one of [`PROTOCOLS`].
    pub upgrades: bool,
}

impl<'a> Fields<'a> {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new(wire: Wire) -> Self {
        Self {
            wire,
            seen: 0,
            singles: 0,
            host: None,
            length: None,
            chunked: false,
            expects_continue: false,
            refuses_expect: false,
            upgrade: false,
            connection_upgrades: false,
        }
    }

    /// Takes the next field, whose name is a token and whose value has no control characters.
    ///
    /// # Errors
    /// [`Refusal`] when the field alone, or with those before it, breaks a rule.
    pub fn see(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Refusal> {
        self.seen += 1;
        if self.seen > FIELDS_MAX {
            return Err(Refusal::TooManyHeaders);
        }
        let mut buffer = [0; KNOWN_NAME_MAX];
        let Some(lower) = lower(name, &mut buffer) else { return Ok(()) };
        if name.contains(&b'_') {
            return check_twin(name, lower);
        }
        match lower {
            b"host" => self.host(value),
            b"content-length" => self.length(value),
            b"transfer-encoding" => self.encoding(value),
            b"connection" => self.connection(value),
            b"expect" => self.expect(value),
            b"te" if value == b"trailers" => Ok(()),
            b"te" => Err(Refusal::AcceptedTrailers),
            b"upgrade" => self.upgrade(value),
            b"http2-settings" => Err(Refusal::Upgrade),
            b"keep-alive" | b"proxy-connection" if self.wire == Wire::Http2 => Err(Refusal::Connection),
            b"trailer" => announced(value),
            other => self.other(other),
        }
    }

    /// Judges the fields together.
    ///
    /// # Errors
    /// [`Refusal`] when they do not agree, or one is missing.
    pub fn finish(self) -> Result<Meaning<'a>, Refusal> {
        let wire = self.wire;
        let meaning = self.meaning()?;
        if meaning.host.is_none() && wire != Wire::Http2 {
            return Err(Refusal::HostMissing);
        }
        Ok(meaning)
    }

    /// The same, where a `host` need not be.
    pub(super) fn meaning(self) -> Result<Meaning<'a>, Refusal> {
        if self.refuses_expect {
            return Err(Refusal::Expect);
        }
        let framing = match (self.length, self.chunked) {
            (Some(_), true) => return Err(Refusal::LengthAndEncoding),
            (None, true) => Framing::Chunked,
            (Some(length), false) => Framing::Length(length),
            (None, false) => Framing::None,
        };
        // A protocol without the word in `connection`, or that word alone, is one thing to us and another to the next.
        let whole = matches!(framing, Framing::None | Framing::Length(0)) && !self.expects_continue;
        if self.upgrade != self.connection_upgrades || (self.upgrade && !whole) {
            return Err(Refusal::Upgrade);
        }
        Ok(Meaning {
            host: self.host,
            framing,
            expects_continue: self.expects_continue,
            upgrades: self.upgrade,
        })
    }

    fn host(&mut self, value: &'a [u8]) -> Result<(), Refusal> {
        if self.host.is_some() {
            return Err(Refusal::HostTwice);
        }
        if !is_host(value) {
            return Err(Refusal::HostInvalid);
        }
        self.host = Some(value);
        Ok(())
    }

    fn length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.length.is_some() {
            return Err(Refusal::LengthTwice);
        }
        // A leading zero is a number to one reader and octal to another.
        let plain = value == b"0" || value.first().is_some_and(|first| matches!(first, b'1'..=b'9'));
        if !plain || !value.iter().all(u8::is_ascii_digit) {
            return Err(Refusal::LengthInvalid);
        }
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
        let number = number.filter(|number| i64::try_from(*number).is_ok()).ok_or(Refusal::LengthInvalid)?;
        self.length = Some(number);
        Ok(())
    }

    fn encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.wire != Wire::Http11 {
            return Err(Refusal::EncodingInVersion);
        }
        if self.chunked || value != b"chunked" {
            return Err(Refusal::Encoding);
        }
        self.chunked = true;
        Ok(())
    }

    fn upgrade(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let known = PROTOCOLS.iter().any(|protocol| value.eq_ignore_ascii_case(protocol.as_bytes()));
        if self.upgrade || !known || self.wire != Wire::Http11 {
            return Err(Refusal::Upgrade);
        }
        self.upgrade = true;
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.wire == Wire::Http2 {
            return Err(Refusal::Connection);
        }
        for option in value.split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            if option.eq_ignore_ascii_case(b"http2-settings") {
                return Err(Refusal::Upgrade);
            }
            if option.eq_ignore_ascii_case(b"upgrade") {
                self.connection_upgrades = true;
                continue;
            }
            if !HOP_BY_HOP.iter().any(|name| option.eq_ignore_ascii_case(name)) {
                return Err(Refusal::Connection);
            }
        }
        Ok(())
    }

    fn expect(&mut self, value: &[u8]) -> Result<(), Refusal> {
        // Answered with a status of its own, so every other rule is looked at first.
        if self.expects_continue || value != b"100-continue" || self.wire == Wire::Http10 {
            self.refuses_expect = true;
        }
        self.expects_continue = true;
        Ok(())
    }

    fn other(&mut self, lower: &[u8]) -> Result<(), Refusal> {
        match kind(lower) {
            Kind::Free => Ok(()),
            Kind::Override => Err(Refusal::Override(Refusal::name(lower))),
            Kind::Single(index) => {
                let bit = 1_u64 << index;
                if self.singles & bit != 0 {
                    return Err(Refusal::GivenTwice(Refusal::name(lower)));
                }
                self.singles |= bit;
                Ok(())
            }
        }
    }
}

/// Whether a name is a trailer we know. Anything else could stand for a header after the verdict.
#[must_use]
pub fn is_known_trailer(name: &[u8]) -> bool {
    let mut buffer = [0; KNOWN_NAME_MAX];
    let Some(lower) = lower(name, &mut buffer) else { return false };
    lower.strip_prefix(b"x-amz-checksum-").is_some_and(|algorithm| !algorithm.is_empty())
        || matches!(lower, b"x-amz-trailer-signature" | b"grpc-status" | b"grpc-message")
}

fn announced(value: &[u8]) -> Result<(), Refusal> {
    for name in value.split(|byte| *byte == b',') {
        let name = name.trim_ascii();
        if !is_known_trailer(name) {
            return Err(Refusal::Trailer(Refusal::name(name)));
        }
    }
    Ok(())
}

/// The name in lower case, with `_` as `-`; `None` when it is longer than any we know.
fn lower<'b>(name: &[u8], buffer: &'b mut [u8; KNOWN_NAME_MAX]) -> Option<&'b [u8]> {
    let lower = buffer.get_mut(..name.len())?;
    for (to, from) in lower.iter_mut().zip(name) {
        *to = if *from == b'_' { b'-' } else { from.to_ascii_lowercase() };
    }
    Some(lower)
}

/// CGI-like servers read `_` as `-`: what has a meaning in one spelling must not come in the other.
fn check_twin(name: &[u8], dashed: &[u8]) -> Result<(), Refusal> {
    let meant = FRAMING.contains(&dashed) || kind(dashed) != Kind::Free || dashed.starts_with(b"x-amz-");
    if meant { Err(Refusal::UnderscoreTwin(Refusal::name(name))) } else { Ok(()) }
}
