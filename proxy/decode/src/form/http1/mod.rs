//! HTTP/1 as strictly as it is written: one reading of a head and its framing, or a refusal.
//!
//! Pure: bytes in, reading out. A parser that is only good lets through what the next one reads
//! differently; whatever could be read in two ways is refused here, before any room sees it. The rules on
//! header fields serve HTTP/2 too. Leaves out connections (`listen`) and what a plane makes of a request.

mod chunks;
mod connect;
mod fields;
mod framer;
mod refusal;
mod target;

use memchr::memchr;

pub use chunks::{Advance, Chunks};
pub use connect::{CONNECT, Connect, ProxyRefusal, read_connect};
pub use fields::{FIELDS_MAX, Fields, Meaning, PROTOCOLS, Wire, is_known_trailer};
pub use framer::{Examined, Framer, Refused};
pub use refusal::Refusal;
pub use target::{host_name, is_host};

/// The longest head that is held.
pub const HEAD_MAX: usize = 64 * 1024;

/// The methods that any plane behind the gate has. They are words with one spelling.
pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// There is no body.
    None,
    /// By its length.
    Length(u64),
    /// By its last chunk.
    Chunked,
}

/// A head in which nothing can be read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The method, one of [`METHODS`].
    pub method: &'a [u8],
    /// The target as sent: a path, or an absolute URL of the host.
    pub target: &'a [u8],
    /// The version.
    pub wire: Wire,
    /// The one `host`.
    pub host: &'a [u8],
    /// How the end of the body is known.
    pub framing: Framing,
    /// The caller waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// The caller asks for another protocol on this connection.
    pub upgrades: bool,
}

/// Looks for the end of a head that arrives in pieces, each byte once.
#[derive(Debug, Clone, Default)]
pub struct HeadEnd {
    seen: usize,
    line: usize,
    connects: bool,
}

impl HeadEnd {
    /// For the first head of a connection to a proxy, which may be a [`CONNECT`].
    #[must_use]
    pub const fn of_proxy() -> Self {
        Self { seen: 0, line: 0, connects: true }
    }

    /// Nothing of the head has been seen.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.seen == 0
    }

    /// Where the head ends, given all that arrived of it so far; `None` while it does not.
    ///
    /// # Errors
    /// [`Refusal`] as soon as what arrived cannot become a head: waiting for its end would only hold the
    /// connection open.
    pub fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        let first = bytes.first().is_none_or(u8::is_ascii_alphabetic);
        if !first {
            return Err(Refusal::NotARequest);
        }
        while let Some(found) = bytes.get(self.seen..).and_then(|rest| memchr(b'\n', rest)) {
            let end = self.seen + found;
            let line = bytes.get(self.line..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").ok_or(Refusal::BareLineFeed)?;
            let first = self.line == 0;
            self.seen = end + 1;
            self.line = end + 1;
            if line.is_empty() {
                return if self.seen > HEAD_MAX { Err(Refusal::HeadTooLong) } else { Ok(Some(self.seen)) };
            }
            // An HTTP/0.9 client waits for its answer after one line.
            if first {
                let (method, ..) = request_line(line)?;
                known_method(method).or_else(|refusal| {
                    if self.connects && method == CONNECT { Ok(()) } else { Err(refusal) }
                })?;
            }
        }
        self.seen = bytes.len();
        if bytes.len() > HEAD_MAX { Err(Refusal::HeadTooLong) } else { Ok(None) }
    }
}

/// Reads a whole head, its empty line included.
///
/// # Errors
/// [`Refusal`] for the first rule it breaks.
pub fn read_head(bytes: &[u8]) -> Result<Head<'_>, Refusal> {
    if bytes.len() > HEAD_MAX {
        return Err(Refusal::HeadTooLong);
    }
    let (first, rest) = take_line(bytes)?;
    let (method, target, wire) = request_line(first)?;
    known_method(method)?;
    let fields = read_fields(wire, rest)?;
    let authority = target::read(target)?;
    let meaning = fields.finish()?;
    if meaning.upgrades && !matches!(method, b"GET" | b"POST") {
        return Err(Refusal::Upgrade);
    }
    let host = meaning.host.ok_or(Refusal::HostMissing)?;
    if authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(host)) {
        return Err(Refusal::HostDisagrees);
    }
    Ok(Head {
        method,
        target,
        wire,
        host,
        framing: meaning.framing,
        expects_continue: meaning.expects_continue,
        upgrades: meaning.upgrades,
    })
}

