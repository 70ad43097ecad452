//! A body on its way through: verified as it comes in, framed and signed as it goes out.
//!
//! The upstream cannot complete the body before the incoming one is verified to its end: the last piece is withheld
//! until then. Leaves out reading and writing.

use bytes::Bytes;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use crate::chunk::ChunkVerifier;
use crate::rechunk::{Rechunker, checksum_length, wire_length};
use crate::{ChunkRefusal, Payload, Proven, Signed};

/// Takes a body as it was sent and gives it as it is to be sent on.
#[derive(Debug)]
pub struct PayloadStream {
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// Nothing to verify.
    Unsigned,
    /// One hash over all of it.
    Hashed { declared: [u8; 32], hash: Sha256, withheld: Bytes },
    /// Chunk by chunk.
    Chunked { verifier: Box<ChunkVerifier>, rechunker: Box<Rechunker>, length: u64 },
}

impl PayloadStream {
    /// A stream for a request that was proven and signed again with the same payload form.
    ///
    /// `headers` are the caller's.
    ///
    /// # Errors
    /// [`ChunkRefusal`] when the headers do not declare what the form asks for.
    pub fn new(proven: &Proven, headers: &HeaderMap, signed: &Signed) -> Result<Self, ChunkRefusal> {
        if signed.payload() != proven.payload() {
            return Err(ChunkRefusal::Grammar("it was signed again in another form"));
        }
        let form = match proven.payload() {
            Payload::Undeclared | Payload::Unsigned => Form::Unsigned,
            Payload::Sha256(declared) => {
                Form::Hashed { declared, hash: Sha256::new(), withheld: Bytes::new() }
            }
            form @ (Payload::Chunks | Payload::ChunksTrailer | Payload::UnsignedTrailer) => {
                let chunked = ChunkVerifier::new(proven, headers)?.zip(Rechunker::new(signed));
                let (verifier, rechunker) = chunked.ok_or(ChunkRefusal::Grammar("it is not chunked"))?;
                let length = wire_length(form, &verifier).ok_or(ChunkRefusal::Trailers)?;
                Form::Chunked { verifier: Box::new(verifier), rechunker: Box::new(rechunker), length }
            }
        };
        Ok(Self { form })
    }

    /// The `content-length` to send where it is another than the caller's.
    #[must_use]
    pub const fn content_length(&self) -> Option<u64> {
        match &self.form {
            Form::Unsigned | Form::Hashed { .. } => None,
            Form::Chunked { length, .. } => Some(*length),
        }
    }

    /// Takes the next piece and adds what may be sent on to `out`.
    ///
    /// # Errors
    /// [`ChunkRefusal`]: the body must be broken off, so that the upstream never completes it.
    pub fn push(&mut self, piece: Bytes, out: &mut Vec<Bytes>) -> Result<(), ChunkRefusal> {
        match &mut self.form {
            Form::Unsigned => out.push(piece),
            Form::Hashed { hash, withheld, .. } => {
                if !piece.is_empty() {
                    hash.update(&piece);
                    let before = std::mem::replace(withheld, piece);
                    if !before.is_empty() {
                        out.push(before);
                    }
                }
            }
            Form::Chunked { verifier, rechunker, .. } => {
                let mut data = Vec::new();
                let read = verifier.push(piece, &mut data);
                for part in data {
                    rechunker.push(part, out);
                }
                read?;
            }
        }
        Ok(())
    }

    /// Ends the body: adds what was withheld to `out` when all of it is verified.
    ///
    /// # Errors
    /// [`ChunkRefusal`]: the body must be broken off, so that the upstream never completes it.
    pub fn finish(self, out: &mut Vec<Bytes>) -> Result<(), ChunkRefusal> {
        match self.form {
            Form::Unsigned => Ok(()),
            Form::Hashed { declared, hash, withheld } => {
                if <[u8; 32]>::from(hash.finalize()) != declared {
                    return Err(ChunkRefusal::Hash);
                }
                if !withheld.is_empty() {
                    out.push(withheld);
                }
                Ok(())
            }
            Form::Chunked { verifier, rechunker, .. } => {
                let verified = verifier.finish()?;
                // The length that was declared upstream counts on checksums as long as their kind is.
                let misfit =
                    |(name, value): &(String, String)| checksum_length(name) != Some(value.len() as u64);
                if verified.trailers().iter().any(misfit) {
                    return Err(ChunkRefusal::Trailers);
                }
                rechunker.finish(verified, out);
                Ok(())
            }
        }
    }
}
