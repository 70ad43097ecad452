//! A chunked body as it comes in: framing read strictly, every signature verified, the bytes within passed on.
//!
//! Bytes are passed on before their chunk's signature can be checked, so that none is buffered; whoever sends them
//! on must not complete the body before [`ChunkVerifier::finish`]. Leaves out the checksums within trailers, which
//! the service itself checks.

use bytes::{Buf, Bytes};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::canonical::hex_of;
use crate::key::SigningKey;
use crate::{AmzDate, ChunkRefusal, Payload, Proven, Scope};

const EMPTY_HASH: &[u8; 64] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Makes the signatures of a chain of chunks, each over the one before.
#[derive(Debug, Clone)]
pub(crate) struct ChunkSigner {
    key: SigningKey,
    date: AmzDate,
    scope: String,
    previous: [u8; 64],
}

impl ChunkSigner {
    pub(crate) fn new(key: SigningKey, date: &AmzDate, scope: &Scope, seed: [u8; 64]) -> Self {
        Self { key, date: *date, scope: scope.without_key().to_owned(), previous: seed }
    }

    /// The signature of the next chunk.
    pub(crate) fn chunk(&mut self, hash: &[u8; 32]) -> [u8; 64] {
        let hash = hex_of(hash);
        self.next(b"AWS4-HMAC-SHA256-PAYLOAD\n", &[EMPTY_HASH, b"\n", &hash])
    }

    /// The signature of the trailers.
    pub(crate) fn trailers(&mut self, trailers: &[(String, String)]) -> [u8; 64] {
        let mut sorted: Vec<_> = trailers.iter().collect();
        sorted.sort_unstable();
        let mut hash = Sha256::new();
        for (name, value) in sorted {
            hash.update(name.as_bytes());
            hash.update(b":");
            hash.update(value.as_bytes());
            hash.update(b"\n");
        }
        let hash = hex_of(&hash.finalize().into());
        self.next(b"AWS4-HMAC-SHA256-TRAILER\n", &[&hash])
    }

    fn next(&mut self, algorithm: &[u8], hashes: &[&[u8]]) -> [u8; 64] {
        let mut parts: Vec<&[u8]> = vec![
            algorithm,
            self.date.as_str().as_bytes(),
            b"\n",
            self.scope.as_bytes(),
            b"\n",
            &self.previous,
            b"\n",
        ];
        parts.extend_from_slice(hashes);
        self.previous = hex_of(&self.key.sign(&parts));
        self.previous
    }
}

/// The word that a chunked body came to its declared end, with every signature right. Made only by
/// [`ChunkVerifier::finish`].
#[derive(Debug)]
#[must_use]
pub struct Verified {
    trailers: Vec<(String, String)>,
}

impl Verified {
    /// The trailers, names in lower case, without their signature.
    #[must_use]
    pub fn trailers(&self) -> &[(String, String)] {
        &self.trailers
    }
}

/// The longest line of framing or trailer.
const LINE_MAX: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data { left: u64 },
    DataEnd,
    Trailers,
    End,
    Done,
}

/// Reads a chunked body piece by piece.
#[derive(Debug)]
pub struct ChunkVerifier {
    signer: Option<ChunkSigner>,
    state: State,
    line: Vec<u8>,
    hash: Sha256,
    signature: [u8; 64],
    declared: u64,
    seen: u64,
    expected: Vec<String>,
    has_trailers: bool,
    trailers: Vec<(String, String)>,
    trailer_signature: Option<[u8; 64]>,
}

impl ChunkVerifier {
    /// A verifier for a proven request's body; `None` when the body is not chunked.
    ///
    /// # Errors
    /// [`ChunkRefusal`] when the headers do not declare what the form asks for.
    pub fn new(proven: &Proven, headers: &HeaderMap) -> Result<Option<Self>, ChunkRefusal> {
        let payload = proven.payload();
        if !payload.is_chunked() {
            return Ok(None);
        }
        let expected = expected_trailers(payload, headers)?;
        Ok(Some(Self {
            signer: payload.signs_chunks().then(|| proven.chunk_signer()),
            state: State::Size,
            line: Vec::new(),
            hash: Sha256::new(),
            signature: [0; 64],
            declared: decoded_length(headers)?,
            seen: 0,
            expected,
            has_trailers: payload.has_trailers(),
            trailers: Vec::new(),
            trailer_signature: None,
        }))
    }

