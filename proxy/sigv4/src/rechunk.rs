//! A chunked body as it goes out: our own chunks of one size, signed with the real secret.
//!
//! The last chunk is withheld until the incoming body is verified to its end. Leaves out where the bytes come from.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::chunk::{ChunkSigner, ChunkVerifier, Verified};
use crate::{Payload, Signed};

/// The bytes in each chunk but the last.
pub const CHUNK: usize = 64 * 1024;

/// What stands between a chunk's size and its signature.
const EXTENSION: &str = ";chunk-signature=";

/// Cuts bytes into chunks and signs each.
#[derive(Debug)]
pub struct Rechunker {
    signer: Option<ChunkSigner>,
    trailers: bool,
    pending: Vec<Bytes>,
    pending_bytes: usize,
}

impl Rechunker {
    /// A chunker for a request that was signed again; `None` when its body is not chunked.
    #[must_use]
    pub fn new(signed: &Signed) -> Option<Self> {
        let payload = signed.payload();
        payload.is_chunked().then(|| Self {
            signer: payload.signs_chunks().then(|| signed.chunk_signer()),
            trailers: payload.has_trailers(),
            pending: Vec::new(),
            pending_bytes: 0,
        })
    }

    /// Takes bytes and adds the chunks that are full to `out`. A full chunk with nothing after it waits.
    pub fn push(&mut self, mut data: Bytes, out: &mut Vec<Bytes>) {
        while !data.is_empty() {
            if self.pending_bytes == CHUNK {
                self.emit(out);
            }
            let room = CHUNK.saturating_sub(self.pending_bytes);
            let part = data.split_to(room.min(data.len()));
            self.pending_bytes += part.len();
            self.pending.push(part);
        }
    }

    /// Adds the last chunk, the end and the trailers to `out`: only for a body that was verified to its end.
    #[expect(clippy::needless_pass_by_value, reason = "the word that a body is verified is used up here")]
    pub fn finish(mut self, verified: Verified, out: &mut Vec<Bytes>) {
        if self.pending_bytes > 0 {
            self.emit(out);
        }
        let mut end = self.head(0, &Sha256::digest(b"").into());
        if self.trailers {
            for (name, value) in verified.trailers() {
                end.push_str(name);
                end.push(':');
                end.push_str(value);
                end.push_str("\r\n");
            }
            if let Some(signer) = &mut self.signer {
                let signature = signer.trailers(verified.trailers());
                end.push_str("x-amz-trailer-signature:");
                end.push_str(str::from_utf8(&signature).unwrap_or_default());
                end.push_str("\r\n");
            }
        }
        end.push_str("\r\n");
        out.push(Bytes::from(end));
    }

    fn emit(&mut self, out: &mut Vec<Bytes>) {
        let mut hash = Sha256::new();
        if self.signer.is_some() {
            self.pending.iter().for_each(|part| hash.update(part));
        }
        let head = self.head(self.pending_bytes, &hash.finalize().into());
        out.push(Bytes::from(head));
        out.append(&mut self.pending);
        out.push(Bytes::from_static(b"\r\n"));
        self.pending_bytes = 0;
    }

    fn head(&mut self, size: usize, hash: &[u8; 32]) -> String {
        match &mut self.signer {
            Some(signer) => {
                let signature = signer.chunk(hash);
                format!("{size:x}{EXTENSION}{}\r\n", str::from_utf8(&signature).unwrap_or_default())
            }
            None => format!("{size:x}\r\n"),
        }
    }
}

/// The length on the wire of a body that comes in through `verifier` and goes out in our chunks; `None` where a
/// trailer's length is not known beforehand.
pub(crate) fn wire_length(payload: Payload, verifier: &ChunkVerifier) -> Option<u64> {
    let extension = if payload.signs_chunks() { EXTENSION.len() as u64 + 64 } else { 0 };
    let chunk = |size: u64| digits(size) + extension + 2 + size + 2;
    let decoded = verifier.decoded_length();
    let (full, rest) = (decoded / CHUNK as u64, decoded % CHUNK as u64);
    let mut length = full.checked_mul(chunk(CHUNK as u64))?;
    if rest > 0 {
        length = length.checked_add(chunk(rest))?;
    }
    length = length.checked_add(1 + extension + 2)?;
    for name in verifier.expected() {
        length = length.checked_add(name.len() as u64 + 1 + checksum_length(name)? + 2)?;
    }
    if payload.has_trailers() && payload.signs_chunks() {
        length = length.checked_add("x-amz-trailer-signature:".len() as u64 + 64 + 2)?;
    }
    length.checked_add(2)
}

const fn digits(size: u64) -> u64 {
    if size == 0 { 1 } else { (size.ilog2() / 4 + 1) as u64 }
}

/// The length of a checksum in base64, by the name of its trailer.
pub(crate) fn checksum_length(name: &str) -> Option<u64> {
    let bytes: u64 = match name.strip_prefix("x-amz-checksum-")? {
        "crc32" | "crc32c" => 4,
        "crc64nvme" | "xxhash64" | "xxhash3" => 8,
        "md5" | "xxhash128" => 16,
        "sha1" => 20,
        "sha256" => 32,
        "sha512" => 64,
        _ => return None,
    };
    Some(bytes.div_ceil(3) * 4)
}
