//! Why a signature is not accepted, or cannot be made.
//!
//! Leaves out how a plane words it to its clients.

/// Why a request's signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No credentials of any kind.
    #[error("the request is not signed; sign it with an issued key")]
    Unsigned,
    /// Another scheme than a signature, such as `Bearer`.
    #[error("the authorization scheme `{0}` is not accepted; sign the request with Signature Version 4")]
    OtherScheme(String),
    /// Signature Version 2, whose signatures do not cover the whole request.
    #[error("signature version 2 is not accepted; sign the request with Signature Version 4")]
    Version2,
    /// The asymmetric form.
    #[error("signature version 4a is not accepted; choose a regional endpoint and Signature Version 4")]
    Version4a,
    /// S3's browser form, whose policy would have to be rewritten.
    #[error("uploads by a browser form are not accepted; use a presigned `PUT` URL")]
    PostForm,
    /// Credentials in more than one place.
    #[error("the request carries credentials in more than one place; sign it once")]
    TwoSignatures,
    /// Not well formed.
    #[error("{0}")]
    Malformed(String),
    /// Signed too long ago, or in the future.
    #[error("the request was signed at `{signed}` and the time is `{now}`; set the clock and sign again")]
    Skewed {
        /// When it was signed.
        signed: String,
        /// The time it is.
        now: String,
    },
    /// A presigned URL after its end.
    #[error("the presigned URL ended at `{ended}` and the time is `{now}`; make a new one")]
    Expired {
        /// When it ended.
        ended: String,
        /// The time it is.
        now: String,
    },
    /// A header that bears on what the request does is not covered by the signature.
    #[error("the header `{0}` is not signed; sign every `x-amz-` header and `host`")]
    UnsignedHeader(String),
    /// A payload form that is not accepted.
    #[error("the payload form `{0}` is not accepted; send the body with its hash or in signed chunks")]
    PayloadForm(String),
    /// The body comes in chunks, and the operation is judged on the whole of it.
    #[error("the body of this operation is accepted whole only; send it with its hash and not in chunks")]
    Chunked,
    /// The body must be in hand, because its hash is signed and not declared.
    #[error("the body's hash is not declared; send it as `x-amz-content-sha256`")]
    BodyNeeded,
    /// Nothing signs the body, and the service is not one that takes it so.
    #[error("the body is not under the signature; sign it, as every service but S3 asks for")]
    UnsignedBody,
    /// The body is not the one whose hash is declared.
    #[error("the body is not the one declared in `x-amz-content-sha256`; send the body that was signed")]
    BodyMismatch,
    /// The signature is not the one the secret makes.
    #[error(
        "the signature does not match; check the secret access key and that nothing rewrites the request"
    )]
    SignatureMismatch,
}

impl Refusal {
    pub(crate) fn malformed(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }

    /// The machine-readable reason; matches `[a-z][a-z0-9_]{0,63}`.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        match self {
            Self::Unsigned => "missing_authentication",
            Self::OtherScheme(_) => "authorization_scheme",
            Self::Version2 => "signature_version_2",
            Self::Version4a => "signature_version_4a",
            Self::PostForm => "post_form",
            Self::TwoSignatures => "two_signatures",
            Self::Malformed(_) => "malformed_signature",
            Self::Skewed { .. } => "clock_skew",
            Self::Expired { .. } => "request_expired",
            Self::UnsignedHeader(_) => "header_not_signed",
            Self::PayloadForm(_) | Self::Chunked => "payload_form",
            Self::BodyNeeded => "payload_hash_missing",
            Self::UnsignedBody => "payload_not_signed",
            Self::BodyMismatch => "payload_mismatch",
            Self::SignatureMismatch => "signature_mismatch",
        }
    }
}

/// Why a streamed body is not accepted. What was passed on before is never completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkRefusal {
    /// The framing is not what was declared.
    #[error("the chunked body is malformed: {0}; send it as the service documents")]
    Grammar(&'static str),
    /// A chunk's signature is not the one the secret makes.
    #[error("the signature of a chunk does not match; send the chunks as they were signed")]
    ChunkSignature,
    /// The signature over the trailers is not the one the secret makes.
    #[error("the signature of the trailers does not match; send the trailers as they were signed")]
    TrailerSignature,
    /// The body's length is not the declared one.
    #[error("the body has another length than `{declared}`; declare the length that is sent")]
    Length {
        /// What was declared.
        declared: u64,
    },
    /// The trailers are not those declared in `x-amz-trailer`.
    #[error("the trailers are not those declared in `x-amz-trailer`; declare each that is sent")]
    Trailers,
    /// The body is not the one whose hash is signed.
    #[error("the body is not the one declared in `x-amz-content-sha256`; send the body that was signed")]
    Hash,
}

impl ChunkRefusal {
    /// The machine-readable reason; matches `[a-z][a-z0-9_]{0,63}`.
    #[must_use]
    pub const fn reason_code(&self) -> &'static str {
        match self {
            Self::Grammar(_) => "malformed_chunk",
            Self::ChunkSignature => "chunk_signature_mismatch",
            Self::TrailerSignature => "trailer_signature_mismatch",
            Self::Length { .. } => "length_mismatch",
            Self::Trailers => "undeclared_trailer",
            Self::Hash => "payload_mismatch",
        }
    }
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Something that would stand in a header cannot.
    #[error("the {0} cannot be sent in a header; check the credential")]
    Header(&'static str),
    /// The target cannot be brought into canonical form.
    #[error("the query holds a broken escape; percent-encode it")]
    Target,
    /// The present time cannot be written.
    #[error("the clock is out of range; set it")]
    Clock,
}
