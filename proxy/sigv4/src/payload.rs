//! What a signature says about the body.
//!
//! Leaves out the body.

use crate::Refusal;

/// What stands in the place of the body's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// Nothing is declared: the hash of the body in hand is what was signed.
    Undeclared,
    /// The hash of the body.
    Sha256([u8; 32]),
    /// `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: chunks, each signed.
    Chunks,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: signed chunks and signed trailers.
    ChunksTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: chunks and trailers, none of them signed.
    UnsignedTrailer,
}

impl Payload {
    /// Reads the value of `x-amz-content-sha256`.
    ///
    /// # Errors
    /// [`Refusal::PayloadForm`] for any other form.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "UNSIGNED-PAYLOAD" => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::Chunks),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::ChunksTrailer),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::UnsignedTrailer),
            // The text is signed as it stands, so only the form that we would write ourselves is read.
            _ if text.bytes().any(|byte| byte.is_ascii_uppercase()) => Err(refused(text)),
            _ => {
                let mut hash = [0; 32];
                hex::decode_to_slice(text, &mut hash).map_err(|_| refused(text))?;
                Ok(Self::Sha256(hash))
            }
        }
    }

    /// The text that is signed; `None` when only the body can tell.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Undeclared => None,
            Self::Sha256(hash) => Some(hex::encode(hash)),
            Self::Unsigned => Some("UNSIGNED-PAYLOAD".to_owned()),
            Self::Chunks => Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned()),
            Self::ChunksTrailer => Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".to_owned()),
            Self::UnsignedTrailer => Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned()),
        }
    }

    /// The body comes in the chunks of `aws-chunked`.
    #[must_use]
    pub const fn is_chunked(&self) -> bool {
        match self {
            Self::Undeclared | Self::Sha256(_) | Self::Unsigned => false,
            Self::Chunks | Self::ChunksTrailer | Self::UnsignedTrailer => true,
        }
    }

    /// Each chunk is signed.
    pub(crate) const fn signs_chunks(&self) -> bool {
        matches!(self, Self::Chunks | Self::ChunksTrailer)
    }

    /// Trailers follow the last chunk.
    pub(crate) const fn has_trailers(&self) -> bool {
        matches!(self, Self::ChunksTrailer | Self::UnsignedTrailer)
    }
}

fn refused(text: &str) -> Refusal {
    Refusal::PayloadForm(text.chars().take(64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_back() {
        for text in [
            "UNSIGNED-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert_eq!(Payload::parse(text).unwrap().text().unwrap(), text);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "unsigned-payload",
            "STREAMING-AWS4-HMAC-SHA256-EVENTS",
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "e3b0",
        ] {
            assert!(Payload::parse(text).is_err(), "{text}");
        }
    }
}