    /// The declared length of the bytes within.
    #[must_use]
    pub const fn decoded_length(&self) -> u64 {
        self.declared
    }

    /// The names declared in `x-amz-trailer`.
    pub(crate) fn expected(&self) -> &[String] {
        &self.expected
    }

    /// Takes the next piece and adds the bytes within to `out`.
    ///
    /// # Errors
    /// [`ChunkRefusal`]: the first thing that is wrong. Nothing that follows can be right.
    pub fn push(&mut self, mut piece: Bytes, out: &mut Vec<Bytes>) -> Result<(), ChunkRefusal> {
        while !piece.is_empty() {
            match self.state {
                State::Data { left } => {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                    let data = piece.split_to(take);
                    if self.signer.is_some() {
                        self.hash.update(&data);
                    }
                    let left = left.saturating_sub(data.len() as u64);
                    out.push(data);
                    self.state = if left == 0 { State::DataEnd } else { State::Data { left } };
                }
                State::Size | State::DataEnd | State::Trailers | State::End => {
                    let byte = piece.get_u8();
                    self.line.push(byte);
                    if byte == b'\n' {
                        let line = std::mem::take(&mut self.line);
                        self.line(&line)?;
                        // The allocation serves the next line.
                        self.line = line;
                        self.line.clear();
                    } else if self.line.len() > LINE_MAX {
                        return Err(ChunkRefusal::Grammar("a line is too long"));
                    }
                }
                State::Done => return Err(ChunkRefusal::Grammar("bytes follow its end")),
            }
        }
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`ChunkRefusal`] when it is cut short, has another length or other trailers than declared.
    pub fn finish(self) -> Result<Verified, ChunkRefusal> {
        if self.state != State::Done {
            return Err(ChunkRefusal::Grammar("it is cut short"));
        }
        if self.seen != self.declared {
            return Err(ChunkRefusal::Length { declared: self.declared });
        }
        Ok(Verified { trailers: self.trailers })
    }

    fn line(&mut self, line: &[u8]) -> Result<(), ChunkRefusal> {
        let line = line.strip_suffix(b"\r\n").ok_or(ChunkRefusal::Grammar("a line does not end in CR LF"))?;
        match self.state {
            State::Size => self.size_line(line),
            State::DataEnd if line.is_empty() => {
                self.check_chunk()?;
                self.state = State::Size;
                Ok(())
            }
            State::DataEnd => Err(ChunkRefusal::Grammar("a chunk is longer than it says")),
            State::End if line.is_empty() => {
                self.state = State::Done;
                Ok(())
            }
            State::End => Err(ChunkRefusal::Grammar("bytes follow its end")),
            State::Trailers if line.is_empty() => self.end_of_trailers(),
            State::Trailers => self.trailer_line(line),
            State::Data { .. } | State::Done => Err(ChunkRefusal::Grammar("a line stands where none may be")),
        }
    }

