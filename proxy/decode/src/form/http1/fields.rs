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

/// Headers that say one thing. Given twice, two readers could take two different ones.
const SINGLE: [&[u8]; 46] = [
    b"authorization",
    b"content-type",
    b"content-encoding",
    b"content-md5",
    b"content-range",
    b"date",
    b"from",
    b"if-modified-since",
    b"if-unmodified-since",
    b"max-forwards",
    b"proxy-authorization",
    b"range",
    b"referer",
    b"smithy-protocol",
    b"user-agent",
    b"x-amz-account-id",
    b"x-amz-acl",
    b"x-amz-bypass-governance-retention",
    b"x-amz-content-sha256",
    b"x-amz-copy-source",
    b"x-amz-copy-source-range",
    b"x-amz-create-session-mode",
    b"x-amz-date",
    b"x-amz-decoded-content-length",
    b"x-amz-expected-bucket-owner",
    b"x-amz-grant-full-control",
    b"x-amz-grant-read",
    b"x-amz-grant-read-acp",
    b"x-amz-grant-write",
    b"x-amz-grant-write-acp",
    b"x-amz-invocation-type",
    b"x-amz-mfa",
    b"x-amz-object-lock-legal-hold",
    b"x-amz-object-lock-mode",
    b"x-amz-object-lock-retain-until-date",
    b"x-amz-rename-source",
    b"x-amz-request-payer",
    b"x-amz-s3session-token",
    b"x-amz-sdk-checksum-algorithm",
    b"x-amz-security-token",
    b"x-amz-source-expected-bucket-owner",
    b"x-amz-tagging",
    b"x-amz-tagging-directive",
    b"x-amz-target",
    b"x-amz-trailer",
    b"x-amzn-query-mode",
];

/// Headers that some servers let overrule the method or the path.
const OVERRIDES: [&[u8]; 10] = [
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    b"x-original-url",
    b"x-original-uri",
    b"x-original-method",
    b"x-rewrite-url",
    b"x-forwarded-uri",
    b"x-forwarded-prefix",
    b"x-override-url",
];

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
            b"upgrade" | b"http2-settings" => Err(Refusal::Upgrade),
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
        if self.refuses_expect {
            return Err(Refusal::Expect);
        }
        let framing = match (self.length, self.chunked) {
            (Some(_), true) => return Err(Refusal::LengthAndEncoding),
            (None, true) => Framing::Chunked,
            (Some(length), false) => Framing::Length(length),
            (None, false) => Framing::None,
        };
        if self.host.is_none() && self.wire != Wire::Http2 {
            return Err(Refusal::HostMissing);
        }
        Ok(Meaning { host: self.host, framing, expects_continue: self.expects_continue })
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

    fn connection(&self, value: &[u8]) -> Result<(), Refusal> {
        if self.wire == Wire::Http2 {
            return Err(Refusal::Connection);
        }
        for option in value.split(|byte| *byte == b',') {
            let option = option.trim_ascii();
            if option.eq_ignore_ascii_case(b"upgrade") || option.eq_ignore_ascii_case(b"http2-settings") {
                return Err(Refusal::Upgrade);
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
        if OVERRIDES.contains(&lower) {
            return Err(Refusal::Override(Refusal::name(lower)));
        }
        if let Some(index) = SINGLE.iter().position(|name| *name == lower) {
            let bit = 1_u64 << index;
            if self.singles & bit != 0 {
                return Err(Refusal::GivenTwice(Refusal::name(lower)));
            }
            self.singles |= bit;
        }
        Ok(())
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
    let meant = FRAMING.contains(&dashed)
        || SINGLE.contains(&dashed)
        || OVERRIDES.contains(&dashed)
        || dashed.starts_with(b"x-amz-");
    if meant { Err(Refusal::UnderscoreTwin(Refusal::name(name))) } else { Ok(()) }
}
