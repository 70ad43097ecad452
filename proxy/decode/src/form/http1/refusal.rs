//! Why a head or its framing is refused, with the words for whoever sent it.
//!
//! Leaves out how the refusal is answered: the path of a request puts it into a response like any other
//! denial.

use std::borrow::Cow;

use ordain_action::DenialKind;

use super::connect::ProxyRefusal;

/// The longest header name that a refusal repeats.
const NAME_MAX: usize = 64;

/// A rule of framing that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The head is longer than the gate holds.
    HeadTooLong,
    /// The head has more header fields than the gate reads.
    TooManyHeaders,
    /// The head did not arrive in time.
    HeadLate,
    /// Something other than a request line comes first: an empty line, or another protocol.
    NotARequest,
    /// A line ends in LF alone.
    BareLineFeed,
    /// A CR stands anywhere but before LF.
    BareCarriageReturn,
    /// A control character, NUL among them.
    ControlCharacter,
    /// The request line is not method, target and version with one space between them.
    RequestLine,
    /// There is no version: HTTP/0.9.
    NoVersion,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    Version,
    /// A method outside the closed list.
    Method,
    /// The target is neither a path nor an absolute `http` or `https` URL, or has a character that no
    /// URL has.
    Target,
    /// The target has a `#`.
    Fragment,
    /// A `%` without two hexadecimal digits.
    PercentEncoding,
    /// What is asked of a proxy, and of no other server.
    Proxy(ProxyRefusal),
    /// The target or `:authority` names another host than `host` does.
    HostDisagrees,
    /// The name given in the TLS handshake is another than `host`.
    ServerNameDisagrees,
    /// There is no `host`.
    HostMissing,
    /// There is more than one `host`.
    HostTwice,
    /// `host` is not a name or address with at most a port.
    HostInvalid,
    /// A header line starts with a space: the obsolete line folding.
    FoldedHeader,
    /// A space before the colon.
    SpaceBeforeColon,
    /// A header line without a colon, or with a name that is no token.
    HeaderName,
    /// A name that becomes one with a meaning to us or the upstream when `_` is read as `-`.
    UnderscoreTwin(String),
    /// A header that may be given once is given twice.
    GivenTwice(String),
    /// A header that would change method or URL after they were judged.
    Override(String),
    /// Both `content-length` and `transfer-encoding`.
    LengthAndEncoding,
    /// More than one `content-length`.
    LengthTwice,
    /// A `content-length` that is no plain decimal number.
    LengthInvalid,
    /// A `transfer-encoding` other than exactly `chunked`, or more than one.
    Encoding,
    /// `transfer-encoding` where the version has none: HTTP/1.0 and HTTP/2.
    EncodingInVersion,
    /// `connection` names a header that is not hop by hop, or stands where the version has none.
    Connection,
    /// A change of protocol is asked for.
    Upgrade,
    /// `te` other than exactly `trailers`.
    AcceptedTrailers,
    /// An `expect` other than exactly `100-continue`.
    Expect,
    /// A trailer outside the known list.
    Trailer(String),
    /// The trailers are longer than the gate reads, or not well formed.
    Trailers,
    /// A chunk size that is not a plain hexadecimal number.
    ChunkSize,
    /// A chunk extension.
    ChunkExtension,
    /// A chunk longer or shorter than it says.
    ChunkEnd,
}

impl Refusal {
    pub(super) fn name(bytes: &[u8]) -> String {
        bytes.iter().take(NAME_MAX).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
    }

    /// The sort of denial, and so the status.
    #[must_use]
    pub const fn kind(&self) -> DenialKind {
        match self {
            Self::HeadLate => DenialKind::Timeout,
            Self::HostDisagrees | Self::ServerNameDisagrees => DenialKind::Misdirected,
            Self::Proxy(refusal) => refusal.kind(),
            Self::Expect => DenialKind::Expectation,
            Self::HeadTooLong
            | Self::TooManyHeaders
            | Self::NotARequest
            | Self::BareLineFeed
            | Self::BareCarriageReturn
            | Self::ControlCharacter
            | Self::RequestLine
            | Self::NoVersion
            | Self::Version
            | Self::Method
            | Self::Target
            | Self::Fragment
            | Self::PercentEncoding
            | Self::HostMissing
            | Self::HostTwice
            | Self::HostInvalid
            | Self::FoldedHeader
            | Self::SpaceBeforeColon
            | Self::HeaderName
            | Self::UnderscoreTwin(_)
            | Self::GivenTwice(_)
            | Self::Override(_)
            | Self::LengthAndEncoding
            | Self::LengthTwice
            | Self::LengthInvalid
            | Self::Encoding
            | Self::EncodingInVersion
            | Self::Connection
            | Self::Upgrade
            | Self::AcceptedTrailers
            | Self::Trailer(_)
            | Self::Trailers
            | Self::ChunkSize
            | Self::ChunkExtension
            | Self::ChunkEnd => DenialKind::Malformed,
        }
    }