    fn size_line(&mut self, line: &[u8]) -> Result<(), ChunkRefusal> {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, rest) = line.split_at_checked(digits).unwrap_or_default();
        if size.is_empty() || size.len() > 8 {
            return Err(ChunkRefusal::Grammar("a chunk does not say its size"));
        }
        if self.signer.is_some() {
            let signature = rest.strip_prefix(b";chunk-signature=");
            self.signature =
                signature.and_then(signature_text).ok_or(ChunkRefusal::Grammar("a chunk is not signed"))?;
        } else if !rest.is_empty() {
            return Err(ChunkRefusal::Grammar("something follows a chunk's size"));
        }
        let size = str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
        let size = size.ok_or(ChunkRefusal::Grammar("a chunk does not say its size"))?;
        self.seen = self.seen.saturating_add(size);
        if self.seen > self.declared {
            return Err(ChunkRefusal::Length { declared: self.declared });
        }
        if size > 0 {
            self.state = State::Data { left: size };
            return Ok(());
        }
        self.check_chunk()?;
        if self.seen != self.declared {
            return Err(ChunkRefusal::Length { declared: self.declared });
        }
        self.state = if self.has_trailers { State::Trailers } else { State::End };
        Ok(())
    }

    fn check_chunk(&mut self) -> Result<(), ChunkRefusal> {
        let Some(signer) = &mut self.signer else { return Ok(()) };
        let hash = self.hash.finalize_reset().into();
        let made = signer.chunk(&hash);
        if bool::from(made.ct_eq(&self.signature)) { Ok(()) } else { Err(ChunkRefusal::ChunkSignature) }
    }

    fn trailer_line(&mut self, line: &[u8]) -> Result<(), ChunkRefusal> {
        let line =
            str::from_utf8(line).ok().filter(|line| line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let (name, value) = line
            .and_then(|line| line.split_once(':'))
            .ok_or(ChunkRefusal::Grammar("a trailer is not written `name:value`"))?;
        let name = name.to_ascii_lowercase();
        let value = value.trim_matches(' ');
        if self.trailer_signature.is_some() {
            return Err(ChunkRefusal::Grammar("a trailer follows the trailers' signature"));
        }
        if name == "x-amz-trailer-signature" {
            if self.signer.is_none() {
                return Err(ChunkRefusal::Trailers);
            }
            let signature = signature_text(value.as_bytes());
            self.trailer_signature =
                Some(signature.ok_or(ChunkRefusal::Grammar("the trailers' signature is not one"))?);
            return Ok(());
        }
        let known = self.expected.contains(&name) && !self.trailers.iter().any(|(seen, _)| *seen == name);
        if !known {
            return Err(ChunkRefusal::Trailers);
        }
        self.trailers.push((name, value.to_owned()));
        Ok(())
    }

    fn end_of_trailers(&mut self) -> Result<(), ChunkRefusal> {
        if self.trailers.len() != self.expected.len() {
            return Err(ChunkRefusal::Trailers);
        }
        if let Some(signer) = &mut self.signer {
            let made = signer.trailers(&self.trailers);
            let given = self.trailer_signature.ok_or(ChunkRefusal::TrailerSignature)?;
            if !bool::from(made.ct_eq(&given)) {
                return Err(ChunkRefusal::TrailerSignature);
            }
        }
        self.state = State::Done;
        Ok(())
    }
}

fn signature_text(text: &[u8]) -> Option<[u8; 64]> {
    let text: [u8; 64] = text.try_into().ok()?;
    text.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)).then_some(text)
}

fn decoded_length(headers: &HeaderMap) -> Result<u64, ChunkRefusal> {
    let missing = ChunkRefusal::Grammar("`x-amz-decoded-content-length` is missing or no number");
    let mut values = headers.get_all("x-amz-decoded-content-length").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(missing) };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(missing);
    }
    text.parse().map_err(|_| missing)
}

fn expected_trailers(payload: Payload, headers: &HeaderMap) -> Result<Vec<String>, ChunkRefusal> {
    let mut names: Vec<String> = Vec::new();
    for value in headers.get_all("x-amz-trailer") {
        for name in value.to_str().map_err(|_| ChunkRefusal::Trailers)?.split(',') {
            let name = name.trim_matches(' ').to_ascii_lowercase();
            // A closed list: what a trailer may carry must never be merged into the headers.
            if !name.starts_with("x-amz-checksum-") || names.contains(&name) || names.len() >= 8 {
                return Err(ChunkRefusal::Trailers);
            }
            names.push(name);
        }
    }
    if !names.is_empty() && !payload.has_trailers() {
        return Err(ChunkRefusal::Trailers);
    }
    Ok(names)
}