/// Checks the target of a request whose framing is not HTTP/1: a path, well encoded.
///
/// # Errors
/// [`Refusal`] when it is anything else.
pub fn check_path(path: &[u8]) -> Result<(), Refusal> {
    match target::read(path)? {
        None => Ok(()),
        Some(_) => Err(Refusal::Target),
    }
}

/// Reads the lines after the first, up to the empty one.
fn read_fields(wire: Wire, mut rest: &[u8]) -> Result<Fields<'_>, Refusal> {
    let mut fields = Fields::new(wire);
    loop {
        let (line, after) = take_line(rest)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = field(line)?;
        fields.see(name, value)?;
        rest = after;
    }
}

fn take_line(bytes: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let end = memchr(b'\n', bytes).ok_or(Refusal::NotARequest)?;
    let (line, rest) = bytes.split_at_checked(end).ok_or(Refusal::NotARequest)?;
    let line = line.strip_suffix(b"\r").ok_or(Refusal::BareLineFeed)?;
    let rest = rest.strip_prefix(b"\n").unwrap_or_default();
    if memchr(b'\r', line).is_some() {
        return Err(Refusal::BareCarriageReturn);
    }
    Ok((line, rest))
}

fn request_line(line: &[u8]) -> Result<(&[u8], &[u8], Wire), Refusal> {
    if line.iter().any(u8::is_ascii_control) {
        return Err(Refusal::ControlCharacter);
    }
    let mut words = line.split(|byte| *byte == b' ');
    let method = words.next().filter(|method| is_token(method)).ok_or(Refusal::NotARequest)?;
    let target = words.next().filter(|target| !target.is_empty()).ok_or(Refusal::RequestLine)?;
    let version = words.next().ok_or(Refusal::NoVersion)?;
    if words.next().is_some() || version.is_empty() {
        return Err(Refusal::RequestLine);
    }
    let wire = match version {
        b"HTTP/1.1" => Wire::Http11,
        b"HTTP/1.0" => Wire::Http10,
        other if other.starts_with(b"HTTP/") => return Err(Refusal::Version),
        _ => return Err(Refusal::RequestLine),
    };
    Ok((method, target, wire))
}

fn known_method(method: &[u8]) -> Result<(), Refusal> {
    if is_method(method) { Ok(()) } else { Err(Refusal::Method) }
}

/// Whether a method is in the closed list.
#[must_use]
pub fn is_method(method: &[u8]) -> bool {
    METHODS.iter().any(|known| known.as_bytes() == method)
}

fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Refusal::FoldedHeader);
    }
    let colon = memchr(b':', line).ok_or(Refusal::HeaderName)?;
    let (name, value) = line.split_at_checked(colon).ok_or(Refusal::HeaderName)?;
    let value = value.strip_prefix(b":").unwrap_or_default();
    if matches!(name.last(), Some(b' ' | b'\t')) {
        return Err(Refusal::SpaceBeforeColon);
    }
    if name.iter().any(u8::is_ascii_control) || !is_value(value) {
        return Err(Refusal::ControlCharacter);
    }
    if !is_token(name) {
        return Err(Refusal::HeaderName);
    }
    Ok((name, trim(value)))
}

fn trim(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let Some((b' ' | b'\t', rest)) = value.split_first() {
        value = rest;
    }
    while let Some((b' ' | b'\t', rest)) = value.split_last() {
        value = rest;
    }
    value
}

fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && all_in(&TOKEN, name)
}

fn is_value(value: &[u8]) -> bool {
    all_in(&VALUE, value)
}

/// Which bytes belong to a set. Every byte of every head is looked up in one.
type Bytes = [bool; 256];

fn all_in(set: &Bytes, bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| set.get(usize::from(*byte)) == Some(&true))
}

const TOKEN: Bytes = set(b"!#$%&'*+-.^_`|~", false);

/// Everything but control characters, the tab excepted.
const VALUE: Bytes = set(b"\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true);

/// The bytes given, with letters and digits, and where asked for with those outside ASCII.
const fn set(bytes: &[u8], beyond: bool) -> Bytes {
    let mut set = [false; 256];
    let mut byte = 0_u8;
    let mut rest = &mut set as &mut [bool];
    while let Some((slot, after)) = rest.split_first_mut() {
        *slot = byte.is_ascii_alphanumeric() || (beyond && !byte.is_ascii()) || contains(bytes, byte);
        byte = byte.wrapping_add(1);
        rest = after;
    }
    set
}

const fn contains(mut bytes: &[u8], byte: u8) -> bool {
    while let Some((first, after)) = bytes.split_first() {
        if *first == byte {
            return true;
        }
        bytes = after;
    }
    false
}

#[cfg(test)]
mod tests;