    /// The machine-readable reason.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        match self {
            Self::HeadTooLong => "framing_head_too_long",
            Self::TooManyHeaders => "framing_too_many_headers",
            Self::HeadLate => "framing_head_late",
            Self::NotARequest => "framing_not_a_request",
            Self::BareLineFeed => "framing_bare_line_feed",
            Self::BareCarriageReturn => "framing_bare_carriage_return",
            Self::ControlCharacter => "framing_control_character",
            Self::RequestLine => "framing_request_line",
            Self::NoVersion => "framing_no_version",
            Self::Version => "framing_version",
            Self::Method => "framing_method",
            Self::Target => "framing_target",
            Self::Fragment => "framing_fragment",
            Self::PercentEncoding => "framing_percent_encoding",
            Self::Proxy(refusal) => refusal.reason_code(),
            Self::HostDisagrees => "host_disagrees",
            Self::ServerNameDisagrees => "server_name_disagrees",
            Self::HostMissing => "host_missing",
            Self::HostTwice => "host_twice",
            Self::HostInvalid => "host_invalid",
            Self::FoldedHeader => "framing_folded_header",
            Self::SpaceBeforeColon => "framing_space_before_colon",
            Self::HeaderName => "framing_header_name",
            Self::UnderscoreTwin(_) => "framing_underscore_twin",
            Self::GivenTwice(_) => "framing_given_twice",
            Self::Override(_) => "framing_override",
            Self::LengthAndEncoding => "framing_length_and_encoding",
            Self::LengthTwice => "framing_length_twice",
            Self::LengthInvalid => "framing_length_invalid",
            Self::Encoding => "framing_encoding",
            Self::EncodingInVersion => "framing_encoding_in_version",
            Self::Connection => "framing_connection",
            Self::Upgrade => "framing_upgrade",
            Self::AcceptedTrailers => "framing_te",
            Self::Expect => "framing_expect",
            Self::Trailer(_) => "framing_trailer",
            Self::Trailers => "framing_trailers",
            Self::ChunkSize => "framing_chunk_size",
            Self::ChunkExtension => "framing_chunk_extension",
            Self::ChunkEnd => "framing_chunk_end",
        }
    }

    /// What is wrong and what to do, for whoever sent the request.
    #[must_use]
    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnderscoreTwin(name) => {
                return Cow::Owned(format!(
                    "`{name}` could be read as another header; write it with `-` or leave it out"
                ));
            }
            Self::GivenTwice(name) => return Cow::Owned(format!("`{name}` is given twice; send it once")),
            Self::Override(name) => {
                return Cow::Owned(format!(
                    "`{name}` would change what was asked for; send the method and path you mean"
                ));
            }
            Self::Trailer(name) => {
                return Cow::Owned(format!("`{name}` is not a trailer the gate knows; send it as a header"));
            }
            Self::Proxy(refusal) => return refusal.text(),
            Self::HeadTooLong => "the request head is too long; send fewer or shorter headers",
            Self::TooManyHeaders => "the request has too many headers; send fewer",
            Self::HeadLate => "the request head did not arrive in time; send it at once",
            Self::NotARequest => "this is not an HTTP request; check that client and gate agree about TLS",
            Self::BareLineFeed => "a line ends in LF alone; end it in CR LF",
            Self::BareCarriageReturn => "a CR stands alone; end lines in CR LF",
            Self::ControlCharacter => "the head has a control character; leave it out",
            Self::RequestLine => {
                "the request line is not method, target and version; separate them by one space"
            }
            Self::NoVersion => "the request line has no version; send `HTTP/1.1`",
            Self::Version => "the version is not accepted here; send `HTTP/1.1`, or HTTP/2 with its preface",
            Self::Method => {
                "the method is not accepted; use one that the control plane documents, in capitals"
            }
            Self::Target => {
                "the request target is not a path; send a path with its special characters encoded"
            }
            Self::Fragment => "the request target has a `#`; encode it as `%23`",
            Self::PercentEncoding => {
                "a `%` in the target is not followed by two hexadecimal digits; encode it as `%25`"
            }
            Self::HostDisagrees => "target and `host` name different hosts; send the same in both",
            Self::ServerNameDisagrees => {
                "`host` is not the name of the TLS handshake; open a connection for each name"
            }
            Self::HostMissing => "there is no `host`; send one",
            Self::HostTwice => "`host` is given twice; send it once",
            Self::HostInvalid => "`host` is not a host name with at most a port; send the one you connect to",
            Self::FoldedHeader => "a header is folded over two lines; send it on one",
            Self::SpaceBeforeColon => "a header name is followed by a space; put the colon right after it",
            Self::HeaderName => "a header line has no valid name; send `name: value`",
            Self::LengthAndEncoding => "both `content-length` and `transfer-encoding` are given; send one",
            Self::LengthTwice => "`content-length` is given twice; send it once",
            Self::LengthInvalid => {
                "`content-length` is not a number; send the plain decimal length of the body"
            }
            Self::Encoding => {
                "`transfer-encoding` is not exactly `chunked`; send `chunked` once, or `content-length`"
            }
            Self::EncodingInVersion => {
                "this version of HTTP has no `transfer-encoding`; send `content-length`"
            }
            Self::Connection => {
                "`connection` names a header that is not hop by hop; name only `close` or `keep-alive`"
            }
            Self::Upgrade => {
                "a connection changes to `websocket` or `SPDY/3.1` only, asked for in `upgrade` and `connection` with no body; send the request without `upgrade`"
            }
            Self::AcceptedTrailers => "`te` is not exactly `trailers`; leave it out",
            Self::Expect => "`expect` is not exactly `100-continue`; leave it out",
            Self::Trailers => "the trailers are too long or not well formed; send them as headers",
            Self::ChunkSize => "a chunk size is not a hexadecimal number; send the plain length of the chunk",
            Self::ChunkExtension => "a chunk has an extension; leave it out",
            Self::ChunkEnd => "a chunk does not end where its size says; send as many bytes as the size says",
        })
    }
}
